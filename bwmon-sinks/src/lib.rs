//! Where bwmon's reports go.
//!
//! Each sink implements [`bwmon_core::Sink`], in a folder of its own behind a feature of its own,
//! and knows no other. The [`driver`] gives a sink its bounded queue and its worker: it batches,
//! retries and counts, so that no sink has to.
//!
//! ```
//! # #[cfg(all(feature = "stdout", feature = "driver"))]
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! use bwmon_core::outbox::Outbox;
//! use bwmon_core::report::{AgentId, Epoch, Interval};
//! use bwmon_sinks::driver::{Driver, DriverConfig};
//! use bwmon_sinks::stdout::StdoutSink;
//!
//! // A real agent is given the first when it enrols, and draws the second at random.
//! let mut outbox = Outbox::new(AgentId(1), Epoch(1));
//! let driver = Driver::spawn(Box::new(StdoutSink::stdout()), DriverConfig::default());
//! driver.offer(outbox.report(Interval::default()));
//! let closed = driver.close(std::time::Duration::from_secs(10)).await;
//! assert_eq!(closed.stats.stored, 1);
//! # });
//! ```
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `stdout` | [`stdout::StdoutSink`]: JSON lines on standard output or any writer |
//! | `http` | [`http::HttpSink`]: reports over one keep-alive connection to a collector |
//! | `sqlite` | [`sqlite::SqliteSink`] and [`sqlite::SqliteReader`]: reports in one file, and back |
//! | `spool` | [`spool::Spool`]: what an agent could not deliver yet, on disk |
//! | `driver` | [`driver::Driver`]: one queue and one worker per sink |

#![warn(missing_docs)]

#[cfg(any(feature = "sqlite", feature = "driver"))]
mod clock;
#[cfg(feature = "driver")]
pub mod driver;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "http")]
mod secret;
#[cfg(feature = "spool")]
pub mod spool;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "stdout")]
pub mod stdout;

#[cfg(any(feature = "sqlite", feature = "driver"))]
pub use clock::Clock;
#[cfg(feature = "http")]
pub use secret::Secret;
