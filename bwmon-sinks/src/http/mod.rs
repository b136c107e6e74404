//! Reports over one keep-alive HTTP connection to a collector.
//!
//! The blocking client lives on a thread of its own; [`HttpSink`] is the async face of it. A batch
//! travels as one [`Document`](bwmon_core::report::Document), zstd-compressed above 1 KiB, and `Ok`
//! carries the receipt that the collector gave after its commit.
//!
//! Documents travel in the [compact encoding](bwmon_core::report::wire). A collector that answers 415 to
//! it, and does not list it among what can be posted (`Accept-Post`), is sent the same batch as JSON, and
//! JSON from then on, until it lists it, as it does once it is upgraded. A collector that takes neither
//! yields [`Incompatible`](bwmon_core::sink::SinkErrorKind::Incompatible), and the data is held.

//!
//! With a [`Stamp`] each delivery says what the agent's clocks are, in the header
//! [`Sent::HEADER`](bwmon_core::report::Sent::HEADER).

mod body;
mod config;
mod connection;
mod error;
mod resolver;
mod sink;

pub use body::{MAX_BODY_BYTES, MAX_DECODED_BYTES};
pub use config::{Encoding, HttpConfig, Stamp};
pub use error::HttpConfigError;
pub use sink::{HttpSink, MAX_BATCH};
