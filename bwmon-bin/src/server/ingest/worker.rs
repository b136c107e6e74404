use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bwmon_core::report::{AgentId, Batch, Envelope, Fate, Receipt, Record};
use bwmon_core::sink::{Sink, SinkError};
use bwmon_core::time::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::body::Share;
use crate::server::stop::Stopping;

/// Deliveries that wait at most; more are turned away. What they take is bounded by the memory budget.
const QUEUE: usize = 4_096;
/// Most deliveries that are committed together.
const GROUP_DELIVERIES: usize = 50;
/// Most records that are committed together, unless one delivery alone has more.
const GROUP_RECORDS: usize = 512;

/// Records of one agent on their way to the store.
#[derive(Debug)]
pub struct Delivery {
    /// Whose they are.
    pub agent: AgentId,
    /// The records, in the sender's order.
    pub records: Vec<Record>,
    /// What they take of the memory budget.
    pub share: Share,
}

/// Why a delivery was not stored.
#[derive(Debug, Clone)]
pub enum IngestError {
    /// The queue is full.
    Full,
    /// The store cannot take it now; send it again.
    Later {
        /// Why.
        detail: String,
        /// When to send again, where the store says.
        after: Option<Duration>,
    },
    /// The store will never take it as it is.
    Never {
        /// Why.
        detail: String,
    },
}

/// Where deliveries are left.
#[derive(Debug, Clone)]
pub struct Inbox(mpsc::Sender<Pending>);

/// What hears of everything that was committed, before the sender does.
pub trait Witness: Send {
    /// Whether a delivery may be stored at all.
    ///
    /// # Errors
    /// Where it may not, for now.
    fn admit(&self, agent: AgentId) -> Result<(), IngestError>;

    /// Hears of each batch that the store was given: how long it took, and whether it is durable.
    fn written(&self, took: Duration, is_done: bool);

    /// Hears of the records of one delivery, when the store received them, and what became of each.
    fn committed(
        &self,
        agent: AgentId,
        received: Option<Timestamp>,
        records: Vec<Record>,
        fates: &[Fate],
    );
}

/// The one task that writes.
#[derive(Debug)]
pub struct Worker<W> {
    deliveries: mpsc::Receiver<Pending>,
    sink: Box<dyn Sink>,
    witness: W,
}

#[derive(Debug)]
struct Pending {
    delivery: Delivery,
    reply: oneshot::Sender<Result<Receipt, IngestError>>,
}

impl Inbox {
    /// Deliveries that wait, and how many may.
    pub fn waiting(&self) -> (usize, usize) {
        let most = self.0.max_capacity();
        (most - self.0.capacity(), most)
    }

    /// Leaves a delivery and waits for its receipt, which comes after the commit.
    ///
    /// # Errors
    /// As [`IngestError`] says; nothing can be said about what was stored then, and sending the
    /// whole again is right.
    pub async fn deliver(&self, delivery: Delivery) -> Result<Receipt, IngestError> {
        let (reply, answer) = oneshot::channel();
        self.0
            .try_send(Pending { delivery, reply })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => IngestError::Full,
                mpsc::error::TrySendError::Closed(_) => stopping(),
            })?;
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }
}

fn stopping() -> IngestError {
    IngestError::Later {
        detail: "the collector is stopping; send again".to_owned(),
        after: None,
    }
}

impl<W: Witness> Worker<W> {
    /// A worker and the inbox that it empties.
    pub fn new(sink: Box<dyn Sink>, witness: W) -> (Inbox, Self) {
        let (sender, deliveries) = mpsc::channel(QUEUE);
        let worker = Self {
            deliveries,
            sink,
            witness,
        };
        (Inbox(sender), worker)
    }

    /// Writes until told to stop, or every inbox is gone; then writes what waits, and closes the
    /// sink.
    ///
    /// # Errors
    /// When closing fails.
    pub async fn run(mut self, mut stopping: Stopping) -> Result<(), SinkError> {
        loop {
            let first = tokio::select! {
                biased;
                first = self.deliveries.recv() => first,
                () = stopping.wait(), if !self.deliveries.is_closed() => {
                    self.deliveries.close();
                    continue;
                }
            };
            let Some(first) = first else { break };
            let group = self.gather(first);
            self.commit(group).await;
        }
        self.sink.close().await
    }

    /// What waits, up to the size of a group; nothing is waited for.
    fn gather(&mut self, first: Pending) -> Vec<Pending> {
        let mut records = first.delivery.records.len();
        let mut group = vec![first];
        while group.len() < GROUP_DELIVERIES && records < GROUP_RECORDS {
            let Ok(next) = self.deliveries.try_recv() else {
                break;
            };
            records += next.delivery.records.len();
            group.push(next);
        }
        group
    }

