//! The sources of flows on this system.

use std::time::Duration;

use bwmon_core::collector::CollectError;
use bwmon_core::collectors::af_packet::{AfPacket, AfPacketConfig};
use bwmon_core::collectors::sock_diag::{SockDiag, SockDiagConfig};
use bwmon_core::frame::InterfaceId;
use bwmon_core::report::CaptureMethod;

use super::config::RingBytes;
use super::ladder::{Open, Source, Tap};
use super::libpcap;

/// How long one call may wait for frames. It holds the end of the agent up for as long.
const FRAME_PACE: Duration = Duration::from_millis(250);
/// The same for sock_diag, which reads every connection at the end of each call.
const CONNECTION_PACE: Duration = Duration::from_secs(1);

/// Linux's loopback interface: what stays on the host is counted where it is asked for.
const LOOPBACK: &str = "lo";

/// Opens what the kernel and libpcap offer.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    ring_bytes: RingBytes,
}

impl Sources {
    /// Sources whose ring has `ring_bytes`.
    pub(super) const fn new(ring_bytes: RingBytes) -> Self {
        Self { ring_bytes }
    }

    fn af_packet(&self, names: &[String]) -> Result<Source, CollectError> {
        let mut config = AfPacketConfig::new(names.to_vec());
        config.ring_bytes = self.ring_bytes.bytes();
        let ring = AfPacket::open(&config)?;
        let drain = ring.retire_timeout();
        Ok(Source {
            tap: Box::new(ring),
            drain,
            pace: FRAME_PACE,
        })
    }
}

impl Open for Sources {
    fn is_known(&self, method: CaptureMethod) -> bool {
        method != CaptureMethod::Libpcap || libpcap::IS_COMPILED_IN
    }

    fn open(&mut self, method: CaptureMethod, names: &[String]) -> Result<Source, CollectError> {
        match method {
            CaptureMethod::AfPacket => self.af_packet(names),
            CaptureMethod::Libpcap => libpcap::open(names, self.ring_bytes.bytes(), FRAME_PACE),
            CaptureMethod::SockDiag | CaptureMethod::HostPairs | CaptureMethod::Counters => {
                let mut config = SockDiagConfig::default();
                config.within_host = names.iter().any(|name| name == LOOPBACK);
                let tap = Box::new(SockDiag::open_with(&config)?);
                Ok(Source {
                    tap,
                    drain: Duration::ZERO,
                    pace: CONNECTION_PACE,
                })
            }
        }
    }
}

impl Tap for AfPacket {
    fn interfaces(&self) -> Vec<(InterfaceId, String)> {
        Self::interfaces(self)
    }
}

impl Tap for SockDiag {
    fn interfaces(&self) -> Vec<(InterfaceId, String)> {
        Vec::new()
    }
}
