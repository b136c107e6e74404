//! The short way for the common shapes: Ethernet with at most one VLAN tag, then IPv4 without a
//! later fragment or an authentication header, or IPv6 without extension headers, and with a length
//! that covers what is read.
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
/// Bytes that must be there behind the IP header, whatever it is: up to the flags of TCP.
const TRANSPORT: usize = 14;

/// The packet of a common shape, with addresses of type `A`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Common<A> {
    pub(crate) addresses: [A; 2],
    pub(crate) protocol: u8,
    /// Source port above destination port, as they stand in the header; 0 without ports.
    pub(crate) ports: u32,
    pub(crate) has_ports: bool,
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
        let [a, b, c, d] = self.ports.to_be_bytes();
        let ports = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        PacketView {
            addresses: addresses(self.addresses),
            protocol: self.protocol,
            ports: self.has_ports.then_some(ports),
            tcp_flags: self.tcp_flags,
            vlan: self.vlan,
        }
    }
}

/// IPv4 in Ethernet.
#[inline(always)]
pub(crate) fn ipv4(bytes: &[u8]) -> Option<Common<Ipv4Addr>> {
    const LENGTH: usize = 14 + 20 + TRANSPORT;
    let (head, vlan) = untagged::<LENGTH>(bytes, IPV4)?;
    let (_, head) = head.split_first_chunk::<14>()?;
    let &[
        0x45,
        _,
        high,
        low,
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
        ref rest @ ..,
    ] = head.first_chunk::<{ 20 + TRANSPORT }>()?
    else {
        return None;
    };
    let is_short = is_below([high, low], 20 + TRANSPORT);
    if fragment & 0x1f != 0 || offset != 0 || is_short {
        return None;
    }
    let (ports, has_ports, tcp_flags) = transport(&OVER_IPV4, protocol, rest)?;
    Some(Common {
        addresses: [Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h)],
        protocol,
        ports,
        has_ports,
        tcp_flags,
        vlan,
    })
}

/// IPv6 in Ethernet. The least frame of 60 bytes holds no whole TCP header behind IPv6, but UDP and ICMP.
#[inline(always)]
pub(crate) fn ipv6(bytes: &[u8]) -> Option<Common<Ipv6Addr>> {
    /// Bytes of a UDP or an ICMP header.
    const SHORT: usize = 8;
    const LENGTH: usize = 14 + 40 + SHORT;
    let (head, vlan) = untagged::<LENGTH>(bytes, IPV6)?;
    let (_, packet) = head.split_first_chunk::<14>()?;
    let (fixed, rest) = packet.split_first_chunk::<8>()?;
    let (source, rest) = rest.split_first_chunk::<16>()?;
    let (destination, rest) = rest.split_first_chunk::<16>()?;
    let &[first, _, _, _, high, low, protocol, _] = fixed;
    let mut header = [0; TRANSPORT];
    let least = if protocol == TCP {
        let after = if vlan.is_some() { 58 } else { 54 };
        header = *bytes.get(after..)?.first_chunk()?;
        TRANSPORT
    } else {
        let (ports, _) = header.split_first_chunk_mut::<SHORT>()?;
        *ports = *rest.first_chunk()?;
        SHORT
    };
    if first >> 4 != 6 || is_below([high, low], least) {
        return None;
    }
    let (ports, has_ports, tcp_flags) = transport(&OVER_IPV6, protocol, &header)?;
    Some(Common {
        addresses: [Ipv6Addr::from(*source), Ipv6Addr::from(*destination)],
        protocol,
        ports,
        has_ports,
        tcp_flags,
        vlan,
    })
}

/// The first bytes of a frame of EtherType `wanted` without its VLAN tag, and the tag's identifier.
/// Where there was one, the link layer's addresses are not in their place.
#[inline(always)]
fn untagged<const LENGTH: usize>(
    bytes: &[u8],
    wanted: [u8; 2],
) -> Option<(&[u8; LENGTH], Option<u16>)> {
    let head = bytes.first_chunk::<LENGTH>()?;
    let kind = *head.get(12..)?.first_chunk::<2>()?;
    if kind == wanted {
        return Some((head, None));
    }
    let [high, low, inner @ ..] = *head.get(14..)?.first_chunk::<4>()?;
    if kind != VLAN || inner != wanted {
        return None;
    }
    let vlan = u16::from_be_bytes([high, low]) & 0x0fff;
    Some((bytes.get(4..)?.first_chunk::<LENGTH>()?, Some(vlan)))
}

/// Whether a length is given (0 says that it is not) and below `least`.
#[inline(always)]
fn is_below(length: [u8; 2], least: usize) -> bool {
    let length = usize::from(u16::from_be_bytes(length));
    length.wrapping_sub(1) < least - 1
}

/// What the short way makes of a protocol.
#[derive(Clone, Copy)]
struct Kind {
    /// Which bits of the first four bytes are ports.
    ports: u32,
    /// Which bits of the byte where TCP has its flags are flags.
    flags: u8,
    has_ports: bool,
    is_common: bool,
}

/// What the short way makes of each protocol over an IP whose ICMP is `icmp`: looked up, because jumps
/// between protocols, which mingle, are mispredicted.
#[allow(clippy::indexing_slicing)] // by the compiler, for the tables below
const fn kinds(icmp: u8) -> [Kind; 256] {
    let other = Kind {
        ports: 0,
        flags: 0,
        has_ports: false,
        is_common: false,
    };
    let mut kinds = [other; 256];
    kinds[icmp as usize].is_common = true;
    kinds[UDP as usize] = Kind {
        ports: u32::MAX,
        flags: 0,
        has_ports: true,
        is_common: true,
    };
    kinds[TCP as usize] = Kind {
        flags: u8::MAX,
        ..kinds[UDP as usize]
    };
    kinds
}

static OVER_IPV4: [Kind; 256] = kinds(ICMP);
static OVER_IPV6: [Kind; 256] = kinds(ICMPV6);

/// Ports, whether there are any, and TCP flags.
#[inline(always)]
fn transport(
    kinds: &[Kind; 256],
    protocol: u8,
    header: &[u8; TRANSPORT],
) -> Option<(u32, bool, u8)> {
    let &[a, b, c, d, .., flags] = header;
    let kind = kinds
        .get(usize::from(protocol))
        .filter(|kind| kind.is_common)?;
    let ports = u32::from_be_bytes([a, b, c, d]) & kind.ports;
    Some((ports, kind.has_ports, flags & kind.flags))
}
