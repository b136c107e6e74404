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
#[path = "../wait/mod.rs"]
mod wait;

pub(crate) use collector::{Collector, Received};
pub(crate) use process::{Agent, as_nobody};
pub(crate) use wait::wait_for;
