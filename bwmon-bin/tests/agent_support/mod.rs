//! The real agent against a small collector that keeps what it is told.
// Each test binary uses a part of this, and a helper fails a test by panicking.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::indexing_slicing
)]

mod collector;
mod process;

use std::time::{Duration, Instant};

pub(crate) use collector::{Collector, Received};
pub(crate) use process::{Agent, as_nobody};

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
