//! From a frame's first byte to the outermost IP layer and its ports. Zero-copy, no allocation,
//! bounded work per frame, no panic on any input.
//!
//! [`link`](self) layers and what is stacked between them and IP are walked here, one header per
//! step; IP itself is sliced by etherparse in its lax mode, which accepts what a snapshot length
//! cut. Ports are read here and not by etherparse, so that first fragments and cut headers give them
//! too. Tunnels are not entered: the outermost IP layer counts.

mod link;
mod network;
pub(crate) mod peek;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use link::{Layer, MAX_STEPS, Step};

use crate::frame::LinkType;

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
    /// Source and destination address.
    pub addresses: Addresses,
    /// What follows the IP header and its extension headers (IANA "Protocol Numbers").
    pub protocol: u8,
    /// Source and destination port of TCP and UDP; absent in later fragments and where they were cut.
    pub ports: Option<(u16, u16)>,
    /// TCP flags, byte 13 of the header; 0 where there are none.
    pub tcp_flags: u8,
    /// Outermost VLAN identifier within the captured bytes.
    pub vlan: Option<u16>,
}

/// Source and destination of one address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// Of an IPv4 header.
    V4([Ipv4Addr; 2]),
    /// Of an IPv6 header.
    V6([Ipv6Addr; 2]),
}

impl PacketView {
    /// Source address.
    pub const fn source(&self) -> IpAddr {
        match self.addresses {
            Addresses::V4([source, _]) => IpAddr::V4(source),
            Addresses::V6([source, _]) => IpAddr::V6(source),
        }
    }

    /// Destination address.
    pub const fn destination(&self) -> IpAddr {
        match self.addresses {
            Addresses::V4([_, destination]) => IpAddr::V4(destination),
            Addresses::V6([_, destination]) => IpAddr::V6(destination),
        }
    }
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
/// Never panics and never allocates; at most 96 headers are walked. Common shapes take a short way
/// that gives the same answer.
#[inline(always)]
pub fn parse(link: LinkType, bytes: &[u8]) -> Parsed {
    if link == LinkType::Ethernet
        && let Some(view) = peek::ethernet(bytes)
    {
        return Parsed::Ip(view);
    }
    parse_long(link, bytes)
}

/// [`parse`] by the long way alone, header by header: for differential tests, which hold the short way
/// to it.
#[doc(hidden)]
#[inline(never)]
pub fn parse_long(link: LinkType, bytes: &[u8]) -> Parsed {
    let mut layer = Layer::Link(link);
    let mut rest = bytes;
    let mut outer_vlan = None;
    for _ in 0..MAX_STEPS {
        match layer {
            Layer::Ipv4 => return with_vlan(network::ipv4(rest), outer_vlan),
            Layer::Ipv6 => return with_vlan(network::ipv6(rest), outer_vlan),
            Layer::AnyIp => match rest.first().map(|byte| byte >> 4) {
                Some(4) => layer = Layer::Ipv4,
                Some(6) => layer = Layer::Ipv6,
                Some(_) => return malformed("ip", "unknown version"),
                None => return malformed("ip", "truncated"),
            },
            _ => match link::step(layer, rest) {
                Step::Next(next, after) => (layer, rest) = (next, after),
                Step::Vlan(vlan, next, after) => {
                    outer_vlan = outer_vlan.or(Some(vlan));
                    (layer, rest) = (next, after);
                }
                Step::NonIp(ethertype) => return Parsed::NonIp(ethertype),
                Step::Malformed(unparsed) => return Parsed::Malformed(unparsed),
            },
        }
    }
    malformed("link", "too many headers")
}

fn with_vlan(parsed: Parsed, vlan: Option<u16>) -> Parsed {
    match parsed {
        Parsed::Ip(view) => Parsed::Ip(PacketView { vlan, ..view }),
        other => other,
    }
}

fn malformed(layer: &'static str, reason: &'static str) -> Parsed {
    Parsed::Malformed(Unparsed { layer, reason })
}

#[cfg(test)]
mod tests;
