//! Reports over one keep-alive HTTP connection to a collector.
//!
//! The blocking client lives on a thread of its own; [`HttpSink`] is the async face of it. A batch
//! travels as one [`Document`](bwmon_core::report::Document), zstd-compressed above 1 KiB, and `Ok`
//! carries the receipt that the collector gave after its commit.

mod config;
mod connection;
mod error;
mod resolver;
mod sink;

pub use config::HttpConfig;
pub use error::HttpConfigError;
pub use sink::{HttpSink, MAX_BATCH, MAX_BODY_BYTES, MAX_DECODED_BYTES};
