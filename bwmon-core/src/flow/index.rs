//! Where the row of a key is: open addressing with linear probing, at most three quarters full.

use super::prefetch::prefetch;

/// Least number of slots of an index that is not empty.
const FEWEST: usize = 64;

/// The slots: 0 is free, else the row's number plus one above 32 bits of the key's hash.
#[derive(Debug, Default)]
pub(super) struct Index {
    slots: Vec<u64>,
    /// Number of slots, a power of two, less one; 0 while there are none.
    mask: usize,
    used: usize,
}

impl Index {
    /// What an index takes that is not empty, however few rows it has.
    pub(super) const LEAST_BYTES: usize = FEWEST * size_of::<u64>();

    /// Number of keys that fit before it grows.
    pub(super) const fn room(&self) -> usize {
        self.slots.len() / 4 * 3
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u64>()
    }

    /// Begins to load the slot where the search for `tag` starts.
    #[inline(always)]
    pub(super) fn prefetch(&self, tag: u32) {
        prefetch(&self.slots, self.start(tag));
    }

    /// The first row under `tag` that `is_it` takes.
    #[inline(always)]
    pub(super) fn find(&self, tag: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = self.start(tag);
        loop {
            // A slot in four is free, so that the search ends. An empty index has none at all.
            match *self.slots.get(at)? {
                0 => return None,
                slot if tag_of(slot) == tag && is_it(row_of(slot)) => return Some(row_of(slot)),
                _ => at = at.wrapping_add(1) & self.mask,
            }
        }
    }

    /// Adds a row that is not there yet, and doubles where there is no room.
    pub(super) fn insert(&mut self, tag: u32, row: u32) {
        if self.used >= self.room() {
            self.grow();
        }
        self.put(slot(tag, row));
        self.used += 1;
    }

    /// Forgets all rows, and makes room for `rows`. Keeps its memory unless it is far too large.
    pub(super) fn reset(&mut self, rows: usize) {
        let wanted = slots_for(rows);
        self.used = 0;
        if wanted > self.slots.len() || wanted.saturating_mul(4) < self.slots.len() {
            self.slots = vec![0; wanted];
            self.mask = wanted.saturating_sub(1);
        } else {
            self.slots.fill(0);
        }
    }

    /// Most slots that the search for any row looks at.
    #[cfg(test)]
    pub(super) fn longest_search(&self) -> usize {
        let mask = self.slots.len() - 1;
        let distance =
            |(at, slot): (usize, &u64)| at.wrapping_sub(self.start(tag_of(*slot))) & mask;
        let taken = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| **slot != 0);
        taken.map(distance).max().unwrap_or(0) + 1
    }

    fn grow(&mut self) {
        let wanted = (self.slots.len() * 2).max(FEWEST);
        let old = std::mem::replace(&mut self.slots, vec![0; wanted]);
        self.mask = wanted - 1;
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            self.put(slot);
        }
    }

    fn put(&mut self, slot: u64) {
        let mut at = self.start(tag_of(slot));
        while let Some(place) = self.slots.get_mut(at) {
            if *place == 0 {
                *place = slot;
                return;
            }
            at = at.wrapping_add(1) & self.mask;
        }
    }

    #[inline(always)]
    fn start(&self, tag: u32) -> usize {
        tag as usize & self.mask
    }
}

fn slots_for(rows: usize) -> usize {
    match rows {
        0 => 0,
        rows => (rows + rows / 3 + 1).next_power_of_two().max(FEWEST),
    }
}

#[inline(always)]
fn slot(tag: u32, row: u32) -> u64 {
    (u64::from(row) + 1) << 32 | u64::from(tag)
}

#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // the lower half is what is wanted
const fn tag_of(slot: u64) -> u32 {
    slot as u32
}

#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // what is left has 32 bits
const fn row_of(slot: u64) -> u32 {
    ((slot >> 32) as u32).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Few tags, so that many rows share one.
        #[test]
        fn every_row_is_found_under_its_tag_and_no_other(
            tags in proptest::collection::vec(0u32..40, 0..400),
        ) {
            let mut index = Index::default();
            for (row, tag) in (0..).zip(&tags) {
                index.insert(*tag, row);
            }
            prop_assert_eq!(index.used, tags.len());
            prop_assert!(index.room() >= tags.len());
            for (row, tag) in (0..).zip(&tags) {
                prop_assert_eq!(index.find(*tag, |found| found == row), Some(row));
                prop_assert_eq!(index.find(tag + 40, |_| true), None);
            }
        }
    }

    #[test]
    fn an_empty_index_finds_nothing_and_a_reset_one_has_its_room() {
        let mut index = Index::default();
        assert_eq!(index.find(7, |_| true), None);
        index.prefetch(7);
        for rows in [1, 48, 49, 100_000, 10] {
            index.reset(rows);
            assert!(index.room() >= rows && index.used == 0, "{rows}");
        }
        assert!(index.memory_bytes() < 10_000, "{}", index.memory_bytes());
        index.reset(0);
        assert_eq!((index.find(0, |_| true), index.memory_bytes()), (None, 0));
    }
}
