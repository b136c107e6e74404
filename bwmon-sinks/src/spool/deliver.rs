//! What goes out, and what became of it.

use std::io;

use bwmon_core::report::{
    CLOCK_REFUSAL, DropReason, Dropped, Epoch, Fate, Record, RecordBody, RecordKey, bounds,
};

use super::codec;
use super::disk::Slot;
use super::quarantine;
use super::ranges::RangeSet;
use super::segment::LaneId;
use super::state::Lost;
use super::store::{Entry, Flows, MOST_LOST, Spool};

/// Encoded bytes that go out at once, beyond the first record: they are several times as many in
/// memory.
const BATCH_BYTES: usize = 256 << 10;

/// Holes in what the receiver has from which on the oldest goes first: half of what is told apart.
const MOST_HOLES: usize = bounds::RANGES / 2;
/// Reads that fail in a row before the record counts as damaged.
const MOST_UNREADABLE: u32 = 8;
/// No number is higher: JSON carries integers exactly up to here (RFC 8259, section 6).
const MOST_SEQ: u64 = (1 << 53) - 1;

/// What a key stood for that was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// A record.
    Record,
    /// The statement of a loss.
    Notice,
    /// Nothing that was in flight.
    Unknown,
}

impl Spool {
    /// The next records to send, at most `max`: what is lost, the newest report if it was never
    /// tried, and of the backlog the oldest, together at most `credit`. They are in flight until
    /// they are settled or given back.
    pub fn take(&mut self, max: usize, credit: usize) -> Vec<Record> {
        self.give_back();
        // A receiver tells only so many holes apart, and each live report before its backlog makes one.
        let is_crowded = self.holes >= MOST_HOLES;
        let credit = credit.max(usize::from(is_crowded));
        let told = self.lost.len().min(max.min(credit));
        self.telling = self.lost.drain(..told).collect();
        let mut batch: Vec<(Slot, Record)> = Vec::with_capacity(told);
        for (rank, lost) in &self.telling {
            batch.push(notice(*rank, self.epoch_of(*rank), lost));
        }
        let mut bytes = 0;
        if batch.len() < max
            && !is_crowded
            && let Some(slot) = self.newest_untried()
        {
            self.tried = Some(slot);
            // What cannot be read now is tried with the next batch.
            batch.extend(self.launch(slot, &mut bytes).ok().flatten());
        }
        let most = max.min(credit.max(batch.len()));
        while batch.len() < most && bytes < BATCH_BYTES {
            let Some(slot) = self.held.keys().next().copied() else {
                break;
            };
            match self.launch(slot, &mut bytes) {
                Ok(launched) => batch.extend(launched),
                Err(_) => break,
            }
        }
        batch.sort_by_key(|(slot, _)| *slot);
        batch.into_iter().map(|(_, record)| record).collect()
    }

    fn newest_untried(&self) -> Option<Slot> {
        let newest = self.held.keys().next_back().copied()?;
        (self.tried.is_none_or(|tried| newest > tried)).then_some(newest)
    }

    /// Reads a record and puts it in flight; `None` where it is damaged, and lost by that.
    ///
    /// # Errors
    /// When the disk cannot be read now.
    fn launch(&mut self, slot: Slot, bytes: &mut usize) -> io::Result<Option<(Slot, Record)>> {
        let Some(entry) = self.held.remove(&slot) else {
            return Ok(None);
        };
        *bytes += entry.core.bytes();
        let record = match self.join(slot, &entry, bytes) {
            Ok(record) => record,
            Err(error) if is_damage(&error) || self.unreadable >= MOST_UNREADABLE => {
                self.release(slot, &entry);
                self.lose(slot, DropReason::Damage);
                return Ok(None);
            }
            Err(error) => {
                self.unreadable += 1;
                self.held.insert(slot, entry);
                return Err(error);
            }
        };
        self.unreadable = 0;
        self.flight.insert(slot, entry);
        Ok(Some((slot, record)))
    }

