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

/// The frame's packet, or `None` if it is not of a common shape.
#[inline(always)]
pub(super) fn ethernet(bytes: &[u8]) -> Option<PacketView> {
    let rest = bytes.get(12..)?;
    let (kind, rest) = rest.split_first_chunk::<2>()?;
    match *kind {
        IPV4 => ipv4(rest, None),
        IPV6 => ipv6(rest, None),
        VLAN => {
            let (tag, rest) = rest.split_first_chunk::<4>()?;
            let [high, low, kind @ ..] = *tag;
            let vlan = Some(u16::from_be_bytes([high, low]) & 0x0fff);
            match kind {
                IPV4 => ipv4(rest, vlan),
                IPV6 => ipv6(rest, vlan),
                _ => None,
            }
        }
        _ => None,
    }
}

#[inline(always)]
fn ipv4(bytes: &[u8], vlan: Option<u16>) -> Option<PacketView> {
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
    Some(PacketView {
        addresses: Addresses::V4([Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h)]),
        protocol,
        ports,
        tcp_flags,
        vlan,
    })
}

#[inline(always)]
fn ipv6(bytes: &[u8], vlan: Option<u16>) -> Option<PacketView> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    let (source, rest) = rest.split_first_chunk::<16>()?;
    let (destination, rest) = rest.split_first_chunk::<16>()?;
    let &[first, _, _, _, _, _, protocol, _] = head;
    if first >> 4 != 6 {
        return None;
    }
    let (ports, tcp_flags) = transport(protocol, ICMPV6, rest)?;
    Some(PacketView {
        addresses: Addresses::V6([Ipv6Addr::from(*source), Ipv6Addr::from(*destination)]),
        protocol,
        ports,
        tcp_flags,
        vlan,
    })
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
