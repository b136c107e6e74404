use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bwmon_core::Sink;
use bwmon_core::report::{Envelope, Interval};
use bwmon_core::sink::{SinkError, SinkErrorKind};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::backlog::Backlog;
use super::config::DriverConfig;
use super::memory::MemoryQueue;
use super::spooled::{NotTaken, SpoolQueue};
use super::stats::DriverStats;
use super::worker::{Phase, Worker};

/// A sink with its queue and its worker. See the [module's documentation](super).
///
/// Dropping it stops the worker and gives up what is queued in memory; [`Driver::close`] does not.
pub struct Driver<Q: Backlog = MemoryQueue> {
    name: String,
    queue: Arc<Q>,
    phase: watch::Sender<Phase>,
    worker: JoinHandle<Result<(), SinkError>>,
}

/// How a driver ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Closed {
    /// The last word on what was offered; `queued` and `in_flight` are what is left.
    pub stats: DriverStats,
    /// How the sink closed.
    pub sink: Result<(), SinkError>,
}

impl Driver {
    /// Starts the worker of `sink`, with a queue in memory.
    ///
    /// # Panics
    /// Outside a Tokio runtime, or in one whose timer is off.
    pub fn spawn(sink: Box<dyn Sink>, config: DriverConfig) -> Self {
        let queue = Arc::new(MemoryQueue::new(&config));
        Self::start(sink, config, queue)
    }

    /// Queues a record. Never blocks; when the queue is full, the oldest reports make room.
    pub fn offer(&self, envelope: Envelope) {
        self.queue.offer(envelope, &self.name);
    }
}

impl Driver<SpoolQueue> {
    /// Starts the worker of `sink`, with a spool that has a thread of its own: nothing here waits
    /// for the disk.
    ///
    /// # Panics
    /// Outside a Tokio runtime, or in one whose timer is off.
    pub fn with_spool(sink: Box<dyn Sink>, config: DriverConfig, queue: SpoolQueue) -> Self {
        Self::start(sink, config, Arc::new(queue))
    }

    /// Gives a report to the spool. Never blocks.
    ///
    /// # Errors
    /// Where the spool is so far behind that it takes nothing now, or has ended: the report comes
    /// back.
    pub fn report(&self, interval: Interval) -> Result<(), NotTaken> {
        self.queue.report(interval)
    }

    /// Waits until every report that was given is numbered, and durable as far as the disk lets it.
    pub async fn sync(&self) {
        self.queue.sync().await;
    }
}

impl<Q: Backlog> Driver<Q> {
    fn start(sink: Box<dyn Sink>, config: DriverConfig, queue: Arc<Q>) -> Self {
        let name = sink.name().to_owned();
        let (phase, seen) = watch::channel(Phase::Running);
        let worker = Worker::new(sink, config, Arc::clone(&queue), seen);
        Self {
            name,
            queue,
            phase,
            worker: tokio::spawn(worker.run()),
        }
    }

    /// What became of what was offered.
    pub fn stats(&self) -> DriverStats {
        self.watch().borrow().clone()
    }

    /// The same, as it changes.
    pub fn watch(&self) -> watch::Receiver<DriverStats> {
        self.queue.stats()
    }

    /// Waits until nothing is queued or in flight, at most `deadline`, trying often meanwhile;
    /// says whether it came to that.
    pub async fn drain(&self, deadline: Duration) -> bool {
        self.phase.send_replace(Phase::Draining);
        let mut stats = self.watch();
        let is_empty = timeout(deadline, stats.wait_for(DriverStats::is_empty)).await;
        self.phase.send_replace(Phase::Running);
        matches!(is_empty, Ok(Ok(_)))
    }

    /// Sends what is queued, within `deadline`, then closes the sink and says what is left. What is
    /// in a spool stays there.
    pub async fn close(self, deadline: Duration) -> Closed {
        self.drain(deadline).await;
        let Self {
            name,
            queue,
            phase,
            worker,
        } = self;
        phase.send_replace(Phase::Stop);
        let sink = worker.await.unwrap_or_else(|error| {
            let message = format!("the worker of {name} ended: {error}");
            Err(SinkError::new(SinkErrorKind::Broken, message).caused_by(error))
        });
        let stats = queue.stats().borrow().clone();
        Closed { stats, sink }
    }
}

impl<Q: Backlog> fmt::Debug for Driver<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("sink", &self.name)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
