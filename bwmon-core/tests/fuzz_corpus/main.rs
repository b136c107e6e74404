//! Replays the corpora of `fuzz/` on the stable compiler, and holds the named seeds to what they mean.
//!
//! What a fuzz target checks is a function of `fuzz/src`, which is included here. A seed is made here and
//! kept in git as the fuzzer wants it, one file each; a crash that the fuzzer finds is put beside them under
//! a name that says what it was, and is replayed from then on.
//! `BWMON_WRITE_SEEDS=1 cargo test -p bwmon-core --all-features --test fuzz_corpus` writes the seeds anew.

#![cfg(all(feature = "af_packet", feature = "capture_file", target_os = "linux"))]
// Reads files, which nothing in the crate itself may do.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

mod captures;
mod files;
mod link_layers;
#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, clippy::cast_possible_truncation)]
mod oracles;
mod packet;
mod recipes;
mod report_json;
mod wire;
