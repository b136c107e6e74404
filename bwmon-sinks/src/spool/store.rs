use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

use bwmon_core::report::{DropReason, Epoch, EpochStart, Interval, Record, RecordBody};
use bwmon_core::time::Timestamp;

use super::codec::{self, Parts};
use super::config::SpoolConfig;
use super::disk::{Disk, Place, Slot, SyncFailed};
use super::files::Files;
use super::ranges::RangeSet;
use super::segment::LaneId;
use super::state::{Lost, State};
use super::stats::{Dropped, SpoolStats};

/// Rank of the first epoch that this process writes; what it finds of others ranks below.
pub(super) const FIRST_RANK: u32 = 1 << 16;
/// Numbers that are set aside at once: a process that ends without warning skips at most as many.
const RESERVED: u64 = 64;
/// Most losses that wait to be told.
pub(super) const MOST_LOST: usize = 256;

/// Flow rows of a record.
#[derive(Debug)]
pub(super) enum Flows {
    None,
    Here(Place),
    Lost(DropReason),
}

/// A record that is not delivered yet.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at_s: u64,
    pub(super) core: Place,
    pub(super) flows: Flows,
}

fn seconds(at: Timestamp) -> u64 {
    at.as_micros() / 1_000_000
}

/// How the disk is used.
#[derive(Debug)]
enum Mode {
    Disk,
    /// It cannot be, for this reason.
    Memory {
        reason: String,
        retry: Timestamp,
    },
}

/// Records that wait for delivery. See the [module's documentation](super).
pub struct Spool {
    pub(super) disk: Disk,
    config: SpoolConfig,
    draw: Box<dyn FnMut() -> Epoch + Send>,
    mode: Mode,
    /// Whether what is on disk was read.
    pub(super) is_loaded: bool,
    /// How often that was tried.
    pub(super) loads: u32,
    /// By rank; the last one goes on.
    pub(super) epochs: BTreeMap<u32, Epoch>,
    pub(super) previous: Option<Epoch>,
    pub(super) next_seq: u64,
    /// Whether nothing of this epoch was ever set aside on disk: its numbers are free.
    pub(super) is_free: bool,
    pub(super) state: State,
    pub(super) is_changed: bool,
    pub(super) held: BTreeMap<Slot, Entry>,
    pub(super) flight: BTreeMap<Slot, Entry>,
    /// Records with a part in memory.
    memory: BTreeSet<Slot>,
    memory_bytes: usize,
    /// Losses to be told, and those that are being told.
    pub(super) lost: Vec<(u32, Lost)>,
    pub(super) telling: Vec<(u32, Lost)>,
    /// Numbers of the present epoch that are gone, and why, for a receiver that misses them.
    pub(super) gone: Vec<(DropReason, RangeSet)>,
    /// Ranges of numbers that the receiver misses, as it said last.
    pub(super) holes: usize,
    /// The newest record that was ever tried.
    pub(super) tried: Option<Slot>,
    /// Reads of the disk that failed in a row.
    pub(super) unreadable: u32,
    pub(super) counts: Counts,
    last_sync: Timestamp,
    pub(super) now: Timestamp,
}

/// Sums of this process.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) emitted: u64,
    pub(super) delivered: u64,
    pub(super) quarantined: u64,
    pub(super) dropped: Dropped,
    pub(super) flows_lost: u64,
    pub(super) notices_lost: u64,
}

impl Spool {
    /// Opens what `files` holds. Never fails: where the disk cannot be used, records are held in
    /// memory, [`SpoolStats::memory_mode`] says why, and the disk is tried again now and then.
    /// `draw` gives a new random epoch.
    pub fn open(
        files: Box<dyn Files>,
        config: SpoolConfig,
        mut draw: impl FnMut() -> Epoch + Send + 'static,
        now: Timestamp,
    ) -> Self {
        let smallest = config.core_bytes.min(config.flow_bytes);
        let segment_bytes = config.segment_bytes.min(smallest / 4).max(1);
        let epoch = draw();
        let mut spool = Self {
            disk: Disk::new(files, config.core_bytes, config.flow_bytes, segment_bytes),
            config,
            draw: Box::new(draw),
            mode: Mode::Disk,
            is_loaded: false,
            loads: 0,
            epochs: BTreeMap::new(),
            previous: None,
            next_seq: 1,
            is_free: true,
            state: State::new(epoch),
            is_changed: false,
            held: BTreeMap::new(),
            flight: BTreeMap::new(),
            memory: BTreeSet::new(),
            memory_bytes: 0,
            lost: Vec::new(),
            telling: Vec::new(),
            gone: Vec::new(),
            holes: 0,
            tried: None,
            unreadable: 0,
            counts: Counts::default(),
            last_sync: now,
            now,
        };
        if let Err(error) = spool.start() {
            spool.fail(&error);
        }
        if spool.epochs.is_empty() {
            spool.epochs.insert(FIRST_RANK, epoch);
        }
        spool
    }

