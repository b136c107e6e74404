//! What happened, as the agents saw it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bwmon_core::report::Fate;

/// What all agents add to.
#[derive(Debug, Default)]
pub(crate) struct Tallies(Mutex<Tally>);

#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Reports that agents made.
    pub(crate) made: u64,
    /// Records that were acknowledged as stored, those that begin an epoch included.
    pub(crate) stored: u64,
    pub(crate) duplicate: u64,
    /// Records that were refused for good.
    pub(crate) refused: u64,
    /// Deliveries that were answered with anything but 200.
    pub(crate) turned_away: u64,
    /// Words of the last such answer.
    pub(crate) words: String,
    /// Deliveries without any answer.
    pub(crate) unanswered: u64,
    /// Reports that agents let go because they held too many.
    pub(crate) dropped: u64,
    /// From sending to acknowledgement, in microseconds.
    pub(crate) latencies: Vec<u32>,
    /// When connections were made.
    pub(crate) connects: Vec<Instant>,
    /// Since when agents are to report again, how many have, and when the last one did.
    pub(crate) awaited: Option<Instant>,
    pub(crate) fresh: usize,
    pub(crate) last_fresh: Option<Instant>,
}

impl Tallies {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a phase, in which all is counted anew. Gives what was counted before.
    pub(crate) fn turn(&self) -> Tally {
        let mut tally = self.lock();
        let next = Tally {
            awaited: tally.awaited,
            ..Tally::default()
        };
        std::mem::replace(&mut *tally, next)
    }
}

impl Tally {
    pub(crate) fn fates(&mut self, fates: &[Fate]) {
        for fate in fates {
            match fate {
                Fate::Stored => self.stored += 1,
                Fate::Duplicate => self.duplicate += 1,
                _ => self.refused += 1,
            }
        }
    }

    /// Adds what became of the records of another phase.
    pub(crate) fn add(&mut self, other: &Self) {
        self.made += other.made;
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.refused += other.refused;
        self.turned_away += other.turned_away;
        self.unanswered += other.unanswered;
        self.dropped += other.dropped;
    }

    pub(crate) fn acknowledged(&mut self, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.latencies.push(micros);
    }
}
