//! Headers as they are on the wire. What follows them is zeros.

use bwmon_core::frame::Direction;
use fastrand::Rng;

use super::SNAP_LEN;
use super::flow::{Addresses, Flow, Transport};

pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;
pub(super) const VLAN: u16 = 0x8100;
const ARP: u16 = 0x0806;
const LLDP: u16 = 0x88cc;
const SHORTEST: usize = 64;
const TCP_ACK: u8 = 0x10;
const TCP_PSH: u8 = 0x08;

/// Writes what is captured of a packet of a flow; answers its length on the wire, which is
/// `wire_len` or what its headers need.
pub(super) fn flow_packet(
    out: &mut Vec<u8>,
    flow: &Flow,
    direction: Direction,
    wire_len: u32,
    rng: &mut Rng,
) -> u32 {
    let ethertype = if flow.is_ipv6() { IPV6 } else { IPV4 };
    ethernet(out, direction);
    if let Some(vlan) = flow.vlan {
        out.extend_from_slice(&VLAN.to_be_bytes());
        out.extend_from_slice(&vlan.to_be_bytes());
    }
    out.extend_from_slice(&ethertype.to_be_bytes());
    let headers = out.len() + network_len(flow) + transport_len(flow.transport);
    let wire_len = wire_len.max(to_u32(headers));
    let payload = wire_len as usize - headers;
    ip(out, flow, direction, payload, rng);
    pad(out, wire_len as usize);
    wire_len
}

/// Writes an ARP request or an LLDP announcement; answers its length on the wire.
pub(super) fn non_ip(out: &mut Vec<u8>, rng: &mut Rng) -> u32 {
    ethernet(out, Direction::Egress);
    if rng.u8(0..4) == 0 {
        out.extend_from_slice(&LLDP.to_be_bytes());
        // Chassis and port by their addresses, time to live 120 s, end.
        out.extend_from_slice(&[2, 7, 4, 2, 0, 0, 0, 0, 1, 4, 7, 3, 2, 0, 0, 0, 0, 1]);
        out.extend_from_slice(&[6, 2, 0, 120, 0, 0]);
    } else {
        out.extend_from_slice(&ARP.to_be_bytes());
        out.extend_from_slice(&[0, 1, 8, 0, 6, 4, 0, 1]);
        out.extend_from_slice(&[2, 0, 0, 0, 0, 1, 10, 0, 0, 1]);
        out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 10, 0, rng.u8(..), rng.u8(..)]);
    }
    pad(out, SHORTEST);
    to_u32(SHORTEST)
}

