use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bwmon_core::report::{AgentId, Fate, Receipt, Record};
use bwmon_core::sink::SinkError;
use bwmon_core::time::Timestamp;
use bwmon_sinks::sqlite::{Appending, SqliteAppender};
use tokio::runtime::Handle;

use super::body::Share;

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

/// What hears of everything that was committed, before the sender does.
pub trait Witness: fmt::Debug + Send + Sync {
    /// Whether a delivery may be stored at all.
    ///
    /// # Errors
    /// Where it may not, for now.
    fn admit(&self, agent: AgentId) -> Result<(), IngestError>;

    /// Hears of so many records before the store is asked to take them.
    fn received(&self, records: usize);

    /// Hears of those of them that the store did not take: nothing can be said about them.
    fn handed_back(&self, records: usize);

    /// Hears of the records of one delivery, when the store received them, and what became of each.
    fn committed(
        &self,
        agent: AgentId,
        received: Option<Timestamp>,
        records: Vec<Record>,
        fates: &[Fate],
    );

    /// Hears that a commit failed.
    fn failed(&self, error: &SinkError);
}

/// Where deliveries are left.
#[derive(Debug, Clone)]
pub struct Inbox {
    store: SqliteAppender,
    witness: Arc<dyn Witness>,
}

impl Inbox {
    /// Deliveries go into this store, and this witness hears of them.
    pub fn new(store: SqliteAppender, witness: Arc<dyn Witness>) -> Self {
        Self { store, witness }
    }

    /// Deliveries that wait, and how many may.
    pub fn waiting(&self) -> (usize, usize) {
        self.store.waiting()
    }

    /// Leaves a delivery and waits for its receipt, which comes after the commit.
    ///
    /// # Errors
    /// As [`IngestError`] says; nothing can be said about what was stored then, and sending the
    /// whole again is right.
    pub async fn deliver(&self, delivery: Delivery) -> Result<Receipt, IngestError> {
        let (agent, records) = (delivery.agent, &delivery.records);
        self.witness.received(records.len());
        let appending = self
            .witness
            .admit(agent)
            .and_then(|()| {
                let appending = self.store.append(agent, records);
                appending.map_err(|error| refusal(&error))
            })
            .inspect_err(|_| self.witness.handed_back(records.len()))?;
        let waiting = Waiting {
            delivery,
            appending,
            witness: Arc::clone(&self.witness),
        };
        Delivered(Some(waiting)).await
    }
}

/// A delivery that is being committed.
#[derive(Debug)]
struct Waiting {
    delivery: Delivery,
    appending: Appending,
    witness: Arc<dyn Witness>,
}

/// What comes of a delivery. The witness hears of it also where the sender is gone.
struct Delivered(Option<Waiting>);

impl Future for Delivered {
    type Output = Result<Receipt, IngestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(waiting) = &mut self.0 else {
            return Poll::Pending;
        };
        let answer = ready!(Pin::new(&mut waiting.appending).poll(cx));
        let told = self.0.take().map(|waiting| waiting.tell(answer));
        told.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Delivered {
    fn drop(&mut self) {
        let Some(mut waiting) = self.0.take() else {
            return;
        };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let answer = (&mut waiting.appending).await;
                // Nobody is there to hear of an error.
                let _ = waiting.tell(answer);
            });
        }
    }
}

impl Waiting {
    fn tell(self, answer: Result<Receipt, SinkError>) -> Result<Receipt, IngestError> {
        let Delivery {
            agent,
            records,
            share,
        } = self.delivery;
        let told = match answer {
            Ok(receipt) => {
                let received = receipt.server_time;
                self.witness
                    .committed(agent, received, records, &receipt.fates);
                Ok(receipt)
            }
            Err(error) => {
                self.witness.failed(&error);
                self.witness.handed_back(records.len());
                Err(refusal(&error))
            }
        };
        drop(share);
        told
    }
}

