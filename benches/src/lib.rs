//! Support for the benchmarks: reproducible traces in memory and as capture files, and a naive peer
//! to hold the packet path against.

#![warn(missing_docs)]

#[cfg(feature = "ingest")]
pub mod ingest;
pub mod naive;
pub mod pcap;
pub mod trace;
