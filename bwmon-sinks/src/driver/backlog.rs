//! What a driver sends from: a queue in memory, or a spool on disk.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bwmon_core::report::{Batch, Receipt};
use bwmon_core::sink::SinkError;
use bwmon_core::time::Timestamp;
use tokio::sync::{Notify, watch};

use super::queue::Item;
use super::stats::DriverStats;

/// Records that wait for one sink. The worker of the sink is the only one that takes.
pub trait Backlog: sealed::Waits {}

pub(super) mod sealed {
    use super::{
        DriverStats, Duration, Flight, Notify, Receipt, SinkError, Timestamp, async_trait, fmt,
        watch,
    };

    #[async_trait]
    pub trait Waits: fmt::Debug + Send + Sync + 'static {
        /// The next records, at most `max`; none where nothing may be sent now.
        async fn take(&self, max: usize) -> Option<Flight>;
        /// What became of the records of a flight.
        async fn settle(&self, sink: &str, flight: &Flight, receipt: Receipt);
        /// The sink did not take a flight. Comes back where it is to be sent again as it is.
        async fn give_back(&self, flight: Flight) -> Option<Flight>;
        /// Notes a delivery; says how many records wait.
        fn succeeded(&self, sink: &str, now: Timestamp) -> u64;
        /// Notes a failure, and how long the next try waits.
        fn failed(&self, error: &SinkError, wait: Duration);
        /// Keeps what is left, as far as it can be kept.
        async fn close(&self);
        /// Tells that there may be something to take.
        fn wake(&self) -> &Notify;
        /// What became of everything.
        fn stats(&self) -> watch::Receiver<DriverStats>;
    }
}

/// A batch with the sink.
#[derive(Debug)]
pub struct Flight {
    pub(super) batch: Batch,
    pub(super) is_notice: Vec<bool>,
}

impl Flight {
    pub(super) fn new(items: Vec<Item>) -> Option<Self> {
        let (entries, is_notice): (Vec<_>, Vec<_>) = items
            .into_iter()
            .map(|item| (item.envelope, item.is_notice))
            .unzip();
        (!entries.is_empty()).then_some(Self {
            batch: Batch { entries },
            is_notice,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.batch.entries.len()
    }

    /// The same in parts of at most `size` records, in order.
    pub(super) fn split(mut self, size: usize) -> Vec<Self> {
        let mut parts = Vec::new();
        while self.len() > size {
            let rest = Self {
                batch: Batch {
                    entries: self.batch.entries.split_off(size),
                },
                is_notice: self.is_notice.split_off(size),
            };
            parts.push(std::mem::replace(&mut self, rest));
        }
        parts.push(self);
        parts
    }
}
