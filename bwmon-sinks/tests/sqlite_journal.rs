//! The journal and its sealing: against a naive model, and one trap at a time.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use bwmon_core::Sink;
use bwmon_core::report::{
    AgentId, Batch, DropReason, Dropped, Envelope, Epoch, Fate, Receipt, Record, RecordBody,
    RecordKey,
};
use bwmon_core::sink::SinkErrorKind;
use bwmon_core::testkit::{ManualClock, SAMPLE_START, envelope, epoch_start};
use bwmon_core::time::Timestamp;
use bwmon_sinks::Clock;
use bwmon_sinks::sqlite::{SqliteConfig, SqliteReader, SqliteSink, StoredRecord, StoredReport};
use proptest::prelude::*;
use tempfile::TempDir;

const AGENT: AgentId = AgentId(0xa);
const EPOCH: Epoch = Epoch(0xe);
const HOUR: Duration = Duration::from_secs(3_600);
/// Reports of one agent are so far apart: some share an hour, others do not.
const STEP: Duration = Duration::from_secs(1_200);
const FOR_EVER: Timestamp = Timestamp::from_secs(1 << 33);

fn open(path: &Path, clock: &ManualClock, journal_bytes: usize) -> SqliteSink {
    let clock = clock.clone();
    let mut config = SqliteConfig::new(path);
    config.clock = Clock::new(move || clock.now());
    config.journal_bytes = journal_bytes;
    SqliteSink::open(config).unwrap()
}

async fn write(sink: &mut SqliteSink, entries: &[Envelope]) -> Receipt {
    let batch = Batch {
        entries: entries.to_vec(),
    };
    sink.write(&batch).await.unwrap()
}

/// Seals all that is in the journal, and removes nothing.
async fn seal(sink: &SqliteSink) {
    let done = sink.maintenance().clean_up(Timestamp::EPOCH, HOUR).await;
    assert_eq!(done.unwrap().records, 0);
}

/// Whether the file's journal has any row.
fn has_journal(path: &Path) -> bool {
    let raw = rusqlite::Connection::open(path).unwrap();
    raw.query_row("SELECT EXISTS (SELECT 1 FROM journal)", [], |row| {
        row.get(0)
    })
    .unwrap()
}

fn reports(reader: &SqliteReader, agent: AgentId) -> Vec<StoredReport> {
    let mut reports = Vec::new();
    let count = reader.reports(agent, Timestamp::EPOCH, FOR_EVER, usize::MAX, |report| {
        reports.push(report);
        ControlFlow::Continue(())
    });
    assert_eq!(count.unwrap().records, reports.len() as u64);
    reports
}

fn dropped(from_seq: u64, seq: u64) -> Envelope {
    let body = RecordBody::Dropped(Dropped {
        from_seq,
        reports: seq - from_seq + 1,
        reason: DropReason::QueueFull,
    });
    Envelope {
        agent: AGENT,
        record: Record {
            epoch: EPOCH,
            seq,
            body,
        },
    }
}

/// One step against the store.
#[derive(Debug, Clone)]
enum Step {
    Write(Vec<(u128, u128, u64, u64)>),
    /// Each record is a batch of its own, and all of them wait together.
    Append(Vec<(u128, u128, u64, u64)>),
    /// Another writer opens the file before the first one lets go of it.
    Restart,
    /// An orderly end and a new start.
    Close,
    /// Everything is sealed, and what ended more than so many steps after the first is kept.
    CleanUp(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Agent, epoch, number, and how many numbers before it a drop record speaks for.
    let entry = (
        1_u128..4,
        1_u128..3,
        1_u64..15,
        prop_oneof![4 => Just(0_u64), 1 => 1_u64..4],
    );
    let entries = prop::collection::vec(entry, 1..6);
    let step = prop_oneof![
        6 => entries.clone().prop_map(Step::Write),
        6 => entries.prop_map(Step::Append),
        1 => Just(Step::Restart),
        1 => Just(Step::Close),
        1 => (0_u32..10).prop_map(Step::CleanUp),
    ];
    prop::collection::vec(step, 1..30)
}

fn entry((agent, epoch, seq, covered): (u128, u128, u64, u64)) -> Envelope {
    let (agent, epoch) = (AgentId(agent), Epoch(epoch));
    let mut entry = envelope(agent, epoch, seq);
    if covered > 0 {
        entry.record.body = dropped(seq.saturating_sub(covered).max(1), seq).record.body;
    } else if let RecordBody::Report(interval) = &mut entry.record.body {
        interval.window.start = SAMPLE_START.plus(STEP * u32::try_from(seq).unwrap());
    }
    entry
}

/// The naive model: what is stored, which numbers of each stream are settled, and who was heard of.
#[derive(Debug, Default)]
struct Model {
    stored: BTreeMap<(AgentId, RecordKey), (Timestamp, RecordBody)>,
    settled: BTreeMap<(AgentId, Epoch), BTreeSet<u64>>,
    /// In the order of their first record, with the times of the first and the last.
    agents: Vec<(AgentId, Timestamp, Timestamp)>,
}

impl Model {
    fn take(&mut self, entry: &Envelope, now: Timestamp) -> Fate {
        let Envelope { agent, record } = entry;
        match self.agents.iter_mut().find(|known| known.0 == *agent) {
            Some(known) => known.2 = now,
            None => self.agents.push((*agent, now, now)),
        }
        let settled = self.settled.entry((*agent, record.epoch)).or_default();
        if settled.contains(&record.seq) {
            return Fate::Duplicate;
        }
        let from = match &record.body {
            RecordBody::Dropped(dropped) => dropped.from_seq,
            _ => record.seq,
        };
        settled.extend(from..=record.seq);
        let stored = (now, record.body.clone());
        self.stored.insert((*agent, record.key()), stored);
        Fate::Stored
    }

