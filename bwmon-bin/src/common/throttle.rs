//! Keeps what clients cause from filling the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines within one [`WINDOW`].
const LINES: u32 = 20;
/// How long the lines are counted together.
const WINDOW: Duration = Duration::from_secs(60);

/// Lets a few lines a minute through, and counts the others.
#[derive(Debug, Default)]
pub struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    since: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Throttle {
    /// How many lines were left out since the last that passed, if one may pass at `now`.
    pub fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |since| now.duration_since(since) >= WINDOW;
        if state.since.is_none_or(is_over) {
            state.since = Some(now);
            state.lines = 0;
        }
        if state.lines == LINES {
            state.left_out += 1;
            return None;
        }
        state.lines += 1;
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted_and_a_minute_later_heard_again() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let passed = (0..1_000)
            .filter(|_| throttle.pass(start).is_some())
            .count();
        assert_eq!(passed, 20);
        assert_eq!(throttle.pass(start + WINDOW), Some(980));
        assert_eq!(throttle.pass(start + WINDOW), Some(0));
    }
}
