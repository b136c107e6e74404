use std::time::Duration;

use bwmon_core::report::{DropReason, Epoch};

/// What a spool holds and what became of the rest. At every moment
/// `emitted = delivered + spooled + dropped() + quarantined`, in records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SpoolStats {
    /// The run of sequence numbers that goes on.
    pub epoch: Epoch,
    /// Records of this process, those found on disk at its start, and those missing there.
    pub emitted: u64,
    /// Records that the receiver has.
    pub delivered: u64,
    /// Records that wait or are in flight.
    pub spooled: u64,
    /// Those of them that are in flight.
    pub in_flight: u64,
    /// Records that are gone, by reason.
    pub dropped: Dropped,
    /// Records that the receiver will never take.
    pub quarantined: u64,
    /// Reports whose flow rows were given up or damaged.
    pub flows_lost: u64,
    /// Losses that the receiver has not been told of yet.
    pub notices: u64,
    /// Losses that will not be told, because too many waited or the receiver refused to hear.
    pub notices_lost: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// What the disk holds of everything but flow rows.
    pub core: LaneStats,
    /// What the disk holds of flow rows.
    pub flow: LaneStats,
    /// Bytes in memory because the disk could not be used.
    pub memory_bytes: u64,
    /// Records of which at least a part is in memory for that reason.
    pub memory_records: u64,
    /// Bytes that a loss of power would take.
    pub unsynced_bytes: u64,
    /// How long the oldest record has waited.
    pub oldest: Option<Duration>,
    /// Why the disk cannot be used; absent where it can.
    pub memory_mode: Option<String>,
}

/// What one lane of a spool holds on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LaneStats {
    /// Bytes of its segments, what is delivered of them included.
    pub bytes: u64,
    /// Most bytes of them.
    pub limit_bytes: u64,
    /// Records of which it holds a part that is still needed.
    pub records: u64,
    /// Age of the oldest segment that holds one of them.
    pub oldest: Option<Duration>,
}

/// Records that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Dropped {
    /// The spool was full.
    pub spool_full: u64,
    /// They waited too long.
    pub too_old: u64,
    /// They were damaged.
    pub damage: u64,
}

impl Dropped {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.spool_full + self.too_old + self.damage
    }

    pub(super) const fn count(&mut self, reason: DropReason, records: u64) {
        match reason {
            DropReason::SpoolFull => self.spool_full += records,
            DropReason::TooOld => self.too_old += records,
            _ => self.damage += records,
        }
    }
}

impl SpoolStats {
    /// Whether the sums add up.
    pub const fn is_balanced(&self) -> bool {
        let known = self.delivered + self.spooled + self.dropped.total() + self.quarantined;
        self.emitted == known
    }
}
