//! The outermost IP header, the extension headers behind it, and the ports behind those.

use std::net::Ipv4Addr;

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use super::{Addresses, PacketView, Parsed, malformed};

const TCP: u8 = 6;
const UDP: u8 = 17;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// What stands behind an IP header and its extension headers.
struct Transport<'a> {
    protocol: u8,
    /// Absent in later fragments, and where an extension header is cut.
    header: Option<&'a [u8]>,
}

/// Parses IPv4 (RFC 791). Options that are cut leave the addresses; addresses that are cut, or a
/// header length below 20 bytes, leave nothing. Nothing is read beyond the total length, which
/// segmentation offload makes 0; what is counted is the length on the wire.
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
    let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
    if total != 0 && total < usize::from(fixed[0] & 0x0f) * 4 {
        return malformed("ipv4", "bad total length");
    }
    let [.., a, b, c, d, e, f, g, h] = *fixed;
    let packet = within(bytes, total);
    let transport = match Ipv4HeaderSlice::from_slice(packet) {
        Ok(header) if header.fragments_offset().value() == 0 => {
            let payload = packet.get(header.slice().len()..).unwrap_or_default();
            skip_authentication(header.protocol().0, payload)
        }
        Ok(_) | Err(_) => Transport {
            protocol: fixed[9],
            header: None,
        },
    };
    view(
        Addresses::V4([Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h)]),
        &transport,
    )
}

/// Parses IPv6 (RFC 8200) and its extension headers, as far as they were captured. Nothing is read
/// beyond the payload length, which is 0 in jumbograms.
pub(super) fn ipv6(bytes: &[u8]) -> Parsed {
    match Ipv6HeaderSlice::from_slice(bytes) {
        Ok(header) => {
            let payload = bytes.get(header.slice().len()..).unwrap_or_default();
            let payload = within(payload, usize::from(header.payload_length()));
            view(
                Addresses::V6([header.source_addr(), header.destination_addr()]),
                &skip_extensions(header.next_header().0, payload),
            )
        }
        Err(_) if bytes.len() < 40 => malformed("ipv6", "truncated"),
        Err(_) => malformed("ipv6", "version is not 6"),
    }
}

/// The first `length` bytes, or all where that is 0 or more than was captured.
fn within(bytes: &[u8], length: usize) -> &[u8] {
    match length {
        0 => bytes,
        _ => bytes.get(..length).unwrap_or(bytes),
    }
}

/// RFC 4302, section 2: the length counts 4-byte words, less two. Each header takes at least eight of
/// the captured bytes.
fn skip_authentication(mut protocol: u8, mut bytes: &[u8]) -> Transport<'_> {
    while protocol == AUTHENTICATION
        && let Some(&[next, words]) = bytes.first_chunk::<2>()
    {
        match bytes.get((usize::from(words) + 2) * 4..) {
            Some(rest) => (protocol, bytes) = (next, rest),
            None => {
                return Transport {
                    protocol: next,
                    header: None,
                };
            }
        }
    }
    Transport {
        protocol,
        header: Some(bytes),
    }
}

/// RFC 8200, section 4. Each header takes at least eight of the captured bytes.
fn skip_extensions(mut protocol: u8, mut bytes: &[u8]) -> Transport<'_> {
    while let Some(&[next, length, high, low]) = bytes.first_chunk::<4>() {
        let length = match protocol {
            FRAGMENT if u16::from_be_bytes([high, low]) >> 3 != 0 => {
                return Transport {
                    protocol: next,
                    header: None,
                };
            }
            FRAGMENT => 8,
            AUTHENTICATION => (usize::from(length) + 2) * 4,
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | MOBILITY | HOST_IDENTITY | SHIM6 => {
                (usize::from(length) + 1) * 8
            }
            _ => break,
        };
        let Some(rest) = bytes.get(length..) else {
            return Transport {
                protocol: next,
                header: None,
            };
        };
        (protocol, bytes) = (next, rest);
    }
    Transport {
        protocol,
        header: Some(bytes),
    }
}

fn view(addresses: Addresses, transport: &Transport<'_>) -> Parsed {
    let (ports, tcp_flags) = match (transport.protocol, transport.header) {
        (TCP, Some(header)) => (ports(header), header.get(13).copied().unwrap_or(0)),
        (UDP, Some(header)) => (ports(header), 0),
        _ => (None, 0),
    };
    let protocol = transport.protocol;
    Parsed::Ip(PacketView {
        addresses,
        protocol,
        ports,
        tcp_flags,
        vlan: None,
    })
}

fn ports(header: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d] = *header.first_chunk::<4>()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}
