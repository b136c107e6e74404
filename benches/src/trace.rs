//! A generated trace, the same for the same seed.
//!
//! Frame sizes 64, 594 and 1518 bytes at 7:4:1 (the "simple IMIX", frame check sequence included,
//! which a capture does not see), flows by Zipf's law with exponent 1.1, IPv4 80 %, IPv6 18 %,
//! ARP 2 %, 5 % of the frames with an 802.1Q tag, TCP and UDP at 3:1, both directions of each flow.

use bwmon_core::frame::{Direction, Frame, InterfaceId, LinkType};
use bwmon_core::time::Timestamp;
use fastrand::Rng;

/// Length of the Ethernet frame check sequence in bytes.
const FCS_BYTES: usize = 4;
const ZIPF_EXPONENT: f64 = 1.1;
/// The interface on which every frame of a trace is seen.
pub const INTERFACE: InterfaceId = InterfaceId(2);

/// Frames in memory, one behind the other.
#[derive(Debug, Default)]
pub struct Trace {
    bytes: Vec<u8>,
    frames: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
    direction: Direction,
}

impl Trace {
    /// `frames` frames of at most `flows` flows, half of them in each address family.
    pub fn mixed(frames: usize, flows: usize, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let zipf = Zipf::new(flows / 2);
        let mut trace = Self::default();
        for _ in 0..frames {
            let direction = if rng.bool() {
                Direction::Ingress
            } else {
                Direction::Egress
            };
            let start = trace.bytes.len();
            let flow = zipf.draw(&mut rng);
            write_frame(&mut trace.bytes, flow, direction, &mut rng);
            let end = trace.bytes.len();
            trace.frames.push(Place {
                start,
                end,
                direction,
            });
        }
        trace
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Wire bytes of all frames.
    pub fn wire_bytes(&self) -> u64 {
        self.frames().map(|frame| u64::from(frame.wire_len)).sum()
    }

    /// The frames in order, 1 microsecond apart, each captured in full.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        (0_u64..).zip(&self.frames).map(|(number, place)| {
            let bytes = self.bytes.get(place.start..place.end).unwrap_or_default();
            Frame {
                at: Timestamp::from_micros(1_795_000_000_000_000 + number),
                interface: INTERFACE,
                direction: place.direction,
                link: LinkType::Ethernet,
                stripped_vlan: None,
                wire_len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
                bytes,
            }
        })
    }
}

/// Numbers from 0 whose frequency falls with their rank.
#[derive(Debug)]
struct Zipf {
    cumulated: Vec<f64>,
}

impl Zipf {
    fn new(count: usize) -> Self {
        let mut sum = 0.0;
        let cumulated = (1..=count)
            .map(|rank| {
                sum += (rank as f64).powf(-ZIPF_EXPONENT);
                sum
            })
            .collect();
        Self { cumulated }
    }

    fn draw(&self, rng: &mut Rng) -> u64 {
        let total = self.cumulated.last().copied().unwrap_or_default();
        let at = rng.f64() * total;
        self.cumulated.partition_point(|sum| *sum < at) as u64
    }
}

fn write_frame(out: &mut Vec<u8>, flow: u64, direction: Direction, rng: &mut Rng) {
    let size = match rng.u8(0..12) {
        0..7 => 64,
        7..11 => 594,
        _ => 1518,
    } - FCS_BYTES;
    let start = out.len();
    out.extend_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
    if rng.u8(0..100) < 5 {
        out.extend_from_slice(&[0x81, 0x00, 0x00, 0x07]);
    }
    if rng.u8(0..100) < 2 {
        write_arp(out);
        out.resize((start + size).max(out.len()), 0);
        return;
    }
    // The flow decides its protocol, so that its key stays the same.
    let is_tcp = !flow.is_multiple_of(4);
    let transport = if is_tcp { 20 } else { 8 };
    let is_ipv6 = rng.u8(0..98) < 18;
    let network = if is_ipv6 { 40 } else { 20 };
    let header = out.len() + 2 - start + network + transport;
    let payload = size.saturating_sub(header) + transport;
    let protocol = if is_tcp { 6 } else { 17 };
    if is_ipv6 {
        write_ipv6(out, flow, direction, protocol, payload);
    } else {
        write_ipv4(out, flow, direction, protocol, payload);
    }
    write_transport(out, flow, direction, is_tcp, payload);
}

