//! The short way for the common shapes: Ethernet with at most one VLAN tag, then IPv4 without a
//! later fragment or an authentication header, or IPv6 without extension headers.
//!
//! It reads at fixed places and gives up on everything else, which then goes the long way. What it
//! accepts it must judge as the long way does; a property test and the real captures hold it to that.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Addresses, PacketView};

const VLAN: [u8; 2] = [0x81, 0x00];
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// The packet of a common shape, with addresses of type `A`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Common<A> {
    pub(crate) addresses: [A; 2],
    pub(crate) protocol: u8,
    pub(crate) ports: Option<(u16, u16)>,
    pub(crate) tcp_flags: u8,
    pub(crate) vlan: Option<u16>,
}

/// The frame's packet, or `None` if it is not of a common shape.
#[inline(always)]
pub(super) fn ethernet(bytes: &[u8]) -> Option<PacketView> {
    match ipv4(bytes) {
        Some(common) => Some(common.view(Addresses::V4)),
        None => ipv6(bytes).map(|common| common.view(Addresses::V6)),
    }
}

impl<A> Common<A> {
    #[inline(always)]
    fn view(self, addresses: impl FnOnce([A; 2]) -> Addresses) -> PacketView {
        PacketView {
            addresses: addresses(self.addresses),
            protocol: self.protocol,
            ports: self.ports,
            tcp_flags: self.tcp_flags,
            vlan: self.vlan,
        }
    }
}

/// IPv4 in Ethernet.
#[inline(always)]
pub(crate) fn ipv4(bytes: &[u8]) -> Option<Common<Ipv4Addr>> {
    let (bytes, vlan) = payload(bytes, IPV4)?;
    let (header, rest) = bytes.split_first_chunk::<20>()?;
    let &[
        0x45,
        _,
        _,
        _,
        _,
        _,
        fragment,
        offset,
        _,
        protocol,
        _,
        _,
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
    ] = header
    else {
        return None;
    };
    if fragment & 0x1f != 0 || offset != 0 {
        return None;
    }
    let (ports, tcp_flags) = transport(protocol, ICMP, rest)?;
    Some(Common {
        addresses: [Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h)],
        protocol,
        ports,
        tcp_flags,
        vlan,
    })
}

/// IPv6 in Ethernet.
#[inline(always)]
pub(crate) fn ipv6(bytes: &[u8]) -> Option<Common<Ipv6Addr>> {
    let (bytes, vlan) = payload(bytes, IPV6)?;
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    let (source, rest) = rest.split_first_chunk::<16>()?;
    let (destination, rest) = rest.split_first_chunk::<16>()?;
    let &[first, _, _, _, _, _, protocol, _] = head;
    if first >> 4 != 6 {
        return None;
    }
    let (ports, tcp_flags) = transport(protocol, ICMPV6, rest)?;
    Some(Common {
        addresses: [Ipv6Addr::from(*source), Ipv6Addr::from(*destination)],
        protocol,
        ports,
        tcp_flags,
        vlan,
    })
}

/// What follows the EtherType `wanted`, and the VLAN identifier between, if there is one.
#[inline(always)]
fn payload(bytes: &[u8], wanted: [u8; 2]) -> Option<(&[u8], Option<u16>)> {
    let (kind, rest) = bytes.get(12..)?.split_first_chunk::<2>()?;
    if *kind == wanted {
        return Some((rest, None));
    }
    let (tag, rest) = rest.split_first_chunk::<4>()?;
    let [high, low, inner @ ..] = *tag;
    let is_tagged = *kind == VLAN && inner == wanted;
    is_tagged.then_some((rest, Some(u16::from_be_bytes([high, low]) & 0x0fff)))
}

/// Ports and TCP flags of a transport that is whole up to what is read of it.
#[inline(always)]
fn transport(protocol: u8, icmp: u8, bytes: &[u8]) -> Option<(Option<(u16, u16)>, u8)> {
    match protocol {
        TCP => {
            let &[a, b, c, d, .., flags] = bytes.first_chunk::<14>()?;
            Some((
                Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
                flags,
            ))
        }
        UDP => {
            let &[a, b, c, d] = bytes.first_chunk::<4>()?;
            Some((
                Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
                0,
            ))
        }
        _ if protocol == icmp => Some((None, 0)),
        _ => None,
    }
}
