//! How a spool goes on with what it finds on disk.

use std::collections::BTreeMap;
use std::io;

use bwmon_core::report::{DropReason, Epoch};

use super::disk::{Place, Segment, Slot};
use super::load;
use super::ranges::RangeSet;
use super::segment::{self, LaneId, Scan};
use super::state::{Lost, State};
use super::store::{Entry, FIRST_RANK, Flows, Spool};

/// Tries to read all of the disk before a file that cannot be read is left aside.
const STRICT_LOADS: u32 = 8;

impl Spool {
    /// Reads what is on disk. While a file cannot be read, it is all tried again later; after some
    /// tries the rest has to go on without it.
    pub(super) fn load(&mut self) -> io::Result<()> {
        let is_strict = self.loads < STRICT_LOADS;
        self.loads += 1;
        let files = &mut *self.disk.files;
        files.prepare()?;
        let listed = load::segments(files)?;
        let state = State::read(files, is_strict)?;
        let mut scans = Vec::with_capacity(listed.len());
        for &(lane, id) in &listed {
            match load::read(files, lane, id) {
                Ok(scan) => scans.push((lane, id, scan)),
                Err(error) if is_strict => return Err(error),
                Err(_) => {}
            }
        }
        self.is_loaded = true;
        let after = listed.last().map_or(1, |(_, id)| id.saturating_add(1));
        self.disk.next_id = self.disk.next_id.max(after);
        self.take_in(scans, state);
        Ok(())
    }

    fn take_in(&mut self, scans: Vec<(LaneId, u64, Option<Scan>)>, state: Option<State>) {
        let mut ranks: BTreeMap<Epoch, u32> = BTreeMap::new();
        if let Some(state) = &state {
            let goes_on = self.epochs.is_empty();
            ranks.insert(state.epoch, if goes_on { FIRST_RANK } else { 0 });
            self.state.follow(state);
        }
        let mut highest: BTreeMap<u32, u64> = BTreeMap::new();
        for (lane, id, scan) in scans {
            let Some(scan) = scan else {
                self.disk.remove(segment::file_name(lane, id));
                continue;
            };
            let next = u32::try_from(ranks.len()).unwrap_or(FIRST_RANK - 1);
            let rank = *ranks.entry(scan.epoch).or_insert(next);
            let of_epoch = state.as_ref().filter(|state| state.epoch == scan.epoch);
            let top = highest.entry(rank).or_default();
            *top = scan.records.iter().map(|r| r.seq).fold(*top, u64::max);
            self.adopt(lane, id, rank, &scan, of_epoch);
        }
        for (epoch, lost) in state.iter().flat_map(|state| &state.lost) {
            let next = u32::try_from(ranks.len()).unwrap_or(FIRST_RANK - 1);
            let rank = *ranks.entry(*epoch).or_insert(next);
            self.tell(rank, *lost);
        }
        for (epoch, rank) in ranks {
            self.epochs.insert(rank, epoch);
        }
        self.join_rows(state.as_ref());
        self.go_on(state, &highest);
    }

    /// Takes a segment into the index.
    fn adopt(&mut self, lane: LaneId, segment: u64, rank: u32, scan: &Scan, state: Option<&State>) {
        let len = scan.whole_bytes as u64;
        let times = || scan.records.iter().map(|record| record.at_s);
        let oldest_s = times().min().unwrap_or(u64::MAX);
        let newest_s = times().max().unwrap_or(0);
        // A tail that may be torn is never written to again.
        let (id, live, is_sealed) = (segment, 0, true);
        self.disk.lane_mut(lane).segments.push_back(Segment {
            id,
            rank,
            len,
            synced: len,
            oldest_s,
            newest_s,
            live,
            is_sealed,
        });
        for found in &scan.records {
            if state.is_some_and(|state| state.done.contains(found.seq)) {
                continue;
            }
            let slot = Slot {
                rank,
                seq: found.seq,
            };
            let place = Place::Disk {
                segment,
                offset: found.offset,
                len: found.len,
            };
            self.adopt_part(lane, slot, place, found.at_s);
        }
    }

