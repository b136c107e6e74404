//! Ethernet, the tags within it, and what EtherTypes stand for.

use super::{ETHERNET, Layer, Step, after, be16, cut, malformed, typed};

/// Type fields from here on are types (IEEE 802.3, clause 3.2.6).
pub(super) const FIRST_ETHERTYPE: u16 = 0x0600;
/// Type fields up to here are lengths; those between are neither.
const MAX_LENGTH: u16 = 1_500;
pub(super) const PPPOE_SESSION: u16 = 0x8864;

/// Ethernet II and IEEE 802.3, or Cisco's ISL in its place.
pub(super) fn ethernet(bytes: &[u8]) -> Step<'_> {
    match (bytes, be16(bytes, 12)) {
        // Its multicast address, and a length in place of a type.
        ([0x01 | 0x03, 0, 0x0c, 0, 0, ..], Some(length)) if length < FIRST_ETHERTYPE => isl(bytes),
        _ => typed(bytes, 12, "ethernet"),
    }
}

/// Cisco ISL: 26 bytes with the VLAN at the twentieth, then a whole frame.
fn isl(bytes: &[u8]) -> Step<'_> {
    match (be16(bytes, 20), bytes.get(26..)) {
        (Some(vlan), Some(rest)) => Step::Vlan((vlan >> 1) & 0x0fff, ETHERNET, rest),
        _ => cut("isl"),
    }
}

/// IEEE 802.3br: up to seven bytes of preamble and a delimiter before the frame. Those that continue
/// one have no addresses.
pub(super) fn mpacket(bytes: &[u8]) -> Step<'_> {
    let start = bytes.iter().take(8).position(|byte| *byte != 0x55);
    match start.and_then(|start| Some((start, bytes.get(start)?))) {
        Some((_, 0x61 | 0x52 | 0x9e | 0x2a | 0x07 | 0x19)) => Step::NonIp(0),
        Some((start, _)) => after(bytes, start + 1, ETHERNET, "mpacket"),
        None => cut("mpacket"),
    }
}

/// IEEE 802.3, clause 65.1.3.2: what Ethernet passive optical networks make of the preamble, or the last
/// six bytes of it.
pub(super) fn epon(bytes: &[u8]) -> Step<'_> {
    match bytes {
        [0x55, 0x55, 0xd5, ..] => after(bytes, 8, ETHERNET, "epon"),
        [0xd5, ..] => after(bytes, 6, ETHERNET, "epon"),
        _ => malformed("epon", "truncated or bad preamble"),
    }
}

/// A tag of Marvell switches at `at`, four bytes that take the place of a VLAN tag, then a type.
pub(super) fn dsa(bytes: &[u8], at: usize) -> Step<'_> {
    const HAS_VLAN: u8 = 0x20;
    let (Some(&flags), Some(vlan)) = (bytes.get(at), be16(bytes, at + 2)) else {
        return cut("dsa tag");
    };
    match typed(bytes, at + 4, "dsa tag") {
        Step::Next(layer, rest) if flags & HAS_VLAN != 0 => Step::Vlan(vlan & 0x0fff, layer, rest),
        step => step,
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
        PPPOE_SESSION => pppoe_session(bytes),
        0x880b => Step::Next(Layer::Ppp, bytes),
        // IEEE 802.1ah: service identifier, then the customer's addresses and type.
        0x88e7 => typed(bytes, 16, "pbb"),
        // VN-Tag (IEEE 802.1BR's predecessor): four bytes, then a type.
        0x8926 => typed(bytes, 4, "vntag"),
        // IEEE 802.1BR: port extension.
        0x893f => typed(bytes, 6, "e-tag"),
        // IEEE 802.1CB: reserved, then a sequence number.
        0xf1c1 => typed(bytes, 4, "r-tag"),
        // IEC 62439-3: path, size and sequence number.
        0x892f => typed(bytes, 4, "hsr"),
        // Cisco FabricPath: a tag, then a whole frame.
        0x8903 => after(bytes, 2, ETHERNET, "fabricpath"),
        // Cisco metadata: version, length, one option with a security group.
        0x8909 => typed(bytes, 6, "cisco metadata"),
        0x22f3 => trill(bytes),
        0x4305 => batman(bytes),
        // Transparent Ethernet bridging.
        0x6558 => Step::Next(ETHERNET, bytes),
        0x894f => nsh(bytes),
        0x88e5 => macsec(bytes),
        // Jumbo frames with an LLC header.
        0x8870 => Step::Next(Layer::Llc, bytes),
        length if length <= MAX_LENGTH => Step::Next(Layer::Llc, bytes),
        other => Step::NonIp(other),
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

/// RFC 6325, section 3: two bits of version, length of the options in 4-byte words in bits 6 to 10 of
/// the first 16, two nicknames, then a whole frame.
fn trill(bytes: &[u8]) -> Step<'_> {
    match be16(bytes, 0) {
        Some(head) if head >> 14 == 0 => {
            let options = usize::from(head >> 6 & 0x1f) * 4;
            after(bytes, 6 + options, ETHERNET, "trill")
        }
        Some(_) => malformed("trill", "unknown version"),
        None => cut("trill"),
    }
}

/// B.A.T.M.A.N. advanced, version 15 (linux/batadv_packet.h): broadcast, unicast, and unicast with the
/// addresses of both ends carry a whole frame.
fn batman(bytes: &[u8]) -> Step<'_> {
    const ETHERTYPE: u16 = 0x4305;
    let length = match bytes.first_chunk::<2>() {
        Some([0x01, 15]) => 14,
        Some([0x40, 15]) => 10,
        Some([0x42, 15]) => 18,
        Some(_) => return Step::NonIp(ETHERTYPE),
        None => return cut("batman"),
    };
    after(bytes, length, ETHERNET, "batman")
}

/// RFC 8300, section 2: length in 4-byte words in the low six bits of byte 1.
fn nsh(bytes: &[u8]) -> Step<'_> {
    const ETHERTYPE: u16 = 0x894f;
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
        3 => ETHERNET,
        4 => Layer::EtherType(ETHERTYPE),
        5 => Layer::Mpls,
        _ => return Step::NonIp(ETHERTYPE),
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
