//! What both binaries need.

pub mod config;
pub mod duration;
pub mod log;
