//! Any bytes, as a frame of any link type.
//!
//! The first byte chooses the link type, the second where the frame is cut, the rest is the frame. Laws:
//! the short way says what the long way says; a cut frame says nothing that the whole one does not; and
//! where etherparse, strict or lax, finds IP in the frame, it is the same IP.

use std::net::{Ipv4Addr, Ipv6Addr};

use bwmon_core::frame::LinkType;
use bwmon_core::packet::{Addresses, PacketView, Parsed, parse, parse_long};
use etherparse::{
    LaxNetSlice, LaxSlicedPacket, LinkExtSlice, NetSlice, SlicedPacket, TransportSlice,
};

/// A LINKTYPE_ number of each link type that is parsed, and one that is not.
pub const LINKS: [u32; 52] = [
    1, 101, 228, 229, 0, 113, 276, 9, 50, 104, 107, 10, 129, 105, 127, 192, 239, 51, 166, 204, 205,
    206, 8, 3, 202, 6, 7, 100, 106, 122, 138, 242, 219, 119, 163, 117, 109, 226, 258, 178, 179,
    180, 181, 240, 241, 259, 274, 281, 282, 284, 285, 147,
];

const AUTHENTICATION: u8 = 51;
/// Hop-by-hop, routing, fragment, authentication, destination options, mobility, host identity, shim6.
const EXTENSIONS: [u8; 8] = [0, 43, 44, AUTHENTICATION, 60, 135, 139, 140];
/// Those of them that etherparse takes for a transport.
const UNKNOWN_EXTENSIONS: [u8; 3] = [135, 139, 140];
const ARP: u16 = 0x0806;

pub fn check(bytes: &[u8]) {
    if let [link, cut, frame @ ..] = bytes {
        check_frame(link_of(*link), frame, usize::from(*cut));
    }
}

/// The link type that a seed's first byte chooses.
pub fn link_of(choice: u8) -> LinkType {
    LinkType::from_linktype(number_of(choice))
}

/// Its LINKTYPE_ number.
pub fn number_of(choice: u8) -> u32 {
    LINKS[usize::from(choice) % LINKS.len()]
}

/// Holds what is found in `frame`, and in its first `cut` bytes, to the laws.
pub fn check_frame(link: LinkType, frame: &[u8], cut: usize) {
    let found = parse(link, frame);
    assert_eq!(found, parse_long(link, frame), "short and long way");
    let start = &frame[..cut.min(frame.len())];
    check_cut(link, parse(link, start), found);
    match link {
        LinkType::Ethernet => {
            check_strict(found, SlicedPacket::from_ethernet(frame).ok());
            check_lax(found, LaxSlicedPacket::from_ethernet(frame).ok());
        }
        LinkType::RawIp | LinkType::Ipv4 | LinkType::Ipv6 if has_version_of(link, frame) => {
            check_strict(found, SlicedPacket::from_ip(frame).ok());
            check_lax(found, LaxSlicedPacket::from_ip(frame).ok());
        }
        LinkType::LinuxSll => check_strict(found, SlicedPacket::from_linux_sll(frame).ok()),
        _ => {}
    }
}

fn has_version_of(link: LinkType, frame: &[u8]) -> bool {
    let version = frame.first().map(|byte| byte >> 4);
    match link {
        LinkType::Ipv4 => version == Some(4),
        LinkType::Ipv6 => version == Some(6),
        _ => true,
    }
}

/// A cut frame is malformed, or it is what the whole one is, with ports and flags missing at most. Of
/// IPv6 the protocol is then the extension header that was cut.
fn check_cut(link: LinkType, cut: Parsed, whole: Parsed) {
    match (cut, whole) {
        (Parsed::Malformed(_), _) => {}
        (Parsed::Ip(cut), Parsed::Ip(whole)) => {
            let ends = |view: &PacketView| (view.addresses, view.vlan);
            assert_eq!(ends(&cut), ends(&whole), "cut frame of {link:?}");
            let is_cut_in_chain = EXTENSIONS.contains(&cut.protocol) && cut.ports.is_none();
            assert!(
                cut.protocol == whole.protocol || is_cut_in_chain,
                "protocol"
            );
            assert!(cut.ports.is_none() || cut.ports == whole.ports, "ports");
            assert!(cut.tcp_flags == 0 || cut.tcp_flags == whole.tcp_flags);
        }
        _ => assert_eq!(cut, whole, "cut frame of {link:?}"),
    }
}

