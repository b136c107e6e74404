//! Segments on disk: written, synced, read by checksum, and unlinked whole.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bwmon_core::report::Epoch;

use super::files::Files;
use super::segment::{self, HEADER_BYTES, LaneId, MAX_PAYLOAD_BYTES, RECORD_HEADER_BYTES};
use super::stats::LaneStats;

/// Unsynced bytes beyond which a sync does not wait for its time.
const MOST_UNSYNCED_BYTES: u64 = 1 << 20;

/// A record's place in the order of delivery: older epochs first, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) rank: u32,
    pub(super) seq: u64,
}

/// Where a part of a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Disk { segment: u64, offset: u32, len: u32 },
    Memory(Box<[u8]>),
}

impl Place {
    pub(super) fn is_in(&self, id: u64) -> bool {
        matches!(self, Self::Disk { segment, .. } if *segment == id)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Disk { .. } => 0,
            Self::Memory(bytes) => bytes.len(),
        }
    }

    /// About what its part takes, encoded.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Disk { len, .. } => *len as usize,
            Self::Memory(bytes) => bytes.len(),
        }
    }
}

/// A part that a loss of power would take.
#[derive(Debug)]
pub(super) struct Unsynced {
    pub(super) slot: Slot,
    segment: u64,
    pub(super) payload: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) id: u64,
    pub(super) rank: u32,
    pub(super) len: u64,
    pub(super) synced: u64,
    /// Of the first record.
    pub(super) oldest_s: u64,
    pub(super) newest_s: u64,
    /// Parts in it that are still needed.
    pub(super) live: u64,
    pub(super) is_sealed: bool,
}

#[derive(Debug)]
pub(super) struct Lane {
    id: LaneId,
    pub(super) budget: u64,
    /// By id, oldest first.
    pub(super) segments: VecDeque<Segment>,
    pub(super) unsynced: Vec<Unsynced>,
}

impl Lane {
    fn new(id: LaneId, budget: u64) -> Self {
        Self {
            id,
            budget,
            segments: VecDeque::new(),
            unsynced: Vec::new(),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.len).sum()
    }

    /// What it holds, `now_s` being the time.
    pub(super) fn stats(&self, now_s: u64) -> LaneStats {
        let oldest = self.segments.iter().find(|segment| segment.live > 0);
        let age = |segment: &Segment| Duration::from_secs(now_s.saturating_sub(segment.oldest_s));
        LaneStats {
            bytes: self.bytes(),
            limit_bytes: self.budget,
            records: self.segments.iter().map(|segment| segment.live).sum(),
            oldest: oldest.map(age),
        }
    }

    fn position(&self, id: u64) -> Option<usize> {
        self.segments.binary_search_by_key(&id, |s| s.id).ok()
    }

    fn seal(&mut self) {
        if let Some(last) = self.segments.back_mut() {
            last.is_sealed = true;
        }
    }
}

/// A sync that failed, and what of it was not durable before.
#[derive(Debug)]
pub(super) struct SyncFailed {
    pub(super) error: io::Error,
    pub(super) parts: Vec<(LaneId, Unsynced)>,
}

#[derive(Debug)]
pub(super) struct Disk {
    pub(super) files: Box<dyn Files>,
    core: Lane,
    flow: Lane,
    pub(super) next_id: u64,
    segment_bytes: u64,
    /// Files that could not be unlinked yet.
    leftovers: Vec<String>,
}

impl Disk {
    pub(super) fn new(files: Box<dyn Files>, core: u64, flow: u64, segment_bytes: u64) -> Self {
        Self {
            files,
            core: Lane::new(LaneId::Core, core),
            flow: Lane::new(LaneId::Flow, flow),
            next_id: 1,
            segment_bytes,
            leftovers: Vec::new(),
        }
    }

    pub(super) const fn lane(&self, id: LaneId) -> &Lane {
        match id {
            LaneId::Core => &self.core,
            LaneId::Flow => &self.flow,
        }
    }