fn write_arp(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
    out.extend_from_slice(&[2, 0, 0, 0, 0, 2, 10, 0, 0, 1]);
    out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 10, 0, 0, 2]);
}

fn write_ipv4(out: &mut Vec<u8>, flow: u64, direction: Direction, protocol: u8, payload: usize) {
    let total = u16::try_from(payload + 20).unwrap_or(u16::MAX);
    let [.., a, b, c] = flow.to_be_bytes();
    let (here, there) = ([10, 0, 0, 1], [198, a ^ 18, b, c]);
    let (source, destination) = ordered(direction, here, there);
    out.extend_from_slice(&[0x08, 0x00, 0x45, 0]);
    out.extend_from_slice(&total.to_be_bytes());
    out.extend_from_slice(&[0, 0, 0x40, 0, 64, protocol, 0, 0]);
    out.extend_from_slice(&source);
    out.extend_from_slice(&destination);
}

fn write_ipv6(out: &mut Vec<u8>, flow: u64, direction: Direction, protocol: u8, payload: usize) {
    let length = u16::try_from(payload).unwrap_or(u16::MAX);
    let here = (0x2001_0db8_u128 << 96) + 1;
    let there = (0x2001_0db8_u128 << 96) + (1 << 64) + u128::from(flow);
    let (source, destination) = ordered(direction, here.to_be_bytes(), there.to_be_bytes());
    out.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&[protocol, 64]);
    out.extend_from_slice(&source);
    out.extend_from_slice(&destination);
}

fn write_transport(out: &mut Vec<u8>, flow: u64, direction: Direction, is_tcp: bool, len: usize) {
    let start = out.len();
    let [.., high, low] = flow.to_be_bytes();
    let (source, destination) = ordered(direction, [0x80 | high, low], [0x01, 0xbb]);
    out.extend_from_slice(&source);
    out.extend_from_slice(&destination);
    if is_tcp {
        out.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0x20, 0, 0, 0, 0, 0]);
    } else {
        out.extend_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(&[0, 0]);
    }
    out.resize(start + len, 0);
}

fn ordered<T>(direction: Direction, here: T, there: T) -> (T, T) {
    match direction {
        Direction::Egress => (here, there),
        Direction::Ingress | Direction::Unknown => (there, here),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bwmon_core::collector::Observer;
    use bwmon_core::monitor::{Monitor, MonitorConfig};
    use bwmon_core::packet::{Parsed, parse};

    use super::*;
    use crate::naive::NaiveFlows;

    #[test]
    fn the_mixture_is_what_the_description_says() {
        let trace = Trace::mixed(50_000, 10_000, 1);
        let mut shares = [0.0; 4];
        for frame in trace.frames() {
            let class = match parse(frame.link, frame.bytes) {
                Parsed::Ip(view) if view.vlan.is_some() => 3,
                Parsed::Ip(view) if view.source().is_ipv4() => 0,
                Parsed::Ip(_) => 1,
                Parsed::NonIp(_) => 2,
                Parsed::Malformed(reason) => panic!("{reason:?}"),
            };
            shares[class] += 100.0 / trace.len() as f64;
        }
        for (share, (low, high)) in
            shares
                .iter()
                .zip([(70.0, 82.0), (12.0, 24.0), (1.5, 2.5), (4.0, 6.0)])
        {
            assert!((low..high).contains(share), "{shares:?}");
        }
    }

    #[test]
    fn the_monitor_and_the_naive_peer_agree_on_every_byte() {
        let trace = Trace::mixed(20_000, 2_000, 2);
        let mut monitor = Monitor::new(MonitorConfig::default());
        let mut naive = NaiveFlows::default();
        for frame in trace.frames() {
            naive.frame(frame.bytes, frame.wire_len);
            monitor.frame(frame);
        }
        let interval = monitor.rotate(Timestamp::from_secs(1_795_000_002), Duration::from_secs(2));
        let monitored: u64 = interval
            .flows
            .iter()
            .map(|flow| flow.traffic.total_bytes())
            .sum();
        assert_eq!(monitored, naive.bytes());
        assert_eq!(monitored + naive.other_bytes, trace.wire_bytes());
        assert!(interval.flows.len() > 1_000, "{}", interval.flows.len());
    }
}