    fn adopt_part(&mut self, lane: LaneId, slot: Slot, place: Place, at_s: u64) {
        let last = self.disk.lane_mut(lane).segments.back_mut();
        last.into_iter().for_each(|segment| segment.live += 1);
        // Until its core part is found, an entry is a promise without a place.
        let entry = self.held.entry(slot).or_insert_with(|| Entry {
            at_s,
            core: Place::Memory(Box::default()),
            flows: Flows::None,
        });
        let replaced = match lane {
            LaneId::Core => Some(std::mem::replace(&mut entry.core, place)),
            LaneId::Flow => match std::mem::replace(&mut entry.flows, Flows::Here(place)) {
                Flows::Here(before) => Some(before),
                Flows::None | Flows::Lost(_) => None,
            },
        };
        if let Some(before) = replaced {
            self.disk.forget(lane, &before);
        }
    }

    /// Rows without a core part are let go; where rows are missing, it is known why.
    fn join_rows(&mut self, state: Option<&State>) {
        let alone = |entry: &Entry| entry.core == Place::Memory(Box::default());
        let slots: Vec<Slot> = self
            .held
            .iter()
            .filter(|(_, e)| alone(e))
            .map(|(s, _)| *s)
            .collect();
        for slot in slots {
            if let Some(entry) = self.held.remove(&slot) {
                self.release(slot, &entry);
            }
        }
        let evicted = state.and_then(|state| state.flows_lost.map(|lost| (state.epoch, lost)));
        for (slot, entry) in &mut self.held {
            if !matches!(entry.flows, Flows::None) {
                continue;
            }
            let is_evicted = evicted.filter(|(epoch, (through, _))| {
                self.epochs.get(&slot.rank) == Some(epoch) && slot.seq <= *through
            });
            entry.flows = Flows::Lost(is_evicted.map_or(DropReason::Damage, |(_, (_, why))| why));
        }
        let newly = self
            .held
            .iter()
            .filter(|(slot, _)| slot.rank < FIRST_RANK || self.counts.emitted == 0);
        self.counts.emitted += newly.count() as u64;
    }

    /// Continues the epoch of the state, and names what is missing in it.
    fn go_on(&mut self, state: Option<State>, highest: &BTreeMap<u32, u64>) {
        let Some(state) = state else {
            self.previous = self.epochs.values().next_back().copied();
            return self.begin();
        };
        let rank = self
            .epochs
            .iter()
            .find(|(_, e)| **e == state.epoch)
            .map(|(rank, _)| *rank);
        let rank = rank.unwrap_or(0);
        self.epochs.entry(rank).or_insert(state.epoch);
        let top = highest.get(&rank).copied().unwrap_or(0);
        let is_unused = top == 0 && state.written_through == 0 && state.done == RangeSet::default();
        if !is_unused {
            self.name_gaps(rank, &state, top);
        }
        if rank == FIRST_RANK && !is_unused {
            self.next_seq = state.reserved_through.max(top) + 1;
            self.state = state;
            self.is_free = false;
            return;
        }
        self.previous = Some(state.epoch);
        if rank == FIRST_RANK {
            self.epochs.remove(&FIRST_RANK);
            self.epochs.insert(FIRST_RANK - 1, state.epoch);
        }
        self.begin();
    }

    /// A new epoch, unless one goes on in memory already.
    fn begin(&mut self) {
        if self
            .epochs
            .keys()
            .next_back()
            .is_none_or(|rank| *rank < FIRST_RANK)
        {
            self.epochs.insert(FIRST_RANK, self.state.epoch);
        }
    }

    fn name_gaps(&mut self, rank: u32, state: &State, top: u64) {
        let mut known = state.done.clone();
        let first = Slot { rank, seq: 0 };
        let last = Slot {
            rank,
            seq: u64::MAX,
        };
        for slot in self.held.range(first..=last).map(|(slot, _)| slot) {
            known.insert(slot.seq, slot.seq);
        }
        for (of, lost) in &self.lost {
            if *of == rank {
                known.insert(lost.from, lost.to);
            }
        }
        let existed = state.written_through.max(top);
        for (from, to) in known.gaps(1, state.reserved_through.max(top)) {
            if from <= existed {
                let to = to.min(existed);
                let records = to - from + 1;
                let reason = DropReason::Damage;
                self.counts.emitted += records;
                self.counts.dropped.count(reason, records);
                self.tell(
                    rank,
                    Lost {
                        from,
                        to,
                        records,
                        reason,
                    },
                );
            }
            if to > existed {
                let from = from.max(existed + 1);
                let reason = DropReason::NeverExisted;
                self.tell(
                    rank,
                    Lost {
                        from,
                        to,
                        records: 0,
                        reason,
                    },
                );
            }
        }
    }
}
