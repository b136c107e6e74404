//! The laws of [`Sink`](crate::sink) as tests.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use super::{envelope, epoch_start};
use crate::Sink;
use crate::report::{
    AgentId, Batch, DropReason, Dropped, Envelope, Epoch, Fate, Receipt, Record, RecordBody,
    RecordKey,
};
use crate::sink::{SinkCapability, SinkError, SinkErrorKind};

/// Largest `max_batch` for which law 5 is worth its memory.
const LARGEST_BATCH: usize = 65_536;
/// A text in a payload that no message may show.
const CANARY: &str = "payload-canary-4b1d8e";

type Opened = Pin<Box<dyn Future<Output = Box<dyn Sink>>>>;
type Keys = Vec<(AgentId, RecordKey)>;
type Read = Pin<Box<dyn Future<Output = Keys>>>;

/// A sink to check, with the means to open it and to read it back.
pub struct Subject<'a> {
    open: Box<dyn FnMut(u32) -> Opened + 'a>,
    read: Option<Box<dyn FnMut(u32) -> Read + 'a>>,
    agents: Vec<AgentId>,
    secret: Option<String>,
    next_place: u32,
}

impl<'a> Subject<'a> {
    /// `open` makes a sink into a place: the same number is the same destination, opened again, and
    /// a new number is a fresh, empty one.
    pub fn new<F>(mut open: impl FnMut(u32) -> F + 'a) -> Self
    where
        F: Future<Output = Box<dyn Sink>> + 'static,
    {
        Self {
            open: Box::new(move |place| Box::pin(open(place))),
            read: None,
            agents: vec![AgentId(0xa1), AgentId(0xb2)],
            secret: None,
            next_place: 0,
        }
    }

    /// `read` says which records a place holds, each as often as it was applied. Required of sinks
    /// that are readable, useful for others: without it, durability and deduplication are checked
    /// by the sink's own word only.
    #[must_use]
    pub fn reading<F>(mut self, mut read: impl FnMut(u32) -> F + 'a) -> Self
    where
        F: Future<Output = Keys> + 'static,
    {
        self.read = Some(Box::new(move |place| Box::pin(read(place))));
        self
    }

    /// For a sink that takes records of one agent only; otherwise batches mix two.
    #[must_use]
    pub fn of_agent(mut self, agent: AgentId) -> Self {
        self.agents = vec![agent];
        self
    }

    /// A credential that the opened sinks hold, and that nothing may show.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    async fn fresh(&mut self) -> (u32, Box<dyn Sink>) {
        self.next_place += 1;
        let place = self.next_place;
        (place, self.open(place).await)
    }

    async fn open(&mut self, place: u32) -> Box<dyn Sink> {
        (self.open)(place).await
    }

    /// Compares what a place holds with what it must hold; `law` is what a difference breaks.
    async fn expect(
        &mut self,
        place: u32,
        entries: &[Envelope],
        law: u8,
        capability: SinkCapability,
    ) {
        let Some(read) = &mut self.read else {
            assert!(
                !capability.readable,
                "law 1: readable, but there is no `reading` to check it"
            );
            return;
        };
        let mut found: BTreeMap<_, usize> = BTreeMap::new();
        for key in read(place).await {
            *found.entry(key).or_default() += 1;
        }
        for entry in entries {
            let key = (entry.agent, entry.record.key());
            let times = found.remove(&key).unwrap_or(0);
            assert!(
                times > 0,
                "law {law}: {key:?} was acknowledged and is not there"
            );
            let is_once = times == 1 || !capability.deduplicates;
            assert!(is_once, "law 3: {key:?} was applied {times} times");
        }
        assert!(
            found.is_empty(),
            "law {law}: {found:?} were never acknowledged and are there"
        );
    }
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("agents", &self.agents)
            .finish_non_exhaustive()
    }
}

/// What a run of the suite came to; a broken law panics instead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Name of the sink.
    pub sink: String,
    /// Laws that could not be checked in full, and why.
    pub unchecked: Vec<(u8, String)>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sink `{}` keeps the laws", self.sink)?;
        for (law, why) in &self.unchecked {
            write!(f, "\n  law {law} in part: {why}")?;
        }
        Ok(())
    }
}

/// Checks the laws of a sink.
///
/// # Panics
/// With the number of the law that is broken.
pub async fn conformance(mut subject: Subject<'_>) -> Verdict {
    let (_, sink) = subject.fresh().await;
    let (name, capability) = (sink.name().to_owned(), sink.capability());
    assert!(!name.is_empty(), "a sink without a name");
    assert!(
        capability.max_batch > 0,
        "law 5: max_batch is 0, it is at least 1"
    );
    closed(sink.close().await, "an unused sink");

    durable_and_one_fate_each(&mut subject).await;
    applied_once(&mut subject).await;
    usable_after_a_cancelled_write(&mut subject).await;
    too_large_is_refused(&mut subject).await;
    close_loses_nothing(&mut subject).await;
    nothing_is_shown(&mut subject).await;
    Verdict {
        sink: name,
        unchecked: unchecked(&subject, capability),
    }
}

