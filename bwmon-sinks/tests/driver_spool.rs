//! The driver with a spool on a real disk.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bwmon_core::Sink;
use bwmon_core::report::{
    AgentId, Batch, DropReason, Envelope, Epoch, Fate, Interval, Receipt, RecordBody, RecordKey,
    StreamState,
};
use bwmon_core::sink::{SinkCapability, SinkError, SinkErrorKind};
use bwmon_core::testkit::{Outcome, Script, ScriptedSink, record};
use bwmon_sinks::Clock;
use bwmon_sinks::driver::{Driver, DriverConfig, DriverStats, NotTaken, SpoolQueue};
use bwmon_sinks::spool::{Folder, Spool, SpoolConfig, look};

const AGENT: AgentId = AgentId(0xa);
const LONG: Duration = Duration::from_secs(60);

fn interval(number: u64) -> Interval {
    match record(number).body {
        RecordBody::Report(interval) => *interval,
        _ => unreachable!("samples are reports"),
    }
}

fn spool(folder: &Path) -> SpoolQueue {
    let files = Box::new(Folder::new(folder.to_owned()));
    let open = |now| {
        let draw = || Epoch(u128::from(fastrand::u64(..)));
        Spool::open(files, SpoolConfig::default(), draw, now)
    };
    SpoolQueue::start(AGENT, Clock::default(), open, None).unwrap()
}

fn config() -> DriverConfig {
    let mut config = DriverConfig::default();
    config.backoff_first = Duration::from_millis(20);
    config.backoff_cap = Duration::from_millis(20);
    config.reconnect_spread = Duration::from_millis(20);
    config.hold = Duration::from_millis(20);
    config
}

fn start(folder: &Path, sink: impl Sink + 'static) -> Driver<SpoolQueue> {
    Driver::with_spool(Box::new(sink), config(), spool(folder))
}

async fn report(driver: &Driver<SpoolQueue>, number: u64) {
    let mut interval = interval(number);
    while let Err(NotTaken::Busy(back)) = driver.report(interval) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        interval = *back;
    }
}

fn assert_conserved(stats: &DriverStats) {
    let sum = stats.stored + stats.duplicate + stats.refused + stats.dropped;
    assert_eq!(
        stats.offered,
        sum + stats.queued + stats.in_flight,
        "{stats:?}"
    );
}

fn seqs(script: &Script) -> Vec<u64> {
    let mut seqs: Vec<_> = script
        .stored()
        .iter()
        .map(|entry| entry.record.seq)
        .collect();
    seqs.sort_unstable();
    seqs
}

#[tokio::test]
async fn what_one_process_could_not_deliver_the_next_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let down = Script::new();
    (0..10_000).for_each(|_| down.then(Outcome::Fail(SinkErrorKind::Unavailable)));
    for process in 0..3 {
        let driver = start(folder.path(), ScriptedSink::new(down.clone(), 8));
        for number in 0..4 {
            report(&driver, process * 4 + number).await;
        }
        let mut stats = driver.watch();
        let waits = |stats: &DriverStats| stats.queued + stats.in_flight == process * 4 + 5;
        stats.wait_for(waits).await.unwrap();
        let closed = driver.close(Duration::from_millis(50)).await;
        assert_conserved(&closed.stats);
    }
    assert!(down.stored().is_empty());
    let waiting = look(&mut Folder::new(folder.path().to_owned())).unwrap();
    assert_eq!(waiting.records, 13);

    let up = Script::new();
    up.then(Outcome::LoseAnswer);
    let driver = start(folder.path(), ScriptedSink::new(up.clone(), 8));
    report(&driver, 99).await;
    let mut stats = driver.watch();
    let all = |stats: &DriverStats| stats.stored + stats.duplicate == 14;
    stats.wait_for(all).await.unwrap();
    let stats = driver.close(LONG).await.stats;
    assert_conserved(&stats);
    assert!(stats.is_empty() && stats.duplicate > 0, "{stats:?}");
    assert_eq!(seqs(&up), (1..=14).collect::<Vec<_>>());
    let epochs: Vec<_> = up.stored().iter().map(|entry| entry.record.epoch).collect();
    assert!(
        epochs.iter().all(|epoch| *epoch == epochs[0]),
        "one epoch goes on"
    );
}

