//! Frames that wait until there are enough of them to look their rows up together, so that the waits
//! for memory overlap.

use super::index::Index;
use super::packed::Packed;
use crate::frame::{PerDirection, Tally};
use crate::time::Timestamp;

/// Frames looked up together. More would wait in vain: a processor loads about a dozen lines at once.
pub(super) const BATCH: usize = 32;

/// What one frame adds to a flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending<K> {
    pub(super) key: K,
    pub(super) tag: u32,
    /// The row that the index says has this tag; the key tells whether it is the right one.
    pub(super) row: u32,
    pub(super) wire_len: u32,
    pub(super) tcp_flags: u8,
    pub(super) is_egress: bool,
    pub(super) at: Timestamp,
}

impl<K: Packed> Pending<K> {
    pub(super) fn traffic(&self) -> PerDirection<Tally> {
        let mut traffic = PerDirection::default();
        self.side(&mut traffic).count(self.wire_len);
        traffic
    }

    /// The direction to count it in, chosen without a jump: frames of both mingle.
    #[inline(always)]
    pub(super) fn side<'a>(&self, traffic: &'a mut PerDirection<Tally>) -> &'a mut Tally {
        if self.is_egress {
            &mut traffic.egress
        } else {
            &mut traffic.ingress
        }
    }
}

#[derive(Debug)]
pub(super) struct Batch<K> {
    pub(super) frames: Vec<Pending<K>>,
}

impl<K> Default for Batch<K> {
    fn default() -> Self {
        Self {
            frames: Vec::with_capacity(BATCH),
        }
    }
}

impl<K: Packed> Batch<K> {
    /// Takes a frame, and says whether the batch is full.
    #[inline(always)]
    pub(super) fn push(&mut self, frame: Pending<K>, index: &Index) -> bool {
        index.prefetch(frame.tag);
        self.frames.push(frame);
        self.frames.len() >= BATCH
    }
}