fn refusal(error: &SinkError) -> IngestError {
    let detail = error.to_string();
    if error.is_retryable() {
        IngestError::Later {
            detail,
            after: error.delay(),
        }
    } else {
        IngestError::Never { detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ingest::MemoryBudget;
    use bwmon_core::report::{Epoch, EpochStart, RecordBody};
    use bwmon_core::sink::Sink;
    use bwmon_sinks::sqlite::{SqliteConfig, SqliteSink};
    use std::sync::Mutex;
    use tempfile::TempDir;

    /// Hears which agents' records were committed, how many, and how often that failed; admits all but 13.
    #[derive(Debug, Default)]
    struct Heard {
        committed: Mutex<Vec<(u128, usize)>>,
        failed: Mutex<Vec<String>>,
    }

    impl Witness for Heard {
        fn admit(&self, agent: AgentId) -> Result<(), IngestError> {
            let after = Some(Duration::from_secs(9));
            let detail = "unlucky".to_owned();
            (agent.0 != 13)
                .then_some(())
                .ok_or(IngestError::Later { detail, after })
        }

        fn committed(
            &self,
            agent: AgentId,
            received: Option<Timestamp>,
            records: Vec<Record>,
            fates: &[Fate],
        ) {
            assert!(received.is_some() && records.len() == fates.len());
            let mut committed = self.committed.lock().unwrap();
            committed.push((agent.0, records.len()));
        }

        fn received(&self, _: usize) {}

        fn handed_back(&self, _: usize) {}

        fn failed(&self, error: &SinkError) {
            self.failed.lock().unwrap().push(error.to_string());
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

    fn open(folder: &TempDir) -> (SqliteSink, Inbox, Arc<Heard>) {
        let sink = SqliteSink::open(SqliteConfig::new(folder.path().join("bwmon.db"))).unwrap();
        let heard = Arc::new(Heard::default());
        let inbox = Inbox::new(sink.appender(), Arc::<Heard>::clone(&heard));
        (sink, inbox, heard)
    }

    #[tokio::test]
    async fn each_delivery_has_its_own_receipt() {
        let folder = TempDir::new().unwrap();
        let (sink, inbox, heard) = open(&folder);
        let (one, two, too_many, unlucky) = tokio::join!(
            inbox.deliver(delivery(1, 1)),
            inbox.deliver(delivery(2, 3)),
            inbox.deliver(delivery(3, 1_025)),
            inbox.deliver(delivery(13, 1)),
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!((one.fates.len(), one.streams[0].agent.0), (1, 1));
        assert_eq!((two.fates.len(), two.streams[0].agent.0), (3, 2));
        assert_eq!((one.streams.len(), two.streams[0].through), (1, 3));
        assert!(matches!(too_many, Err(IngestError::Never { .. })));
        assert!(matches!(
            unlucky,
            Err(IngestError::Later { after: Some(_), .. })
        ));
        let mut committed = heard.committed.lock().unwrap().clone();
        committed.sort_unstable();
        assert_eq!(committed, [(1, 1), (2, 3)]);
        Box::new(sink).close().await.unwrap();
        let stopped = inbox.deliver(delivery(1, 1)).await;
        assert!(
            matches!(stopped, Err(IngestError::Later { .. })),
            "{stopped:?}"
        );
    }

    #[tokio::test]
    async fn the_witness_hears_of_what_a_sender_that_is_gone_had_stored() {
        let folder = TempDir::new().unwrap();
        let (sink, inbox, heard) = open(&folder);
        let mut delivered = Box::pin(inbox.deliver(delivery(1, 2)));
        // Leaves the delivery, and is not there for the answer.
        let is_left =
            std::future::poll_fn(|cx| Poll::Ready(delivered.as_mut().poll(cx).is_pending()));
        assert!(is_left.await);
        drop(delivered);
        while heard.committed.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(*heard.committed.lock().unwrap(), [(1, 2)]);
        Box::new(sink).close().await.unwrap();
    }
}