    pub(super) const fn lane_mut(&mut self, id: LaneId) -> &mut Lane {
        match id {
            LaneId::Core => &mut self.core,
            LaneId::Flow => &mut self.flow,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.core.bytes() + self.flow.bytes()
    }

    pub(super) fn unsynced_bytes(&self) -> u64 {
        let segments = self.core.segments.iter().chain(&self.flow.segments);
        segments.map(|segment| segment.len - segment.synced).sum()
    }

    pub(super) fn wants_sync(&self) -> bool {
        self.unsynced_bytes() > MOST_UNSYNCED_BYTES
    }

    /// Whether `payload` goes beyond the budget of its lane, and something older can give way.
    pub(super) fn is_over(&self, lane: LaneId, payload: usize) -> bool {
        let lane = self.lane(lane);
        let needed = (payload + RECORD_HEADER_BYTES + HEADER_BYTES) as u64;
        !lane.segments.is_empty() && lane.bytes() + needed > lane.budget
    }

    /// Appends a part to the lane's open segment, or to a new one.
    pub(super) fn write(
        &mut self,
        lane: LaneId,
        slot: Slot,
        epoch: Epoch,
        at_s: u64,
        payload: Vec<u8>,
    ) -> io::Result<Place> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let len = payload.len() + RECORD_HEADER_BYTES;
        if !self.has_room(lane, slot.rank, len as u64) {
            self.create(lane, slot, epoch)?;
        }
        let Some(open) = self.lane(lane).segments.back() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let (id, offset) = (open.id, open.len);
        let bytes = segment::record(id, slot.seq, at_s, &payload);
        let appended = self.files.append(&segment::file_name(lane, id), &bytes);
        let lane = self.lane_mut(lane);
        if let Err(error) = appended {
            // Its end is in doubt now: nothing may follow there.
            lane.seal();
            return Err(error);
        }
        if let Some(open) = lane.segments.back_mut() {
            open.len += len as u64;
            open.live += 1;
            open.oldest_s = open.oldest_s.min(at_s);
            open.newest_s = open.newest_s.max(at_s);
        }
        let segment = id;
        lane.unsynced.push(Unsynced {
            slot,
            segment,
            payload,
        });
        let too_large = |_| io::Error::from(io::ErrorKind::FileTooLarge);
        Ok(Place::Disk {
            segment,
            offset: u32::try_from(offset).map_err(too_large)?,
            len: u32::try_from(len).map_err(too_large)?,
        })
    }

    fn has_room(&self, lane: LaneId, rank: u32, len: u64) -> bool {
        let open = self.lane(lane).segments.back();
        open.is_some_and(|open| {
            let is_empty = open.len == HEADER_BYTES as u64;
            let fits = is_empty || open.len + len <= self.segment_bytes;
            !open.is_sealed && open.rank == rank && fits
        })
    }

    fn create(&mut self, lane: LaneId, slot: Slot, epoch: Epoch) -> io::Result<()> {
        let id = self.next_id;
        self.next_id += 1;
        let name = segment::file_name(lane, id);
        let header = segment::header(lane, id, epoch, slot.seq);
        let made = self
            .files
            .create(&name)
            .and_then(|()| self.files.append(&name, &header))
            .and_then(|()| self.files.sync(&name))
            .and_then(|()| self.files.sync_dir());
        if let Err(error) = made {
            self.remove(name);
            return Err(error);
        }
        let len = header.len() as u64;
        let lane = self.lane_mut(lane);
        lane.seal();
        lane.segments.push_back(Segment {
            id,
            rank: slot.rank,
            len,
            synced: len,
            oldest_s: u64::MAX,
            newest_s: 0,
            live: 0,
            is_sealed: false,
        });
        Ok(())
    }

    /// The payload of a part. Where it is not as it was written, the error is `InvalidData`.
    pub(super) fn read(&mut self, lane: LaneId, slot: Slot, place: &Place) -> io::Result<Vec<u8>> {
        match place {
            Place::Memory(bytes) => Ok(bytes.to_vec()),
            Place::Disk {
                segment,
                offset,
                len,
            } => {
                let name = segment::file_name(lane, *segment);
                let bytes = self.files.read(&name, u64::from(*offset), *len as usize)?;
                match segment::parse(&bytes, *segment) {
                    Some((found, payload)) if found.seq == slot.seq => Ok(payload.to_vec()),
                    _ => Err(io::ErrorKind::InvalidData.into()),
                }
            }
        }
    }

