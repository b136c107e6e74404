//! The one who owns the sink.

use std::sync::Arc;
use std::time::Duration;

use bwmon_core::Sink;
use bwmon_core::report::{Fate, Receipt};
use bwmon_core::sink::{SinkError, SinkErrorKind};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::backlog::{Backlog, Flight};
use super::backoff::Backoff;
use super::config::DriverConfig;

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

/// The phase says stop.
struct Stopped;

pub(super) struct Worker<Q> {
    sink: Box<dyn Sink>,
    name: String,
    config: DriverConfig,
    queue: Arc<Q>,
    phase: watch::Receiver<Phase>,
    backoff: Backoff,
    failing: Option<SinkErrorKind>,
}

impl<Q: Backlog> Worker<Q> {
    pub(super) fn new(
        sink: Box<dyn Sink>,
        config: DriverConfig,
        queue: Arc<Q>,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            name: sink.name().to_owned(),
            sink,
            config,
            queue,
            phase,
            backoff: Backoff::new(),
            failing: None,
        }
    }

    /// Delivers until told to stop, then closes the sink.
    pub(super) async fn run(mut self) -> Result<(), SinkError> {
        while self.next().await.is_ok() {}
        self.queue.close().await;
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
        let taken = tokio::select! {
            taken = self.queue.take(max_batch) => taken,
            () = stop(&mut self.phase) => return Err(Stopped),
        };
        if let Some(flight) = taken {
            return self.deliver(flight).await;
        }
        tokio::select! {
            () = stop(&mut self.phase) => Err(Stopped),
            () = self.queue.wake().notified() => Ok(()),
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
                let again = self.queue.give_back(flight).await;
                self.failed(&error).await?;
                match again {
                    Some(flight) => parts.push(flight),
                    None => return Ok(()),
                }
            } else if len > 1 {
                // One poison record must not hold up the others.
                let is_too_large = error.kind() == SinkErrorKind::TooLarge;
                let size = if is_too_large { len.div_ceil(2) } else { 1 };
                parts.extend(flight.split(size).into_iter().rev());
            } else {
                let refused = vec![Fate::Refused(error.to_string()); len];
                let receipt = Receipt::new(refused);
                self.queue.settle(&self.name, &flight, receipt).await;
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
                self.queue.settle(&self.name, &flight, receipt).await;
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

    fn succeeded(&mut self) {
        self.backoff.committed();
        let now = self.config.clock.now();
        let queued = self.queue.succeeded(&self.name, now);
        if self.failing.take().is_some() {
            tracing::info!(sink = self.name, queued, "delivery goes on");
        }
    }

    /// Notes the failure and waits until the next try.
    async fn failed(&mut self, error: &SinkError) -> Result<(), Stopped> {
        if self.failing.replace(error.kind()) != Some(error.kind()) {
            tracing::warn!(sink = self.name, %error, "delivery fails; records are kept and sent again");
        }
        let wait = self.backoff.wait(error, &self.config);
        let phase = *self.phase.borrow_and_update();
        let wait = match phase {
            Phase::Draining => wait.min(DRAINING_WAIT),
            Phase::Running | Phase::Stop => wait,
        };
        self.queue.failed(error, wait);
        if phase == Phase::Stop {
            return Err(Stopped);
        }
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