    /// When a record ends: for what is no report, when it was received.
    fn end((received, body): &(Timestamp, RecordBody)) -> Timestamp {
        match body {
            RecordBody::Report(interval) => interval.window.end(),
            _ => *received,
        }
    }

    /// Takes over what a clean-up left of what it might remove.
    fn clean_up(&mut self, cutoff: Timestamp, reader: &SqliteReader) {
        let mut left = BTreeSet::new();
        for (agent, _, _) in &self.agents {
            let keys = reader.keys(*agent).unwrap();
            left.extend(keys.into_iter().map(|key| (*agent, key)));
        }
        for (key, record) in &self.stored {
            let end = Self::end(record);
            assert!(end <= cutoff || left.contains(key), "{key:?} is too young");
            let is_old = end.plus(HOUR) <= cutoff;
            assert!(!is_old || !left.contains(key), "{key:?} is too old");
        }
        self.stored.retain(|key, _| left.contains(key));
    }

    fn compare(&self, reader: &SqliteReader) {
        let agents = reader.agents().unwrap();
        let found: Vec<_> = agents
            .iter()
            .map(|entry| (entry.agent, entry.first_seen, entry.last_seen))
            .collect();
        assert_eq!(found, self.agents);
        for entry in agents {
            let agent = entry.agent;
            let of_agent = || self.stored.iter().filter(|((of, _), _)| *of == agent);
            let keys: Vec<RecordKey> = of_agent().map(|((_, key), _)| *key).collect();
            assert_eq!(reader.keys(agent).unwrap(), keys);
            assert_eq!(entry.records, keys.len() as u64);
            let is_report =
                |record: &&(Timestamp, RecordBody)| matches!(record.1, RecordBody::Report(_));
            let mut ends: Vec<_> = of_agent()
                .map(|(_, record)| record)
                .filter(is_report)
                .map(Self::end)
                .collect();
            ends.sort_unstable();
            self.compare_reports(reader, agent, &ends);
            self.compare_notices(reader, agent, keys.len() - ends.len());
        }
    }

    fn compare_reports(&self, reader: &SqliteReader, agent: AgentId, ends: &[Timestamp]) {
        let found = reports(reader, agent);
        let end = |report: &StoredReport| report.interval.window.end();
        assert_eq!(found.iter().map(end).collect::<Vec<_>>(), ends);
        for report in &found {
            let (received, body) = &self.stored[&(agent, report.key)];
            assert_eq!(report.received, *received);
            assert_eq!(&RecordBody::Report(Box::new(report.interval.clone())), body);
        }
        let latest = reader.latest_report(agent).unwrap();
        assert_eq!(latest.as_ref().map(end).as_ref(), ends.last());
        // A range and a limit cut the same list.
        let (from, to) = (SAMPLE_START.plus(STEP * 4), SAMPLE_START.plus(STEP * 9));
        let within: Vec<_> = ends.iter().filter(|at| **at > from && **at <= to).collect();
        for limit in [1, 3, 100] {
            let mut cut = Vec::new();
            let count = reader.reports(agent, from, to, limit, |report| {
                cut.push(end(&report));
                ControlFlow::Continue(())
            });
            assert_eq!(count.unwrap().is_truncated, within.len() > limit);
            let expected: Vec<_> = within.iter().take(limit).map(|at| **at).collect();
            assert_eq!(cut, expected);
        }
    }

