//! Support for the benchmarks: reproducible traces in memory and as capture files, and a naive peer
//! to hold the packet path against.

#![warn(missing_docs)]

pub mod naive;
pub mod pcap;
pub mod trace;