    fn start(&mut self) -> io::Result<()> {
        self.load()?;
        self.reserve()
    }

    /// Numbers the start of an epoch, where one begins and nothing was said in it yet.
    pub fn begin_epoch(&mut self, now: Timestamp) -> Option<Record> {
        self.now = now;
        self.make_numbers();
        (self.next_seq == 1).then(|| {
            self.keep(RecordBody::EpochStart(EpochStart {
                started: now,
                previous: self.previous,
            }))
        })
    }

    /// Numbers a report and keeps it until it is delivered. Returns what was numbered: the report,
    /// and before it the start of its epoch where it begins one.
    pub fn append(&mut self, interval: Interval, now: Timestamp) -> Vec<Record> {
        let mut records = Vec::from_iter(self.begin_epoch(now));
        records.push(self.keep(RecordBody::Report(Box::new(interval))));
        if self.disk.wants_sync() {
            self.sync(now);
        }
        records
    }

    /// What time brings: syncs, gives up what is too old, tries a disk that was away.
    pub fn tick(&mut self, now: Timestamp) {
        self.now = now;
        if let Mode::Memory { retry, .. } = &self.mode
            // A clock that was set back must not put it off.
            && (now >= *retry || now.plus(self.config.retry_every) < *retry)
        {
            self.recover();
        }
        self.give_up_old();
        let is_due = now.since(self.last_sync) >= self.config.sync_every || now < self.last_sync;
        let is_dirty = self.is_changed || self.disk.unsynced_bytes() > 0;
        if is_due && is_dirty && self.is_on_disk() {
            self.sync(now);
        }
    }

    /// Makes everything durable now, as far as the disk lets it.
    pub fn sync(&mut self, now: Timestamp) {
        self.now = now;
        if !self.is_on_disk() {
            return;
        }
        self.last_sync = now;
        if let Err(failed) = self.disk.sync() {
            self.take_back(failed);
            return;
        }
        if self.is_changed
            && let Err(error) = self.persist()
        {
            self.fail(&error);
        }
        self.disk.sweep();
    }

    /// Ends in an orderly way: the next start goes on with the next number.
    pub fn close(mut self, now: Timestamp) -> SpoolStats {
        self.give_back();
        self.sync(now);
        if self.is_on_disk() && !self.is_free {
            self.state.reserved_through = self.next_seq - 1;
            // Where it fails, the next start skips what was set aside.
            let _is_written = self.persist();
        }
        self.stats()
    }

    /// What is held and what became of the rest.
    pub fn stats(&self) -> SpoolStats {
        let first = |of: &BTreeMap<Slot, Entry>| of.first_key_value().map(|(_, entry)| entry.at_s);
        let oldest = first(&self.held)
            .into_iter()
            .chain(first(&self.flight))
            .min();
        let waited = |at_s| self.now.since(Timestamp::from_secs(at_s));
        let lane = |id| self.disk.lane(id).stats(seconds(self.now));
        SpoolStats {
            epoch: self.state.epoch,
            emitted: self.counts.emitted,
            delivered: self.counts.delivered,
            spooled: (self.held.len() + self.flight.len()) as u64,
            in_flight: self.flight.len() as u64,
            dropped: self.counts.dropped,
            quarantined: self.counts.quarantined,
            flows_lost: self.counts.flows_lost,
            notices: (self.lost.len() + self.telling.len()) as u64,
            notices_lost: self.counts.notices_lost,
            disk_bytes: self.disk.bytes(),
            core: lane(LaneId::Core),
            flow: lane(LaneId::Flow),
            memory_bytes: self.memory_bytes as u64,
            memory_records: self.memory.len() as u64,
            unsynced_bytes: self.disk.unsynced_bytes() + self.memory_bytes as u64,
            oldest: oldest.map(waited),
            memory_mode: match &self.mode {
                Mode::Disk => None,
                Mode::Memory { reason, .. } => Some(reason.clone()),
            },
        }
    }