    fn join(&mut self, slot: Slot, entry: &Entry, bytes: &mut usize) -> io::Result<Record> {
        let core = self.disk.read(LaneId::Core, slot, &entry.core)?;
        let rows = match &entry.flows {
            Flows::Here(place) => {
                *bytes += place.bytes();
                match self.disk.read(LaneId::Flow, slot, place) {
                    Ok(rows) => Ok(rows),
                    Err(error) if is_damage(&error) => Err(DropReason::Damage),
                    Err(error) => return Err(error),
                }
            }
            Flows::Lost(reason) => Err(*reason),
            Flows::None => Err(DropReason::Damage),
        };
        let record = match rows {
            Ok(rows) => codec::decode(&core, Ok(&rows)),
            Err(reason) => codec::decode(&core, Err(reason)),
        }?;
        let key = RecordKey {
            epoch: self.epoch_of(slot.rank),
            seq: slot.seq,
        };
        if record.key() != key {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(record)
    }

    /// Whatever is in flight was not taken, or it is not known.
    pub fn give_back(&mut self) {
        let mut told = std::mem::take(&mut self.telling);
        told.append(&mut self.lost);
        self.lost = told;
        for (slot, mut entry) in std::mem::take(&mut self.flight) {
            if let Flows::Here(place) = &entry.flows
                && !self.disk.has(LaneId::Flow, place)
            {
                entry.flows = Flows::Lost(DropReason::SpoolFull);
                self.counts.flows_lost += 1;
            }
            if self.disk.has(LaneId::Core, &entry.core) {
                self.held.insert(slot, entry);
            } else {
                self.release(slot, &entry);
                self.lose(slot, DropReason::SpoolFull);
            }
        }
    }

    /// What became of a record that was in flight.
    pub fn settle(&mut self, key: RecordKey, fate: &Fate) -> Settled {
        let Some(slot) = self.slot(key) else {
            return Settled::Unknown;
        };
        let is_told = |(rank, lost): &(u32, Lost)| *rank == slot.rank && lost.to == slot.seq;
        if let Some(at) = self.telling.iter().position(is_told) {
            let (rank, lost) = self.telling.remove(at);
            match fate {
                Fate::Refused(_) => self.counts.notices_lost += 1,
                // Its own number had arrived as a report, and the others may still be missed.
                Fate::Duplicate => self.note_gone(rank, lost),
                _ => {}
            }
            self.done(rank, lost.from, lost.to);
            return Settled::Notice;
        }
        let Some(entry) = self.flight.remove(&slot) else {
            return Settled::Unknown;
        };
        match fate {
            Fate::Refused(reason) => self.quarantine(slot, &entry, reason),
            _ => self.counts.delivered += 1,
        }
        self.release(slot, &entry);
        self.done(slot.rank, slot.seq, slot.seq);
        Settled::Record
    }

    fn quarantine(&mut self, slot: Slot, entry: &Entry, reason: &str) {
        self.counts.quarantined += 1;
        let is_about_the_clock = reason.starts_with(CLOCK_REFUSAL);
        let refused = Lost {
            from: slot.seq,
            to: slot.seq,
            records: 1,
            reason: match is_about_the_clock {
                true => DropReason::Clock,
                false => DropReason::Refused,
            },
        };
        self.note_gone(slot.rank, refused);
        let Ok(record) = self.join(slot, entry, &mut 0) else {
            return;
        };
        // It is for people only; that it was refused is counted and told in any case.
        let _is_kept = quarantine::keep(&mut *self.disk.files, record, reason);
    }

    fn done(&mut self, rank: u32, from: u64, to: u64) {
        self.is_changed = true;
        if rank == self.rank() {
            self.state.done.insert(from, to);
            self.state.done.trim();
        }
    }

    /// The receiver misses numbers: those that are not here any more are named to it.
    pub fn missing(&mut self, epoch: Epoch, ranges: &[(u64, u64)]) {
        let key = RecordKey { epoch, seq: 0 };
        let Some(rank) = self.slot(key).map(|slot| slot.rank) else {
            return;
        };
        if rank == self.rank() {
            self.holes = ranges.len();
        }
        for &(from, to) in ranges {
            let last = if rank == self.rank() {
                self.last_seq()
            } else {
                MOST_SEQ
            };
            let (from, to) = (from.max(1), to.min(last));
            if from > to {
                continue;
            }
            for (from, to) in self.known(rank, from, to).gaps(from, to) {
                self.explain(rank, from, to);
            }
        }
    }

    /// Numbers within a range that still come, or whose loss is still to be told.
    fn known(&self, rank: u32, from: u64, to: u64) -> RangeSet {
        let mut known = RangeSet::default();
        let range = Slot { rank, seq: from }..=Slot { rank, seq: to };
        let coming = self
            .held
            .range(range.clone())
            .chain(self.flight.range(range));
        coming.for_each(|(slot, _)| known.insert(slot.seq, slot.seq));
        for (of, lost) in self.lost.iter().chain(&self.telling) {
            if *of == rank {
                known.insert(lost.from, lost.to);
            }
        }
        known
    }

    fn explain(&mut self, rank: u32, from: u64, to: u64) {
        let mut left = vec![(from, to)];
        // Nothing is noted as gone meanwhile.
        let gone = std::mem::take(&mut self.gone);
        let is_present = rank == self.rank();
        for (reason, numbers) in gone.iter().filter(|_| is_present) {
            for &(from, to) in &left {
                for (from, to) in numbers.within(from, to) {
                    self.tell_of(rank, (from, to), to - from + 1, *reason);
                }
            }
            let rest = left.iter().flat_map(|&(from, to)| numbers.gaps(from, to));
            left = rest.collect();
        }
        self.gone = gone;
        for (from, to) in left {
            self.tell_of(rank, (from, to), 0, DropReason::NeverExisted);
        }
    }

    /// Where too many losses wait, it is left for the next time that the receiver misses it.
    fn tell_of(&mut self, rank: u32, (from, to): (u64, u64), records: u64, reason: DropReason) {
        if self.lost.len() >= MOST_LOST {
            return;
        }
        let lost = Lost {
            from,
            to,
            records,
            reason,
        };
        self.tell(rank, lost);
    }

    fn slot(&self, key: RecordKey) -> Option<Slot> {
        let of = |(rank, epoch): (&u32, &Epoch)| (*epoch == key.epoch).then_some(*rank);
        let rank = self.epochs.iter().rev().find_map(of)?;
        Some(Slot { rank, seq: key.seq })
    }
}

/// Whether the bytes are wrong or gone, and not just out of reach.
fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
    )
}

/// A loss as a record: it stands at the last number that it covers.
fn notice(rank: u32, epoch: Epoch, lost: &Lost) -> (Slot, Record) {
    let body = RecordBody::Dropped(Dropped {
        from_seq: lost.from,
        reports: lost.records,
        reason: lost.reason,
    });
    let seq = lost.to;
    (Slot { rank, seq }, Record { epoch, seq, body })
}