/// The addresses of an Ethernet header; the EtherType follows.
pub(super) fn ethernet(out: &mut Vec<u8>, direction: Direction) {
    let (source, destination) = ordered(direction, [2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    out.extend_from_slice(&destination);
    out.extend_from_slice(&source);
}

/// IP and transport header of a packet with this many bytes of payload.
pub(super) fn ip(
    out: &mut Vec<u8>,
    flow: &Flow,
    direction: Direction,
    payload: usize,
    rng: &mut Rng,
) {
    let length = to_u16(transport_len(flow.transport) + payload);
    let protocol = protocol(flow);
    let pseudo = match flow.addresses {
        Addresses::V4 { local, remote } => {
            let (source, destination) = ordered(direction, local, remote);
            ipv4(out, source, destination, protocol, length, rng.u16(..));
            sum(&source) + sum(&destination)
        }
        Addresses::V6 { local, remote } => {
            let (source, destination) = ordered(direction, local, remote);
            out.extend_from_slice(&[0x60, 0, 0, 0]);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&[protocol, 64]);
            out.extend_from_slice(&source);
            out.extend_from_slice(&destination);
            sum(&source) + sum(&destination)
        }
    };
    let pseudo = pseudo + u64::from(protocol) + u64::from(length);
    transport(out, flow, direction, (pseudo, payload), rng);
}

/// A header of 20 bytes for `length` bytes behind it.
pub(super) fn ipv4(
    out: &mut Vec<u8>,
    source: [u8; 4],
    destination: [u8; 4],
    protocol: u8,
    length: u16,
    identification: u16,
) {
    const DONT_FRAGMENT: u16 = 0x4000;
    let total = length.saturating_add(20);
    let [total_high, total_low] = total.to_be_bytes();
    let mut header = [0; 20];
    let fixed = [0x45, 0, total_high, total_low];
    let rest = [64, protocol, 0, 0];
    let parts: [&[u8]; 6] = [
        &fixed,
        &identification.to_be_bytes(),
        &DONT_FRAGMENT.to_be_bytes(),
        &rest,
        &source,
        &destination,
    ];
    fill(&mut header, &parts);
    set_checksum(&mut header, 10, 0);
    out.extend_from_slice(&header);
}

fn transport(
    out: &mut Vec<u8>,
    flow: &Flow,
    direction: Direction,
    (pseudo, payload): (u64, usize),
    rng: &mut Rng,
) {
    let (source, destination) = ordered(direction, flow.local_port, flow.remote_port);
    let (source, destination) = (source.to_be_bytes(), destination.to_be_bytes());
    match flow.transport {
        Transport::Tcp => {
            let flags = if payload > 0 {
                TCP_ACK | TCP_PSH
            } else {
                TCP_ACK
            };
            let mut header = [0; 20];
            let numbers = rng.u64(..).to_be_bytes();
            let rest = [0x50, flags, 0x20, 0, 0, 0, 0, 0];
            fill(&mut header, &[&source, &destination, &numbers, &rest]);
            set_checksum(&mut header, 16, pseudo);
            out.extend_from_slice(&header);
        }
        Transport::Udp => {
            let mut header = [0; 8];
            let length = to_u16(8 + payload).to_be_bytes();
            fill(&mut header, &[&source, &destination, &length, &[0, 0]]);
            set_checksum(&mut header, 6, pseudo);
            out.extend_from_slice(&header);
        }
        Transport::Icmp => {
            let is_request = direction == Direction::Egress;
            let (kind, pseudo) = match (flow.is_ipv6(), is_request) {
                (false, true) => (8, 0),
                (false, false) => (0, 0),
                (true, true) => (128, pseudo),
                (true, false) => (129, pseudo),
            };
            let mut header = [0; 8];
            let identifier = flow.local_port.to_be_bytes();
            let number = rng.u16(..).to_be_bytes();
            fill(&mut header, &[&[kind, 0, 0, 0], &identifier, &number]);
            set_checksum(&mut header, 2, pseudo);
            out.extend_from_slice(&header);
        }
    }
}

/// What the next-header field says.
fn protocol(flow: &Flow) -> u8 {
    match (flow.transport, flow.is_ipv6()) {
        (Transport::Tcp, _) => 6,
        (Transport::Udp, _) => 17,
        (Transport::Icmp, false) => 1,
        (Transport::Icmp, true) => 58,
    }
}

fn network_len(flow: &Flow) -> usize {
    if flow.is_ipv6() { 40 } else { 20 }
}

fn transport_len(transport: Transport) -> usize {
    match transport {
        Transport::Tcp => 20,
        Transport::Udp | Transport::Icmp => 8,
    }
}

fn pad(out: &mut Vec<u8>, wire_len: usize) {
    if out.len() < wire_len {
        out.resize(wire_len.min(SNAP_LEN).max(out.len()), 0);
    }
}

fn ordered<T>(direction: Direction, local: T, remote: T) -> (T, T) {
    match direction {
        Direction::Egress => (local, remote),
        Direction::Ingress | Direction::Unknown => (remote, local),
    }
}

fn fill(header: &mut [u8], parts: &[&[u8]]) {
    let bytes = parts.iter().flat_map(|part| part.iter());
    for (place, byte) in header.iter_mut().zip(bytes) {
        *place = *byte;
    }
}

/// Puts the Internet checksum (RFC 1071) over `header`, `pseudo` and zeros at `offset`.
fn set_checksum(header: &mut [u8], offset: usize, pseudo: u64) {
    let mut folded = sum(header) + pseudo;
    while folded > 0xffff {
        folded = (folded & 0xffff) + (folded >> 16);
    }
    let [.., high, low] = (!folded).to_be_bytes();
    for (place, byte) in header.iter_mut().skip(offset).zip([high, low]) {
        *place = byte;
    }
}

/// Sum of the 16-bit words.
fn sum(bytes: &[u8]) -> u64 {
    bytes
        .chunks_exact(2)
        .map(|pair| {
            pair.iter()
                .fold(0, |word, byte| (word << 8) | u64::from(*byte))
        })
        .sum()
}

fn to_u16(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn to_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
