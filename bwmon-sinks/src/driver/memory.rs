//! The queue in memory and its sums.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bwmon_core::report::{Envelope, Fate, Receipt};
use bwmon_core::sink::SinkError;
use bwmon_core::time::Timestamp;
use tokio::sync::{Notify, watch};

use super::backlog::sealed::Waits;
use super::backlog::{Backlog, Flight};
use super::config::DriverConfig;
use super::queue::Queue;
use super::stats::DriverStats;

/// A bounded queue in memory: when it is full, its oldest reports give way.
#[derive(Debug)]
pub struct MemoryQueue {
    queue: Mutex<Inner>,
    wake: Notify,
    stats: watch::Sender<DriverStats>,
}

#[derive(Debug)]
struct Inner {
    queue: Queue,
    stats: DriverStats,
    is_dropping: bool,
}

impl MemoryQueue {
    pub(super) fn new(config: &DriverConfig) -> Self {
        Self {
            queue: Mutex::new(Inner {
                queue: Queue::new(config.queue_records, config.queue_bytes),
                stats: DriverStats::default(),
                is_dropping: false,
            }),
            wake: Notify::new(),
            stats: watch::Sender::new(DriverStats::default()),
        }
    }

    pub(super) fn offer(&self, envelope: Envelope, sink: &str) {
        self.update(|inner| {
            let overflow = inner.queue.push(envelope);
            inner.stats.offered += 1;
            inner.stats.dropped += overflow.dropped;
            inner.stats.notices_lost += overflow.notices_lost;
            if overflow.dropped > 0 && !std::mem::replace(&mut inner.is_dropping, true) {
                tracing::warn!(sink, "the queue is full: the oldest reports are dropped");
            }
        });
        self.wake.notify_one();
    }

    /// Changes the state and publishes it; both under one lock, so that the sums always add up.
    fn update<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let notices_before = inner.queue.notices() as u64;
        let value = change(&mut inner);
        let inner = &mut *inner;
        inner.stats.notices =
            (inner.stats.notices + inner.queue.notices() as u64).saturating_sub(notices_before);
        inner.stats.queued = inner.queue.records() as u64;
        inner.stats.queued_bytes = inner.queue.bytes() as u64;
        self.stats.send_replace(inner.stats.clone());
        value
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backlog for MemoryQueue {}

#[async_trait]
impl Waits for MemoryQueue {
    async fn take(&self, max: usize) -> Option<Flight> {
        let items = self.update(|inner| {
            let items = inner.queue.take(max);
            let notices = items.iter().filter(|item| item.is_notice).count();
            inner.stats.notices += notices as u64;
            inner.stats.in_flight += (items.len() - notices) as u64;
            items
        });
        Flight::new(items)
    }

    async fn settle(&self, sink: &str, flight: &Flight, receipt: Receipt) {
        self.update(|inner| {
            let stats = &mut inner.stats;
            for (fate, is_notice) in receipt.fates.iter().zip(&flight.is_notice) {
                if *is_notice {
                    stats.notices = stats.notices.saturating_sub(1);
                    match fate {
                        Fate::Refused(_) => stats.notices_lost += 1,
                        _ => stats.notices_delivered += 1,
                    }
                    continue;
                }
                stats.in_flight = stats.in_flight.saturating_sub(1);
                match fate {
                    Fate::Duplicate => stats.duplicate += 1,
                    Fate::Refused(reason) => stats.refuse_and_tell(sink, reason),
                    _ => stats.stored += 1,
                }
            }
        });
    }

    async fn give_back(&self, flight: Flight) -> Option<Flight> {
        Some(flight)
    }

    fn succeeded(&self, sink: &str, now: Timestamp) -> u64 {
        self.update(|inner| {
            inner.stats.succeeded(now);
            if inner.queue.is_relaxed() && std::mem::take(&mut inner.is_dropping) {
                let dropped = inner.stats.dropped;
                tracing::info!(sink, dropped, "the queue has room again");
            }
            inner.queue.records() as u64
        })
    }

    fn failed(&self, error: &SinkError, wait: Duration) {
        self.update(|inner| inner.stats.failed(error, wait));
    }

    async fn close(&self) {}

    fn wake(&self) -> &Notify {
        &self.wake
    }

    fn stats(&self) -> watch::Receiver<DriverStats> {
        self.stats.subscribe()
    }
}