    fn compare_notices(&self, reader: &SqliteReader, agent: AgentId, expected: usize) {
        let (mut found, mut last) = (0, Timestamp::EPOCH);
        let each = |record: StoredRecord| {
            let stored = &self.stored[&(agent, record.key)];
            assert_eq!(stored, &(record.received, record.body));
            assert!(last <= record.received);
            last = record.received;
            found += 1;
            ControlFlow::Continue(())
        };
        let count = reader.notices(agent, Timestamp::EPOCH, FOR_EVER, 1_000, each);
        assert_eq!((found, count.unwrap().damaged), (expected, 0));
    }
}

/// What a receipt says of streams is what the model knows.
fn compare_streams(receipt: &Receipt, model: &Model) {
    for state in &receipt.streams {
        let settled = &model.settled[&(state.agent, state.epoch)];
        let through = (1..).find(|n| !settled.contains(n)).unwrap() - 1;
        assert_eq!(state.through, through);
        let missing: Vec<u64> = state.missing.iter().flat_map(|r| r.0..=r.1).collect();
        let last = *settled.last().unwrap();
        let expected: Vec<u64> = (1..last).filter(|n| !settled.contains(n)).collect();
        assert_eq!(missing, expected);
    }
}

async fn append(
    sink: &SqliteSink,
    model: &mut Model,
    entries: Vec<(u128, u128, u64, u64)>,
    now: Timestamp,
) {
    let appender = sink.appender();
    let entries: Vec<_> = entries.into_iter().map(entry).collect();
    let waiting: Vec<_> = entries
        .iter()
        .map(|entry| {
            let records = std::slice::from_ref(&entry.record);
            appender.append(entry.agent, records).unwrap()
        })
        .collect();
    for (entry, waiting) in entries.iter().zip(waiting) {
        let receipt = waiting.await.unwrap();
        assert_eq!(receipt.fates, [model.take(entry, now)]);
        assert_eq!(receipt.streams.len(), 1);
        compare_streams(&receipt, model);
    }
}

async fn run(steps: Vec<Step>, journal_bytes: usize) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    // Far behind every window: no agent and no stream is ever old.
    let clock = ManualClock::new(SAMPLE_START.plus(HOUR * 100));
    let mut sink = open(&path, &clock, journal_bytes);
    let mut model = Model::default();
    let lasting = SqliteReader::open(&path).unwrap();
    for step in steps {
        clock.set(clock.now().plus(Duration::from_secs(1)));
        match step {
            // Without closing: what is acknowledged is there.
            Step::Restart => sink = open(&path, &clock, journal_bytes),
            Step::Close => {
                Box::new(sink).close().await.unwrap();
                sink = open(&path, &clock, journal_bytes);
            }
            Step::CleanUp(steps) => {
                let cutoff = SAMPLE_START.plus(STEP * steps);
                let cleaned = sink.maintenance().clean_up(cutoff, Duration::ZERO).await;
                let before = model.stored.len() as u64;
                model.clean_up(cutoff, &lasting);
                let removed = before - model.stored.len() as u64;
                assert_eq!(cleaned.unwrap().records, removed);
                assert!(!has_journal(&path));
            }
            Step::Append(entries) => append(&sink, &mut model, entries, clock.now()).await,
            Step::Write(entries) => {
                let entries: Vec<_> = entries.into_iter().map(entry).collect();
                let receipt = write(&mut sink, &entries).await;
                let now = clock.now();
                let fates: Vec<_> = entries.iter().map(|e| model.take(e, now)).collect();
                assert_eq!(receipt.fates, fates);
                compare_streams(&receipt, &model);
            }
        }
        model.compare(&lasting);
    }
    model.compare(&SqliteReader::open(&path).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn it_agrees_with_a_naive_model(
        steps in steps(),
        // Never full, full with each commit, full with every few.
        journal_bytes in prop_oneof![Just(16 << 20), Just(1), 1_000_usize..6_000],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps, journal_bytes));
    }
}

