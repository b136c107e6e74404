//! What has arrived of one epoch, in bounded space.

/// Most ranges of missing numbers of one epoch.
pub(super) const MAX_RANGES: usize = bwmon_core::report::bounds::RANGES;

/// The numbers from 1 that have arrived: all up to `through`, and all later ones up to the highest
/// seen except `missing`.
///
/// It is exact: nothing is forgotten, as a number that was would be stored again. What would make more
/// holes than the bound is refused instead.
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

    /// Whether noting `from..=to` stays within the bound of ranges, or makes none.
    pub(super) fn has_room_for(&self, from: u64, to: u64) -> bool {
        if self.missing.len() < MAX_RANGES {
            return true;
        }
        let makes_hole_behind = from > self.highest.saturating_add(1);
        let at = self.missing.partition_point(|range| range.1 < from);
        let hole = self.missing.get(at);
        let cuts_hole_in_two = hole.is_some_and(|range| range.0 < from && range.1 > to);
        !makes_hole_behind && !cuts_hole_in_two
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
    fn at_the_bound_there_is_room_for_what_makes_no_hole() {
        let mut arrived = Arrived::default();
        for seq in (1..=MAX_RANGES as u64).map(|n| n * 10) {
            assert!(arrived.has_room_for(seq, seq));
            arrived.insert(seq, seq);
        }
        let last = MAX_RANGES as u64 * 10;
        for (from, to, expected) in [
            (last + 2, last + 2, false),
            (last + 1, last + 9, true),
            (5, 5, false),
            (1, 3, true),
            (7, 9, true),
            (11, 19, true),
            (15, 25, true),
            (10, 10, true),
            (u64::MAX, u64::MAX, false),
        ] {
            assert_eq!(arrived.has_room_for(from, to), expected, "{from}..={to}");
            let mut after = arrived.clone();
            after.insert(from, to);
            assert_eq!(
                after.missing().len() <= MAX_RANGES,
                expected,
                "{from}..={to}"
            );
        }
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
