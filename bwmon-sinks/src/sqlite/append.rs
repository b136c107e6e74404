//! Writing by many at a time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bwmon_core::report::{AgentId, Receipt, Record};
use bwmon_core::sink::SinkError;
use tokio::sync::oneshot;

use super::batch::Prepared;
use super::queue::Queue;
use super::sink::stopped;
use super::writer::Command;
use crate::Clock;

/// Writes into the file of a [`SqliteSink`](super::SqliteSink), with its promises; cheap to clone. What
/// waits when the writer is free is committed together.
#[derive(Clone)]
pub struct SqliteAppender {
    queue: Queue,
    clock: Clock,
    max_batch: usize,
}

/// A batch that waits for its commit. Dropped, it is committed all the same.
#[derive(Debug)]
#[must_use = "what became of the batch is told here"]
pub struct Appending(oneshot::Receiver<Result<Receipt, SinkError>>);

impl SqliteAppender {
    pub(super) const fn new(queue: Queue, clock: Clock, max_batch: usize) -> Self {
        Self {
            queue,
            clock,
            max_batch,
        }
    }

    /// Leaves records of one agent. They are judged and encoded here, on the caller's thread.
    ///
    /// # Errors
    /// When there are more than a batch may have, when as many batches wait as may, or when the sink is
    /// closed. What comes of the commit is told by the [`Appending`].
    pub fn append(&self, agent: AgentId, records: &[Record]) -> Result<Appending, SinkError> {
        if records.len() > self.max_batch {
            return Err(SinkError::too_large(records.len(), self.max_batch));
        }
        let records = records.iter().map(|record| (agent, record));
        let prepared = Prepared::new(records, self.clock.now());
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Command::Write(prepared, reply))?;
        Ok(Appending(answer))
    }

    /// Batches that wait, and how many may.
    pub fn waiting(&self) -> (usize, usize) {
        self.queue.waiting()
    }
}

impl Future for Appending {
    type Output = Result<Receipt, SinkError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(answer.unwrap_or_else(|_| Err(stopped())))
    }
}

impl fmt::Debug for SqliteAppender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteAppender").finish_non_exhaustive()
    }
}
