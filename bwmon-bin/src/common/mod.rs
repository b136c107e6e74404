//! What both binaries need.

pub mod config;
pub mod duration;
pub mod errors;
pub mod log;
pub mod throttle;