#[tokio::test]
async fn a_replay_uses_the_times_that_were_stored() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START.plus(HOUR));
    let (written, day) = (clock.now(), HOUR * 24);
    let mut sink = open(&path, &clock, 1 << 20);
    write(
        &mut sink,
        &[
            epoch_start(AGENT, EPOCH),
            envelope(AGENT, EPOCH, 2),
            dropped(3, 4),
        ],
    )
    .await;
    drop(sink);
    clock.set(written.plus(day));
    let sink = open(&path, &clock, 1 << 20);
    seal(&sink).await;
    let reader = SqliteReader::open(&path).unwrap();
    let agent = reader.agents().unwrap()[0];
    assert_eq!((agent.first_seen, agent.last_seen), (written, written));
    let mut times = Vec::new();
    let each = |record: StoredRecord| {
        times.push(record.received);
        ControlFlow::Continue(())
    };
    reader
        .notices(AGENT, Timestamp::EPOCH, written, 9, each)
        .unwrap();
    assert_eq!(times, [written; 2]);
}

#[tokio::test]
async fn an_agent_that_only_sends_what_came_before_was_heard_of() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START.plus(HOUR));
    let mut sink = open(&path, &clock, 1 << 20);
    let entries = [envelope(AGENT, EPOCH, 1)];
    write(&mut sink, &entries).await;
    let first = clock.now();
    for is_sealed in [false, true] {
        if is_sealed {
            seal(&sink).await;
        }
        clock.set(clock.now().plus(HOUR));
        assert_eq!(write(&mut sink, &entries).await.fates, [Fate::Duplicate]);
        drop(sink);
        sink = open(&path, &clock, 1 << 20);
        let agent = SqliteReader::open(&path).unwrap().agents().unwrap()[0];
        assert_eq!((agent.first_seen, agent.last_seen), (first, clock.now()));
        assert_eq!(agent.records, 1);
    }
}

#[tokio::test]
async fn what_makes_too_many_holes_is_refused_and_nothing_is_forgotten() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START.plus(HOUR * 24));
    let mut sink = open(&path, &clock, 1 << 20);
    let every_other: Vec<_> = (1..=1_024).map(|n| envelope(AGENT, EPOCH, n * 2)).collect();
    let fates = write(&mut sink, &every_other).await.fates;
    assert_eq!(fates, vec![Fate::Stored; 1_024]);
    let beyond = [envelope(AGENT, EPOCH, 2_050), envelope(AGENT, EPOCH, 2_049)];
    let receipt = write(&mut sink, &beyond).await;
    assert!(
        matches!(&receipt.fates[0], Fate::Refused(reason) if reason.contains("1024 ranges")),
        "{:?}",
        receipt.fates
    );
    assert_eq!(receipt.fates[1], Fate::Stored);
    assert_eq!(receipt.streams[0].missing.len(), 1_024);
    seal(&sink).await;
    drop(sink);
    let mut sink = open(&path, &clock, 1 << 20);
    let fates = write(&mut sink, &every_other).await.fates;
    assert_eq!(fates, vec![Fate::Duplicate; 1_024]);
    // Where a hole is filled there is room again.
    let filled = [envelope(AGENT, EPOCH, 1), envelope(AGENT, EPOCH, 2_051)];
    assert_eq!(write(&mut sink, &filled).await.fates, vec![Fate::Stored; 2]);
}

#[tokio::test]
async fn two_writers_of_one_file_store_a_record_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START.plus(HOUR));
    let mut sinks = [(); 2].map(|()| open(&path, &clock, 600));
    for seq in 1..=40 {
        let entries = [envelope(AGENT, EPOCH, seq)];
        let (first, second) = if seq.is_multiple_of(2) {
            (0, 1)
        } else {
            (1, 0)
        };
        assert_eq!(
            write(&mut sinks[first], &entries).await.fates,
            [Fate::Stored]
        );
        assert_eq!(
            write(&mut sinks[second], &entries).await.fates,
            [Fate::Duplicate]
        );
    }
    seal(&sinks[0]).await;
    let keys = SqliteReader::open(&path).unwrap().keys(AGENT).unwrap();
    let seqs: Vec<u64> = keys.iter().map(|key| key.seq).collect();
    assert_eq!(seqs, (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_agent_with_records_in_the_journal_is_spared_by_a_clean_up() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START.plus(HOUR));
    let mut sink = open(&path, &clock, 1 << 20);
    let maintenance = sink.maintenance();
    write(&mut sink, &[envelope(AGENT, EPOCH, 1)]).await;
    let later = clock.now().plus(HOUR * 48);
    // What comes while the clean-up is under way is not old, although its windows are.
    let (cleaned, receipt) = tokio::join!(maintenance.clean_up(later, HOUR), async {
        tokio::task::yield_now().await;
        write(&mut sink, &[envelope(AGENT, EPOCH, 2)]).await
    });
    assert_eq!(receipt.fates, [Fate::Stored]);
    assert_eq!(cleaned.unwrap().records, 1);
    let reader = SqliteReader::open(&path).unwrap();
    assert_eq!(reader.keys(AGENT).unwrap().len(), 1);
    let again = [1, 2].map(|seq| envelope(AGENT, EPOCH, seq));
    assert_eq!(
        write(&mut sink, &again).await.fates,
        vec![Fate::Duplicate; 2]
    );
    // Two days later nothing is left of it.
    let cleaned = maintenance
        .clean_up(later.plus(HOUR * 48), HOUR)
        .await
        .unwrap();
    assert_eq!(
        (cleaned.records, cleaned.agents, cleaned.streams),
        (1, 1, 1)
    );
    assert_eq!(reader.agents().unwrap(), []);
    assert_eq!(write(&mut sink, &again).await.fates, vec![Fate::Stored; 2]);
    assert_eq!(reader.keys(AGENT).unwrap().len(), 2);
}

