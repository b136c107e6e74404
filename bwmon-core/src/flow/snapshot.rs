use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::group::Group;
use super::key::FlowKey;
use super::packed::{Packed, Packed4, Packed6};
use super::rows::{Origin, Row, Rows};
use super::store::Store;
use super::table::{Counters, Place};
use super::view::View;
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

impl Flow {
    /// The order of talkers: bytes in both directions, then place and key, so that ties are stable.
    fn rank(&self) -> (Reverse<u64>, Place, FlowKey) {
        let bytes = self.counters.traffic.total_bytes();
        (Reverse(bytes), self.place, self.key)
    }
}

/// The largest rows, and what the others amount to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Ranking {
    /// Largest first.
    pub rows: Vec<Flow>,
    /// How many others there are.
    pub other_rows: u64,
    /// Bytes and packets of the others, both directions.
    pub others: Tally,
}

/// What a table held when it was rotated: rows of fixed size, in no particular order.
///
/// Two snapshots are equal if they hold the same flows with the same counters and the same overflow.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub(super) v4: Rows<Packed4>,
    pub(super) v6: Rows<Packed6>,
    pub(super) overflow: Vec<(Place, PerDirection<Tally>)>,
}

impl Snapshot {
    pub(super) fn new(
        v4: Rows<Packed4>,
        v6: Rows<Packed6>,
        mut overflow: Vec<(Place, PerDirection<Tally>)>,
    ) -> Self {
        overflow.sort_unstable_by_key(|(place, _)| *place);
        Self { v4, v6, overflow }
    }

    /// Number of flows.
    pub const fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there is no flow and no overflow.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0 && self.overflow.is_empty()
    }

    /// The flows, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = Flow> {
        let v4 = self.v4.iter().map(|(row, origin)| flow(row, origin));
        v4.chain(self.v6.iter().map(|(row, origin)| flow(row, origin)))
    }

    /// All flows together, both directions.
    pub fn total(&self) -> Tally {
        let mut sum = self.v4.total();
        sum.add(self.v6.total());
        sum
    }

    /// What belongs to flows that had no room, by place, in the order of places.
    pub fn overflow(&self) -> &[(Place, PerDirection<Tally>)] {
        &self.overflow
    }

    /// Adds another snapshot, of the same places. Associative and commutative: the order in which
    /// snapshots are merged does not matter. The result may hold as many flows as both together.
    ///
    /// Takes time in proportion to the flows of both.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let (larger, smaller) = if self.len() < other.len() {
            (other, self)
        } else {
            (self, other)
        };
        let mut store = Store::resume(larger);
        for (place, traffic) in smaller.overflow {
            store.add_overflow(place, traffic);
        }
        let mut group = Group::of(store);
        for (row, origin) in smaller.v4.iter() {
            group.add(row.key, row.counters(origin));
        }
        for (row, origin) in smaller.v6.iter() {
            group.add(row.key, row.counters(origin));
        }
        group.finish()
    }

    /// Groups the flows that `keep` takes by `view`. The overflow, which has no keys, stays as it is.
    ///
    /// Bytes and packets of the rows sum to those of the flows that were kept, twice those for
    /// [`View::Host`]. Takes time and memory in proportion to the flows.
    #[must_use]
    pub fn by(&self, view: View, mut keep: impl FnMut(&Flow) -> bool) -> Self {
        let mut group = Group::new();
        for (row, origin) in self.v4.iter() {
            if keep(&flow(row, origin)) {
                group.add_share(view, row.key, &row.counters(origin));
            }
        }
        for (row, origin) in self.v6.iter() {
            if keep(&flow(row, origin)) {
                group.add_share(view, row.key, &row.counters(origin));
            }
        }
        Self {
            overflow: self.overflow.clone(),
            ..group.finish()
        }
    }

    /// The `limit` flows with the most bytes in both directions, largest first, ties by place and key.
    pub fn top(&self, limit: usize) -> Vec<Flow> {
        self.ranking_of_rows(limit, |_| true).rows
    }

    /// The `limit` rows with the most bytes of [`Self::by`], as [`Self::top`] gives them, and what the
    /// others amount to. Needs no memory for the others where the flows are what the view tells apart.
    pub fn ranking(&self, view: View, limit: usize, keep: impl FnMut(&Flow) -> bool) -> Ranking {
        if view != View::Flow || !is_by_flow(&self.v4) || !is_by_flow(&self.v6) {
            return self.by(view, keep).ranking_of_rows(limit, |_| true);
        }
        let mut ranking = self.ranking_of_rows(limit, keep);
        for row in &mut ranking.rows {
            row.place = None;
        }
        ranking
    }

    fn ranking_of_rows(&self, limit: usize, mut keep: impl FnMut(&Flow) -> bool) -> Ranking {
        let mut best = BinaryHeap::new();
        let mut ranking = Ranking::default();
        take_best(&self.v4, limit, &mut keep, &mut best, &mut ranking);
        take_best(&self.v6, limit, &mut keep, &mut best, &mut ranking);
        for Ranked(flow) in best.into_sorted_vec() {
            ranking.other_rows -= 1;
            let Tally { bytes, packets } = flow.counters.traffic.total();
            ranking.others.bytes = ranking.others.bytes.saturating_sub(bytes);
            ranking.others.packets = ranking.others.packets.saturating_sub(packets);
            ranking.rows.push(flow);
        }
        ranking
    }

    /// The `limit` flows with the most bytes as [`Self::top`] gives them, and the overflow by place
    /// with all other flows added to it. The totals stay exact.
    pub fn largest(&self, limit: usize) -> (Vec<Flow>, Vec<(Place, PerDirection<Tally>)>) {
        let top = self.top(limit);
        let last = top.last().map(Flow::rank);
        let mut overflow: BTreeMap<Place, PerDirection<Tally>> =
            self.overflow.iter().copied().collect();
        if top.len() < self.len() {
            for flow in self.iter().filter(|flow| Some(flow.rank()) > last) {
                let bucket = overflow.entry(flow.place).or_default();
                bucket.add(flow.counters.traffic);
            }
        }
        (top, overflow.into_iter().collect())
    }
}

impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |snapshot: &Self| {
            let mut flows: Vec<Flow> = snapshot.iter().collect();
            flows.sort_unstable_by_key(|flow| (flow.place, flow.key));
            flows
        };
        self.len() == other.len()
            && self.overflow == other.overflow
            && sorted(self) == sorted(other)
    }
}

impl Eq for Snapshot {}

/// Orders flows by rank: the greatest is the one with the fewest bytes.
#[derive(Debug, PartialEq, Eq)]
struct Ranked(Flow);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.rank().cmp(&other.0.rank())
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether no two rows come together in [`View::Flow`] and none is turned: one place, no VLANs, smaller
/// endpoints first. So it is with most capture files, and nothing needs to be looked up.
fn is_by_flow<K: Packed>(rows: &Rows<K>) -> bool {
    let place = rows.iter().next().map(|(row, _)| row.key.tail().place());
    rows.iter().all(|(row, _)| {
        let (mut key, tail) = (row.key, row.key.tail());
        !key.put_smaller_first() && !tail.has_vlan() && Some(tail.place()) == place
    })
}

/// Adds the rows that `keep` takes to the sums of `ranking`, and puts them among the `limit` best where
/// they belong there.
fn take_best<K: Packed>(
    rows: &Rows<K>,
    limit: usize,
    keep: &mut impl FnMut(&Flow) -> bool,
    best: &mut BinaryHeap<Ranked>,
    ranking: &mut Ranking,
) {
    for (row, origin) in rows.iter() {
        let flow = flow(row, origin);
        if !keep(&flow) {
            continue;
        }
        let total = row.traffic.total();
        ranking.other_rows += 1;
        ranking.others.add(total);
        let is_full = best.len() >= limit;
        let is_beaten = |last: &Ranked| total.bytes < last.0.counters.traffic.total_bytes();
        if is_full && best.peek().is_none_or(is_beaten) {
            continue;
        }
        best.push(Ranked(flow));
        if is_full {
            best.pop();
        }
    }
}

#[inline(always)]
fn flow<K: Packed>(row: &Row<K>, origin: &Origin) -> Flow {
    let (place, key) = row.key.unpack();
    Flow {
        place,
        key,
        counters: row.counters(origin),
    }
}

#[cfg(test)]
mod tests;
