//! One bounded queue and one worker per sink.
//!
//! [`Driver::offer`] never blocks. The worker batches what is queued, hands it to the sink, and
//! sends a batch again, for ever, as long as the sink's error says that it may be taken later. When
//! the queue is full, its oldest reports are replaced by one
//! [`Dropped`](bwmon_core::report::Dropped) record, so that the receiver sees why they are missing.
//!
//! What was offered is always somewhere: `offered = stored + duplicate + refused + dropped + queued
//! + in_flight`, at every moment, in [`DriverStats`].

mod backoff;
mod config;
mod handle;
mod queue;
mod stats;
mod worker;

pub use backoff::Backoff;
pub use config::DriverConfig;
pub use handle::{Closed, Driver};
pub use stats::DriverStats;