fn unchecked(subject: &Subject<'_>, capability: SinkCapability) -> Vec<(u8, String)> {
    let mut list = Vec::new();
    let mut add = |law, why: &str| list.push((law, why.to_owned()));
    if subject.read.is_none() {
        add(1, "nothing was read back");
    }
    if !capability.deduplicates {
        add(3, "the sink does not promise it: a resend counts twice");
    }
    if capability.max_batch > LARGEST_BATCH {
        add(5, "max_batch is too large to go beyond it");
    }
    add(
        6,
        "only after the error of law 5; other failures are the destination's to make",
    );
    if subject.secret.is_none() {
        add(8, "no credential was given to look for");
    }
    list
}

/// Laws 1 and 2, with every kind of record and, where the sink takes them, two agents in a batch.
async fn durable_and_one_fate_each(subject: &mut Subject<'_>) {
    let (place, mut sink) = subject.fresh().await;
    let capability = sink.capability();
    let empty = write(&mut *sink, &[]).await;
    assert_eq!(empty.fates, [], "law 2: fates for an empty batch");
    let entries = mixed(&subject.agents);
    stored(&mut *sink, &entries, 2).await;
    let law = if capability.durable { 1 } else { 7 };
    match law {
        1 => drop(sink),
        _ => closed(sink.close().await, "law 7: a sink after one batch"),
    }
    let sink = subject.open(place).await;
    subject.expect(place, &entries, law, capability).await;
    closed(sink.close().await, "a sink that was opened again");
}

/// Law 3, and law 2 with different fates in one batch.
async fn applied_once(subject: &mut Subject<'_>) {
    let (place, mut sink) = subject.fresh().await;
    let capability = sink.capability();
    if !capability.deduplicates {
        return closed(sink.close().await, "an unused sink");
    }
    let entries = mixed(&subject.agents);
    stored(&mut *sink, &entries, 3).await;
    all_are(&mut *sink, &entries, Fate::Duplicate, "law 3: sent again").await;
    closed(sink.close().await, "law 7: a sink after a resend");
    let mut sink = subject.open(place).await;
    all_are(
        &mut *sink,
        &entries,
        Fate::Duplicate,
        "law 3: sent again after a restart",
    )
    .await;
    let known = entries.first().cloned();
    if let (Some(known), true) = (known, capability.max_batch >= 3) {
        let new = envelope(known.agent, Epoch(77), 1);
        let batch = [known.clone(), new.clone(), new.clone()];
        let fates = write(&mut *sink, &batch).await.fates;
        let expected = [Fate::Duplicate, Fate::Stored, Fate::Duplicate];
        assert_eq!(
            fates, expected,
            "law 2: fates of a known, a new and the same new record"
        );
        let all: Vec<Envelope> = entries.iter().cloned().chain([new]).collect();
        subject.expect(place, &all, 3, capability).await;
    }
    closed(sink.close().await, "a sink after a resend");
}

/// Law 4: dropped before it was polled, after one poll, after a few.
async fn usable_after_a_cancelled_write(subject: &mut Subject<'_>) {
    let (place, mut sink) = subject.fresh().await;
    let capability = sink.capability();
    let agent = first_agent(subject);
    let mut entries = Vec::new();
    for polls in [0, 1, 2, 5, 20] {
        let entry = envelope(agent, Epoch(4), entries.len() as u64 + 1);
        let batch = Batch {
            entries: vec![entry.clone()],
        };
        poll_times(sink.write(&batch), polls).await;
        let fates = match sink.write(&batch).await {
            Ok(receipt) => receipt.fates,
            Err(error) => panic!("law 4: after a write that was dropped at poll {polls}: {error}"),
        };
        let is_taken = matches!(fates.as_slice(), [Fate::Stored | Fate::Duplicate]);
        assert!(
            is_taken,
            "law 4: after a write that was dropped at poll {polls}: {fates:?}"
        );
        entries.push(entry);
    }
    closed(sink.close().await, "law 7: a sink after cancelled writes");
    subject.expect(place, &entries, 4, capability).await;
}