    async fn commit(&mut self, group: Vec<Pending>) {
        let mut admitted = Vec::with_capacity(group.len());
        for pending in group {
            match self.witness.admit(pending.delivery.agent) {
                Ok(()) => admitted.push(pending),
                Err(error) => answer(pending.reply, Err(error)),
            }
        }
        let mut batches = self.split(admitted);
        while let Some(group) = batches.pop_front() {
            let (batch, waiting) = join(group);
            let begun = Instant::now();
            let written = self.sink.write(&batch).await;
            self.witness.written(begun.elapsed(), written.is_ok());
            match written {
                Ok(receipt) => self.answer_all(batch, waiting, &receipt),
                Err(error) if !error.is_retryable() && waiting.len() > 1 => {
                    // One of them is at fault: each alone, so that the others get through.
                    batches.extend(separate(batch, waiting));
                }
                Err(error) => refuse_all(waiting, &error),
            }
        }
    }

    /// Groups that the sink takes at once.
    fn split(&self, group: Vec<Pending>) -> VecDeque<Vec<Pending>> {
        let most = self.sink.capability().max_batch;
        let mut batches: VecDeque<Vec<Pending>> = VecDeque::new();
        let mut room = 0;
        for pending in group {
            let records = pending.delivery.records.len();
            match batches.back_mut() {
                Some(last) if records <= room => {
                    room -= records;
                    last.push(pending);
                }
                _ => {
                    room = most.saturating_sub(records);
                    batches.push_back(vec![pending]);
                }
            }
        }
        batches
    }

    fn answer_all(&self, batch: Batch, waiting: Vec<Waiting>, receipt: &Receipt) {
        let mut entries = batch.entries.into_iter();
        let mut fates = receipt.fates.iter();
        for waiting in waiting {
            let records: Vec<Record> = entries
                .by_ref()
                .take(waiting.records)
                .map(|entry| entry.record)
                .collect();
            let own: Vec<Fate> = fates.by_ref().take(waiting.records).cloned().collect();
            self.witness
                .committed(waiting.agent, receipt.server_time, records, &own);
            let mut part = Receipt::new(own);
            part.streams = receipt
                .streams
                .iter()
                .filter(|stream| stream.agent == waiting.agent)
                .cloned()
                .collect();
            part.credit = receipt.credit;
            part.server_time = receipt.server_time;
            answer(waiting.reply, Ok(part));
        }
    }
}

/// A delivery whose records are in a batch.
struct Waiting {
    agent: AgentId,
    records: usize,
    share: Share,
    reply: oneshot::Sender<Result<Receipt, IngestError>>,
}

fn join(group: Vec<Pending>) -> (Batch, Vec<Waiting>) {
    let mut batch = Batch::default();
    let mut waiting = Vec::with_capacity(group.len());
    for Pending { delivery, reply } in group {
        let agent = delivery.agent;
        waiting.push(Waiting {
            agent,
            records: delivery.records.len(),
            share: delivery.share,
            reply,
        });
        let entries = delivery.records.into_iter();
        batch
            .entries
            .extend(entries.map(|record| Envelope { agent, record }));
    }
    (batch, waiting)
}

fn separate(batch: Batch, waiting: Vec<Waiting>) -> Vec<Vec<Pending>> {
    let mut entries = batch.entries.into_iter();
    let mut singles = Vec::with_capacity(waiting.len());
    for waiting in waiting {
        let records = entries
            .by_ref()
            .take(waiting.records)
            .map(|entry| entry.record)
            .collect();
        let delivery = Delivery {
            agent: waiting.agent,
            records,
            share: waiting.share,
        };
        singles.push(vec![Pending {
            delivery,
            reply: waiting.reply,
        }]);
    }
    singles
}

fn refuse_all(waiting: Vec<Waiting>, error: &SinkError) {
    let refusal = if error.is_retryable() {
        tracing::warn!(%error, "the store took nothing; the agents send again");
        IngestError::Later {
            detail: error.to_string(),
            after: error.delay(),
        }
    } else {
        IngestError::Never {
            detail: error.to_string(),
        }
    };
    for waiting in waiting {
        answer(waiting.reply, Err(refusal.clone()));
    }
}

