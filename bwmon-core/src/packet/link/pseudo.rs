//! Headers that a capturing system made up: loopback, "any" devices, logs of packet filters, headers
//! that name the link type of each packet.

use super::{ETHERNET, Layer, Step, after, be16, cut, malformed};
use crate::frame::LinkType;

/// LINKTYPE_NULL and LINKTYPE_LOOP: an address family in either byte order. Old systems put a PPP
/// header, an EtherType or a number of 16 bits there; each is told apart by where its zeros are.
pub(super) fn null(bytes: &[u8]) -> Step<'_> {
    let Some(head) = bytes.first_chunk::<4>() else {
        return cut("loopback");
    };
    let rest = bytes.get(4..).unwrap_or_default();
    let number = match *head {
        [0xff, 0x03, ..] => return Step::Next(Layer::Ppp, bytes),
        [0, 2, 0, 0] | [0, 0, 2, 0] => 2,
        _ => either_order(*head),
    };
    match (family(number), u16::try_from(number)) {
        (Some(layer), _) => Step::Next(layer, rest),
        (None, Ok(ethertype @ 0x0600..)) => Step::Next(Layer::EtherType(ethertype), rest),
        (None, _) => Step::NonIp(0),
    }
}

/// A number below 65,536 in whichever byte order makes it one.
const fn either_order(bytes: [u8; 4]) -> u32 {
    match u32::from_le_bytes(bytes) {
        little @ 0..=0xffff => little,
        _ => u32::from_be_bytes(bytes),
    }
}

/// The layer of an address family.
const fn family(number: u32) -> Option<Layer> {
    match number {
        2 => Some(Layer::Ipv4),
        // Linux, NetBSD and OpenBSD, FreeBSD, macOS.
        10 | 24 | 28 | 30 => Some(Layer::Ipv6),
        _ => None,
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
    const FIRST_ETHERTYPE: u16 = 0x0600;
    match (hardware, protocol) {
        (NETLINK, _) => Step::NonIp(0),
        (IEEE80211, ..FIRST_ETHERTYPE) => Step::Next(Layer::Link(LinkType::Ieee80211), rest),
        (RADIOTAP, _) => Step::Next(Layer::Link(LinkType::Radiotap), rest),
        (FRAME_RELAY, _) => Step::Next(Layer::Link(LinkType::FrameRelay), rest),
        // ETH_P_ALL, ETH_P_802_2 and ETH_P_WAN_PPP of linux/if_ether.h.
        (_, 0x0003) => Step::Next(ETHERNET, rest),
        (_, 0x0004) => Step::Next(Layer::Llc, rest),
        (_, 0x0007) => Step::Next(Layer::Ppp, rest),
        (_, ..FIRST_ETHERTYPE) => Step::NonIp(protocol),
        (_, FIRST_ETHERTYPE..) => Step::Next(Layer::EtherType(protocol), rest),
    }
}

/// LINKTYPE_NFLOG: an address family, then type-length-values in the byte order of the capturing
/// machine; type 9 is the packet.
pub(super) fn nflog(bytes: &[u8]) -> Step<'_> {
    let Some(family) = bytes.first() else {
        return cut("nflog");
    };
    let values = bytes.get(4..).unwrap_or_default();
    let payload = nflog_payload(values, u16::from_le_bytes)
        .or_else(|| nflog_payload(values, u16::from_be_bytes));
    match (family, payload) {
        (_, None) => malformed("nflog", "no packet"),
        (2, Some(payload)) => Step::Next(Layer::Ipv4, payload),
        (10, Some(payload)) => Step::Next(Layer::Ipv6, payload),
        // Tables of other families (inet, netdev, bridge) log IP among others.
        (_, Some(payload)) => match payload.first().map(|byte| byte >> 4) {
            Some(4) => Step::Next(Layer::Ipv4, payload),
            Some(6) => Step::Next(Layer::Ipv6, payload),
            _ => Step::NonIp(0),
        },
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

/// LINKTYPE_PKTAP: length, type of the record and link type, little-endian. Type 1 is a packet.
pub(super) fn pktap(bytes: &[u8]) -> Step<'_> {
    let Some(head) = bytes.first_chunk::<12>() else {
        return cut("pktap");
    };
    let [a, b, 0, 0, 1, 0, 0, 0, c, d, e, f] = *head else {
        return malformed("pktap", "bad length or no packet");
    };
    let length = usize::from(u16::from_le_bytes([a, b]));
    let link = LinkType::from_linktype(u32::from_le_bytes([c, d, e, f]));
    match length {
        12.. => after(bytes, length, Layer::Link(link), "pktap"),
        _ => malformed("pktap", "bad length or no packet"),
    }
}

/// LINKTYPE_PFLOG: the header's length without its padding, and an address family.
pub(super) fn pflog(bytes: &[u8]) -> Step<'_> {
    const SHORTEST: usize = 45;
    let Some(&[length, number]) = bytes.first_chunk::<2>() else {
        return cut("pflog");
    };
    let length = usize::from(length).next_multiple_of(4);
    match family(u32::from(number)) {
        Some(layer) if length >= SHORTEST => after(bytes, length, layer, "pflog"),
        Some(_) => malformed("pflog", "bad length"),
        None => Step::NonIp(0),
    }
}

/// LINKTYPE_ENC: address family in the order of the capturing machine, security parameters, flags.
pub(super) fn enc(bytes: &[u8]) -> Step<'_> {
    let Some(head) = bytes.first_chunk::<4>() else {
        return cut("enc");
    };
    match family(either_order(*head)) {
        Some(layer) => after(bytes, 12, layer, "enc"),
        None => Step::NonIp(0),
    }
}

/// LINKTYPE_IPNET: version, address family as Solaris numbers them, 22 bytes more.
pub(super) fn ipnet(bytes: &[u8]) -> Step<'_> {
    match bytes.get(1) {
        Some(2) => after(bytes, 24, Layer::Ipv4, "ipnet"),
        Some(26) => after(bytes, 24, Layer::Ipv6, "ipnet"),
        Some(_) => Step::NonIp(0),
        None => cut("ipnet"),
    }
}

/// Juniper's header (tcpdump, print-juniper.c): magic number and flags, then extensions where a flag
/// says so. Another flag says that four bytes stand in place of the link layer.
pub(super) fn juniper(link: LinkType, bytes: &[u8]) -> Step<'_> {
    const NO_LINK_LAYER: u8 = 0x02;
    const HAS_EXTENSIONS: u8 = 0x80;
    let Some(&[b'M', b'G', b'C', flags]) = bytes.first_chunk::<4>() else {
        return malformed("juniper", "truncated or bad magic number");
    };
    let length = match be16(bytes, 4) {
        Some(extensions) if flags & HAS_EXTENSIONS != 0 => 6 + usize::from(extensions),
        _ => 4,
    };
    if flags & NO_LINK_LAYER == 0 {
        return after(bytes, length, Layer::Link(link), "juniper");
    }
    after(bytes, length + 4, Layer::AnyIp, "juniper")
}
