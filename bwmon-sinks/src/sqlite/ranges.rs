//! What has arrived of one epoch, in bounded space.

/// Most ranges of missing numbers that are told apart.
const MAX_RANGES: usize = 1_024;

/// The numbers from 1 that have arrived: all up to `through`, and all later ones up to the highest
/// seen except `missing`.
///
/// Where there are more holes than the bound, the two that are closest together become one, which
/// says that some numbers are missing although they arrived. Never the reverse: the store's unique
/// index then still knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Arrived {
    through: u64,
    highest: u64,
    missing: Vec<(u64, u64)>,
}

impl Arrived {
    /// The state that was stored; `None` if it contradicts itself.
    pub(super) fn restore(through: u64, highest: u64, missing: Vec<(u64, u64)>) -> Option<Self> {
        let mut before = through;
        for &(from, to) in &missing {
            if from <= before || to < from || to >= highest {
                return None;
            }
            before = to;
        }
        let is_whole = highest >= through && (highest == through) == missing.is_empty();
        let starts_after = missing.first().is_none_or(|first| first.0 == through + 1);
        (is_whole && starts_after).then_some(Self {
            through,
            highest,
            missing,
        })
    }

    pub(super) const fn through(&self) -> u64 {
        self.through
    }

    pub(super) const fn highest(&self) -> u64 {
        self.highest
    }

    pub(super) fn missing(&self) -> &[(u64, u64)] {
        &self.missing
    }

    /// Whether `seq` has certainly arrived.
    pub(super) fn contains(&self, seq: u64) -> bool {
        if seq > self.highest {
            return false;
        }
        let at = self.missing.partition_point(|range| range.1 < seq);
        self.missing.get(at).is_none_or(|range| seq < range.0)
    }

    /// Notes that `from..=to` have arrived.
    pub(super) fn insert(&mut self, from: u64, to: u64) {
        if to < from {
            return;
        }
        self.cut_out(from, to);
        if to > self.highest {
            if from > self.highest + 1 {
                self.missing.push((self.highest + 1, from - 1));
            }
            self.highest = to;
        }
        while self.missing.len() > MAX_RANGES {
            self.join_closest();
        }
        self.through = self
            .missing
            .first()
            .map_or(self.highest, |first| first.0 - 1);
    }

    fn cut_out(&mut self, from: u64, to: u64) {
        let first = self.missing.partition_point(|range| range.1 < from);
        let last = self.missing.partition_point(|range| range.0 <= to);
        if first >= last {
            return;
        }
        let before = self.missing.get(first).filter(|range| range.0 < from);
        let before = before.map(|range| (range.0, from - 1));
        let after = self.missing.get(last - 1).filter(|range| range.1 > to);
        let after = after.map(|range| (to + 1, range.1));
        self.missing
            .splice(first..last, before.into_iter().chain(after));
    }

    fn join_closest(&mut self) {
        let closest = self
            .missing
            .windows(2)
            .enumerate()
            .filter_map(|(at, pair)| match pair {
                [(_, end), (start, _)] => Some((start - end, at)),
                _ => None,
            })
            .min();
        let Some((_, at)) = closest else { return };
        let later = self.missing.remove(at + 1);
        if let Some(range) = self.missing.get_mut(at) {
            range.1 = later.1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_agrees_with_a_set(inserts in prop::collection::vec((1_u64..60, 0_u64..4), 0..40)) {
            let (mut arrived, mut set) = (Arrived::default(), BTreeSet::new());
            for (from, length) in inserts {
                arrived.insert(from, from + length);
                set.extend(from..=from + length);
                for seq in 1..70 {
                    prop_assert_eq!(arrived.contains(seq), set.contains(&seq), "{}", seq);
                }
                let through = (1..).find(|seq| !set.contains(seq)).unwrap() - 1;
                prop_assert_eq!(arrived.through(), through);
                let missing: Vec<u64> =
                    arrived.missing().iter().flat_map(|range| range.0..=range.1).collect();
                let highest = *set.last().unwrap();
                let expected: Vec<u64> = (1..highest).filter(|seq| !set.contains(seq)).collect();
                prop_assert_eq!(missing, expected);
                let stored = (arrived.through(), arrived.highest(), arrived.missing().to_vec());
                prop_assert_eq!(Arrived::restore(stored.0, stored.1, stored.2), Some(arrived.clone()));
            }
        }
    }

    #[test]
    fn beyond_the_bound_it_claims_too_little_never_too_much() {
        let mut arrived = Arrived::default();
        let sent: BTreeSet<u64> = (1..=3_000).map(|n| n * 3).collect();
        for seq in &sent {
            arrived.insert(*seq, *seq);
        }
        assert_eq!(arrived.missing().len(), MAX_RANGES);
        let claimed: Vec<u64> = (1..=9_000).filter(|seq| arrived.contains(*seq)).collect();
        assert!(claimed.iter().all(|seq| sent.contains(seq)));
        for seq in 1..=9_000 {
            arrived.insert(seq, seq);
        }
        assert_eq!((arrived.through(), arrived.missing().len()), (9_000, 0));
    }

    #[test]
    fn what_contradicts_itself_is_not_restored() {
        for (through, highest, missing) in [
            (5, 4, vec![]),
            (5, 9, vec![]),
            (5, 9, vec![(7, 8)]),
            (5, 9, vec![(6, 9)]),
            (5, 9, vec![(6, 7), (7, 8)]),
            (5, 5, vec![(6, 7)]),
        ] {
            assert_eq!(Arrived::restore(through, highest, missing), None);
        }
    }
}
