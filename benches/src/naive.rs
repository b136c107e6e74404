//! What one would write in an afternoon: etherparse and the standard library's map.
//!
//! Lax slicing, because strict slicing refuses every packet that the snapshot length cut; one entry
//! per conversation with packets and bytes each way; no timestamps, no TCP flags, no bound.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};

/// Address and port; port 0 where the protocol has none.
pub type Endpoint = (IpAddr, u16);
/// IP protocol number, the smaller endpoint, the larger endpoint.
pub type Key = (u8, Endpoint, Endpoint);

/// Packets and bytes of a conversation, from the smaller endpoint to the larger and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Packets from the smaller endpoint.
    pub packets_ab: u64,
    /// Bytes on the wire from the smaller endpoint.
    pub bytes_ab: u64,
    /// Packets to the smaller endpoint.
    pub packets_ba: u64,
    /// Bytes on the wire to the smaller endpoint.
    pub bytes_ba: u64,
}

impl Counters {
    /// Bytes both ways.
    pub const fn bytes(&self) -> u64 {
        self.bytes_ab + self.bytes_ba
    }
}

/// Conversations and what is none.
#[derive(Debug, Default)]
pub struct Flows {
    map: HashMap<Key, Counters>,
    /// Packets of all kinds.
    pub frames: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Bytes on the wire of what is not IP, or could not be parsed.
    pub other_bytes: u64,
}

impl Flows {
    /// Counts one frame of `wire_len` bytes.
    pub fn frame(&mut self, bytes: &[u8], wire_len: u32) {
        let wire_len = u64::from(wire_len);
        self.frames += 1;
        self.bytes += wire_len;
        let Some((protocol, source, destination)) = parse(bytes) else {
            self.other_bytes += wire_len;
            return;
        };
        if source <= destination {
            let flow = self.map.entry((protocol, source, destination)).or_default();
            flow.packets_ab += 1;
            flow.bytes_ab += wire_len;
        } else {
            let flow = self.map.entry((protocol, destination, source)).or_default();
            flow.packets_ba += 1;
            flow.bytes_ba += wire_len;
        }
    }

    /// Number of conversations.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether no conversation was seen.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The `count` conversations with the most bytes, largest first.
    pub fn largest(&self, count: usize) -> Vec<(Key, Counters)> {
        let mut all: Vec<(Key, Counters)> = self.map.iter().map(|(k, c)| (*k, *c)).collect();
        all.sort_by_key(|(key, counters)| (Reverse(counters.bytes()), *key));
        all.truncate(count);
        all
    }
}

fn parse(bytes: &[u8]) -> Option<(u8, Endpoint, Endpoint)> {
    let packet = LaxSlicedPacket::from_ethernet(bytes).ok()?;
    let (source, destination, protocol): (IpAddr, IpAddr, u8) = match packet.net? {
        LaxNetSlice::Ipv4(ip) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
            ip.payload().ip_number.0,
        ),
        LaxNetSlice::Ipv6(ip) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
            ip.payload().ip_number.0,
        ),
        LaxNetSlice::Arp(_) => return None,
    };
    let (source_port, destination_port) = match packet.transport {
        Some(TransportSlice::Tcp(tcp)) => (tcp.source_port(), tcp.destination_port()),
        Some(TransportSlice::Udp(udp)) => (udp.source_port(), udp.destination_port()),
        _ => (0, 0),
    };
    Some((
        protocol,
        (source, source_port),
        (destination, destination_port),
    ))
}
