//! What both binaries need.

pub mod config;
pub mod duration;
pub mod enrolment;
pub mod errors;
pub mod exposition;
pub mod log;
pub mod loopback;
pub mod memory;
pub mod peers;
pub mod secret;
pub mod throttle;
