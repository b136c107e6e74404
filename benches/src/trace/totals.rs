use std::fmt;

use super::{Packet, Truth};

/// What a trace amounts to, as its generator knows it. Bytes are those on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// All packets.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets of IPv4.
    pub ipv4_frames: u64,
    /// Packets of IPv6.
    pub ipv6_frames: u64,
    /// Packets of ARP and LLDP.
    pub non_ip_frames: u64,
    /// Packets of TCP.
    pub tcp_frames: u64,
    /// Bytes of IPv4 and IPv6 packets.
    pub ip_bytes: u64,
    /// Flows, both directions as one.
    pub flows: u64,
    /// One bit for each flow that was seen.
    seen: Vec<u64>,
}

impl Totals {
    /// Counts a packet. A hostile one counts in `frames` and `bytes` only.
    pub fn add(&mut self, packet: &Packet<'_>) {
        self.frames += 1;
        self.bytes += u64::from(packet.wire_len);
        match packet.truth {
            Truth::Flow {
                flow,
                is_ipv6,
                is_tcp,
            } => {
                self.ipv4_frames += u64::from(!is_ipv6);
                self.ipv6_frames += u64::from(is_ipv6);
                self.tcp_frames += u64::from(is_tcp);
                self.ip_bytes += u64::from(packet.wire_len);
                self.flows += u64::from(self.is_first(flow));
            }
            Truth::NonIp => self.non_ip_frames += 1,
            Truth::Hostile => {}
        }
    }

    fn is_first(&mut self, flow: u32) -> bool {
        let (word, bit) = ((flow / 64) as usize, 1 << (flow % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        let Some(word) = self.seen.get_mut(word) else {
            return false;
        };
        let is_first = *word & bit == 0;
        *word |= bit;
        is_first
    }
}

impl fmt::Display for Totals {
    /// One `name=number` per line, as shells read it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = [
            ("frames", self.frames),
            ("bytes", self.bytes),
            ("ipv4_frames", self.ipv4_frames),
            ("ipv6_frames", self.ipv6_frames),
            ("non_ip_frames", self.non_ip_frames),
            ("tcp_frames", self.tcp_frames),
            ("ip_bytes", self.ip_bytes),
            ("flows", self.flows),
        ];
        for (name, number) in numbers {
            writeln!(f, "{name}={number}")?;
        }
        Ok(())
    }
}
