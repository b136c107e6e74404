//! Between an agent and its collector lie failures. Here they are made on purpose, between the real
//! binaries, and a ledger compares what was said with what is stored.
//!
//! An ordinary run of the tests has a short form of each; `make soak` runs all of it.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a helper fails a test by panicking; sums of counts are exact"
)]

mod days;
mod disks;
mod emitter;
mod hole;
mod kills;
mod lab;
mod ledger;
mod line;
mod proxy;
mod scale;
#[path = "../support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses its own part of this"
)]
mod support;
