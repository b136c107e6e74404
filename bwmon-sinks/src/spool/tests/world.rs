//! One agent's spool, the disk below it, and a receiver that checks what it is given.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bwmon_core::report::{DropReason, Epoch, Fate, Interval, Record, RecordBody, RecordKey};
use bwmon_core::testkit::{SAMPLE_START, record};
use bwmon_core::time::Timestamp;

use super::super::{Spool, SpoolConfig};
use super::model::Model;

/// What the receiver has.
#[derive(Debug, Default)]
pub(super) struct Receiver {
    /// By key, with what tells one report from another: the start of its window.
    pub(super) stored: BTreeMap<RecordKey, Option<Timestamp>>,
    pub(super) named: BTreeMap<RecordKey, DropReason>,
    /// Reports that arrived without their flow rows.
    pub(super) without_rows: BTreeSet<RecordKey>,
}

impl Receiver {
    pub(super) fn take(&mut self, record: &Record) {
        let key = record.key();
        if let RecordBody::Dropped(dropped) = &record.body {
            assert!((1..=record.seq).contains(&dropped.from_seq), "{dropped:?}");
            for seq in dropped.from_seq..=record.seq {
                self.named.insert(RecordKey { seq, ..key }, dropped.reason);
            }
            return;
        }
        let mark = mark(&record.body);
        if let RecordBody::Report(interval) = &record.body
            && interval.flows_lost.is_some()
        {
            assert!(interval.flows.is_empty());
            self.without_rows.insert(key);
        }
        let before = self.stored.insert(key, mark);
        assert!(
            before.is_none_or(|before| before == mark),
            "{key:?} was used twice"
        );
    }

    pub(super) fn knows(&self, key: &RecordKey) -> bool {
        self.stored.contains_key(key) || self.named.contains_key(key)
    }
}

fn mark(body: &RecordBody) -> Option<Timestamp> {
    match body {
        RecordBody::Report(interval) => Some(interval.window.start),
        RecordBody::Dropped(_) | RecordBody::EpochStart(_) => None,
    }
}

pub(super) fn interval(number: u64) -> Interval {
    match record(number).body {
        RecordBody::Report(interval) => *interval,
        _ => unreachable!("samples are reports"),
    }
}

pub(super) struct World {
    pub(super) disk: Model,
    pub(super) config: SpoolConfig,
    pub(super) spool: Option<Spool>,
    pub(super) receiver: Receiver,
    pub(super) now: Timestamp,
    epochs: Arc<AtomicU64>,
    pub(super) number: u64,
    /// Emitted and not known to be durable.
    fresh: Vec<RecordKey>,
    /// Emitted, and the spool said that it is durable.
    pub(super) durable: BTreeSet<RecordKey>,
    /// Emitted by the process that runs.
    pub(super) own: BTreeSet<RecordKey>,
}

impl World {
    pub(super) fn new(disk: Model, config: SpoolConfig) -> Self {
        let mut world = Self {
            disk,
            config,
            spool: None,
            receiver: Receiver::default(),
            now: SAMPLE_START.plus(Duration::from_secs(1_000_000)),
            epochs: Arc::default(),
            number: 0,
            fresh: Vec::new(),
            durable: BTreeSet::new(),
            own: BTreeSet::new(),
        };
        world.open();
        world
    }

    pub(super) fn open(&mut self) {
        let epochs = Arc::clone(&self.epochs);
        let draw = move || Epoch(u128::from(epochs.fetch_add(1, Ordering::Relaxed) + 1));
        let files = Box::new(self.disk.clone());
        self.spool = Some(Spool::open(files, self.config.clone(), draw, self.now));
        self.own.clear();
        self.fresh.clear();
        self.check();
    }

    pub(super) fn spool(&mut self) -> &mut Spool {
        self.spool.as_mut().expect("it is open")
    }

    pub(super) fn append(&mut self) {
        self.number += 1;
        let (interval, now) = (interval(self.number), self.now);
        for record in self.spool().append(interval, now) {
            self.fresh.push(record.key());
            assert!(self.own.insert(record.key()), "{:?} twice", record.key());
        }
        self.note_durable();
        self.check();
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        let now = self.now;
        self.spool().tick(now);
        self.note_durable();
        self.check();
    }

    fn note_durable(&mut self) {
        let stats = self.spool().stats();
        if stats.memory_mode.is_none() && stats.unsynced_bytes == 0 {
            self.durable.extend(self.fresh.drain(..));
        }
    }

    /// Sends once; each record comes to what `fate` says, `None` is a lost answer.
    pub(super) fn send(&mut self, max: usize, fate: impl Fn(u64) -> Option<Fate>) -> usize {
        let batch = self.spool().take(max, 64);
        self.check();
        for record in &batch {
            let is_notice = matches!(record.body, RecordBody::Dropped(_));
            let fate = fate(record.seq).map(|fate| if is_notice { Fate::Stored } else { fate });
            if !matches!(fate, Some(Fate::Refused(_))) {
                self.receiver.take(record);
            } else {
                self.receiver
                    .named
                    .insert(record.key(), DropReason::Refused);
            }
            if let Some(fate) = fate {
                self.spool().settle(record.key(), &fate);
            }
            self.check();
        }
        self.spool().give_back();
        self.check();
        batch.len()
    }

    pub(super) fn close(&mut self) {
        let now = self.now;
        let stats = self.spool.take().expect("it is open").close(now);
        assert!(stats.is_balanced(), "{stats:?}");
    }

    /// Everything that can still arrive does.
    pub(super) fn deliver_all(&mut self) {
        self.disk.heal();
        self.pass(60);
        self.pass(60);
        while self.send(64, |_| Some(Fate::Stored)) > 0 {}
        let stats = self.spool().stats();
        assert_eq!((stats.spooled, stats.notices), (0, 0), "{stats:?}");
    }

    pub(super) fn check(&mut self) {
        let stats = self.spool().stats();
        assert!(stats.is_balanced(), "{stats:?}");
        assert!(
            stats.memory_bytes <= self.config.memory_bytes as u64,
            "{stats:?}"
        );
        let lanes = stats.core.bytes + stats.flow.bytes;
        assert_eq!(lanes, stats.disk_bytes, "{stats:?}");
        let in_core = stats.core.records..=stats.core.records + stats.memory_records;
        assert!(in_core.contains(&stats.spooled), "{stats:?}");
        let budget = self.config.core_bytes + self.config.flow_bytes;
        assert!(stats.disk_bytes <= budget, "{stats:?}");
    }
}
