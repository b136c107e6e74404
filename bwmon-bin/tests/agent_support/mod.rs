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

pub(crate) use collector::{Collector, Received, Reply};
pub(crate) use process::{AGENT_ID, Agent, CREDENTIAL, as_nobody, enrol_by_hand};
pub(crate) use wait::wait_for;
