//! The flows of one address family: rows and their index.

use super::batch::{Amount, Pending};
use super::index::Index;
use super::packed::{Packed, Seed};
use super::rows::{Origin, Row, Rows};
use super::table::{Counters, Place};
use crate::frame::{PerDirection, Tally};
use crate::time::{Span, Timestamp};

/// A row's share of the index, in bytes: at most 22 once it has grown, half of that of the old one
/// beside it while it grows.
const INDEX_COST: usize = 32;

/// Beyond all rows.
const NO_ROW: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Lane<K> {
    pub(super) rows: Rows<K>,
    pub(super) index: Index,
    /// What went to the overflow.
    pub(super) gone: Gone,
}

/// Which rows a clean-up takes.
#[derive(Debug)]
pub(super) struct Eviction {
    /// What was taken from every flow before, in bytes.
    pub(super) floor: u64,
    /// Rows that weigh less go.
    pub(super) mark: u64,
    /// So many of those that weigh as much go too.
    pub(super) of_mark: usize,
}

impl Eviction {
    const fn takes(&mut self, weight: u64) -> bool {
        if weight == self.mark && self.of_mark > 0 {
            self.of_mark -= 1;
            return true;
        }
        weight < self.mark
    }
}

/// What went to the overflow.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gone {
    traffic: PerDirection<Tally>,
    span: Option<Span>,
}

impl Gone {
    pub(super) fn add(&mut self, counters: &Counters) {
        let Counters {
            traffic,
            first,
            last,
            ..
        } = *counters;
        self.traffic.add(traffic);
        self.span = Span::hull(self.span, Some(Span { first, last }));
    }
}

impl<K: Packed> Default for Lane<K> {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            index: Index::default(),
            gone: Gone::default(),
        }
    }
}

impl<K: Packed> Lane<K> {
    /// A lane with the rows of a snapshot.
    pub(super) fn of(rows: Rows<K>, seed: &Seed) -> Self {
        let mut lane = Self {
            rows,
            ..Self::default()
        };
        lane.reindex(seed);
        lane
    }

    /// What its rows cost by the measure of [`Limits`](super::Limits), in bytes.
    pub(super) fn cost(&self) -> usize {
        self.rows.len().saturating_mul(K::COST)
    }

    /// What its index takes beyond its rows' share, in bytes: left from a window, or from a moment, with
    /// more flows.
    pub(super) fn spare(&self) -> usize {
        let share = self.rows.len().saturating_mul(INDEX_COST);
        let least = share.max(Index::LEAST_BYTES);
        self.index.memory_bytes().saturating_sub(least)
    }

