use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::key::FlowKey;
use super::table::{Counters, Place};
use crate::frame::{PerDirection, Tally};

/// One flow of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Where it was seen.
    pub place: Place,
    /// Who with whom.
    pub key: FlowKey,
    /// How much.
    pub counters: Counters,
}

/// What a table held when it was rotated: rows of fixed size, ordered by place and key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// The flows.
    pub flows: Vec<Flow>,
    /// What belongs to flows that had no room, by place.
    pub overflow: Vec<(Place, PerDirection<Tally>)>,
}

impl Snapshot {
    pub(super) fn new(
        mut flows: Vec<Flow>,
        mut overflow: Vec<(Place, PerDirection<Tally>)>,
    ) -> Self {
        flows.sort_unstable_by_key(|flow| (flow.place, flow.key));
        overflow.sort_unstable_by_key(|(place, _)| *place);
        Self { flows, overflow }
    }

    /// Adds another snapshot, of the same places. Associative and commutative: the order in which
    /// snapshots are merged does not matter. The result may hold as many flows as both together;
    /// [`Self::keep_largest`] bounds it.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let mut flows: BTreeMap<(Place, FlowKey), Counters> = BTreeMap::new();
        for flow in self.flows.into_iter().chain(other.flows) {
            flows
                .entry((flow.place, flow.key))
                .and_modify(|counters| counters.merge(&flow.counters))
                .or_insert(flow.counters);
        }
        let mut overflow: BTreeMap<Place, PerDirection<Tally>> = BTreeMap::new();
        for (place, sum) in self.overflow.into_iter().chain(other.overflow) {
            overflow.entry(place).or_default().add(sum);
        }
        Self {
            flows: flows
                .into_iter()
                .map(|((place, key), counters)| Flow {
                    place,
                    key,
                    counters,
                })
                .collect(),
            overflow: overflow.into_iter().collect(),
        }
    }

    /// Keeps the `limit` flows with the most bytes, largest first, and folds the others into the
    /// overflow of their place. The totals stay exact.
    pub fn keep_largest(&mut self, limit: usize) {
        self.flows.sort_by_key(|flow| {
            (
                Reverse(flow.counters.traffic.total_bytes()),
                flow.place,
                flow.key,
            )
        });
        if self.flows.len() <= limit {
            return;
        }
        for flow in self.flows.split_off(limit) {
            match self
                .overflow
                .iter_mut()
                .find(|(place, _)| *place == flow.place)
            {
                Some((_, bucket)) => bucket.add(flow.counters.traffic),
                None => self.overflow.push((flow.place, flow.counters.traffic)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Endpoint, FlowTable};
    use crate::frame::{Direction, InterfaceId};
    use crate::time::Timestamp;
    use proptest::prelude::*;

    fn snapshot(frames: &[(u8, u8, u32)], capacity: usize) -> Snapshot {
        let mut table = FlowTable::new(capacity);
        for (at, &(interface, n, len)) in frames.iter().enumerate() {
            let end = |port| Endpoint {
                address: [10, 0, 0, n].into(),
                port,
            };
            let key = FlowKey {
                protocol: 17,
                local: end(1),
                remote: end(2),
            };
            let direction = if n % 2 == 0 {
                Direction::Ingress
            } else {
                Direction::Egress
            };
            let stamp = Timestamp::from_nanos(at as u64);
            table.frame(
                Some(InterfaceId(u32::from(interface))),
                key,
                direction,
                (stamp, len, n),
            );
        }
        table.rotate()
    }

    fn total(snapshot: &Snapshot) -> PerDirection<Tally> {
        let mut sum = PerDirection::<Tally>::default();
        snapshot
            .flows
            .iter()
            .for_each(|flow| sum.add(flow.counters.traffic));
        snapshot
            .overflow
            .iter()
            .for_each(|(_, bucket)| sum.add(*bucket));
        sum
    }

    fn frames() -> impl Strategy<Value = Vec<(u8, u8, u32)>> {
        proptest::collection::vec((0u8..3, 0u8..12, 1u32..2_000), 0..60)
    }

    proptest! {
        #[test]
        fn merging_is_associative_and_commutative(
            a in frames(), b in frames(), c in frames(), capacity in 0usize..20,
        ) {
            let [a, b, c] = [a, b, c].map(|frames| snapshot(&frames, capacity));
            let left = a.clone().merge(b.clone()).merge(c.clone());
            let right = a.clone().merge(b.clone().merge(c.clone()));
            prop_assert_eq!(&left, &right);
            prop_assert_eq!(a.clone().merge(b.clone()), b.merge(a));
        }

        #[test]
        fn keeping_the_largest_keeps_the_total(frames in frames(), limit in 0usize..12) {
            let mut snapshot = snapshot(&frames, 100);
            let before = total(&snapshot);
            let sizes: Vec<u64> =
                snapshot.flows.iter().map(|flow| flow.counters.traffic.total_bytes()).collect();
            snapshot.keep_largest(limit);
            prop_assert_eq!(total(&snapshot), before);
            let mut expected = sizes;
            expected.sort_unstable_by_key(|bytes| Reverse(*bytes));
            expected.truncate(limit);
            let kept: Vec<u64> =
                snapshot.flows.iter().map(|flow| flow.counters.traffic.total_bytes()).collect();
            prop_assert_eq!(kept, expected);
        }
    }
}
