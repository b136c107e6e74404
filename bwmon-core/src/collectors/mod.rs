//! Sources of frames and samples: the I/O edge of the crate, each behind a feature.

// Clocks, files, sockets and threads belong here and nowhere else in the crate (clippy.toml).
#![allow(clippy::disallowed_methods)]

#[cfg(all(feature = "af_packet", target_os = "linux"))]
pub mod af_packet;
#[cfg(feature = "capture_file")]
pub mod capture_file;
#[cfg(any(
    all(
        any(feature = "af_packet", feature = "ping", feature = "sock_diag"),
        target_os = "linux"
    ),
    feature = "pcap",
    feature = "system"
))]
mod clock;
#[cfg(any(all(feature = "af_packet", target_os = "linux"), feature = "pcap"))]
mod interfaces;
#[cfg(feature = "pcap")]
pub mod pcap;
#[cfg(all(feature = "ping", target_os = "linux"))]
pub mod ping;
#[cfg(all(feature = "sock_diag", target_os = "linux"))]
pub mod sock_diag;
#[cfg(feature = "system")]
pub mod system;
