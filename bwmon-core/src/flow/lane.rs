//! The flows of one address family: rows, their index, and the frames that wait.

use super::batch::{Batch, Pending};
use super::index::Index;
use super::packed::{Packed, Seed};
use super::rows::{Origin, Row, Rows};
use super::table::Counters;

#[derive(Debug)]
pub(super) struct Lane<K> {
    pub(super) rows: Rows<K>,
    pub(super) index: Index,
    pub(super) batch: Batch<K>,
}

impl<K> Default for Lane<K> {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            index: Index::default(),
            batch: Batch::default(),
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
    pub(super) const fn cost(&self) -> usize {
        self.rows.len().saturating_mul(K::COST)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.index.memory_bytes()
    }

    /// Begins to load the row of a frame, as far as its tag tells which one that is.
    #[inline(always)]
    pub(super) fn foresee(&self, frame: &mut Pending<K>) {
        if let Some(row) = self.index.find(frame.tag, |_| true) {
            frame.row = row;
            self.rows.prefetch(row);
        }
    }

    /// Counts a frame of a flow that has a row; `false` if it has none.
    #[inline(always)]
    pub(super) fn count(&mut self, frame: &Pending<K>) -> bool {
        let is_foreseen = self
            .rows
            .row(frame.row)
            .is_some_and(|row| row.key == frame.key);
        let number = if is_foreseen {
            frame.row
        } else {
            match self.find(frame.tag, &frame.key) {
                Some(number) => number,
                None => return false,
            }
        };
        let Some(row) = self.rows.row_mut(number) else {
            return false;
        };
        frame.side(&mut row.traffic).count(frame.wire_len);
        row.tcp_flags |= frame.tcp_flags;
        if frame.at >= row.last {
            row.last = frame.at;
        } else if let Some(origin) = self.rows.origin_mut(number) {
            origin.first = origin.first.min(frame.at);
        }
        true
    }

    /// Adds counters to a flow that has a row; `false` if it has none.
    pub(super) fn add(&mut self, tag: u32, key: &K, delta: &Counters) -> bool {
        let Some(number) = self.find(tag, key) else {
            return false;
        };
        if let Some(row) = self.rows.row_mut(number) {
            row.traffic.add(delta.traffic);
            row.tcp_flags |= delta.tcp_flags;
            row.last = row.last.max(delta.last);
        }
        if let Some(origin) = self.rows.origin_mut(number) {
            origin.first = origin.first.min(delta.first);
        }
        true
    }

    /// Gives a row to a flow that has none.
    pub(super) fn insert(&mut self, tag: u32, key: K, counters: &Counters, base: u64) {
        let Ok(number) = u32::try_from(self.rows.len()) else {
            return;
        };
        self.rows.push(
            Row {
                key,
                tcp_flags: counters.tcp_flags,
                traffic: counters.traffic,
                last: counters.last,
            },
            Origin {
                first: counters.first,
                base,
            },
        );
        self.index.insert(tag, number);
    }

    /// How much each row weighs above `floor`, in bytes.
    pub(super) fn weights(&self, floor: u64) -> impl Iterator<Item = u64> {
        let rows = self.rows.iter();
        rows.map(move |(row, origin)| weight(row, origin, floor))
    }

    /// Takes the rows out that weigh `mark` at most, and hands them to `gone`.
    pub(super) fn evict(
        &mut self,
        floor: u64,
        mark: u64,
        seed: &Seed,
        mut gone: impl FnMut(&Row<K>),
    ) {
        self.rows.retain(|row, origin| {
            let stays = weight(row, origin, floor) > mark;
            if !stays {
                gone(row);
            }
            stays
        });
        self.reindex(seed);
    }

    /// Moves the rows out. The index keeps its memory, unless far less of it was used.
    pub(super) fn take(&mut self) -> Rows<K> {
        self.index.reset(self.rows.len());
        std::mem::take(&mut self.rows)
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
