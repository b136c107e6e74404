use bwmon_core::report::bounds;
use bwmon_core::time::Timestamp;

use crate::spool::SpoolStats;

/// Most reasons that are counted apart.
const REASONS: usize = 16;
const OTHER: &str = "other reasons";

/// What became of what was offered. At every moment
/// `offered = stored + duplicate + refused + dropped + queued + in_flight`, in records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DriverStats {
    /// Records that were offered.
    pub offered: u64,
    /// Taken by the sink.
    pub stored: u64,
    /// Taken, and there already.
    pub duplicate: u64,
    /// Given up because the sink will never take them.
    pub refused: u64,
    /// Given up because the queue or the spool was full, or, in a spool, too old or damaged.
    pub dropped: u64,
    /// Waiting.
    pub queued: u64,
    /// With the sink right now, or waiting to be sent to it again.
    pub in_flight: u64,
    /// Estimated bytes of the queue; of a spool, its bytes on disk and in memory.
    pub queued_bytes: u64,
    /// Drop records of the driver's own that wait or are in flight.
    pub notices: u64,
    /// Drop records of the driver's own that the sink took.
    pub notices_delivered: u64,
    /// Drop records of the driver's own that were given up themselves: the receiver sees a gap
    /// without a reason.
    pub notices_lost: u64,
    /// Writes that failed and were tried again.
    pub retries: u64,
    /// Refused records by reason, first seen first; at most 16 reasons, the last of them `other
    /// reasons`.
    pub refusals: Vec<(String, u64)>,
    /// Why the last write failed; absent since one succeeded.
    pub last_error: Option<String>,
    /// When a write last succeeded.
    pub last_success: Option<Timestamp>,
    /// What the spool says of itself, where there is one.
    pub spool: Option<SpoolStats>,
}

impl DriverStats {
    /// Whether nothing waits and nothing is in flight.
    pub const fn is_empty(&self) -> bool {
        self.queued == 0 && self.in_flight == 0 && self.notices == 0
    }

    /// Counts a refused record; `true` if nothing was refused for this reason before.
    pub(super) fn refuse(&mut self, reason: &str) -> bool {
        self.refused += 1;
        let reason = bounds::clip(reason);
        let known = self.refusals.iter().position(|(known, _)| *known == reason);
        let at = known.or_else(|| (self.refusals.len() == REASONS).then_some(REASONS - 1));
        if let Some((_, count)) = at.and_then(|at| self.refusals.get_mut(at)) {
            *count += 1;
            return false;
        }
        let is_last = self.refusals.len() == REASONS - 1;
        let name = if is_last { OTHER.to_owned() } else { reason };
        self.refusals.push((name, 1));
        true
    }

    pub(super) fn refuse_and_tell(&mut self, sink: &str, reason: &str) {
        if self.refuse(reason) {
            tracing::warn!(sink, reason, "a record is refused for good");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_bounded_and_lose_no_count() {
        let mut stats = DriverStats::default();
        assert!(stats.refuse("clock"));
        assert!(!stats.refuse("clock"));
        for n in 0..100 {
            stats.refuse(&format!("reason {n}"));
        }
        assert_eq!(stats.refusals.len(), REASONS);
        assert_eq!(stats.refusals[0], ("clock".to_owned(), 2));
        assert_eq!(stats.refusals[REASONS - 1].0, OTHER);
        let sum: u64 = stats.refusals.iter().map(|(_, count)| count).sum();
        assert_eq!((sum, stats.refused), (102, 102));
    }
}
