//! Reports in one SQLite file, and reading them back.
//!
//! [`SqliteSink`] owns the file's only writer, on a thread of its own; each batch is one
//! transaction, and `Ok` leaves after its commit has reached the disk (WAL, `synchronous=FULL`).
//! [`SqliteReader`] has read-only connections of its own; its calls block, so an async caller makes
//! them through `spawn_blocking`. [`SqliteMaintenance`] removes what is too old, between the writes.
//!
//! A record is stored once per (agent, epoch, seq). What has arrived of each epoch is kept beside
//! the records, in the same transaction, so that a record that comes again after it was removed for
//! its age is still a duplicate. A [`Dropped`](bwmon_core::report::Dropped) record settles the
//! numbers it covers: they count as arrived.

mod config;
mod connection;
mod error;
mod fault;
mod header;
mod maintenance;
mod ranges;
mod reader;
mod schema;
mod sink;
mod traffic;
mod writer;

pub use config::SqliteConfig;
pub use error::{OpenError, ReadError};
pub use maintenance::{CleanUp, SqliteMaintenance};
pub use reader::{AgentEntry, ReadCount, SqliteReader, StoreStats, StoredRecord, StoredReport};
pub use schema::{APPLICATION_ID, SCHEMA_VERSION};
pub use sink::SqliteSink;
pub use traffic::TrafficSummer;
