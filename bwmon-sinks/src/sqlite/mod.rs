//! Reports in one SQLite file, and reading them back.
//!
//! [`SqliteSink`] owns the file's only writer, on a thread of its own; each batch is one
//! transaction, and `Ok` leaves after its commit has reached the disk (WAL, `synchronous=FULL`).
//! [`SqliteReader`] has read-only connections of its own; its calls block, so an async caller makes
//! them through `spawn_blocking`. [`SqliteMaintenance`] removes what is too old, between the writes.
//!
//! [`SqliteAppender`] is for many who write at the same time: what waits is one commit.
//!
//! A commit adds one row to the journal: whatever of the batch is new. When the journal has grown
//! enough, its rows become chunks, which hold the records of one agent and one hour together, in small
//! steps that ride on commits ([`Figures`] counts them). Readers see both as one.
//!
//! A record is stored once per (agent, epoch, seq). What has arrived of each epoch is known in memory,
//! kept beside the chunks, and made from the journal after a restart, so that a record that comes again
//! after it was removed for its age is still a duplicate. A [`Dropped`](bwmon_core::report::Dropped)
//! record settles the numbers it covers: they count as arrived.

mod append;
mod batch;
mod checkpoint;
mod chunk;
mod config;
mod connection;
mod entry;
mod error;
mod fault;
mod figures;
mod header;
mod heads;
mod journal;
mod maintenance;
mod migrate;
mod queue;
mod ranges;
mod reader;
mod row;
mod schema;
mod seal;
mod sink;
mod streams;
mod tail;
mod traffic;
mod walk;
mod writer;

pub use append::{Appending, SqliteAppender};
pub use config::SqliteConfig;
pub use error::{OpenError, ReadError};
pub use figures::{Figures, JournalFigures};
pub use maintenance::{CleanUp, SqliteMaintenance};
pub use reader::{AgentEntry, ReadCount, SqliteReader, StoreStats, StoredRecord, StoredReport};
pub use schema::{APPLICATION_ID, SCHEMA_VERSION};
pub use sink::SqliteSink;
pub use traffic::TrafficSummer;
