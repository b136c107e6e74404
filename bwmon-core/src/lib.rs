//! Who uses my bandwidth, on which host, to whom: the library that bwmon is made of.
//!
//! Frames come in through a [`Collector`], a [`Monitor`] turns them into [`report::Interval`]s, a
//! [`Sink`] takes those as numbered [`report::Record`]s, and [`AlertRule`]s judge them. By default
//! the crate is pure: no clock, no file, no thread, no socket and no async runtime. The I/O edge is
//! in `collectors`, each behind a feature.
//!
//! Flow rows of a frame, with the time passed in:
//!
//! ```
//! use std::time::Duration;
//! use bwmon_core::frame::{Direction, Frame, InterfaceId, LinkType};
//! use bwmon_core::{Monitor, Observer, monitor::MonitorConfig, time::Timestamp};
//!
//! // IPv4 (45) from 10.0.0.1 to 10.0.0.2, UDP (17) from port 5000 to port 53, no payload.
//! let bytes = [
//!     0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
//!     0x13, 0x88, 0, 53, 0, 8, 0, 0, // UDP
//! ];
//! let mut monitor = Monitor::new(MonitorConfig::default());
//! monitor.frame(Frame {
//!     at: Timestamp::from_secs(100),
//!     interface: InterfaceId(2),
//!     direction: Direction::Egress,
//!     link: LinkType::RawIp,
//!     stripped_vlan: None,
//!     wire_len: 28,
//!     bytes: &bytes,
//! });
//! let interval = monitor.rotate(Timestamp::from_secs(102), Duration::from_secs(2));
//! let row = &interval.flows[0];
//! assert_eq!((row.remote.to_string().as_str(), row.remote_port), ("10.0.0.2", 53));
//! assert_eq!(row.traffic.egress.bytes, 28);
//! ```
//!
//! [`monitor`] says how a live source is read so that intervals close to the byte. A whole service is
//! in `examples/embed_in_service.rs`, a sink of one's own in `examples/custom_sink.rs`; [`collector`],
//! [`sink`] and [`alert`] have the laws that implementors keep, and `testkit` has them as tests.
//!
//! # Features
//!
//! Each only adds; none is on by default.
//!
//! | feature | adds |
//! |---|---|
//! | `system` | host metrics and interface counters (sysinfo, `/sys`) |
//! | `af_packet` | live capture through a Linux packet ring |
//! | `ping` | round trips to other hosts, by ICMP echo or TCP |
//! | `sock_diag` | bytes per TCP connection from the Linux kernel, without privilege |
//! | `pcap` | live capture through libpcap, the portable way |
//! | `capture_file` | capture files (pcap, pcapng), without libpcap |
//! | `testkit` | conformance suites for implementors of the traits, test doubles |
//! | `openapi` | OpenAPI schemas of the report and query types |

#![warn(missing_docs)]

pub mod alert;
pub mod collector;
pub mod collectors;
pub mod filter;
pub mod flow;
pub mod frame;
pub mod monitor;
pub mod outbox;
pub mod packet;
pub mod protocol;
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
