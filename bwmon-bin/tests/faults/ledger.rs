//! What the collector has of an agent, beside what the agent must have said.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

use bwmon_core::report::{DropReason, Dropped, Epoch, RecordBody, RecordKey};
use bwmon_core::time::Timestamp;
use bwmon_sinks::sqlite::SqliteReader;

/// The numbers that are stored of each epoch of the only agent, with what the agent said will never come.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    stored: BTreeMap<Epoch, Vec<u64>>,
    given_up: Vec<(RecordKey, Dropped)>,
}

impl Ledger {
    /// Reads the database of a collector, which may run.
    pub(crate) fn read(data: &Path) -> Self {
        let reader = SqliteReader::open(data.join("bwmon.db")).unwrap();
        let mut ledger = Self::default();
        for entry in reader.agents().unwrap() {
            for key in reader.keys(entry.agent).unwrap() {
                ledger.stored.entry(key.epoch).or_default().push(key.seq);
            }
            let end = Timestamp::from_secs(u32::MAX.into());
            let each = |record: bwmon_sinks::sqlite::StoredRecord| {
                if let RecordBody::Dropped(dropped) = record.body {
                    ledger.given_up.push((record.key, dropped));
                }
                ControlFlow::Continue(())
            };
            reader
                .notices(entry.agent, Timestamp::EPOCH, end, usize::MAX, each)
                .unwrap();
        }
        ledger
    }

    /// How many records are stored.
    pub(crate) fn records(&self) -> usize {
        self.stored.values().map(Vec::len).sum()
    }

    /// Each epoch's numbers are stored from 1 to the last, each once, and nothing was given up.
    pub(crate) fn assert_nothing_is_missing(&self) {
        assert_eq!(self.given_up, []);
        for (epoch, numbers) in &self.stored {
            let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
            assert_eq!(numbers, &expected, "{epoch}");
        }
    }

    /// There is one epoch, whose numbers from 1 to the last are stored, each once, or were never used:
    /// an agent that is killed skips what it had set aside.
    pub(crate) fn assert_nothing_that_was_measured_is_missing(&self) {
        assert_eq!(self.stored.len(), 1, "{self:?}");
        let mut known = BTreeSet::new();
        for (key, dropped) in &self.given_up {
            let never = (0, DropReason::NeverExisted);
            assert_eq!((dropped.reports, dropped.reason), never, "{key:?}");
            known.extend(dropped.from_seq..=key.seq);
        }
        for number in self.stored.values().flatten() {
            let is_notice = self.given_up.iter().any(|(key, _)| key.seq == *number);
            assert!(
                is_notice || known.insert(*number),
                "{number} twice: {self:?}"
            );
        }
        let last = known.last().copied().unwrap_or(0);
        let missing: Vec<u64> = (1..=last)
            .filter(|number| !known.contains(number))
            .collect();
        assert_eq!(missing, [0; 0], "{self:?}");
    }
}
