//! When intervals end: on a grid of a monotonic clock, so that lateness never adds up.

use std::time::{Duration, Instant};

/// The deadlines of intervals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    interval: Duration,
    deadline: Instant,
}

impl Schedule {
    /// Deadlines every `interval` after `start`.
    pub(super) fn new(start: Instant, interval: Duration) -> Self {
        Self {
            interval,
            deadline: start + interval,
        }
    }

    /// When the open interval ends.
    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Moves on to the first deadline after `now`. Those that a stall missed are skipped: the
    /// interval is longer, and says so. One that is nearer than half an interval is skipped too,
    /// because counters read so soon after another say little.
    pub(super) fn advance(&mut self, now: Instant) {
        let soon = now + self.interval / 2;
        if self.deadline > soon {
            return;
        }
        let missed =
            soon.duration_since(self.deadline).as_nanos() / self.interval.as_nanos().max(1);
        let steps = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
        self.deadline = self
            .interval
            .checked_mul(steps)
            .and_then(|span| self.deadline.checked_add(span))
            .unwrap_or(now + self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn lateness_does_not_add_up() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, 2 * SECOND);
        for n in 1..100 {
            assert_eq!(schedule.deadline(), start + 2 * n * SECOND);
            schedule.advance(schedule.deadline() + Duration::from_millis(300));
        }
    }

    #[test]
    fn a_stall_skips_deadlines_and_keeps_the_grid() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, 2 * SECOND);
        schedule.advance(start + Duration::from_millis(9_500));
        assert_eq!(schedule.deadline(), start + 12 * SECOND);
    }

    #[test]
    fn an_interval_that_was_closed_early_keeps_its_deadline_unless_it_is_near() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, 2 * SECOND);
        schedule.advance(start + SECOND / 2);
        assert_eq!(schedule.deadline(), start + 2 * SECOND);
        schedule.advance(start + Duration::from_millis(1_500));
        assert_eq!(schedule.deadline(), start + 4 * SECOND);
    }
}
