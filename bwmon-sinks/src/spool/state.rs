//! What must outlive the process besides the records: two slots, written in turn.

use std::io;

use bwmon_core::report::{DropReason, Epoch};
use serde::{Deserialize, Serialize};

use super::files::Files;
use super::ranges::RangeSet;

const SLOTS: [&str; 2] = ["state-0", "state-1"];
const MAGIC: &[u8; 8] = b"bwmstat1";
const HEAD_BYTES: usize = 16;
/// Longest slot that is read.
const MAX_BYTES: usize = 1 << 20;

/// Numbers that will never be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lost {
    pub(super) from: u64,
    pub(super) to: u64,
    /// Records among them that were there once.
    pub(super) records: u64,
    pub(super) reason: DropReason,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    generation: u64,
    /// How often this process wrote it: the names of its slots are durable after twice.
    #[serde(skip)]
    writes: u32,
    pub(super) epoch: Epoch,
    /// No number above this one was ever given away.
    pub(super) reserved_through: u64,
    /// Every record up to this one was durable when the state was written.
    pub(super) written_through: u64,
    /// Numbers that need nothing more: delivered, or named as lost.
    pub(super) done: RangeSet,
    /// Losses that the receiver does not know yet.
    pub(super) lost: Vec<(Epoch, Lost)>,
    /// Flow rows up to this number were evicted, for this reason.
    pub(super) flows_lost: Option<(u64, DropReason)>,
}

impl State {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self {
            generation: 0,
            writes: 0,
            epoch,
            reserved_through: 0,
            written_through: 0,
            done: RangeSet::default(),
            lost: Vec::new(),
            flows_lost: None,
        }
    }

    /// Counts as newer than another one that may be on disk.
    pub(super) fn follow(&mut self, other: &Self) {
        self.generation = self.generation.max(other.generation);
    }

    /// The newer of the slots that are whole. A slot that cannot be read counts as damaged, or
    /// ends the reading where `is_strict`.
    pub(super) fn read(files: &mut dyn Files, is_strict: bool) -> io::Result<Option<Self>> {
        let mut newest: Option<Self> = None;
        for slot in SLOTS {
            match files.read(slot, 0, MAX_BYTES) {
                Ok(bytes) => {
                    let is_newer = |state: &Self| {
                        newest
                            .as_ref()
                            .is_none_or(|known| known.generation < state.generation)
                    };
                    if let Some(state) = decode(&bytes).filter(is_newer) {
                        newest = Some(state);
                    }
                }
                Err(error) if is_strict && error.kind() != io::ErrorKind::NotFound => {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        Ok(newest)
    }

    /// Writes the slot that is older.
    pub(super) fn write(&mut self, files: &mut dyn Files) -> io::Result<()> {
        self.generation += 1;
        let [even, odd] = SLOTS;
        let slot = if self.generation.is_multiple_of(2) {
            even
        } else {
            odd
        };
        let bytes = encode(self)?;
        let written = files
            .create(slot)
            .and_then(|()| files.append(slot, &bytes))
            .and_then(|()| files.sync(slot))
            .and_then(|()| {
                if self.writes < 2 {
                    files.sync_dir()
                } else {
                    Ok(())
                }
            });
        files.release(slot);
        match &written {
            Ok(()) => self.writes = self.writes.saturating_add(1),
            // The next try goes to the same slot: the other one may be the only whole one.
            Err(_) => self.generation -= 1,
        }
        written
    }

    /// Writes both slots, so that the loss of one takes nothing back.
    pub(super) fn write_both(&mut self, files: &mut dyn Files) -> io::Result<()> {
        self.write(files)?;
        self.write(files)
    }
}

fn encode(state: &State) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(state)?;
    let len = u32::try_from(json.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = Vec::with_capacity(HEAD_BYTES + json.len());
    bytes.extend(MAGIC);
    bytes.extend(len.to_be_bytes());
    bytes.extend(crc32c::crc32c(&json).to_be_bytes());
    bytes.extend(json);
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Option<State> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let len = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
    let crc = u32::from_be_bytes(rest.get(4..8)?.try_into().ok()?);
    let json = rest.get(8..8_usize.checked_add(len)?)?;
    (crc32c::crc32c(json) == crc)
        .then(|| serde_json::from_slice(json).ok())
        .flatten()
}
