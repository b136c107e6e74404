use std::time::Duration;

use bwmon_core::report::bounds;
use bwmon_core::sink::{SinkError, SinkErrorKind};
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
    /// Reports that wait for the spool's thread, which numbers them; not offered yet.
    pub unnumbered: u64,
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
    /// Writes that the sink took.
    pub deliveries: u64,
    /// Writes that failed and were tried again.
    pub retries: u64,
    /// The same by what kind of error it was.
    pub failures: Failures,
    /// The wait after the last write, which failed; absent since one succeeded.
    pub wait: Option<Duration>,
    /// Records of a backlog that the receiver takes with the next write; only a spool asks.
    pub credit: Option<u64>,
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

/// Writes that failed and were tried again, by kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Failures {
    /// The destination could not be reached, or did not answer.
    pub unavailable: u64,
    /// It had no room or no time.
    pub busy: u64,
    /// It does not accept the credential.
    pub unauthorised: u64,
    /// It speaks another version.
    pub incompatible: u64,
    /// Anything else.
    pub other: u64,
}

impl Failures {
    const fn count(&mut self, kind: SinkErrorKind) {
        *match kind {
            SinkErrorKind::Unavailable => &mut self.unavailable,
            SinkErrorKind::Busy => &mut self.busy,
            SinkErrorKind::Unauthorised => &mut self.unauthorised,
            SinkErrorKind::Incompatible => &mut self.incompatible,
            _ => &mut self.other,
        } += 1;
    }
}

impl DriverStats {
    /// Whether nothing waits and nothing is in flight.
    pub const fn is_empty(&self) -> bool {
        self.queued == 0 && self.in_flight == 0 && self.notices == 0
    }

    pub(super) fn succeeded(&mut self, now: Timestamp) {
        self.deliveries += 1;
        self.wait = None;
        self.last_error = None;
        self.last_success = Some(now);
    }

    pub(super) fn failed(&mut self, error: &SinkError, wait: Duration) {
        self.retries += 1;
        self.failures.count(error.kind());
        self.wait = Some(wait);
        self.last_error = Some(error.to_string());
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
