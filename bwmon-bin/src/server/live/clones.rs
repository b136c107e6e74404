use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bwmon_core::query::{CloneReason, Cloned};
use bwmon_core::report::Epoch;
use bwmon_core::time::{Timestamp, Window};

/// How often an epoch that was left must come back before it counts as a second place. A delivery
/// that was on its way while the agent started anew makes at most two returns: its own, and that of
/// the epoch that goes on.
const RETURNS: u32 = 3;
/// Returns further apart than this do not count together. Agents report at least every 5 minutes.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// Epochs that are remembered after another took over.
const LEFT: usize = 16;

/// Whether one agent's credential is in use in two places at once.
///
/// An agent has one epoch at a time: when another begins, the one before has ended, and what still
/// comes of it is older. A, B, A, B, A over the same time are two agents. Copies that share even
/// the epoch (of a machine that was copied as a whole) give the same number to different reports.
#[derive(Debug, Default)]
pub(super) struct Clones {
    current: Option<Run>,
    /// The one that was left last is at the end.
    left: VecDeque<Run>,
    returns: u32,
    returned: Option<Instant>,
    seen: Option<Seen>,
}

/// A run of sequence numbers.
#[derive(Debug, Clone, Copy)]
struct Run {
    epoch: Epoch,
    /// Start of the first window that was seen of it, by the agent's clock.
    begins: Timestamp,
    heard: Instant,
}

/// The last sign of a second place.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    first: Timestamp,
    reason: CloneReason,
}

impl Clones {
    /// Takes note that the report of `window` arrived at `now`, which is `wall` by the wall clock.
    pub(super) fn arrived(&mut self, epoch: Epoch, window: Window, now: Instant, wall: Timestamp) {
        let arrived = Run {
            epoch,
            begins: window.start,
            heard: now,
        };
        let Some(current) = &mut self.current else {
            self.current = Some(arrived);
            return;
        };
        if current.epoch == epoch {
            current.heard = now;
            return;
        }
        let current = *current;
        self.left.retain(|run| is_recent(run.heard, now));
        let known = self.left.iter().find(|run| run.epoch == epoch).copied();
        match known {
            None => self.take_over(current, arrived),
            // What was left to say of an epoch that has ended.
            Some(_) if window.end() <= current.begins => {}
            Some(run) => {
                self.left.retain(|run| run.epoch != epoch);
                self.take_over(current, Run { heard: now, ..run });
                self.count_return(now, wall);
            }
        }
    }

    /// Takes note that a number came again with another report in it.
    pub(super) fn number_reused(&mut self, now: Instant, wall: Timestamp) {
        self.note(CloneReason::NumberReused, now, wall);
    }

    /// What is known at `now`, when a clone that was not noticed for `limit` counts as gone.
    pub(super) fn verdict(&self, now: Instant, limit: Duration) -> Option<Cloned> {
        let seen = self.seen?;
        let is_there = now.saturating_duration_since(seen.at) <= limit;
        is_there.then_some(Cloned {
            reason: seen.reason,
            since: seen.first,
        })
    }

    fn take_over(&mut self, from: Run, to: Run) {
        self.left.push_back(from);
        if self.left.len() > LEFT {
            self.left.pop_front();
        }
        self.current = Some(to);
    }

    fn count_return(&mut self, now: Instant, wall: Timestamp) {
        if !self.returned.is_some_and(|last| is_recent(last, now)) {
            self.returns = 0;
        }
        self.returned = Some(now);
        self.returns = self.returns.saturating_add(1);
        if self.returns >= RETURNS {
            self.note(CloneReason::EpochsAlternate, now, wall);
        }
    }

    fn note(&mut self, reason: CloneReason, now: Instant, wall: Timestamp) {
        let first = self.verdict(now, MEMORY).map_or(wall, |known| known.since);
        self.seen = Some(Seen {
            at: now,
            first,
            reason,
        });
    }
}

fn is_recent(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) <= MEMORY
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Timestamp = Timestamp::from_secs(1_000);
    const STEP: Duration = Duration::from_secs(2);

    /// The window of two seconds that begins `at` steps after [`WALL`].
    fn window(at: u32) -> Window {
        Window::new(WALL.plus(STEP * at), STEP)
    }

    /// What reports of these epochs, each of this window, look like.
    fn judged(reports: impl IntoIterator<Item = (u128, u32)>) -> Option<CloneReason> {
        let (mut clones, mut now) = (Clones::default(), Instant::now());
        for (epoch, at) in reports {
            now += STEP;
            clones.arrived(Epoch(epoch), window(at), now, WALL);
        }
        clones.verdict(now, MEMORY).map(|cloned| cloned.reason)
    }

    /// The same where each report is sent when its window is over.
    fn live(epochs: impl IntoIterator<Item = u128>) -> Option<CloneReason> {
        judged(epochs.into_iter().zip(0..))
    }

    #[test]
    fn one_agent_is_no_clone_however_often_it_starts() {
        assert_eq!(live([1; 50]), None);
        assert_eq!(live(1..200), None);
        // A delivery of before the start arrives after the first of the new epoch.
        assert_eq!(live([1, 1, 2, 1, 2, 2, 2]), None);
    }

    #[test]
    fn what_is_left_of_an_ended_epoch_is_no_clone() {
        let backlog = (0..50).map(|at| (1, at));
        let now = (50..100).map(|at| (2, at));
        let interleaved = now.zip(backlog).flat_map(|(now, then)| [now, then]);
        assert_eq!(judged(interleaved.clone()), None);
        assert_eq!(judged([(1, 0)].into_iter().chain(interleaved)), None);
    }

    #[test]
    fn epochs_that_alternate_are_clones_also_when_there_are_many() {
        let alternate = Some(CloneReason::EpochsAlternate);
        assert_eq!(live([1, 2, 1, 2, 1]), alternate);
        assert_eq!(live([1, 1, 2, 1, 1, 2, 2, 1]), alternate);
        assert_eq!(live((0..48).map(|at| at % 12)), alternate);
    }

    #[test]
    fn a_clone_that_fell_silent_is_forgotten_and_memory_is_bounded() {
        let (mut clones, start) = (Clones::default(), Instant::now());
        for (epoch, at) in [1, 2, 1, 2, 1].into_iter().zip(0..) {
            clones.arrived(Epoch(epoch), window(at), start, WALL);
        }
        assert!(clones.verdict(start + STEP, STEP).is_some());
        assert_eq!(clones.verdict(start + STEP + STEP, STEP), None);
        let later = start + MEMORY + STEP;
        // One return now and then does not add up to a clone.
        for (epoch, at) in [2, 1, 2].into_iter().zip(500..) {
            clones.arrived(Epoch(epoch), window(at), later, WALL);
        }
        assert_eq!(clones.verdict(later, MEMORY), None);
        for epoch in 0..10_000 {
            clones.arrived(Epoch(epoch), window(600), later, WALL);
        }
        assert_eq!(clones.left.len(), LEFT);
    }

    #[test]
    fn a_number_used_twice_is_proof_at_once_and_keeps_its_beginning() {
        let (mut clones, now) = (Clones::default(), Instant::now());
        clones.number_reused(now, WALL);
        clones.number_reused(now, WALL.plus(STEP));
        let cloned = clones.verdict(now, STEP).unwrap();
        assert_eq!(
            (cloned.reason, cloned.since),
            (CloneReason::NumberReused, WALL)
        );
    }
}
