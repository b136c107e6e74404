//! What was emitted and acknowledged, beside what the collector has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use bwmon_core::report::{AgentId, DropReason, Epoch, RecordBody};
use bwmon_core::time::Timestamp;
use bwmon_sinks::sqlite::{SqliteReader, StoredRecord};

use super::emitter::{EMITTED, FATES};

/// What the collector has of one agent.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Each stored record, as often as it is stored.
    stored: BTreeMap<Epoch, Vec<u64>>,
    /// Ranges that will never come.
    dropped: BTreeMap<Epoch, Vec<(u64, u64, DropReason)>>,
}

/// What became of everything that an agent emitted, in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Balance {
    /// Emitted, as its ledger says.
    pub(crate) emitted: usize,
    /// Of them stored.
    pub(crate) stored: usize,
    /// Of them named as gone.
    pub(crate) dropped: usize,
    /// Of them refused for good.
    pub(crate) quarantined: usize,
    /// Acknowledgements that were written down, those of the same record more than once included.
    pub(crate) acknowledged: usize,
    /// Of those that said that the record was there already.
    pub(crate) duplicates: usize,
}

impl Balance {
    /// Everything that was emitted is stored.
    pub(crate) fn assert_nothing_lost(&self) {
        assert_eq!((self.dropped, self.quarantined), (0, 0), "{self:?}");
    }
}

impl Ledger {
    /// Reads what the collector, which may run, has of `agent`.
    pub(crate) fn of(collector: &Path, agent: AgentId) -> Self {
        let reader = SqliteReader::open(collector.join("bwmon.db")).unwrap();
        let mut ledger = Self::default();
        for key in reader.keys(agent).unwrap() {
            ledger.stored.entry(key.epoch).or_default().push(key.seq);
        }
        let each = |record: StoredRecord| {
            if let RecordBody::Dropped(dropped) = record.body {
                let range = (dropped.from_seq, record.key.seq, dropped.reason);
                let ranges = ledger.dropped.entry(record.key.epoch).or_default();
                ranges.push(range);
            }
            ControlFlow::Continue(())
        };
        let end = Timestamp::from_secs(u32::MAX.into());
        reader
            .notices(agent, Timestamp::EPOCH, end, usize::MAX, each)
            .unwrap();
        ledger
    }

    /// How many records are stored.
    pub(crate) fn records(&self) -> usize {
        self.stored.values().map(Vec::len).sum()
    }

    /// Ranges that were given up, for another reason than that no record ever had their numbers.
    pub(crate) fn given_up(&self) -> Vec<(u64, u64, DropReason)> {
        let ranges = self.dropped.values().flatten().copied();
        ranges
            .filter(|(_, _, reason)| *reason != DropReason::NeverExisted)
            .collect()
    }

    /// Nothing is stored twice, and each number up to the highest is stored or named.
    pub(crate) fn assert_whole(&self) {
        for (epoch, numbers) in &self.stored {
            let distinct: BTreeSet<u64> = numbers.iter().copied().collect();
            assert_eq!(
                distinct.len(),
                numbers.len(),
                "{epoch}: a record is stored twice"
            );
            let highest = distinct.last().copied().unwrap_or(0);
            let missing: Vec<u64> = (1..=highest)
                .filter(|seq| !distinct.contains(seq) && !self.is_dropped(*epoch, *seq))
                .collect();
            assert_eq!(missing, [0; 0], "{epoch}: neither stored nor named");
        }
    }

    fn is_dropped(&self, epoch: Epoch, seq: u64) -> bool {
        let ranges = self.dropped.get(&epoch).into_iter().flatten();
        ranges
            .into_iter()
            .any(|(from, to, _)| (*from..=*to).contains(&seq))
    }

    /// Whether a number was given up for another reason than that no record ever had it.
    fn is_given_up(&self, epoch: Epoch, seq: u64) -> bool {
        let ranges = self.dropped.get(&epoch).into_iter().flatten();
        ranges.into_iter().any(|(from, to, reason)| {
            (*from..=*to).contains(&seq) && *reason != DropReason::NeverExisted
        })
    }

    /// Compares it with what the emitter in `data` wrote down, which has nothing left: each record
    /// that it emitted is in exactly one place, and what was acknowledged is there.
    pub(crate) fn balance(&self, data: &Path) -> Balance {
        self.assert_whole();
        let stored: BTreeMap<Epoch, BTreeSet<u64>> = self
            .stored
            .iter()
            .map(|(epoch, numbers)| (*epoch, numbers.iter().copied().collect()))
            .collect();
        let is_stored = |epoch, seq: u64| {
            let numbers = stored.get(&epoch);
            numbers.is_some_and(|numbers| numbers.contains(&seq))
        };
        let mut balance = Balance::default();
        let mut refused = BTreeSet::new();
        for (epoch, seq, fate) in lines(&data.join(FATES)) {
            balance.acknowledged += 1;
            balance.duplicates += usize::from(fate == "duplicate");
            if fate == "refused" {
                refused.insert((epoch, seq));
            } else {
                assert!(
                    is_stored(epoch, seq),
                    "{epoch} {seq} was acknowledged and is lost"
                );
            }
        }
        for (epoch, seq, _) in lines(&data.join(EMITTED)) {
            // A drop record stands at the last number that it covers: that number is not stored.
            let is_notice = self.is_dropped(epoch, seq);
            let is_named = self.is_given_up(epoch, seq);
            let is_kept = is_stored(epoch, seq) && !is_notice;
            let is_refused = refused.contains(&(epoch, seq));
            let places = [is_kept, is_notice && !is_refused, is_refused];
            let found = places.iter().filter(|is_there| **is_there).count();
            assert_eq!(found, 1, "{epoch} {seq} is in {places:?}");
            assert!(
                is_kept || is_named,
                "{epoch} {seq} was emitted and is told as never having existed"
            );
            balance.emitted += 1;
            balance.stored += usize::from(is_kept);
            balance.dropped += usize::from(places[1]);
            balance.quarantined += usize::from(is_refused);
        }
        let sum = balance.stored + balance.dropped + balance.quarantined;
        assert_eq!(balance.emitted, sum, "{balance:?}");
        balance
    }
}

/// The lines of a file of an emitter: epoch, number, and what follows. The last one may be cut by a
/// kill, and is left out then.
fn lines(path: &Path) -> Vec<(Epoch, u64, String)> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |line: &str| {
        let mut words = line.split(' ');
        let epoch = words.next().unwrap().parse().unwrap();
        let seq = words.next().unwrap().parse().unwrap();
        (epoch, seq, words.next().unwrap_or("").to_owned())
    };
    whole.lines().map(parse).collect()
}
