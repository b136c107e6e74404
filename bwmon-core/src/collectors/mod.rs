//! Sources of frames and samples: the I/O edge of the crate, each behind a feature.

#[cfg(all(feature = "af_packet", target_os = "linux"))]
pub mod af_packet;
#[cfg(any(all(feature = "af_packet", target_os = "linux"), feature = "pcap"))]
mod interfaces;
#[cfg(feature = "pcap")]
pub mod pcap;
#[cfg(all(feature = "sock_diag", target_os = "linux"))]
pub mod sock_diag;
#[cfg(feature = "system")]
pub mod system;
