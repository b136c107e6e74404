//! From a frame's first byte to the outermost IP layer and its ports. Zero-copy, no allocation,
//! bounded work per frame, no panic on any input.
//!
//! Ethernet with up to three VLAN tags, IPv4 and IPv6 with extension headers, TCP, UDP and ICMP,
//! sliced by etherparse in its lax mode, which accepts frames that a snapshot length cut. Ports are
//! read here and not by etherparse, so that first fragments and cut headers give them too.

use std::net::IpAddr;

use etherparse::err::Layer as EtherparseLayer;
use etherparse::{LaxLinkExtSlice, LaxNetSlice, LaxSlicedPacket, LinkSlice};

use crate::frame::LinkType;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What a frame turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// It carries IP.
    Ip(PacketView),
    /// It carries something else, by EtherType (or 802.3 length, where below 1536).
    NonIp(u16),
    /// It is broken, cut before its addresses, or of a link layer that is not parsed.
    Malformed(Unparsed),
}

/// The outermost IP layer of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketView {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// What follows the IP header and its extension headers (IANA "Protocol Numbers").
    pub protocol: u8,
    /// Source and destination port of TCP and UDP; absent in later fragments and where they were cut.
    pub ports: Option<(u16, u16)>,
    /// TCP flags, byte 13 of the header; 0 where there are none.
    pub tcp_flags: u8,
    /// Outermost VLAN identifier within the captured bytes.
    pub vlan: Option<u16>,
}

/// Where and why parsing failed: countable, so that each class can be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unparsed {
    /// The layer that failed.
    pub layer: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Parses a frame whose first byte belongs to `link`.
///
/// Never panics and never allocates; the work is bounded by the number of headers that etherparse
/// takes (three VLAN tags, and IPv6 extension headers in the captured bytes).
pub fn parse(link: LinkType, bytes: &[u8]) -> Parsed {
    match link {
        LinkType::Ethernet => match LaxSlicedPacket::from_ethernet(bytes) {
            Ok(sliced) => from_ethernet(&sliced),
            Err(_) => malformed("ethernet", "truncated"),
        },
        LinkType::RawIp => match LaxSlicedPacket::from_ip(bytes) {
            Ok(sliced) => from_network(&sliced, None, None),
            Err(_) => malformed(
                "ip",
                if bytes.is_empty() {
                    "truncated"
                } else {
                    "bad header"
                },
            ),
        },
        LinkType::Unsupported(_) => malformed("link", "unsupported link type"),
    }
}

fn malformed(layer: &'static str, reason: &'static str) -> Parsed {
    Parsed::Malformed(Unparsed { layer, reason })
}

fn from_ethernet(sliced: &LaxSlicedPacket<'_>) -> Parsed {
    let mut ethertype = match &sliced.link {
        Some(LinkSlice::Ethernet2(header)) => header.ether_type().0,
        _ => return malformed("ethernet", "truncated"),
    };
    let mut vlan = None;
    for extension in &sliced.link_exts {
        match extension {
            LaxLinkExtSlice::Vlan(tag) => {
                vlan = vlan.or(Some(tag.vlan_identifier().value()));
                ethertype = tag.ether_type().0;
            }
            LaxLinkExtSlice::Macsec(_) => {}
        }
    }
    from_network(sliced, Some(ethertype), vlan)
}

fn from_network(sliced: &LaxSlicedPacket<'_>, ethertype: Option<u16>, vlan: Option<u16>) -> Parsed {
    let agrees = |expected| ethertype.is_none_or(|found| found == expected);
    match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) if agrees(ETHERTYPE_IPV4) => {
            let header = ip.header();
            let payload = ip.payload();
            Parsed::Ip(view(
                IpAddr::V4(header.source_addr()),
                IpAddr::V4(header.destination_addr()),
                payload.ip_number.0,
                (header.fragments_offset().value() == 0).then_some(payload.payload),
                vlan,
            ))
        }
        Some(LaxNetSlice::Ipv6(ip)) if agrees(ETHERTYPE_IPV6) => {
            let header = ip.header();
            let payload = ip.payload();
            Parsed::Ip(view(
                IpAddr::V6(header.source_addr()),
                IpAddr::V6(header.destination_addr()),
                payload.ip_number.0,
                is_first_fragment(ip).then_some(payload.payload),
                vlan,
            ))
        }
        Some(LaxNetSlice::Ipv4(_) | LaxNetSlice::Ipv6(_)) => {
            malformed("ip", "EtherType and version disagree")
        }
        Some(LaxNetSlice::Arp(_)) => Parsed::NonIp(ethertype.unwrap_or_default()),
        None => without_network(sliced, ethertype),
    }
}

fn without_network(sliced: &LaxSlicedPacket<'_>, ethertype: Option<u16>) -> Parsed {
    match (&sliced.stop_err, ethertype) {
        (Some((_, EtherparseLayer::VlanHeader)), _) => malformed("vlan", "truncated"),
        (_, Some(ETHERTYPE_IPV4)) => malformed("ipv4", "truncated or bad header"),
        (_, Some(ETHERTYPE_IPV6)) => malformed("ipv6", "truncated or bad header"),
        (_, Some(other)) => Parsed::NonIp(other),
        (_, None) => malformed("ip", "bad header"),
    }
}

fn is_first_fragment(ip: &etherparse::LaxIpv6Slice<'_>) -> bool {
    ip.extensions()
        .clone()
        .into_iter()
        .all(|extension| match extension {
            etherparse::Ipv6ExtensionSlice::Fragment(fragment) => {
                fragment.fragment_offset().value() == 0
            }
            _ => true,
        })
}

fn view(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    transport: Option<&[u8]>,
    vlan: Option<u16>,
) -> PacketView {
    let (ports, tcp_flags) = match (protocol, transport) {
        (TCP, Some(header)) => (ports(header), header.get(13).copied().unwrap_or(0)),
        (UDP, Some(header)) => (ports(header), 0),
        _ => (None, 0),
    };
    PacketView {
        source,
        destination,
        protocol,
        ports,
        tcp_flags,
        vlan,
    }
}

fn ports(header: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d] = *header.first_chunk::<4>()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

#[cfg(test)]
mod tests;
