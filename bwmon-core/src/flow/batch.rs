//! What waits until there is enough of it to look its rows up together, so that the waits for memory
//! overlap.

use super::packed::Packed;
use super::rows::Row;
use super::table::Counters;
use crate::frame::{PerDirection, Tally};
use crate::time::Timestamp;

/// How many rows are looked up together. A processor loads a dozen lines at once; the rest keeps it
/// busy meanwhile.
pub(super) const BATCH: usize = 32;

/// What a flow grows by.
pub(super) trait Amount: Copy {
    fn first(&self) -> Timestamp;
    /// Adds it to all of a row but to when the flow began.
    fn add_to<K>(&self, row: &mut Row<K>);
    fn counters(&self) -> Counters;
}

/// An amount on its way to a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending<K, A> {
    pub(super) key: K,
    pub(super) tag: u32,
    /// The row that the index says has this tag, once it was asked; the key tells whether it is the right
    /// one.
    pub(super) row: u32,
    pub(super) amount: A,
}

impl<K: Packed, A: Amount> Pending<K, A> {
    pub(super) const fn new(key: K, tag: u32, amount: A) -> Self {
        Self {
            key,
            tag,
            row: 0,
            amount,
        }
    }
}

/// What waits, [`BATCH`] amounts at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting<K, A> {
    pending: [Pending<K, A>; BATCH],
    len: usize,
}

impl<K: Packed, A: Amount + Default> Default for Waiting<K, A> {
    fn default() -> Self {
        Self {
            pending: [Pending::new(K::default(), 0, A::default()); BATCH],
            len: 0,
        }
    }
}

impl<K: Packed, A: Amount> Waiting<K, A> {
    /// Takes an amount, and says whether it was the last for which there is room.
    #[inline(always)]
    pub(super) fn push(&mut self, pending: Pending<K, A>) -> bool {
        let at = self.len;
        let Some(free) = self.pending.get_mut(at) else {
            return true;
        };
        *free = pending;
        self.len = at + 1;
        at + 1 == BATCH
    }

    #[inline(always)]
    pub(super) fn pending_mut(&mut self) -> &mut [Pending<K, A>] {
        self.pending.get_mut(..self.len).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn pending(&self) -> &[Pending<K, A>] {
        self.pending.get(..self.len).unwrap_or_default()
    }

    pub(super) const fn clear(&mut self) {
        self.len = 0;
    }
}

/// One frame.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OneFrame {
    pub(super) wire_len: u32,
    pub(super) tcp_flags: u8,
    pub(super) is_egress: bool,
    pub(super) at: Timestamp,
}

impl OneFrame {
    #[inline(always)]
    fn count(&self, traffic: &mut PerDirection<Tally>) {
        // A choice of addresses, not a jump: frames of both directions mingle.
        let side = if self.is_egress {
            &mut traffic.egress
        } else {
            &mut traffic.ingress
        };
        side.count(self.wire_len);
    }
}

impl Amount for OneFrame {
    #[inline(always)]
    fn first(&self) -> Timestamp {
        self.at
    }

    #[inline(always)]
    fn add_to<K>(&self, row: &mut Row<K>) {
        self.count(&mut row.traffic);
        row.tcp_flags |= self.tcp_flags;
        row.last = row.last.max(self.at);
    }

    fn counters(&self) -> Counters {
        let mut traffic = PerDirection::default();
        self.count(&mut traffic);
        Counters::new(self.at, traffic, self.tcp_flags)
    }
}

impl Amount for Counters {
    #[inline(always)]
    fn first(&self) -> Timestamp {
        self.first
    }

    #[inline(always)]
    fn add_to<K>(&self, row: &mut Row<K>) {
        row.traffic.add(self.traffic);
        row.tcp_flags |= self.tcp_flags;
        row.last = row.last.max(self.last);
    }

    fn counters(&self) -> Counters {
        *self
    }
}
