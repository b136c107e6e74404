//! Rows of fixed size in blocks, one behind the other.

use super::packed::Packed;
use super::prefetch::prefetch;
use super::table::Counters;
use crate::frame::{PerDirection, Tally};
use crate::time::Timestamp;

const SHIFT: u32 = 9;
const BLOCK: usize = 1 << SHIFT;

/// What each frame of a flow touches: one cache line over IPv4, two over IPv6.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct Row<K> {
    pub(super) key: K,
    pub(super) tcp_flags: u8,
    pub(super) traffic: PerDirection<Tally>,
    pub(super) last: Timestamp,
}

/// What is written when a flow comes up and rarely read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Origin {
    pub(super) first: Timestamp,
    /// What the table had taken from every flow when this one came up, in bytes.
    pub(super) base: u64,
}

/// The rows, by number, in blocks that do not move once they are there. What lies behind the last row
/// of the last block is zero.
#[derive(Debug, Clone)]
pub(super) struct Rows<K> {
    rows: Vec<Box<[Row<K>; BLOCK]>>,
    origins: Vec<Box<[Origin; BLOCK]>>,
    len: usize,
}

impl<K> Default for Rows<K> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            origins: Vec::new(),
            len: 0,
        }
    }
}

impl<K: Packed> Rows<K> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.rows.len() * BLOCK * (size_of::<Row<K>>() + size_of::<Origin>())
    }

    /// The row at `number`. Where there is none, a row of zeros or nothing.
    #[inline(always)]
    pub(super) fn row_mut(&mut self, number: u32) -> Option<&mut Row<K>> {
        let (block, at) = place(number as usize);
        self.rows.get_mut(block)?.get_mut(at)
    }

    pub(super) fn row(&self, number: u32) -> Option<&Row<K>> {
        let (block, at) = place(number as usize);
        self.rows.get(block)?.get(at)
    }

    pub(super) fn origin_mut(&mut self, number: u32) -> Option<&mut Origin> {
        let (block, at) = place(number as usize);
        self.origins.get_mut(block)?.get_mut(at)
    }

    #[inline(always)]
    pub(super) fn prefetch(&self, number: u32) {
        let (block, at) = place(number as usize);
        if let Some(block) = self.rows.get(block) {
            prefetch(block.as_slice(), at);
        }
    }

    pub(super) fn push(&mut self, row: Row<K>, origin: Origin) {
        let (block, at) = place(self.len);
        if block == self.rows.len() {
            let (Some(rows), Some(origins)) = (zeroed(), zeroed()) else {
                return;
            };
            self.rows.push(rows);
            self.origins.push(origins);
        }
        let rows = self.rows.get_mut(block).and_then(|block| block.get_mut(at));
        let origins = self.origins.get_mut(block);
        if let (Some(to), Some(origin_to)) = (rows, origins.and_then(|block| block.get_mut(at))) {
            (*to, *origin_to) = (row, origin);
            self.len += 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Row<K>, &Origin)> {
        let rows = self.rows.iter().flat_map(|block| block.iter());
        let origins = self.origins.iter().flat_map(|block| block.iter());
        rows.zip(origins).take(self.len)
    }

    /// All rows together, both directions.
    pub(super) fn total(&self) -> Tally {
        let mut sum = PerDirection::<Tally>::default();
        for (row, _) in self.iter() {
            sum.add(row.traffic);
        }
        sum.total()
    }

    /// Keeps the rows that `keep` takes, in their order, and gives back the blocks that are free.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Row<K>, &Origin) -> bool) {
        let len = std::mem::take(&mut self.len);
        for number in 0..len {
            let (block, at) = place(number);
            let row = self
                .rows
                .get(block)
                .and_then(|block| block.get(at))
                .copied();
            let origin = self
                .origins
                .get(block)
                .and_then(|block| block.get(at))
                .copied();
            if let (Some(row), Some(origin)) = (row, origin)
                && keep(&row, &origin)
            {
                // What is kept never gets ahead of what is read.
                self.push(row, origin);
            }
        }
        let blocks = self.len.div_ceil(BLOCK);
        self.rows.truncate(blocks);
        self.origins.truncate(blocks);
        let (_, free) = place(self.len);
        if free > 0
            && let Some(block) = self.rows.last_mut()
        {
            block
                .iter_mut()
                .skip(free)
                .for_each(|row| *row = Row::default());
        }
    }
}

#[inline(always)]
const fn place(number: usize) -> (usize, usize) {
    (number >> SHIFT, number & (BLOCK - 1))
}

/// A block on the heap, which is too large to be made on the stack.
fn zeroed<T: Clone + Default>() -> Option<Box<[T; BLOCK]>> {
    vec![T::default(); BLOCK].into_boxed_slice().try_into().ok()
}

impl<K> Row<K> {
    pub(super) fn counters(&self, origin: &Origin) -> Counters {
        Counters {
            traffic: self.traffic,
            first: origin.first,
            last: self.last,
            tcp_flags: self.tcp_flags,
        }
    }
}