#[tokio::test]
async fn damage_is_counted_or_named_and_hides_nothing_else() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START.plus(HOUR * 5));
    let mut sink = open(&path, &clock, 1 << 20);
    for seq in 1..=3 {
        let mut entry = envelope(AGENT, EPOCH, seq);
        if let RecordBody::Report(interval) = &mut entry.record.body {
            interval.window.start = SAMPLE_START.plus(HOUR * u32::try_from(seq).unwrap());
        }
        write(&mut sink, &[entry]).await;
    }
    seal(&sink).await;
    for seq in 4..=6 {
        write(&mut sink, &[envelope(AGENT, EPOCH, seq)]).await;
    }
    Box::new(sink).close().await.unwrap();
    let raw = rusqlite::Connection::open(&path).unwrap();
    let first: u64 = raw
        .query_row("SELECT min(first_end_us) FROM chunks", [], |row| row.get(0))
        .unwrap();
    raw.execute(
        "UPDATE chunks SET body = x'00ff' WHERE first_end_us = ?1",
        [first],
    )
    .unwrap();
    raw.execute(
        "UPDATE journal SET body = CAST(substr(body, 1, length(body) - 1) || x'00' AS BLOB)
         WHERE id = (SELECT min(id) + 1 FROM journal)",
        [],
    )
    .unwrap();
    drop(raw);

    let reader = SqliteReader::open(&path).unwrap();
    let mut seqs = BTreeSet::new();
    let count = reader.reports(AGENT, Timestamp::EPOCH, FOR_EVER, 10, |report| {
        seqs.insert(report.key.seq);
        ControlFlow::Continue(())
    });
    assert_eq!((count.unwrap().damaged, &seqs), (1, &[2, 3, 4, 6].into()));
    let mut sink = open(&path, &clock, 1 << 20);
    // What was in the damaged row is not known any more, and is taken when it comes again.
    let again: Vec<_> = (1..=7).map(|seq| envelope(AGENT, EPOCH, seq)).collect();
    let fates = write(&mut sink, &again).await.fates;
    let stored = |at: usize| fates[at] == Fate::Stored;
    assert_eq!((0..7).filter(|at| stored(*at)).collect::<Vec<_>>(), [4, 6]);
    seal(&sink).await;
    assert!(!has_journal(&path));
    assert_eq!(reader.keys(AGENT).unwrap().len(), 6);
}

#[tokio::test]
async fn what_waits_together_is_one_commit_and_too_much_is_turned_away() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let mut config = SqliteConfig::new(&path);
    config.queue = 3;
    let sink = SqliteSink::open(config).unwrap();
    let (appender, figures) = (sink.appender(), sink.figures());
    let records: Vec<_> = (1..=500)
        .map(|seq| envelope(AGENT, EPOCH, seq).record)
        .collect();
    let append = |at: usize| appender.append(AGENT, &records[at..=at]);
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The writer takes the first, perhaps some more, and waits for the other connection.
    let mut waiting = vec![append(0).unwrap()];
    while appender.waiting().0 > 0 {
        tokio::task::yield_now().await;
    }
    let error = loop {
        match append(waiting.len()) {
            Ok(appending) => waiting.push(appending),
            Err(error) => break error,
        }
    };
    assert!(error.kind() == SinkErrorKind::Busy && error.is_retryable());
    assert!(error.to_string().contains("3 deliveries wait"), "{error}");
    assert!(waiting.len() >= 4 && appender.waiting().1 == 3);
    raw.execute_batch("ROLLBACK").unwrap();
    let stored = waiting.len();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().fates, [Fate::Stored]);
    }
    let counted = figures.read();
    assert_eq!(counted.committed_records, stored as u64);
    assert!(counted.commits <= 2, "{counted:?}");
    // One that nobody waits for is committed all the same, before an orderly end.
    drop(append(stored).unwrap());
    Box::new(sink).close().await.unwrap();
    let seqs: Vec<u64> = SqliteReader::open(&path)
        .unwrap()
        .keys(AGENT)
        .unwrap()
        .iter()
        .map(|key| key.seq)
        .collect();
    assert_eq!(seqs, (1..=stored as u64 + 1).collect::<Vec<_>>());
    assert_eq!(append(0).unwrap_err().kind(), SinkErrorKind::Broken);
}

