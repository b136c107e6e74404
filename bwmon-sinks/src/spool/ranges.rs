//! Sets of numbers as ranges.

use serde::{Deserialize, Serialize};

/// Most ranges that are kept; what is forgotten beyond is sent once more.
const MAX_RANGES: usize = 1_024;

/// Numbers as inclusive ranges that do not touch, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct RangeSet(Vec<(u64, u64)>);

impl RangeSet {
    /// Adds `from..=to`.
    pub(super) fn insert(&mut self, from: u64, to: u64) {
        let start = self
            .0
            .partition_point(|range| range.1 < from.saturating_sub(1));
        let end = self
            .0
            .partition_point(|range| range.0 <= to.saturating_add(1));
        let mut whole = (from, to);
        for range in self.0.drain(start..end.max(start)) {
            whole = (whole.0.min(range.0), whole.1.max(range.1));
        }
        self.0.insert(start, whole);
    }

    /// Forgets the highest ranges beyond a bound.
    pub(super) fn trim(&mut self) {
        self.0.truncate(MAX_RANGES);
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        let at = self.0.partition_point(|range| range.1 < number);
        self.0.get(at).is_some_and(|range| range.0 <= number)
    }

    /// The numbers of `from..=to` that are in it.
    pub(super) fn within(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, u64)> {
        let at = self.0.partition_point(|range| range.1 < from);
        let rest = self.0.get(at..).unwrap_or_default().iter();
        rest.take_while(move |range| range.0 <= to)
            .map(move |range| (range.0.max(from), range.1.min(to)))
    }

    /// The numbers of `from..=to` that are not in it.
    pub(super) fn gaps(&self, from: u64, to: u64) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut next = from;
        for &(start, end) in &self.0 {
            if start > to || next > to {
                break;
            }
            if start > next {
                gaps.push((next, start - 1));
            }
            next = next.max(end.saturating_add(1));
        }
        if next <= to {
            gaps.push((next, to));
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn ranges_are_a_set(inserts in prop::collection::vec((1_u64..60, 0_u64..6), 0..30)) {
            let (mut ranges, mut model) = (RangeSet::default(), BTreeSet::new());
            for (from, more) in inserts {
                ranges.insert(from, from + more);
                model.extend(from..=from + more);
            }
            for number in 0..70 {
                prop_assert_eq!(ranges.contains(number), model.contains(&number));
            }
            let gaps: Vec<u64> = ranges.gaps(1, 66).into_iter().flat_map(|(a, b)| a..=b).collect();
            let missing: Vec<u64> = (1..=66).filter(|n| !model.contains(n)).collect();
            prop_assert_eq!(gaps, missing);
            let within: Vec<u64> = ranges.within(5, 50).flat_map(|(a, b)| a..=b).collect();
            let shared: Vec<u64> = model.range(5..=50).copied().collect();
            prop_assert_eq!(within, shared);
            prop_assert!(ranges.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }
}