/// Whoever asked may be gone; then it sends again, and what was stored is a duplicate.
fn answer(
    reply: oneshot::Sender<Result<Receipt, IngestError>>,
    result: Result<Receipt, IngestError>,
) {
    let _sender_gone = reply.send(result);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ingest::MemoryBudget;
    use crate::server::stop::stop;
    use bwmon_core::report::{Epoch, EpochStart, RecordBody};
    use bwmon_core::sink::{SinkCapability, SinkErrorKind};
    use std::sync::{Arc, Mutex};

    /// Refuses whatever holds a record of agent 13, has trouble with 14, and lists what it was given.
    #[derive(Debug, Default)]
    struct Picky(Arc<Mutex<Vec<Vec<u128>>>>);

    #[async_trait::async_trait]
    impl Sink for Picky {
        fn name(&self) -> &str {
            "picky"
        }

        fn capability(&self) -> SinkCapability {
            SinkCapability::with_max_batch(4)
        }

        async fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError> {
            let agents: Vec<u128> = batch.entries.iter().map(|entry| entry.agent.0).collect();
            self.0.lock().unwrap().push(agents.clone());
            if agents.len() > 4 {
                return Err(SinkError::too_large(agents.len(), 4));
            }
            if agents.contains(&14) {
                let error = SinkError::new(SinkErrorKind::Busy, "locked");
                return Err(error.retry_after(Duration::from_secs(9)));
            }
            if agents.contains(&13) {
                return Err(SinkError::new(SinkErrorKind::Refused, "unlucky"));
            }
            Ok(Receipt::all_stored(agents.len()))
        }

        async fn close(self: Box<Self>) -> Result<(), SinkError> {
            self.0.lock().unwrap().push(Vec::new());
            Ok(())
        }
    }

    #[derive(Debug, Clone, Default)]
    struct Heard(Arc<Mutex<Vec<(u128, usize)>>>);

    impl Witness for Heard {
        fn admit(&self, _: AgentId) -> Result<(), IngestError> {
            Ok(())
        }

        fn written(&self, _: Duration, _: bool) {}

        fn committed(
            &self,
            agent: AgentId,
            _: Option<Timestamp>,
            records: Vec<Record>,
            fates: &[Fate],
        ) {
            assert_eq!(records.len(), fates.len());
            self.0.lock().unwrap().push((agent.0, records.len()));
        }
    }

    fn delivery(agent: u128, records: u64) -> Delivery {
        let record = |seq| Record {
            epoch: Epoch(1),
            seq,
            body: RecordBody::EpochStart(EpochStart::default()),
        };
        Delivery {
            agent: AgentId(agent),
            records: (1..=records).map(record).collect(),
            share: MemoryBudget::default().share(),
        }
    }

    /// Leaves deliveries before the worker runs, so that they wait together.
    async fn deliver(
        deliveries: Vec<Delivery>,
    ) -> (Vec<Result<Receipt, IngestError>>, Vec<Vec<u128>>) {
        let sink = Picky::default();
        let (given, heard) = (Arc::clone(&sink.0), Heard::default());
        let (inbox, worker) = Worker::new(Box::new(sink), heard.clone());
        let (stop, stopping) = stop();
        let answers: Vec<_> = deliveries
            .into_iter()
            .map(|delivery| {
                let inbox = inbox.clone();
                tokio::spawn(async move { inbox.deliver(delivery).await })
            })
            .collect();
        tokio::task::yield_now().await;
        stop.now();
        worker.run(stopping).await.unwrap();
        let mut results = Vec::new();
        for answer in answers {
            results.push(answer.await.unwrap());
        }
        let stored = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(heard.0.lock().unwrap().len(), stored);
        let given = given.lock().unwrap().clone();
        (results, given)
    }

    #[tokio::test]
    async fn one_bad_delivery_does_not_take_its_neighbours_along() {
        let (results, given) = deliver(vec![delivery(1, 1), delivery(13, 1), delivery(2, 2)]).await;
        assert!(matches!(results[1], Err(IngestError::Never { .. })));
        assert_eq!(results[0].as_ref().unwrap().fates.len(), 1);
        assert_eq!(results[2].as_ref().unwrap().fates.len(), 2);
        assert_eq!(
            given,
            [vec![1, 13, 2, 2], vec![1], vec![13], vec![2, 2], vec![]]
        );
    }

    #[tokio::test]
    async fn batches_stay_within_what_the_sink_takes() {
        let (results, given) = deliver(vec![
            delivery(1, 3),
            delivery(2, 2),
            delivery(3, 2),
            delivery(4, 5),
        ])
        .await;
        assert!(matches!(results[3], Err(IngestError::Never { .. })));
        assert_eq!(given[0], [1, 1, 1]);
        assert_eq!(given[1], [2, 2, 3, 3]);
    }

    #[tokio::test]
    async fn trouble_of_the_store_is_passed_on_with_its_delay() {
        let (results, _) = deliver(vec![delivery(14, 1)]).await;
        let Err(IngestError::Later { after, .. }) = &results[0] else {
            panic!("{results:?}");
        };
        assert_eq!(*after, Some(Duration::from_secs(9)));
    }

    #[tokio::test]
    async fn a_full_queue_turns_away_and_a_stopped_one_too() {
        let (inbox, worker) = Worker::new(Box::new(Picky::default()), Heard::default());
        for _ in 0..QUEUE {
            let inbox = inbox.clone();
            tokio::spawn(async move { inbox.deliver(delivery(1, 1)).await });
        }
        while inbox.0.capacity() > 0 {
            tokio::task::yield_now().await;
        }
        let turned_away = inbox.deliver(delivery(1, 1)).await;
        assert!(matches!(turned_away, Err(IngestError::Full)));
        drop(worker);
        let stopped = inbox.deliver(delivery(1, 1)).await;
        assert!(matches!(stopped, Err(IngestError::Later { .. })));
    }
}