#[tokio::test]
async fn epochs_that_ended_long_ago_are_forgotten() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START.plus(HOUR));
    let mut sink = open(&path, &clock, 1 << 20);
    let maintenance = sink.maintenance();
    write(&mut sink, &[envelope(AGENT, EPOCH, 1)]).await;
    clock.set(SAMPLE_START.plus(HOUR * 100));
    let mut new = envelope(AGENT, Epoch(0xf), 1);
    if let RecordBody::Report(interval) = &mut new.record.body {
        interval.window.start = SAMPLE_START.plus(HOUR * 99);
    }
    write(&mut sink, std::slice::from_ref(&new)).await;
    let cleaned = maintenance.clean_up(clock.now(), HOUR * 24).await.unwrap();
    assert_eq!(
        (cleaned.records, cleaned.streams, cleaned.agents),
        (1, 1, 0)
    );
    let again = [new, envelope(AGENT, EPOCH, 1)];
    let fates = write(&mut sink, &again).await.fates;
    assert_eq!(fates, [Fate::Duplicate, Fate::Stored]);
}

#[tokio::test]
async fn figures_follow_the_journal() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START.plus(HOUR));
    let mut sink = open(&path, &clock, 1 << 20);
    let figures = sink.figures();
    assert_eq!(
        (figures.read().replays, figures.read().journal_rows),
        (1, 0)
    );
    for seq in 1..=3 {
        write(&mut sink, &[envelope(AGENT, EPOCH, seq)]).await;
    }
    let before = figures.read();
    assert_eq!(
        (
            before.journal_rows,
            before.commits,
            before.committed_records
        ),
        (3, 3, 3)
    );
    assert_eq!(before.journal_bytes, before.committed_bytes);
    assert!(before.journal_bytes > 100 && before.wal_bytes > 0);
    seal(&sink).await;
    let after = figures.read();
    assert_eq!((after.journal_rows, after.journal_bytes), (0, 0));
    assert_eq!(
        (after.generations, after.sealed_records, after.chunks),
        (1, 3, 1)
    );
}

#[tokio::test]
async fn journal_and_log_stay_bounded_however_much_is_written() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START.plus(HOUR * 1_000));
    let mut sink = open(&path, &clock, 1 << 20);
    let (figures, reader) = (sink.figures(), SqliteReader::open(&path).unwrap());
    let mut most = figures.read();
    let batches = 80;
    for batch in 0..batches {
        let seqs = batch * 1_000 + 1..=batch * 1_000 + 1_000;
        let entries: Vec<_> = seqs
            .map(|seq| envelope(AgentId(u128::from(seq % 50) + 1), EPOCH, seq / 50 + 1))
            .collect();
        let fates = write(&mut sink, &entries).await.fates;
        assert!(fates.iter().all(|fate| *fate == Fate::Stored));
        let now = figures.read();
        most.journal_bytes = most.journal_bytes.max(now.journal_bytes);
        most.wal_bytes = most.wal_bytes.max(now.wal_bytes);
    }
    let end = figures.read();
    let batch_bytes = end.committed_bytes / end.commits;
    assert!(end.committed_bytes > 20 << 20, "{end:?}");
    assert!(
        most.journal_bytes <= (2 << 20) + 2 * batch_bytes,
        "{most:?}"
    );
    assert!(
        most.wal_bytes > 8 << 20 && most.wal_bytes < 44 << 20,
        "{most:?}"
    );
    assert!(end.checkpoints > 0 && end.generations > 10, "{end:?}");
    assert_eq!(reader.stats().unwrap().records, batches * 1_000);
}
