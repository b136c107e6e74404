//! The laws of [`Collector`](crate::collector) as tests.

// A collector that hangs is found only from another thread.
#![allow(clippy::disallowed_methods)]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::RecordingObserver;
use crate::Collector;
use crate::collector::{Losses, Progress};

/// What each call may take.
const BUDGET: Duration = Duration::from_millis(20);
/// Far beyond any budget on any machine: what is not back by then hangs.
const HANG: Duration = Duration::from_secs(30);
/// Calls that may say `Busy` in a row without delivering anything.
const EMPTY_ROUNDS: usize = 64;

/// Calls `collect` with a budget of 20 ms, at most `rounds` times, and checks the laws that can be
/// seen from outside: it returns (1), progress is told as it is (2), frames are not longer than
/// their length on the wire (3), losses never go back (4), and it goes on after an error that says
/// so (5). Says what was observed, for further checks by the caller.
///
/// Time is only a guard against a collector that hangs: 30 s for a call of 20 ms.
///
/// # Panics
/// With the number of the law that is broken.
pub fn conformance(collector: Box<dyn Collector>, rounds: usize) -> RecordingObserver {
    let name = collector.name().to_owned();
    let (beat, beats) = mpsc::channel();
    let rounds = thread::spawn(move || run(collector, rounds, &beat));
    loop {
        match beats.recv_timeout(HANG) {
            Ok(()) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                panic!("law 1: {name} did not return from a call of {BUDGET:?} within {HANG:?}")
            }
        }
    }
    match rounds.join() {
        Ok(observed) => observed,
        Err(broken) => std::panic::resume_unwind(broken),
    }
}

fn run(
    mut collector: Box<dyn Collector>,
    rounds: usize,
    beat: &mpsc::Sender<()>,
) -> RecordingObserver {
    let name = collector.name().to_owned();
    let mut observed = RecordingObserver::default();
    let mut losses = collector.losses();
    let mut empty_rounds = 0;
    let mut has_ended = false;
    for _ in 0..rounds {
        let before = observed.count();
        let progress = collector.collect(BUDGET, &mut observed);
        let is_empty = observed.count() == before;
        losses = not_back(&name, &losses, collector.losses());
        // The receiver is gone only when the suite has failed already.
        let _ = beat.send(());
        assert!(
            !has_ended || (is_empty && matches!(progress, Ok(Progress::Ended))),
            "law 2: {name} said that it had ended, and went on"
        );
        match progress {
            Ok(progress) => {
                has_ended = progress == Progress::Ended;
                let is_idle = progress != Progress::Busy || !is_empty;
                empty_rounds = if is_idle { 0 } else { empty_rounds + 1 };
            }
            Err(error) if error.is_retryable() => {}
            Err(_) => break,
        }
        assert!(
            empty_rounds < EMPTY_ROUNDS,
            "law 2: {name} says `Busy` for ever and delivers nothing"
        );
    }
    for frame in &observed.frames {
        let captured = frame.bytes.len();
        let is_whole = usize::try_from(frame.wire_len).is_ok_and(|wire| wire >= captured);
        let wire = frame.wire_len;
        assert!(
            is_whole,
            "law 3: {name} captured {captured} bytes of a frame of {wire}"
        );
    }
    observed
}

fn not_back(name: &str, before: &Losses, now: Losses) -> Losses {
    for known in &before.sources {
        let same = now.sources.iter().find(|loss| loss.is_same_source(known));
        let is_monotone =
            same.is_some_and(|now| now.received >= known.received && now.dropped >= known.dropped);
        assert!(
            is_monotone,
            "law 4: losses of {name} went back: {known:?}, then {same:?}"
        );
    }
    now
}
