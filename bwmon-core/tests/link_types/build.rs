//! Bytes of packets and capture files.

use bwmon_core::frame::LinkType;
use etherparse::PacketBuilder;

pub(crate) const TCP4: &str = "10.0.0.1 49152 > 198.51.100.7 443 protocol 6";
pub(crate) const UDP4: &str = "10.0.0.1 5353 > 198.51.100.7 53 protocol 17";
pub(crate) const TCP6: &str = "2001:db8::1 49152 > 2001:db8::7 443 protocol 6";
pub(crate) const UDP6: &str = "2001:db8::1 5353 > 2001:db8::7 53 protocol 17";

const SOURCE4: [u8; 4] = [10, 0, 0, 1];
const DESTINATION4: [u8; 4] = [198, 51, 100, 7];

/// A name, the bytes, and what must be found.
pub(crate) type Frame = (&'static str, Vec<u8>, &'static str);

#[derive(Clone)]
pub(crate) struct Capture {
    /// Its file name, which begins with its LINKTYPE_ number.
    pub(crate) name: &'static str,
    pub(crate) frames: Vec<Frame>,
}

impl Capture {
    pub(crate) fn number(&self) -> u32 {
        let digits = self.name.split('-').next().unwrap_or_default();
        digits.parse().expect("a number before the first hyphen")
    }

    pub(crate) fn link(&self) -> LinkType {
        LinkType::from_linktype(self.number())
    }

    /// The classic format: little-endian, microseconds, one frame a second.
    pub(crate) fn file(&self) -> Vec<u8> {
        let mut words = vec![0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, self.number()];
        let mut file = Vec::new();
        for (second, (_, bytes, _)) in (1_700_000_000..).zip(&self.frames) {
            let length = u32::try_from(bytes.len()).expect("a short frame");
            words.extend([second, 0, length, length]);
            file.extend(words.drain(..).flat_map(u32::to_le_bytes));
            file.extend(bytes);
        }
        file
    }
}

pub(crate) fn capture<const N: usize>(name: &'static str, frames: [Frame; N]) -> Capture {
    Capture {
        name,
        frames: frames.into(),
    }
}

pub(crate) fn tcp4() -> Vec<u8> {
    let step = PacketBuilder::ipv4(SOURCE4, DESTINATION4, 64);
    let mut packet = Vec::new();
    step.tcp(49_152, 443, 1, 1_000)
        .syn()
        .write(&mut packet, b"")
        .expect("a packet");
    packet
}

pub(crate) fn udp4() -> Vec<u8> {
    let step = PacketBuilder::ipv4(SOURCE4, DESTINATION4, 64);
    let mut packet = Vec::new();
    step.udp(5_353, 53)
        .write(&mut packet, b"question")
        .expect("a packet");
    packet
}

/// The header of an IPv4 packet without options, then `payload`.
pub(crate) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + payload.len()).expect("a short packet");
    let [high, low] = total.to_be_bytes();
    let fixed = [0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0];
    [&fixed, &SOURCE4[..], &DESTINATION4, payload].concat()
}

/// The header of an IPv6 packet, then `payload`.
pub(crate) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(payload.len())
        .expect("a short packet")
        .to_be_bytes();
    let address = |last| {
        [
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last,
        ]
    };
    let fixed = [0x60, 0, 0, 0, high, low, next, 64];
    [&fixed[..], &address(1), &address(7), payload].concat()
}

/// 20 bytes of TCP without an IP header.
pub(crate) fn tcp() -> Vec<u8> {
    tcp4().split_off(20)
}

/// Eight bytes of UDP and as many of payload, without an IP header.
pub(crate) fn udp() -> Vec<u8> {
    udp4().split_off(20)
}

pub(crate) fn tcp6() -> Vec<u8> {
    ipv6(6, &tcp())
}

pub(crate) fn udp6() -> Vec<u8> {
    ipv6(17, &udp())
}

pub(crate) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(crate) fn with(mut bytes: Vec<u8>, changes: &[(usize, u8)]) -> Vec<u8> {
    for &(at, byte) in changes {
        *bytes.get_mut(at).expect("a byte to change") = byte;
    }
    bytes
}

pub(crate) fn cut(mut bytes: Vec<u8>, end: usize) -> Vec<u8> {
    assert!(end < bytes.len(), "nothing to cut");
    bytes.truncate(end);
    bytes
}

pub(crate) const ADDRESSES: [u8; 12] = [2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 1];

/// Ethernet addresses, a type, `payload`.
pub(crate) fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&ADDRESSES, &ethertype.to_be_bytes(), payload])
}

/// A type, then `payload`.
pub(crate) fn typed(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&ethertype.to_be_bytes(), payload])
}

/// LLC and SNAP (RFC 1042), then `payload`.
pub(crate) fn snap(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &ethertype.to_be_bytes(), payload])
}

/// One MPLS label.
pub(crate) fn label(number: u32, is_bottom: bool) -> [u8; 4] {
    (number << 12 | u32::from(is_bottom) << 8 | 64).to_be_bytes()
}

/// An ARP request without an Ethernet header.
pub(crate) fn arp() -> Vec<u8> {
    join(&[&[0, 1, 8, 0, 6, 4, 0, 1], &[0; 20]])
}
