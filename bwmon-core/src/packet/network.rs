//! The outermost IP header and the ports behind it.

use std::net::{IpAddr, Ipv4Addr};

use etherparse::{Ipv6ExtensionSlice, LaxIpv4Slice, LaxIpv6Slice};

use super::{PacketView, Parsed, malformed};

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;

/// Parses IPv4 (RFC 791). Options that are cut leave the addresses; addresses that are cut, or a
/// header length below 20 bytes, leave nothing.
pub(super) fn ipv4(bytes: &[u8]) -> Parsed {
    let Some(fixed) = bytes.first_chunk::<20>() else {
        return malformed("ipv4", "truncated");
    };
    if fixed[0] >> 4 != 4 {
        return malformed("ipv4", "version is not 4");
    }
    if fixed[0] & 0x0f < 5 {
        return malformed("ipv4", "bad header length");
    }
    let [.., a, b, c, d, e, f, g, h] = *fixed;
    let source = IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    let destination = IpAddr::V4(Ipv4Addr::new(e, f, g, h));
    let (protocol, transport) = match LaxIpv4Slice::from_slice(bytes) {
        Ok((ip, _)) => {
            let payload = ip.payload();
            let is_first = ip.header().fragments_offset().value() == 0;
            (payload.ip_number.0, is_first.then_some(payload.payload))
        }
        Err(_) => (fixed[9], None),
    };
    Parsed::Ip(view(source, destination, protocol, transport))
}

/// Parses IPv6 (RFC 8200) and its extension headers, as far as they were captured.
pub(super) fn ipv6(bytes: &[u8]) -> Parsed {
    match LaxIpv6Slice::from_slice(bytes) {
        Ok((ip, _)) => {
            let header = ip.header();
            let payload = ip.payload();
            Parsed::Ip(view(
                IpAddr::V6(header.source_addr()),
                IpAddr::V6(header.destination_addr()),
                payload.ip_number.0,
                is_first_fragment(&ip).then_some(payload.payload),
            ))
        }
        Err(_) if bytes.len() < 40 => malformed("ipv6", "truncated"),
        Err(_) => malformed("ipv6", "version is not 6"),
    }
}

fn is_first_fragment(ip: &LaxIpv6Slice<'_>) -> bool {
    ip.extensions()
        .clone()
        .into_iter()
        .all(|extension| match extension {
            Ipv6ExtensionSlice::Fragment(fragment) => fragment.fragment_offset().value() == 0,
            _ => true,
        })
}

fn view(source: IpAddr, destination: IpAddr, protocol: u8, transport: Option<&[u8]>) -> PacketView {
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
        vlan: None,
    }
}

fn ports(header: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d] = *header.first_chunk::<4>()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}
