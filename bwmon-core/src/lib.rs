//! bwmon-core
#![warn(missing_docs)]
pub mod frame;
pub mod query;
pub mod report;
pub mod time;