/// Where strict slicing accepts the frame, the views are equal.
///
/// Not compared, because etherparse does not look there: what it has no link layer for, headers behind
/// its third tag, ports of first fragments, what stands behind mobility, host identity and shim6 headers
/// of IPv6 and behind a second authentication header of IPv4.
fn check_strict(found: Parsed, strict: Option<SlicedPacket<'_>>) {
    let Some(strict) = strict else { return };
    let Some(net) = &strict.net else { return };
    if let NetSlice::Arp(_) = net {
        assert_eq!(found, Parsed::NonIp(ARP));
        return;
    }
    let Parsed::Ip(view) = found else {
        panic!("strict slicing finds {net:?}, we find {found:?}");
    };
    let vlan = strict.link_exts.iter().find_map(|header| match header {
        LinkExtSlice::Vlan(tag) => Some(tag.vlan_identifier().value()),
        LinkExtSlice::Macsec(_) => None,
    });
    assert_eq!(view.vlan, vlan, "outermost tag");
    let (addresses, payload) = match net {
        NetSlice::Ipv4(ip) => (
            v4(ip.header().source(), ip.header().destination()),
            ip.payload(),
        ),
        NetSlice::Ipv6(ip) => (
            v6(ip.header().source(), ip.header().destination()),
            ip.payload(),
        ),
        NetSlice::Arp(_) => return,
    };
    assert_eq!(view.addresses, addresses);
    let ends_early = match net {
        NetSlice::Ipv6(_) => UNKNOWN_EXTENSIONS.contains(&payload.ip_number.0),
        _ => payload.ip_number.0 == AUTHENTICATION,
    };
    if !payload.fragmented && !ends_early {
        assert_eq!(view.protocol, payload.ip_number.0, "protocol");
        assert_eq!(transport(view), strict.transport.as_ref().and_then(sliced));
    }
}

/// Where lax slicing finds addresses in what we take for IP, they are the same, and so are ports that
/// it finds.
///
/// It follows the version nibble where the EtherType says otherwise, which counts as malformed here.
fn check_lax(found: Parsed, lax: Option<LaxSlicedPacket<'_>>) {
    let (Parsed::Ip(view), Some(lax)) = (found, lax) else {
        return;
    };
    let addresses = match &lax.net {
        Some(LaxNetSlice::Ipv4(ip)) => v4(ip.header().source(), ip.header().destination()),
        Some(LaxNetSlice::Ipv6(ip)) => v6(ip.header().source(), ip.header().destination()),
        Some(LaxNetSlice::Arp(_)) => panic!("lax slicing finds ARP, we find {view:?}"),
        None => return,
    };
    assert_eq!(view.addresses, addresses);
    if let Some(ports) = lax.transport.as_ref().and_then(sliced) {
        assert_eq!(transport(view), Some(ports));
    }
}

fn v4(source: [u8; 4], destination: [u8; 4]) -> Addresses {
    Addresses::V4([source, destination].map(Ipv4Addr::from))
}

fn v6(source: [u8; 16], destination: [u8; 16]) -> Addresses {
    Addresses::V6([source, destination].map(Ipv6Addr::from))
}

/// Ports and TCP flags.
fn transport(view: PacketView) -> Option<((u16, u16), u8)> {
    view.ports.map(|ports| (ports, view.tcp_flags))
}

fn sliced(transport: &TransportSlice<'_>) -> Option<((u16, u16), u8)> {
    match transport {
        TransportSlice::Tcp(tcp) => {
            let flags = tcp.header_slice()[13];
            Some(((tcp.source_port(), tcp.destination_port()), flags))
        }
        TransportSlice::Udp(udp) => Some(((udp.source_port(), udp.destination_port()), 0)),
        _ => None,
    }
}
