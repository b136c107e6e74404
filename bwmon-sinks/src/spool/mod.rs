//! What an agent could not deliver yet, on disk.
//!
//! A [`Spool`] gives each record its epoch and number and keeps it until it is delivered: through
//! restarts, crashes, losses of power, damage, and a disk that is full or away. What it has to give
//! up, it names to the receiver. It reads no clock and starts no thread; `docs/decisions/0014-spool.md`
//! has the format and why it holds.

mod codec;
mod config;
mod deliver;
mod disk;
mod files;
mod load;
mod quarantine;
mod ranges;
mod resume;
mod segment;
mod state;
mod stats;
mod store;

#[cfg(test)]
mod tests;

pub use config::SpoolConfig;
pub use deliver::Settled;
pub use files::{Files, Folder};
pub use load::{Waiting, look};
pub use stats::{Dropped, LaneStats, SpoolStats};
pub use store::Spool;
