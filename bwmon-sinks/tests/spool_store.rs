//! A spool against the real store: what is given up is named with its reason, whatever was lost on the way.
#![cfg(all(feature = "spool", feature = "sqlite"))]
#![allow(clippy::unwrap_used, reason = "a helper fails a test by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use bwmon_core::Sink;
use bwmon_core::report::{
    AgentId, Batch, DropReason, Envelope, Epoch, Interval, Record, RecordBody,
};
use bwmon_core::time::{Timestamp, Window};
use bwmon_sinks::spool::{Folder, Spool, SpoolConfig};
use bwmon_sinks::sqlite::{SqliteConfig, SqliteSink};
use tempfile::TempDir;

const AGENT: AgentId = AgentId(1);
const BEGIN: Timestamp = Timestamp::from_secs(1_700_000_000);

/// A spool and a store, and the time that both are told.
struct Pair {
    spool: Spool,
    sink: SqliteSink,
    now: Timestamp,
    _folder: TempDir,
}

impl Pair {
    /// What waits longer than `age` is given up.
    fn new(age: Duration) -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = SpoolConfig::default();
        config.age = age;
        let files = Box::new(Folder::new(folder.path().join("spool")));
        Self {
            spool: Spool::open(files, config, || Epoch(7), BEGIN),
            sink: SqliteSink::open(SqliteConfig::new(folder.path().join("bwmon.db"))).unwrap(),
            now: BEGIN,
            _folder: folder,
        }
    }

    /// A second passes, and is reported.
    fn report(&mut self) {
        let length = Duration::from_secs(1);
        let window = Window::new(self.now, length);
        self.now = self.now.plus(length);
        let interval = Interval {
            window,
            ..Interval::default()
        };
        self.spool.append(interval, self.now);
        self.spool.tick(self.now);
    }

    /// Some time passes in which nothing is reported.
    fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        self.spool.tick(self.now);
    }

    /// Sends once; says what was sent.
    async fn send(&mut self, max: usize, credit: usize) -> Vec<Record> {
        let records = self.spool.take(max, credit);
        let receipt = self.sink.write(&batch(&records)).await.unwrap();
        for (record, fate) in records.iter().zip(&receipt.fates) {
            self.spool.settle(record.key(), fate);
        }
        for stream in &receipt.streams {
            self.spool.missing(stream.epoch, &stream.missing);
        }
        records
    }

    /// Sends until nothing is left; says how many numbers were given up, by reason.
    async fn send_all(&mut self) -> BTreeMap<String, u64> {
        let mut told = BTreeMap::new();
        for _ in 0..100 {
            let records = self.send(64, 64).await;
            if records.is_empty() {
                return told;
            }
            for record in records {
                if let RecordBody::Dropped(dropped) = record.body {
                    let numbers = record.seq - dropped.from_seq + 1;
                    *told.entry(format!("{:?}", dropped.reason)).or_default() += numbers;
                    assert_eq!(dropped.reports, numbers, "{dropped:?}");
                    assert_ne!(dropped.reason, DropReason::NeverExisted);
                }
            }
        }
        panic!("it goes on for ever: {told:?}");
    }
}

fn batch(records: &[Record]) -> Batch {
    let entries = records.iter().cloned().map(|record| Envelope {
        agent: AGENT,
        record,
    });
    Batch {
        entries: entries.collect(),
    }
}

/// The store has the number that the loss is told at, because the answer to it was lost.
#[tokio::test]
async fn a_loss_that_ends_with_a_stored_number_is_told_with_its_reason() {
    let mut pair = Pair::new(Duration::from_secs(100));
    for _ in 0..10 {
        pair.report();
    }
    let live = pair.spool.take(1, 1);
    assert_eq!(
        live.iter().map(|record| record.seq).collect::<Vec<_>>(),
        [11]
    );
    pair.sink.write(&batch(&live)).await.unwrap();
    pair.spool.give_back();
    pair.wait(1_000);
    let told = pair.send_all().await;
    // The loss as it was, and then what the store still missed of it.
    assert_eq!(told, BTreeMap::from([("TooOld".to_owned(), 11 + 10)]));
}

/// More losses than wait to be told: what is forgotten is asked for, and then told as it was.
#[tokio::test]
async fn more_losses_than_wait_are_all_told_with_their_reason() {
    let mut pair = Pair::new(Duration::from_secs(1_000));
    for number in 0..700 {
        pair.report();
        if number % 2 == 0 {
            pair.send(1, 1).await;
        }
    }
    pair.wait(5_000);
    let dropped = pair.spool.stats().dropped.total();
    assert!(dropped > 300, "{dropped}");
    let told = pair.send_all().await;
    assert_eq!(told.keys().collect::<Vec<_>>(), ["TooOld"], "{told:?}");
    assert!(told.values().sum::<u64>() >= dropped, "{told:?}");
    assert!(pair.spool.stats().is_balanced());
}

/// A collector that invites to nothing gets live reports only, until so many holes are between them that
/// the oldest must come first.
#[tokio::test]
async fn live_reports_never_make_more_holes_than_are_told_apart() {
    let mut pair = Pair::new(Duration::from_secs(86_400));
    for number in 0..2_600 {
        pair.report();
        if number % 2 == 0 {
            pair.send(64, 0).await;
        }
    }
    let stats = pair.spool.stats();
    assert_eq!(
        (stats.quarantined, stats.dropped.total()),
        (0, 0),
        "{stats:?}"
    );
    assert_eq!(pair.send_all().await, BTreeMap::new());
    let stats = pair.spool.stats();
    assert_eq!(
        (stats.delivered, stats.spooled),
        (stats.emitted, 0),
        "{stats:?}"
    );
}
