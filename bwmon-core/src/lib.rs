//! Who uses my bandwidth, on which host, to whom: the library that bwmon is made of.
//!
//! Frames come in through a [`Collector`], a [`Monitor`] turns them into [`report::Interval`]s, a
//! [`Sink`] takes those as numbered [`report::Record`]s, and [`AlertRule`]s judge them. By default
//! the crate is pure: no clock, no file, no thread, no socket and no async runtime. The I/O edge is
//! in `collectors`, each behind a feature.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `system` | host metrics and interface counters (sysinfo, `/sys`) |
//! | `af_packet` | live capture through a Linux packet ring |
//! | `sock_diag` | bytes per TCP connection from the Linux kernel, without privilege |
//! | `pcap` | live capture through libpcap, the portable way |
//! | `capture_file` | capture files (pcap, pcapng), without libpcap |
//! | `testkit` | conformance suites for implementors of the traits, test doubles |
//! | `openapi` | OpenAPI schemas of the report and query types |

#![warn(missing_docs)]

pub mod alert;
pub mod collector;
pub mod collectors;
pub mod flow;
pub mod frame;
pub mod monitor;
pub mod outbox;
pub mod packet;
pub mod query;
pub mod report;
pub mod sample;
pub mod sink;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;

pub use alert::AlertRule;
pub use collector::{Collector, Observer};
pub use monitor::Monitor;
pub use sink::Sink;
