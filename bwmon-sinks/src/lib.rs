//! Where bwmon's reports go.
//!
//! Each sink implements [`bwmon_core::Sink`], in a folder of its own behind a feature of its own,
//! and knows no other. The [`driver`] gives a sink its bounded queue and its worker: it batches,
//! retries and counts, so that no sink has to.
//!
//! | feature | adds |
//! |---|---|
//! | `stdout` | [`stdout::StdoutSink`]: JSON lines on standard output or any writer |
//! | `http` | [`http::HttpSink`]: reports over one keep-alive connection to a collector |
//! | `sqlite` | [`sqlite::SqliteSink`] and [`sqlite::SqliteReader`]: reports in one file, and back |
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
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "stdout")]
pub mod stdout;

#[cfg(any(feature = "sqlite", feature = "driver"))]
pub use clock::Clock;
#[cfg(feature = "http")]
pub use secret::Secret;