/// Law 5, and law 6 for its error.
async fn too_large_is_refused(subject: &mut Subject<'_>) {
    let (place, mut sink) = subject.fresh().await;
    let capability = sink.capability();
    if capability.max_batch > LARGEST_BATCH {
        return closed(sink.close().await, "an unused sink");
    }
    let agent = first_agent(subject);
    let small = |seq| Envelope {
        agent,
        record: Record {
            epoch: Epoch(5),
            seq,
            body: RecordBody::Report(Box::default()),
        },
    };
    let entries: Vec<Envelope> = (1..=capability.max_batch as u64 + 1).map(small).collect();
    let batch = Batch {
        entries: entries.clone(),
    };
    match sink.write(&batch).await {
        Ok(_) => panic!("law 5: a batch over max_batch was taken or cut"),
        Err(error) => {
            let kind = error.kind();
            assert_eq!(kind, SinkErrorKind::TooLarge, "law 5: {error}");
            let _ = shown(subject, &error, "law 8: an error");
        }
    }
    subject.expect(place, &[], 5, capability).await;
    stored(&mut *sink, &entries, 6).await;
    closed(sink.close().await, "law 7: a sink after large batches");
    subject.expect(place, &entries, 6, capability).await;
}

/// Law 7.
async fn close_loses_nothing(subject: &mut Subject<'_>) {
    let (place, mut sink) = subject.fresh().await;
    let capability = sink.capability();
    let agent = first_agent(subject);
    let entries: Vec<Envelope> = (1..=50).map(|seq| envelope(agent, Epoch(7), seq)).collect();
    for entry in &entries {
        stored(&mut *sink, std::slice::from_ref(entry), 7).await;
    }
    closed(sink.close().await, "law 7: a sink after many batches");
    subject.expect(place, &entries, 7, capability).await;
}

/// Law 8.
async fn nothing_is_shown(subject: &mut Subject<'_>) {
    let (_, mut sink) = subject.fresh().await;
    let mut entry = envelope(first_agent(subject), Epoch(8), 1);
    if let RecordBody::Report(interval) = &mut entry.record.body
        && let Some(host) = &mut interval.host
    {
        host.facts.hostname = CANARY.to_owned();
    }
    stored(&mut *sink, &[entry], 8).await;
    let text = shown(subject, &sink, "law 8: the sink");
    assert!(!text.contains(CANARY), "law 8: the sink shows a payload");
    closed(sink.close().await, "a sink after one batch");
}

fn shown(subject: &Subject<'_>, what: &dyn fmt::Debug, whose: &str) -> String {
    let text = format!("{what:?} {what:#?}");
    let secret = subject.secret.as_deref();
    let is_shown = secret.is_some_and(|secret| text.contains(secret));
    assert!(!is_shown, "{whose} shows a credential");
    text
}

fn first_agent(subject: &Subject<'_>) -> AgentId {
    subject.agents.first().copied().unwrap_or_default()
}

/// Every kind of record, of each agent in turn.
fn mixed(agents: &[AgentId]) -> Vec<Envelope> {
    let of = |agent: AgentId| {
        let epoch = Epoch(agent.0 + 1_000);
        let dropped = RecordBody::Dropped(Dropped {
            from_seq: 3,
            reports: 3,
            reason: DropReason::QueueFull,
        });
        let dropped = Record {
            epoch,
            seq: 5,
            body: dropped,
        };
        [
            epoch_start(agent, epoch),
            envelope(agent, epoch, 2),
            Envelope {
                agent,
                record: dropped,
            },
            envelope(agent, epoch, 6),
        ]
    };
    let columns: Vec<_> = agents.iter().map(|agent| of(*agent)).collect();
    let row = |at: usize| {
        columns
            .iter()
            .filter_map(move |column| column.get(at).cloned())
    };
    (0..4).flat_map(row).collect()
}

async fn stored(sink: &mut dyn Sink, entries: &[Envelope], law: u8) {
    let what = format!("law {law}: written for the first time");
    all_are(sink, entries, Fate::Stored, &what).await;
}

async fn all_are(sink: &mut dyn Sink, entries: &[Envelope], fate: Fate, what: &str) {
    for part in entries.chunks(sink.capability().max_batch.max(1)) {
        let fates = write(sink, part).await.fates;
        assert_eq!(fates, vec![fate.clone(); part.len()], "{what}");
    }
}

async fn write(sink: &mut dyn Sink, entries: &[Envelope]) -> Receipt {
    let batch = Batch {
        entries: entries.to_vec(),
    };
    let receipt = match sink.write(&batch).await {
        Ok(receipt) => receipt,
        Err(error) => panic!("a batch of {} records failed: {error}", entries.len()),
    };
    let (fates, records) = (receipt.fates.len(), entries.len());
    assert_eq!(fates, records, "law 2: {fates} fates for {records} records");
    receipt
}

fn closed(result: Result<(), SinkError>, what: &str) {
    if let Err(error) = result {
        panic!("{what}: close failed: {error}");
    }
}

/// Polls a future at most `times`, letting the runtime go on in between, and drops it.
async fn poll_times<F: Future>(future: F, times: usize) {
    let mut future = Box::pin(future);
    let mut polls = 0;
    poll_fn(|context| {
        if polls == times || future.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        polls += 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
