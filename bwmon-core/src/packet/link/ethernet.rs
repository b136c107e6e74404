//! Ethernet, what EtherTypes stand for, IEEE 802.2, FDDI and MPLS.

use super::{Layer, Step, be16, cut, malformed};
use crate::frame::LinkType;

/// Type fields below this are lengths (IEEE 802.3, clause 3.2.6).
const FIRST_ETHERTYPE: u16 = 0x0600;

pub(super) fn ethernet(bytes: &[u8]) -> Step<'_> {
    typed(bytes, 12, "ethernet")
}

/// FDDI: a frame control byte and two addresses before the LLC header.
pub(super) fn fddi(bytes: &[u8]) -> Step<'_> {
    match bytes.get(13..) {
        // Asynchronous LLC frames only; the others manage the ring.
        Some(rest) if bytes.first().is_some_and(|control| control & 0xf0 == 0x50) => {
            Step::Next(Layer::Llc, rest)
        }
        Some(_) => Step::NonIp(0),
        None => cut("fddi"),
    }
}

/// What follows an EtherType.
pub(super) fn payload(ethertype: u16, bytes: &[u8]) -> Step<'_> {
    match ethertype {
        0x0800 => Step::Next(Layer::Ipv4, bytes),
        0x86dd => Step::Next(Layer::Ipv6, bytes),
        // IEEE 802.1Q, 802.1ad, and the numbers that preceded the latter.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => vlan(bytes),
        0x8847 | 0x8848 => Step::Next(Layer::Mpls, bytes),
        0x8864 => pppoe_session(bytes),
        0x880b => Step::Next(Layer::Ppp, bytes),
        // IEEE 802.1ah: service identifier, then the customer's addresses and type.
        0x88e7 => typed(bytes, 16, "pbb"),
        // VN-Tag (IEEE 802.1BR's predecessor): four bytes, then a type.
        0x8926 => typed(bytes, 4, "vntag"),
        // Cisco FabricPath: a tag, then a whole frame.
        0x8903 => after(bytes, 2, Layer::Link(LinkType::Ethernet), "fabricpath"),
        0x894f => nsh(bytes),
        0x88e5 => macsec(bytes),
        // Jumbo frames with an LLC header.
        0x8870 => Step::Next(Layer::Llc, bytes),
        length if length < FIRST_ETHERTYPE => Step::Next(Layer::Llc, bytes),
        other => Step::NonIp(other),
    }
}

/// IEEE 802.2: SNAP carries EtherTypes, SAP 6 is IP.
pub(super) fn llc(bytes: &[u8]) -> Step<'_> {
    let Some([destination, source, control]) = bytes.first_chunk::<3>().copied() else {
        return cut("llc");
    };
    match (destination, source & 0xfe, control) {
        (0xaa | 0xab, 0xaa, 0x03) => snap(bytes.get(3..).unwrap_or_default()),
        (0x06, 0x06, 0x03) => Step::Next(Layer::Ipv4, bytes.get(3..).unwrap_or_default()),
        _ => Step::NonIp(0),
    }
}

/// SNAP (RFC 1042): an organisation and its protocol number.
pub(super) fn snap(bytes: &[u8]) -> Step<'_> {
    let (Some(organisation), Some(protocol)) = (bytes.first_chunk::<3>(), be16(bytes, 3)) else {
        return cut("snap");
    };
    let rest = bytes.get(5..).unwrap_or_default();
    match (organisation, protocol) {
        // RFC 1042 and the bridge-tunnel encapsulation of IEEE 802.1H.
        ([0, 0, 0] | [0, 0, 0xf8], ethertype) if ethertype >= FIRST_ETHERTYPE => {
            Step::Next(Layer::EtherType(ethertype), rest)
        }
        // RFC 2427, section 4.2: a bridged Ethernet frame, with or without its checksum.
        ([0, 0x80, 0xc2], 0x0001 | 0x0007) => Step::Next(Layer::Link(LinkType::Ethernet), rest),
        (_, other) => Step::NonIp(other),
    }
}

/// RFC 3032: labels until the bottom of the stack, then what its first nibble says.
pub(super) fn mpls(bytes: &[u8]) -> Step<'_> {
    let Some(label) = bytes.first_chunk::<4>() else {
        return cut("mpls");
    };
    let rest = bytes.get(4..).unwrap_or_default();
    let is_bottom = label[2] & 1 == 1;
    match rest.first().map(|byte| byte >> 4) {
        _ if !is_bottom => Step::Next(Layer::Mpls, rest),
        Some(4) => Step::Next(Layer::Ipv4, rest),
        Some(6) => Step::Next(Layer::Ipv6, rest),
        Some(_) => Step::NonIp(0x8847),
        None => cut("mpls"),
    }
}

fn vlan(bytes: &[u8]) -> Step<'_> {
    match (be16(bytes, 0), be16(bytes, 2)) {
        (Some(tag), Some(ethertype)) => Step::Vlan(
            tag & 0x0fff,
            Layer::EtherType(ethertype),
            bytes.get(4..).unwrap_or_default(),
        ),
        _ => cut("vlan"),
    }
}

/// RFC 2516, section 4: version and type 1, code 0 for a session.
fn pppoe_session(bytes: &[u8]) -> Step<'_> {
    match bytes.first_chunk::<6>() {
        Some([0x11, 0, ..]) => after(bytes, 6, Layer::Ppp, "pppoe"),
        Some(_) => malformed("pppoe", "bad version or code"),
        None => cut("pppoe"),
    }
}

/// RFC 8300, section 2: length in 4-byte words in the low six bits of byte 1.
fn nsh(bytes: &[u8]) -> Step<'_> {
    let (Some(words), Some(protocol)) = (bytes.get(1), bytes.get(3)) else {
        return cut("nsh");
    };
    let length = usize::from(words & 0x3f) * 4;
    if length < 8 {
        return malformed("nsh", "bad length");
    }
    let layer = match protocol {
        1 => Layer::Ipv4,
        2 => Layer::Ipv6,
        3 => Layer::Link(LinkType::Ethernet),
        5 => Layer::Mpls,
        _ => return Step::NonIp(0x894f),
    };
    after(bytes, length, layer, "nsh")
}

/// IEEE 802.1AE: readable only where it is neither encrypted nor changed.
fn macsec(bytes: &[u8]) -> Step<'_> {
    const CHANGED: u8 = 0x04;
    const ENCRYPTED: u8 = 0x08;
    const HAS_CHANNEL: u8 = 0x20;
    match bytes.first() {
        Some(control) if control & (ENCRYPTED | CHANGED) != 0 => Step::NonIp(0x88e5),
        Some(control) if control & HAS_CHANNEL != 0 => typed(bytes, 14, "macsec"),
        Some(_) => typed(bytes, 6, "macsec"),
        None => cut("macsec"),
    }
}

/// The EtherType at `at`, and what follows it.
fn typed<'a>(bytes: &'a [u8], at: usize, layer: &'static str) -> Step<'a> {
    match be16(bytes, at) {
        Some(ethertype) => Step::Next(
            Layer::EtherType(ethertype),
            bytes.get(at + 2..).unwrap_or_default(),
        ),
        None => cut(layer),
    }
}

fn after<'a>(bytes: &'a [u8], length: usize, next: Layer, layer: &'static str) -> Step<'a> {
    match bytes.get(length..) {
        Some(rest) => Step::Next(next, rest),
        None => cut(layer),
    }
}