#[tokio::test]
async fn one_poison_record_is_quarantined_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::new();
    script.then(Outcome::Fail(SinkErrorKind::Unauthorised));
    // The epoch is drawn by the spool: learn it from a first record.
    let driver = start(folder.path(), ScriptedSink::new(script.clone(), 8));
    report(&driver, 1).await;
    let mut stats = driver.watch();
    stats.wait_for(|stats| stats.stored == 2).await.unwrap();
    let epoch = script.stored()[0].record.epoch;
    script.poison(RecordKey { epoch, seq: 4 });
    for number in 2..6 {
        report(&driver, number).await;
    }
    stats
        .wait_for(|stats| stats.offered == 6 && stats.is_empty())
        .await
        .unwrap();
    let closed = driver.close(LONG).await;
    assert_eq!((closed.stats.stored, closed.stats.refused), (5, 1));
    assert_eq!(seqs(&script), [1, 2, 3, 5, 6]);
    let kept = std::fs::read_to_string(folder.path().join("quarantine.jsonl")).unwrap();
    assert!(
        kept.lines().count() == 1 && kept.contains("\"seq\":4"),
        "{kept}"
    );
}

/// Refuses one number, and misses it from then on until it is told why.
#[derive(Debug, Default, Clone)]
struct Missing(Arc<Mutex<Vec<Envelope>>>);

#[async_trait]
impl Sink for Missing {
    fn name(&self) -> &'static str {
        "missing"
    }

    fn capability(&self) -> SinkCapability {
        SinkCapability::with_max_batch(8)
    }

    async fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError> {
        let mut all = self.0.lock().unwrap();
        let fate = |entry: &Envelope| match (&entry.record.body, entry.record.seq) {
            (RecordBody::Report(_), 3) => Fate::Refused("clock".to_owned()),
            _ => Fate::Stored,
        };
        let mut receipt = Receipt::new(batch.entries.iter().map(fate).collect());
        all.extend(batch.entries.iter().cloned());
        let is_told = all
            .iter()
            .any(|e| matches!(e.record.body, RecordBody::Dropped(_)));
        let (agent, epoch) = (AGENT, batch.entries[0].record.epoch);
        receipt.streams = vec![StreamState {
            agent,
            epoch,
            through: 2,
            missing: if is_told { Vec::new() } else { vec![(3, 3)] },
        }];
        receipt.credit = Some(2);
        Ok(receipt)
    }

    async fn close(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

#[tokio::test]
async fn what_the_receiver_misses_is_explained_within_one_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Missing::default();
    let driver = start(folder.path(), sink.clone());
    for number in 1..6 {
        report(&driver, number).await;
    }
    let mut stats = driver.watch();
    stats
        .wait_for(|stats| stats.offered == 6 && stats.notices_delivered == 1 && stats.is_empty())
        .await
        .unwrap();
    let all = sink.0.lock().unwrap().clone();
    let told: Vec<_> = all
        .iter()
        .filter_map(|entry| match &entry.record.body {
            RecordBody::Dropped(dropped) => {
                Some((dropped.from_seq, entry.record.seq, dropped.reason))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, [(3, 3, DropReason::Refused)]);
}

/// A file stands where the folder should be.
#[tokio::test]
async fn without_a_disk_it_works_in_memory_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    std::fs::write(&path, "in the way").unwrap();
    let script = Script::new();
    let driver = start(&path, ScriptedSink::new(script.clone(), 8));
    for number in 1..4 {
        report(&driver, number).await;
    }
    let mut stats = driver.watch();
    stats.wait_for(|stats| stats.stored == 4).await.unwrap();
    let stats = driver.close(LONG).await.stats;
    assert_conserved(&stats);
    assert!(stats.spool.unwrap().memory_mode.is_some());
    assert_eq!(seqs(&script), [1, 2, 3, 4]);
}