    const fn is_on_disk(&self) -> bool {
        matches!(self.mode, Mode::Disk)
    }

    pub(super) fn rank(&self) -> u32 {
        self.epochs
            .keys()
            .next_back()
            .copied()
            .unwrap_or(FIRST_RANK)
    }

    pub(super) fn last_seq(&self) -> u64 {
        self.next_seq - 1
    }

    /// Makes sure that two more numbers can be given away. Where none can be set aside on disk, a
    /// new epoch begins that lives in memory: a number is never used for two records.
    fn make_numbers(&mut self) {
        if self.is_free || self.next_seq < self.state.reserved_through {
            return;
        }
        if self.is_on_disk() {
            match self.reserve() {
                Ok(()) => return,
                Err(error) => self.fail(&error),
            }
        }
        let epoch = (self.draw)();
        self.previous = Some(self.state.epoch);
        let before = std::mem::replace(&mut self.state, State::new(epoch));
        self.state.follow(&before);
        self.epochs.insert(self.rank() + 1, epoch);
        self.next_seq = 1;
        self.is_free = true;
        self.gone.clear();
        self.holes = 0;
    }

    /// Sets numbers aside on disk, in both slots.
    fn reserve(&mut self) -> io::Result<()> {
        let before = self.state.reserved_through;
        self.note_state();
        self.state.reserved_through = self.last_seq().max(before) + RESERVED;
        self.is_free = false;
        let written = self.state.write_both(&mut *self.disk.files);
        if written.is_err() {
            self.state.reserved_through = before;
        } else {
            self.is_changed = false;
        }
        written
    }

    fn note_state(&mut self) {
        let rank = self.rank();
        let at_risk = self
            .disk
            .lane(LaneId::Core)
            .unsynced
            .iter()
            .map(|part| part.slot);
        let first = at_risk
            .chain(self.memory.iter().copied())
            .filter(|slot| slot.rank == rank)
            .min();
        self.state.written_through = first.map_or(self.last_seq(), |slot| slot.seq - 1);
        let lost = self.telling.iter().chain(&self.lost);
        let of_epoch = |(rank, lost): &(u32, Lost)| (self.epoch_of(*rank), *lost);
        self.state.lost = lost.map(of_epoch).collect();
    }

    fn persist(&mut self) -> io::Result<()> {
        if self.is_free {
            return Ok(());
        }
        self.note_state();
        self.state.write(&mut *self.disk.files)?;
        self.is_changed = false;
        Ok(())
    }

    fn keep(&mut self, body: RecordBody) -> Record {
        let slot = Slot {
            rank: self.rank(),
            seq: self.next_seq,
        };
        self.next_seq += 1;
        self.counts.emitted += 1;
        let mut record = Record {
            epoch: self.state.epoch,
            seq: slot.seq,
            body,
        };
        match codec::encode(&mut record) {
            Ok(Parts { core, rows }) => {
                let at_s = seconds(self.now);
                let flows = match rows {
                    Some(rows) => Flows::Here(self.place(LaneId::Flow, slot, at_s, rows)),
                    None => Flows::None,
                };
                let core = self.place(LaneId::Core, slot, at_s, core);
                self.held.insert(slot, Entry { at_s, core, flows });
                self.trim_memory();
            }
            // Only a system without memory comes here.
            Err(_) => self.lose(slot, DropReason::SpoolFull),
        }
        record
    }

    /// Puts a part on disk, or in memory where that cannot be.
    fn place(&mut self, lane: LaneId, slot: Slot, at_s: u64, payload: Vec<u8>) -> Place {
        if self.is_on_disk() {
            while self.disk.is_over(lane, payload.len()) {
                self.evict(lane, DropReason::SpoolFull);
            }
            // Kept until it is known to be durable, so a copy is needed for the case of an error.
            match self
                .disk
                .write(lane, slot, self.epoch_of(slot.rank), at_s, payload.clone())
            {
                Ok(place) => return place,
                Err(error) => self.fail(&error),
            }
        }
        self.memory.insert(slot);
        self.memory_bytes += payload.len();
        Place::Memory(payload.into_boxed_slice())
    }

    pub(super) fn epoch_of(&self, rank: u32) -> Epoch {
        self.epochs.get(&rank).copied().unwrap_or(self.state.epoch)
    }

