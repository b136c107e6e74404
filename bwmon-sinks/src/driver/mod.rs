//! One bounded backlog and one worker per sink.
//!
//! A backlog is a queue in memory, for what [`Driver::offer`] is given, or a spool on disk, which
//! numbers what [`Driver::report`] is given and goes on where it was after a restart. Neither call
//! blocks. The worker batches what waits, hands it to the sink, and sends a batch again, for ever, as
//! long as the sink's error says that it may be taken later. When the backlog is full, its oldest
//! reports give way to a [`Dropped`](bwmon_core::report::Dropped) record, so that the receiver sees
//! why they are missing.
//!
//! What was offered is always somewhere: `offered = stored + duplicate + refused + dropped + queued
//! + in_flight`, at every moment, in [`DriverStats`].

mod backlog;
mod backoff;
mod config;
mod handle;
mod memory;
mod queue;
mod spooled;
mod stats;
mod worker;

pub use backlog::Backlog;
pub use backoff::Backoff;
pub use config::DriverConfig;
pub use handle::{Closed, Driver};
pub use memory::MemoryQueue;
pub use spooled::{NotTaken, SpoolQueue, Tap};
pub use stats::{DriverStats, Failures};
