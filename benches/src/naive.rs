//! What one would write in an afternoon: strict parsing and the standard library's map.

use std::collections::HashMap;
use std::net::IpAddr;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};

/// Source and port, destination and port, protocol.
pub type NaiveKey = (IpAddr, u16, IpAddr, u16, u8);

/// Wire bytes by source, destination and protocol, one entry for each direction.
#[derive(Debug, Default)]
pub struct NaiveFlows {
    flows: HashMap<NaiveKey, (u64, u64)>,
    /// Wire bytes of what is not IP, or could not be parsed.
    pub other_bytes: u64,
}

impl NaiveFlows {
    /// Counts one frame of `wire_len` bytes.
    pub fn frame(&mut self, bytes: &[u8], wire_len: u32) {
        let Some(key) = key(bytes) else {
            self.other_bytes += u64::from(wire_len);
            return;
        };
        let flow = self.flows.entry(key).or_default();
        flow.0 += u64::from(wire_len);
        flow.1 += 1;
    }

    /// Number of flows, each direction counted by itself.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether no flow was counted.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// Wire bytes of all flows.
    pub fn bytes(&self) -> u64 {
        self.flows.values().map(|(bytes, _)| bytes).sum()
    }

    /// Moves the flows out as a list, as at the end of a window.
    pub fn take(&mut self) -> Vec<(NaiveKey, (u64, u64))> {
        self.flows.drain().collect()
    }
}

fn key(bytes: &[u8]) -> Option<NaiveKey> {
    let packet = SlicedPacket::from_ethernet(bytes).ok()?;
    let (source, destination, protocol) = match packet.net? {
        NetSlice::Ipv4(ip) => (
            IpAddr::V4(ip.header().source_addr()),
            IpAddr::V4(ip.header().destination_addr()),
            ip.payload().ip_number.0,
        ),
        NetSlice::Ipv6(ip) => (
            IpAddr::V6(ip.header().source_addr()),
            IpAddr::V6(ip.header().destination_addr()),
            ip.payload().ip_number.0,
        ),
        NetSlice::Arp(_) => return None,
    };
    let (source_port, destination_port) = match packet.transport {
        Some(TransportSlice::Tcp(tcp)) => (tcp.source_port(), tcp.destination_port()),
        Some(TransportSlice::Udp(udp)) => (udp.source_port(), udp.destination_port()),
        _ => (0, 0),
    };
    Some((source, source_port, destination, destination_port, protocol))
}
