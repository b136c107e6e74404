use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::Sink;
use crate::report::{AgentId, Batch, Envelope, Fate, Receipt, RecordKey};
use crate::sink::{SinkCapability, SinkError, SinkErrorKind};

/// What one write comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The batch is stored.
    Take,
    /// Nothing is stored, and the write fails.
    Fail(SinkErrorKind),
    /// Nothing is stored, and the write fails with the destination's word on when to come back.
    ComeBackIn(Duration),
    /// The batch is stored, but the answer is lost: the write fails as unavailable.
    LoseAnswer,
    /// Nothing is stored, and the write never ends.
    Hang,
}

/// What [`ScriptedSink`]s do and have done: their destination. Clones share one state.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    outcomes: VecDeque<Outcome>,
    poison: BTreeSet<RecordKey>,
    refused: BTreeMap<RecordKey, String>,
    most_records: Option<usize>,
    writes: Vec<Batch>,
    stored: Vec<Envelope>,
    keys: BTreeSet<(AgentId, RecordKey)>,
    closed: usize,
}

impl Script {
    /// A destination that takes everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the next write without an outcome comes to; afterwards everything is taken.
    pub fn then(&self, outcome: Outcome) {
        self.lock().outcomes.push_back(outcome);
    }

    /// Whole batches with this record fail as refused, as if it broke the destination's parser.
    pub fn poison(&self, key: RecordKey) {
        self.lock().poison.insert(key);
    }

    /// This record is refused by its fate.
    pub fn refuse(&self, key: RecordKey, reason: &str) {
        self.lock().refused.insert(key, reason.to_owned());
    }

    /// Batches with more records fail as too large, although the sink's capability says otherwise.
    pub fn limit_records(&self, most: usize) {
        self.lock().most_records = Some(most);
    }

    /// Every batch that a write was called with, failed ones included.
    pub fn writes(&self) -> Vec<Batch> {
        self.lock().writes.clone()
    }

    /// What is stored, in order.
    pub fn stored(&self) -> Vec<Envelope> {
        self.lock().stored.clone()
    }

    /// Keys of what is stored.
    pub fn keys(&self) -> Vec<(AgentId, RecordKey)> {
        self.lock().keys.iter().copied().collect()
    }

    /// How often a sink was closed.
    pub fn closed(&self) -> usize {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Script")
            .field("outcomes", &state.outcomes)
            .field("writes", &state.writes.len())
            .field("stored", &state.stored.len())
            .field("closed", &state.closed)
            .finish_non_exhaustive()
    }
}

impl State {
    fn take(&mut self, batch: &Batch) -> Receipt {
        let fates = batch.entries.iter().map(|entry| {
            let key = entry.record.key();
            if let Some(reason) = self.refused.get(&key) {
                return Fate::Refused(reason.clone());
            }
            if !self.keys.insert((entry.agent, key)) {
                return Fate::Duplicate;
            }
            self.stored.push(entry.clone());
            Fate::Stored
        });
        Receipt::new(fates.collect())
    }

    fn is_poisoned(&self, batch: &Batch) -> bool {
        let is_poison = |entry: &Envelope| self.poison.contains(&entry.record.key());
        batch.entries.iter().any(is_poison)
    }
}

/// A sink that does what its [`Script`] says. Deduplicates; its destination is the script.
#[derive(Debug)]
pub struct ScriptedSink {
    script: Script,
    max_batch: usize,
}

impl ScriptedSink {
    /// A sink into `script` that takes at most `max_batch` records at once.
    pub const fn new(script: Script, max_batch: usize) -> Self {
        Self { script, max_batch }
    }

    /// `None` is a write that never ends.
    fn act(&self, batch: &Batch) -> Option<Result<Receipt, SinkError>> {
        let mut state = self.script.lock();
        state.writes.push(batch.clone());
        let len = batch.entries.len();
        let most = self.max_batch.min(state.most_records.unwrap_or(usize::MAX));
        if len > most {
            return Some(Err(SinkError::too_large(len, most)));
        }
        let failed = |kind| Some(Err(SinkError::new(kind, format!("scripted: {kind:?}"))));
        match state.outcomes.pop_front().unwrap_or(Outcome::Take) {
            Outcome::Fail(kind) => failed(kind),
            Outcome::ComeBackIn(delay) => {
                Some(Err(
                    SinkError::new(SinkErrorKind::Busy, "scripted: busy").retry_after(delay)
                ))
            }
            Outcome::Hang => None,
            _ if state.is_poisoned(batch) => failed(SinkErrorKind::Refused),
            Outcome::Take => Some(Ok(state.take(batch))),
            Outcome::LoseAnswer => {
                state.take(batch);
                failed(SinkErrorKind::Unavailable)
            }
        }
    }
}

#[async_trait]
impl Sink for ScriptedSink {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn capability(&self) -> SinkCapability {
        SinkCapability::with_max_batch(self.max_batch)
            .deduplicating()
            .durable()
            .readable()
    }

    async fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError> {
        match self.act(batch) {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    async fn close(self: Box<Self>) -> Result<(), SinkError> {
        self.script.lock().closed += 1;
        Ok(())
    }
}