    /// Gives back what its index has to spare.
    pub(super) fn give_back(&mut self, seed: &Seed) {
        if self.spare() > 0 {
            self.index = Index::default();
            self.reindex(seed);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.index.memory_bytes()
    }

    /// Begins to load the row of an amount, as far as its tag tells which one that is.
    #[inline(always)]
    pub(super) fn foresee<A: Amount>(&self, pending: &mut Pending<K, A>) {
        pending.row = match self.index.find(pending.tag, |_| true) {
            Some(row) => {
                self.rows.prefetch(row);
                row
            }
            None => NO_ROW,
        };
    }

    /// Adds to a flow that has a row; `false` if it has none.
    #[inline(always)]
    pub(super) fn count<A: Amount>(&mut self, pending: &Pending<K, A>) -> bool {
        match self.rows.row_mut(pending.row) {
            Some(row) if row.key == pending.key => {
                if add(row, &pending.amount) {
                    self.begin_earlier(pending.row, pending.amount.first());
                }
                true
            }
            _ => self.search_and_count(pending),
        }
    }

    /// The same where another flow has the tag too, or the row is new.
    #[cold]
    fn search_and_count<A: Amount>(&mut self, pending: &Pending<K, A>) -> bool {
        let Some(number) = self.find(pending.tag, &pending.key) else {
            return false;
        };
        if let Some(row) = self.rows.row_mut(number)
            && add(row, &pending.amount)
        {
            self.begin_earlier(number, pending.amount.first());
        }
        true
    }

    fn begin_earlier(&mut self, number: u32, first: Timestamp) {
        if let Some(origin) = self.rows.origin_mut(number) {
            origin.first = origin.first.min(first);
        }
    }

    /// Gives a row to a flow that has none.
    pub(super) fn insert<A: Amount>(&mut self, pending: &Pending<K, A>, base: u64) {
        let counters = pending.amount.counters();
        let Ok(number) = u32::try_from(self.rows.len()) else {
            return;
        };
        self.rows.push(
            Row {
                key: pending.key,
                tcp_flags: counters.tcp_flags,
                traffic: counters.traffic,
                last: counters.last,
            },
            Origin {
                first: counters.first,
                base,
            },
        );
        self.index.insert(pending.tag, number);
    }

    /// How much each row weighs above `floor`, in bytes.
    pub(super) fn weights(&self, floor: u64) -> impl Iterator<Item = u64> {
        let rows = self.rows.iter();
        rows.map(move |(row, origin)| weight(row, origin, floor))
    }

    /// Takes the rows out that `eviction` says, and hands their places and traffic to `gone`.
    pub(super) fn evict(
        &mut self,
        eviction: &mut Eviction,
        seed: &Seed,
        gone: &mut impl FnMut(Place, PerDirection<Tally>),
    ) {
        let sum = &mut self.gone;
        self.rows.retain(|row, origin| {
            let stays = !eviction.takes(weight(row, origin, eviction.floor));
            if !stays {
                let (place, _) = row.key.unpack();
                sum.add(&row.counters(origin));
                gone(place, row.traffic);
            }
            stays
        });
        self.reindex(seed);
    }

    /// Moves the rows out. The index keeps its memory, unless far less of it was used.
    pub(super) fn take(&mut self) -> Rows<K> {
        self.gone = Gone::default();
        self.index.reset(self.rows.len());
        std::mem::take(&mut self.rows)
    }

    /// Everything counted, rows and overflow.
    pub(super) fn total(&self) -> Tally {
        let mut total = self.rows.total();
        total.add(self.gone.traffic.ingress);
        total.add(self.gone.traffic.egress);
        total
    }

    /// When the first and the last frame was seen, in rows and overflow.
    pub(super) fn span(&self) -> Option<Span> {
        let spans = self.rows.iter().map(|(row, origin)| Span {
            first: origin.first,
            last: row.last,
        });
        spans.fold(self.gone.span, |span, row| Span::hull(span, Some(row)))
    }

    fn find(&self, tag: u32, key: &K) -> Option<u32> {
        let is_it = |row| self.rows.row(row).is_some_and(|row| row.key == *key);
        self.index.find(tag, is_it)
    }

    fn reindex(&mut self, seed: &Seed) {
        self.index.reset(self.rows.len());
        for ((row, _), number) in self.rows.iter().zip(0..) {
            self.index.insert(tag(&row.key, seed), number);
        }
    }
}

/// Adds to a row; whether it began before what the row had last.
#[inline(always)]
fn add<K, A: Amount>(row: &mut Row<K>, amount: &A) -> bool {
    let is_late = amount.first() < row.last;
    amount.add_to(row);
    is_late
}

/// The part of a key's hash that the index keeps.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // the lower half is what is wanted
pub(super) fn tag<K: Packed>(key: &K, seed: &Seed) -> u32 {
    let hash = key.hash(seed);
    (hash ^ (hash >> 32)) as u32
}

fn weight<K>(row: &Row<K>, origin: &Origin, floor: u64) -> u64 {
    let bytes = row.traffic.total_bytes().saturating_add(origin.base);
    bytes.saturating_sub(floor)
}
