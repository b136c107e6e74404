//! The one who owns the sink.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bwmon_core::Sink;
use bwmon_core::report::{Batch, Envelope, Fate, Receipt};
use bwmon_core::sink::{SinkError, SinkErrorKind};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::config::DriverConfig;
use super::queue::{Item, Queue};
use super::stats::DriverStats;

/// Longest wait between two tries while somebody waits for the queue to be empty.
const DRAINING_WAIT: Duration = Duration::from_millis(500);
/// Longest time that a sink is given to close.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// What the handle wants of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    /// Somebody waits: short waits between tries.
    Draining,
    /// Leave what is left.
    Stop,
}

/// What handle and worker share.
#[derive(Debug)]
pub(super) struct Shared {
    queue: Mutex<Inner>,
    pub(super) wake: Notify,
    stats: watch::Sender<DriverStats>,
}

#[derive(Debug)]
struct Inner {
    queue: Queue,
    stats: DriverStats,
    is_dropping: bool,
}

impl Shared {
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

    pub(super) fn stats(&self) -> watch::Receiver<DriverStats> {
        self.stats.subscribe()
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

/// A batch with the sink.
#[derive(Debug)]
struct Flight {
    batch: Batch,
    is_notice: Vec<bool>,
}

impl Flight {
    fn new(items: Vec<Item>) -> Self {
        let (entries, is_notice) = items
            .into_iter()
            .map(|item| (item.envelope, item.is_notice))
            .unzip();
        Self {
            batch: Batch { entries },
            is_notice,
        }
    }

    fn len(&self) -> usize {
        self.batch.entries.len()
    }

    /// The same in parts of at most `size` records, in order.
    fn split(mut self, size: usize) -> Vec<Self> {
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

/// The phase says stop.
struct Stopped;

pub(super) struct Worker {
    sink: Box<dyn Sink>,
    name: String,
    config: DriverConfig,
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    backoff: Backoff,
    failing: Option<SinkErrorKind>,
}

impl Worker {
    pub(super) fn new(
        sink: Box<dyn Sink>,
        config: DriverConfig,
        shared: Arc<Shared>,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            name: sink.name().to_owned(),
            sink,
            config,
            shared,
            phase,
            backoff: Backoff::new(),
            failing: None,
        }
    }

    /// Delivers until told to stop, then closes the sink.
    pub(super) async fn run(mut self) -> Result<(), SinkError> {
        while self.next().await.is_ok() {}
        match timeout(CLOSE_GRACE, self.sink.close()).await {
            Ok(closed) => closed,
            Err(_) => Err(SinkError::new(
                SinkErrorKind::Unavailable,
                format!(
                    "{} did not close within {} s",
                    self.name,
                    CLOSE_GRACE.as_secs()
                ),
            )),
        }
    }

    async fn next(&mut self) -> Result<(), Stopped> {
        let is_handle_gone = self.phase.has_changed().is_err();
        if is_handle_gone || *self.phase.borrow() == Phase::Stop {
            return Err(Stopped);
        }
        let max_batch = self.sink.capability().max_batch.max(1);
        let items = self.shared.update(|inner| {
            let items = inner.queue.take(max_batch);
            let notices = items.iter().filter(|item| item.is_notice).count();
            inner.stats.notices += notices as u64;
            inner.stats.in_flight += (items.len() - notices) as u64;
            items
        });
        if !items.is_empty() {
            return self.deliver(Flight::new(items)).await;
        }
        tokio::select! {
            () = stop(&mut self.phase) => Err(Stopped),
            () = self.shared.wake.notified() => Ok(()),
        }
    }

    /// Until each record of it is taken or given up.
    async fn deliver(&mut self, flight: Flight) -> Result<(), Stopped> {
        let mut parts = vec![flight];
        while let Some(flight) = parts.pop() {
            let Err((flight, error)) = self.attempt(flight).await? else {
                continue;
            };
            let len = flight.len();
            if error.is_retryable() {
                self.failed(&error).await?;
                parts.push(flight);
            } else if len > 1 {
                // One poison record must not hold up the others.
                let is_too_large = error.kind() == SinkErrorKind::TooLarge;
                let size = if is_too_large { len.div_ceil(2) } else { 1 };
                parts.extend(flight.split(size).into_iter().rev());
            } else {
                let refused = vec![Fate::Refused(error.to_string()); len];
                self.settle(&flight, &refused);
            }
        }
        Ok(())
    }

    async fn attempt(
        &mut self,
        flight: Flight,
    ) -> Result<Result<(), (Flight, SinkError)>, Stopped> {
        let answer = tokio::select! {
            biased;
            answer = self.sink.write(&flight.batch) => answer,
            () = stop(&mut self.phase) => return Err(Stopped),
        };
        let answer = answer.and_then(|receipt| self.check(&flight, receipt));
        Ok(match answer {
            Ok(receipt) => {
                self.succeeded();
                self.settle(&flight, &receipt.fates);
                Ok(())
            }
            Err(error) => Err((flight, error)),
        })
    }

    /// A sink that breaks the law of one fate per record has said nothing about any of them.
    fn check(&self, flight: &Flight, receipt: Receipt) -> Result<Receipt, SinkError> {
        let (fates, records) = (receipt.fates.len(), flight.len());
        if fates == records {
            return Ok(receipt);
        }
        let name = &self.name;
        let message =
            format!("{name} gave {fates} fates for {records} records: a defect of the sink");
        Err(SinkError::new(SinkErrorKind::Broken, message))
    }

    fn settle(&self, flight: &Flight, fates: &[Fate]) {
        self.shared.update(|inner| {
            let stats = &mut inner.stats;
            for (fate, is_notice) in fates.iter().zip(&flight.is_notice) {
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
                    Fate::Refused(reason) => {
                        if stats.refuse(reason) {
                            tracing::warn!(
                                sink = self.name,
                                reason,
                                "a record is refused for good"
                            );
                        }
                    }
                    _ => stats.stored += 1,
                }
            }
        });
    }

    fn succeeded(&mut self) {
        self.backoff.committed();
        let now = self.config.clock.now();
        let queued = self.shared.update(|inner| {
            inner.stats.last_error = None;
            inner.stats.last_success = Some(now);
            if inner.queue.is_relaxed() && std::mem::take(&mut inner.is_dropping) {
                let dropped = inner.stats.dropped;
                tracing::info!(sink = self.name, dropped, "the queue has room again");
            }
            inner.queue.records()
        });
        if self.failing.take().is_some() {
            tracing::info!(sink = self.name, queued, "delivery goes on");
        }
    }

    /// Notes the failure and waits until the next try.
    async fn failed(&mut self, error: &SinkError) -> Result<(), Stopped> {
        if self.failing.replace(error.kind()) != Some(error.kind()) {
            tracing::warn!(sink = self.name, %error, "delivery fails; records are kept and sent again");
        }
        self.shared.update(|inner| {
            inner.stats.retries += 1;
            inner.stats.last_error = Some(error.to_string());
        });
        let wait = self.backoff.wait(error, &self.config);
        let phase = *self.phase.borrow_and_update();
        let wait = match phase {
            Phase::Running => wait,
            Phase::Draining => wait.min(DRAINING_WAIT),
            Phase::Stop => return Err(Stopped),
        };
        tokio::select! {
            () = sleep(wait) => Ok(()),
            changed = self.phase.changed() => match changed {
                Ok(()) if *self.phase.borrow() != Phase::Stop => Ok(()),
                _ => Err(Stopped),
            },
        }
    }
}

/// Returns once the worker must stop, also because its handle is gone.
async fn stop(phase: &mut watch::Receiver<Phase>) {
    // An error says that the handle is gone.
    let _ = phase.wait_for(|phase| *phase == Phase::Stop).await;
}
