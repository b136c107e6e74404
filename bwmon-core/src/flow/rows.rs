//! Rows of fixed size in blocks, one behind the other.

use super::packed::Packed;
use super::prefetch::prefetch;
use super::table::Counters;
use crate::frame::{PerDirection, Tally};
use crate::time::Timestamp;

const SHIFT: u32 = 10;
const BLOCK: usize = 1 << SHIFT;

/// What each frame of a flow touches: one cache line over IPv4, two over IPv6.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Row<K> {
    pub(super) key: K,
    pub(super) tcp_flags: u8,
    pub(super) traffic: PerDirection<Tally>,
    pub(super) last: Timestamp,
}

/// What is written when a flow comes up and rarely read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) first: Timestamp,
    /// What the table had taken from every flow when this one came up, in bytes.
    pub(super) base: u64,
}

#[derive(Debug, Clone)]
struct Block<K> {
    rows: Vec<Row<K>>,
    origins: Vec<Origin>,
}

/// The rows, by number. Blocks are full but the last, and do not move once they are there.
#[derive(Debug, Clone)]
pub(super) struct Rows<K> {
    blocks: Vec<Block<K>>,
    len: usize,
}

impl<K> Default for Rows<K> {
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            len: 0,
        }
    }
}

impl<K: Packed> Rows<K> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.blocks.len() * BLOCK * (size_of::<Row<K>>() + size_of::<Origin>())
    }

    #[inline(always)]
    pub(super) fn row(&self, number: u32) -> Option<&Row<K>> {
        let number = number as usize;
        self.blocks
            .get(number >> SHIFT)?
            .rows
            .get(number & (BLOCK - 1))
    }

    #[inline(always)]
    pub(super) fn row_mut(&mut self, number: u32) -> Option<&mut Row<K>> {
        let number = number as usize;
        let block = self.blocks.get_mut(number >> SHIFT)?;
        block.rows.get_mut(number & (BLOCK - 1))
    }

    pub(super) fn origin_mut(&mut self, number: u32) -> Option<&mut Origin> {
        let number = number as usize;
        let block = self.blocks.get_mut(number >> SHIFT)?;
        block.origins.get_mut(number & (BLOCK - 1))
    }

    #[inline(always)]
    pub(super) fn prefetch(&self, number: u32) {
        let number = number as usize;
        if let Some(block) = self.blocks.get(number >> SHIFT) {
            prefetch(&block.rows, number & (BLOCK - 1));
        }
    }

    pub(super) fn push(&mut self, row: Row<K>, origin: Origin) {
        if self.len.is_multiple_of(BLOCK) {
            self.blocks.push(Block {
                rows: Vec::with_capacity(BLOCK),
                origins: Vec::with_capacity(BLOCK),
            });
        }
        if let Some(block) = self.blocks.last_mut() {
            block.rows.push(row);
            block.origins.push(origin);
            self.len += 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Row<K>, &Origin)> {
        let blocks = self.blocks.iter();
        blocks.flat_map(|block| block.rows.iter().zip(&block.origins))
    }

    /// Keeps the rows that `keep` takes, in their order, and gives back the blocks that are free.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Row<K>, &Origin) -> bool) {
        let mut kept = 0_usize;
        for number in 0..self.len {
            let block = self.blocks.get(number >> SHIFT);
            let found = block.and_then(|block| {
                let at = number & (BLOCK - 1);
                Some((*block.rows.get(at)?, *block.origins.get(at)?))
            });
            let Some((row, origin)) = found.filter(|(row, origin)| keep(row, origin)) else {
                continue;
            };
            if let Some(block) = self.blocks.get_mut(kept >> SHIFT) {
                let at = kept & (BLOCK - 1);
                if let (Some(to), Some(origin_to)) =
                    (block.rows.get_mut(at), block.origins.get_mut(at))
                {
                    (*to, *origin_to) = (row, origin);
                }
            }
            kept += 1;
        }
        self.truncate(kept);
    }

    fn truncate(&mut self, len: usize) {
        self.len = len;
        self.blocks.truncate(len.div_ceil(BLOCK));
        if let Some(block) = self.blocks.last_mut() {
            let last = (len - 1) % BLOCK + 1;
            block.rows.truncate(last);
            block.origins.truncate(last);
        }
    }
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