    /// The disk cannot be used for now.
    fn fail(&mut self, error: &io::Error) {
        self.mode = Mode::Memory {
            reason: error.to_string(),
            retry: self.now.plus(self.config.retry_every),
        };
    }

    /// Parts that a failed sync left in doubt are held in memory until the disk can be used.
    fn take_back(&mut self, failed: SyncFailed) {
        self.fail(&failed.error);
        for (lane, part) in failed.parts {
            let entry = match self.held.get_mut(&part.slot) {
                Some(entry) => Some(entry),
                None => self.flight.get_mut(&part.slot),
            };
            let Some(entry) = entry else { continue };
            let place = match (lane, &mut entry.flows) {
                (LaneId::Core, _) => &mut entry.core,
                (LaneId::Flow, Flows::Here(place)) => place,
                (LaneId::Flow, _) => continue,
            };
            self.memory_bytes += part.payload.len();
            let in_memory = Place::Memory(part.payload.into_boxed_slice());
            let on_disk = std::mem::replace(place, in_memory);
            self.disk.forget(lane, &on_disk);
            self.memory.insert(part.slot);
        }
        self.trim_memory();
    }

    /// The oldest give way, flow rows first.
    fn trim_memory(&mut self) {
        while self.memory_bytes > self.config.memory_bytes {
            let held = |slot: &&Slot| self.held.contains_key(slot);
            let has_rows = |slot: &&Slot| {
                let entry = self.held.get(slot);
                matches!(entry.map(|e| &e.flows), Some(Flows::Here(Place::Memory(_))))
            };
            if let Some(slot) = self.memory.iter().find(has_rows).copied() {
                self.drop_rows(slot, DropReason::SpoolFull);
            } else if let Some(slot) = self.memory.iter().find(held).copied() {
                self.drop_held(slot, DropReason::SpoolFull);
            } else {
                return;
            }
        }
    }

    fn drop_rows(&mut self, slot: Slot, reason: DropReason) {
        let Some(entry) = self.held.get_mut(&slot) else {
            return;
        };
        if let Flows::Here(place) = std::mem::replace(&mut entry.flows, Flows::Lost(reason)) {
            let is_core_in_memory = entry.core.memory_bytes() > 0;
            self.counts.flows_lost += 1;
            self.release_part(LaneId::Flow, &place);
            if !is_core_in_memory {
                self.memory.remove(&slot);
            }
        }
    }

    pub(super) fn drop_held(&mut self, slot: Slot, reason: DropReason) {
        if let Some(entry) = self.held.remove(&slot) {
            self.release(slot, &entry);
            self.lose(slot, reason);
        }
    }

    fn release_part(&mut self, lane: LaneId, place: &Place) {
        self.disk.forget(lane, place);
        self.memory_bytes -= place.memory_bytes();
    }

    /// Says that an entry is not needed any more.
    pub(super) fn release(&mut self, slot: Slot, entry: &Entry) {
        self.release_part(LaneId::Core, &entry.core);
        if let Flows::Here(place) = &entry.flows {
            self.release_part(LaneId::Flow, place);
        }
        self.memory.remove(&slot);
        self.is_changed = true;
    }

    /// Counts a record as lost, to be told.
    pub(super) fn lose(&mut self, slot: Slot, reason: DropReason) {
        self.counts.dropped.count(reason, 1);
        let lost = Lost {
            from: slot.seq,
            to: slot.seq,
            records: 1,
            reason,
        };
        self.tell(slot.rank, lost);
    }

    /// Queues a loss for the receiver; neighbours for the same reason become one.
    pub(super) fn tell(&mut self, rank: u32, lost: Lost) {
        self.is_changed = true;
        let is_before = |(of, known): &&mut (u32, Lost)| {
            *of == rank && known.reason == lost.reason && known.to + 1 == lost.from
        };
        if let Some((_, known)) = self.lost.iter_mut().rev().find(is_before) {
            known.to = lost.to;
            known.records += lost.records;
            return;
        }
        if self.lost.len() == MOST_LOST {
            // The receiver sees a gap before what it has, asks, and is then told why. So the lowest
            // numbers are forgotten: of the last one it would never know.
            let lowest = (0..self.lost.len()).min_by_key(|at| {
                let (rank, lost) = self.lost.get(*at).copied().unzip();
                (rank, lost.map(|lost| lost.from))
            });
            let (rank, forgotten) = self.lost.remove(lowest.unwrap_or(0));
            self.note_gone(rank, forgotten);
            self.counts.notices_lost += 1;
        }
        self.lost.push((rank, lost));
    }

