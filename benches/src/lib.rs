//! Support for the benchmarks: a reproducible trace, and a naive peer to hold the packet path against.

#![warn(missing_docs)]

pub mod naive;
pub mod trace;