    /// Makes everything durable that was written.
    ///
    /// After a failed sync nobody knows what of the file is on disk, and a second one may say that
    /// all is well: the segment is closed at its last durable byte, and the rest is handed back.
    pub(super) fn sync(&mut self) -> Result<(), SyncFailed> {
        let mut failed: Option<SyncFailed> = None;
        for lane in [&mut self.core, &mut self.flow] {
            let dirty = lane.segments.iter_mut().filter(|s| s.synced < s.len);
            for segment in dirty {
                let name = segment::file_name(lane.id, segment.id);
                let synced = self.files.sync(&name);
                let is_of_it = |part: &mut Unsynced| part.segment == segment.id;
                let parts: Vec<_> = lane.unsynced.extract_if(.., is_of_it).collect();
                if let Err(error) = synced {
                    segment.len = segment.synced;
                    segment.is_sealed = true;
                    let all = failed.get_or_insert_with(|| SyncFailed {
                        error,
                        parts: Vec::new(),
                    });
                    all.parts
                        .extend(parts.into_iter().map(|part| (lane.id, part)));
                }
                segment.synced = segment.len;
                if segment.is_sealed {
                    self.files.release(&name);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    pub(super) fn has(&self, lane: LaneId, place: &Place) -> bool {
        match place {
            Place::Memory(_) => true,
            Place::Disk { segment, .. } => self.lane(lane).position(*segment).is_some(),
        }
    }

    /// Says that a part is not needed any more.
    pub(super) fn forget(&mut self, lane: LaneId, place: &Place) {
        let Place::Disk { segment, .. } = place else {
            return;
        };
        let lane = self.lane_mut(lane);
        let at = lane.position(*segment);
        if let Some(segment) = at.and_then(|at| lane.segments.get_mut(at)) {
            segment.live = segment.live.saturating_sub(1);
        }
    }

    /// Unlinks the oldest segment of a lane, whatever is in it.
    pub(super) fn evict(&mut self, lane: LaneId) {
        let lane = self.lane_mut(lane);
        let Some(gone) = lane.segments.pop_front() else {
            return;
        };
        lane.unsynced.retain(|part| part.segment != gone.id);
        let name = segment::file_name(lane.id, gone.id);
        self.remove(name);
        // Where it fails, the file may come back after a crash, and is sent once more.
        let _is_durable = self.files.sync_dir();
    }

    /// Unlinks every closed segment that nobody needs.
    pub(super) fn sweep(&mut self) {
        let mut names = std::mem::take(&mut self.leftovers);
        for lane in [&mut self.core, &mut self.flow] {
            let is_done = |s: &Segment| s.is_sealed && s.live == 0 && s.synced == s.len;
            for segment in lane.segments.iter().filter(|s| is_done(s)) {
                names.push(segment::file_name(lane.id, segment.id));
            }
            lane.segments.retain(|segment| !is_done(segment));
        }
        if names.is_empty() {
            return;
        }
        names.into_iter().for_each(|name| self.remove(name));
        let _is_durable = self.files.sync_dir();
    }

    /// Whether something can be written at all.
    pub(super) fn probe(&mut self) -> io::Result<()> {
        const PROBE: &str = "probe";
        /// About what the state and two headers take.
        const BYTES: usize = 16 << 10;
        let tried = self
            .files
            .create(PROBE)
            .and_then(|()| self.files.append(PROBE, &[0; BYTES]))
            .and_then(|()| self.files.sync(PROBE))
            .and_then(|()| self.files.sync_dir());
        self.remove(PROBE.to_owned());
        tried
    }

    pub(super) fn remove(&mut self, name: String) {
        /// More are found again by the next start.
        const MOST_LEFTOVERS: usize = 64;
        match self.files.unlink(&name) {
            Err(error)
                if error.kind() != io::ErrorKind::NotFound
                    && self.leftovers.len() < MOST_LEFTOVERS =>
            {
                self.leftovers.push(name);
            }
            _ => {}
        }
    }
}
