//! The real agent against a small collector that keeps what it is told.
#![allow(dead_code)]

mod collector;
mod process;

use std::time::{Duration, Instant};

pub(crate) use collector::{Collector, Received};
pub(crate) use process::{Agent, as_nobody, is_root};

/// How long anything may take before a test gives up: a guard against a hang, not a measure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "gave up waiting for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