    /// Keeps why numbers are gone, so that it can be told to a receiver that misses them. What is
    /// forgotten beyond a bound is told as never having existed.
    pub(super) fn note_gone(&mut self, rank: u32, lost: Lost) {
        if rank != self.rank() || lost.reason == DropReason::NeverExisted {
            return;
        }
        let known = self.gone.iter().position(|(why, _)| *why == lost.reason);
        if known.is_none() {
            self.gone.push((lost.reason, RangeSet::default()));
        }
        let at = known.unwrap_or(self.gone.len() - 1);
        if let Some((_, numbers)) = self.gone.get_mut(at) {
            numbers.insert(lost.from, lost.to);
            numbers.trim();
        }
    }

    /// Gives up the oldest segment of a lane.
    fn evict(&mut self, lane: LaneId, reason: DropReason) {
        let Some(id) = self.disk.lane(lane).segments.front().map(|s| s.id) else {
            return;
        };
        let rank = self.rank();
        let slots: Vec<Slot> = match lane {
            LaneId::Core => self
                .held
                .iter()
                .filter(|(_, e)| e.core.is_in(id))
                .map(|(s, _)| *s)
                .collect(),
            LaneId::Flow => {
                let is_here = |e: &Entry| matches!(&e.flows, Flows::Here(place) if place.is_in(id));
                self.held
                    .iter()
                    .filter(|(_, e)| is_here(e))
                    .map(|(s, _)| *s)
                    .collect()
            }
        };
        for slot in slots {
            match lane {
                LaneId::Core => self.drop_held(slot, reason),
                LaneId::Flow => {
                    self.drop_rows(slot, reason);
                    if slot.rank == rank {
                        self.state.flows_lost = Some((slot.seq, reason));
                        self.is_changed = true;
                    }
                }
            }
        }
        // Where it cannot be said why before it is gone, a start after a crash calls it damage.
        let _is_written = self.persist();
        self.disk.evict(lane);
    }

    fn give_up_old(&mut self) {
        let oldest = seconds(self.now).saturating_sub(self.config.age.as_secs());
        for lane in LaneId::ALL {
            while self
                .disk
                .lane(lane)
                .segments
                .front()
                .is_some_and(|s| s.live > 0 && s.newest_s < oldest)
            {
                self.evict(lane, DropReason::TooOld);
            }
        }
        while let Some((slot, entry)) = self.held.first_key_value() {
            if entry.at_s >= oldest || entry.core.memory_bytes() == 0 {
                break;
            }
            self.drop_held(*slot, DropReason::TooOld);
        }
    }

    /// Tries a disk that could not be used.
    fn recover(&mut self) {
        self.mode = Mode::Disk;
        if let Err(error) = self.try_recover() {
            self.fail(&error);
        }
    }

    fn try_recover(&mut self) -> io::Result<()> {
        if !self.is_loaded {
            self.load()?;
        }
        // What nobody needs is unlinked first: that may be all the room there is.
        self.disk.sweep();
        self.disk.probe()?;
        self.reserve()?;
        for slot in std::mem::take(&mut self.memory) {
            self.put_on_disk(slot);
        }
        self.disk.sync().map_err(|failed| {
            let kind = failed.error.kind();
            self.take_back(failed);
            kind.into()
        })
    }

    fn put_on_disk(&mut self, slot: Slot) {
        let is_flying = self.flight.contains_key(&slot);
        let entry = match is_flying {
            true => self.flight.remove(&slot),
            false => self.held.remove(&slot),
        };
        let Some(mut entry) = entry else { return };
        if let Flows::Here(Place::Memory(rows)) = &mut entry.flows {
            let rows = std::mem::take(rows).into_vec();
            self.memory_bytes -= rows.len();
            entry.flows = Flows::Here(self.place(LaneId::Flow, slot, entry.at_s, rows));
        }
        if let Place::Memory(core) = &mut entry.core {
            let core = std::mem::take(core).into_vec();
            self.memory_bytes -= core.len();
            entry.core = self.place(LaneId::Core, slot, entry.at_s, core);
        }
        match is_flying {
            true => self.flight.insert(slot, entry),
            false => self.held.insert(slot, entry),
        };
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
