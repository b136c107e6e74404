//! Headers that a capturing system made up: loopback, "any" devices, netfilter logs, PPI, ARCNET.

use super::{Layer, Step, be16, cut, malformed};
use crate::frame::LinkType;

/// LINKTYPE_NULL and LINKTYPE_LOOP: an address family in either byte order.
pub(super) fn null(bytes: &[u8]) -> Step<'_> {
    let Some(family) = bytes.first_chunk::<4>() else {
        return cut("loopback");
    };
    let rest = bytes.get(4..).unwrap_or_default();
    let family = match u32::from_le_bytes(*family) {
        little @ 0..=0xffff => little,
        _ => u32::from_be_bytes(*family),
    };
    match family {
        2 => Step::Next(Layer::Ipv4, rest),
        // Linux, NetBSD and OpenBSD, FreeBSD, macOS.
        10 | 24 | 28 | 30 => Step::Next(Layer::Ipv6, rest),
        _ => Step::NonIp(0),
    }
}

/// LINKTYPE_LINUX_SLL: type, ARPHRD, address, protocol.
pub(super) fn sll(bytes: &[u8]) -> Step<'_> {
    match (be16(bytes, 2), be16(bytes, 14)) {
        (Some(hardware), Some(protocol)) => {
            cooked(hardware, protocol, bytes.get(16..).unwrap_or_default())
        }
        _ => cut("sll"),
    }
}

/// LINKTYPE_LINUX_SLL2: protocol, interface, ARPHRD, type, address.
pub(super) fn sll2(bytes: &[u8]) -> Step<'_> {
    match (be16(bytes, 8), be16(bytes, 0), bytes.get(20..)) {
        (Some(hardware), Some(protocol), Some(rest)) => cooked(hardware, protocol, rest),
        _ => cut("sll2"),
    }
}

/// What follows depends on the hardware type for those whose protocol field means something else.
fn cooked(hardware: u16, protocol: u16, rest: &[u8]) -> Step<'_> {
    const NETLINK: u16 = 824;
    const IEEE80211: u16 = 801;
    const RADIOTAP: u16 = 803;
    const FRAME_RELAY: u16 = 770;
    match (hardware, protocol) {
        (NETLINK, _) => Step::NonIp(0),
        (IEEE80211, _) => Step::Next(Layer::Link(LinkType::Ieee80211), rest),
        (RADIOTAP, _) => Step::Next(Layer::Link(LinkType::Radiotap), rest),
        (FRAME_RELAY, _) => Step::Next(Layer::Link(LinkType::FrameRelay), rest),
        // ETH_P_802_2 of linux/if_ether.h.
        (_, 0x0004) => Step::Next(Layer::Llc, rest),
        (_, ethertype) if ethertype < 0x0600 => Step::NonIp(ethertype),
        (_, ethertype) => Step::Next(Layer::EtherType(ethertype), rest),
    }
}

/// LINKTYPE_NFLOG: an address family, then type-length-values in the byte order of the capturing
/// machine; type 9 is the packet.
pub(super) fn nflog(bytes: &[u8]) -> Step<'_> {
    let Some(family) = bytes.first() else {
        return cut("nflog");
    };
    let layer = match family {
        2 => Layer::Ipv4,
        10 => Layer::Ipv6,
        _ => return Step::NonIp(0),
    };
    let values = bytes.get(4..).unwrap_or_default();
    match nflog_payload(values, u16::from_le_bytes)
        .or_else(|| nflog_payload(values, u16::from_be_bytes))
    {
        Some(payload) => Step::Next(layer, payload),
        None => malformed("nflog", "no packet"),
    }
}

fn nflog_payload(mut values: &[u8], number: fn([u8; 2]) -> u16) -> Option<&[u8]> {
    const PAYLOAD: u16 = 9;
    loop {
        let &[a, b, c, d] = values.first_chunk::<4>()?;
        let length = usize::from(number([a, b]));
        if length < 4 {
            return None;
        }
        if number([c, d]) == PAYLOAD {
            return values.get(4..length.min(values.len()));
        }
        values = values.get(length.next_multiple_of(4)..)?;
    }
}

/// LINKTYPE_PPI: version, flags, length and link type, little-endian.
pub(super) fn ppi(bytes: &[u8]) -> Step<'_> {
    let Some(&[0, _, a, b, c, d, e, f]) = bytes.first_chunk::<8>() else {
        return malformed("ppi", "truncated or bad version");
    };
    let length = usize::from(u16::from_le_bytes([a, b]));
    let link = LinkType::from_linktype(u32::from_le_bytes([c, d, e, f]));
    match (length >= 8).then(|| bytes.get(length..)).flatten() {
        Some(rest) if link != LinkType::Ppi => Step::Next(Layer::Link(link), rest),
        Some(_) => malformed("ppi", "nested"),
        None => malformed("ppi", "bad length"),
    }
}

/// LINKTYPE_ARCNET_LINUX: addresses, offset, protocol; RFC 1201 adds a split flag and a sequence.
pub(super) fn arcnet_linux(bytes: &[u8]) -> Step<'_> {
    const IP_RFC1051: u8 = 240;
    const IP_RFC1201: u8 = 212;
    const IPV6_RFC1201: u8 = 196;
    match bytes.get(4) {
        Some(&IP_RFC1051) => Step::Next(Layer::Ipv4, bytes.get(5..).unwrap_or_default()),
        Some(&protocol @ (IP_RFC1201 | IPV6_RFC1201)) => {
            let layer = if protocol == IP_RFC1201 {
                Layer::Ipv4
            } else {
                Layer::Ipv6
            };
            match bytes.get(8..) {
                Some(rest) => Step::Next(layer, rest),
                None => cut("arcnet"),
            }
        }
        Some(_) => Step::NonIp(0),
        None => cut("arcnet"),
    }
}
