//! IP packets whose header fields the recipe chooses, written by hand from the RFCs.

use std::net::{Ipv4Addr, Ipv6Addr};

use bwmon_core::packet::{Addresses, PacketView};

use super::Stack;

const HOP_BY_HOP: u8 = 0;
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const ICMPV6: u8 = 58;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;
const SCTP: u8 = 132;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

const TRANSPORTS: [u8; 6] = [TCP, UDP, ICMP, ICMPV6, SCTP, NO_NEXT_HEADER];
const MOST_EXTENSIONS: u8 = 9;

pub(super) struct Packet {
    pub(super) expected: PacketView,
    /// Where the fixed header, with both addresses, ends.
    pub(super) addresses_end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fragment {
    Whole,
    First,
    Later,
}

/// What a length field says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    /// What it should.
    Exact,
    /// Nothing, as with segmentation offload and in jumbograms.
    Zero,
    /// More than was captured.
    More,
    /// That the packet ends so many bytes behind the last network header.
    Less(u8),
}

pub(super) fn packet(stack: &mut Stack<'_>, version: u8) -> Packet {
    match version {
        4 => ipv4(stack),
        _ => ipv6(stack),
    }
}

/// RFC 791.
fn ipv4(stack: &mut Stack<'_>) -> Packet {
    stack.name("ipv4");
    let start = stack.frame.len();
    let transport = stack.recipe.choose(&TRANSPORTS);
    let options = stack.recipe.below(11);
    let has_authentication = stack.recipe.below(4) == 3;
    let fragment = fragment(stack);
    let length = length(stack);
    let protocol = if has_authentication {
        AUTHENTICATION
    } else {
        transport
    };
    stack.put(&[0x45 + options]);
    stack.any::<1>(); // Type of service.
    stack.put(&[0, 0]);
    stack.any::<2>(); // Identification.
    let bits: u16 = match fragment {
        Fragment::Whole => stack.recipe.choose(&[0, 0x4000]),
        Fragment::First => 0x2000,
        Fragment::Later => 1 + stack.recipe.number::<u16>() % 0x1fff,
    };
    stack.be16(bits);
    stack.put(&[64, protocol, 0, 0]);
    let (source, destination) = (stack.recipe.bytes::<4>(), stack.recipe.bytes::<4>());
    stack.put(&source);
    stack.put(&destination);
    let addresses_end = stack.frame.len();
    stack.filler(4 * usize::from(options));
    let addresses = Addresses::V4([source, destination].map(Ipv4Addr::from));
    let mut expected = nothing_but(addresses, stack.vlan);
    expected.protocol = protocol;
    let mut headers_end = stack.frame.len();
    if fragment == Fragment::Later {
        stack.filler(8);
    } else {
        if has_authentication {
            authentication(stack, transport);
            headers_end = stack.frame.len();
        }
        expected.protocol = transport;
        (expected.ports, expected.tcp_flags) = write_transport(stack, transport);
    }
    let total = told(stack, length, start, headers_end, &mut expected);
    stack.frame[start + 2..start + 4].copy_from_slice(&total.to_be_bytes());
    Packet {
        expected,
        addresses_end,
    }
}

/// RFC 8200.
fn ipv6(stack: &mut Stack<'_>) -> Packet {
    stack.name("ipv6");
    let start = stack.frame.len();
    let transport = stack.recipe.choose(&TRANSPORTS);
    let mut chain = Vec::new();
    for _ in 0..stack.recipe.below(MOST_EXTENSIONS) {
        chain.push(stack.recipe.choose(&[
            HOP_BY_HOP,
            DESTINATION_OPTIONS,
            ROUTING,
            FRAGMENT,
            AUTHENTICATION,
            MOBILITY,
            HOST_IDENTITY,
            SHIM6,
        ]));
    }
    let length = length(stack);
    stack.put(&[0x60]);
    stack.any::<3>(); // Traffic class, flow label.
    stack.put(&[0, 0, chain.first().copied().unwrap_or(transport), 64]);
    let (source, destination) = (stack.recipe.bytes::<16>(), stack.recipe.bytes::<16>());
    stack.put(&source);
    stack.put(&destination);
    let addresses_end = stack.frame.len();
    let addresses = Addresses::V6([source, destination].map(Ipv6Addr::from));
    let mut expected = nothing_but(addresses, stack.vlan);
    let mut is_later_fragment = false;
    for (index, &header) in chain.iter().enumerate() {
        expected.protocol = chain.get(index + 1).copied().unwrap_or(transport);
        is_later_fragment = extension(stack, header, expected.protocol);
        if is_later_fragment {
            break;
        }
    }
    let headers_end = stack.frame.len();
    if is_later_fragment {
        stack.filler(12);
    } else {
        expected.protocol = transport;
        (expected.ports, expected.tcp_flags) = write_transport(stack, transport);
    }
    let payload = told(stack, length, start + 40, headers_end, &mut expected);
    stack.frame[start + 4..start + 6].copy_from_slice(&payload.to_be_bytes());
    Packet {
        expected,
        addresses_end,
    }
}

fn length(stack: &mut Stack<'_>) -> Length {
    match stack.recipe.below(8) {
        0..=3 => Length::Exact,
        4 => Length::Zero,
        5 => Length::More,
        _ => Length::Less(stack.recipe.below(20)),
    }
}

/// The length that is told of what begins at `start`. Nothing behind it is read: ports need four bytes of
/// the transport header, flags fourteen.
fn told(
    stack: &Stack<'_>,
    length: Length,
    start: usize,
    headers_end: usize,
    expected: &mut PacketView,
) -> u16 {
    let exact = stack.frame.len() - start;
    let told = match length {
        Length::Exact => exact,
        Length::Zero => 0,
        Length::More => exact + 1_000,
        Length::Less(kept) => (headers_end - start + usize::from(kept)).min(exact),
    };
    if let Length::Less(kept) = length
        && told > 0
    {
        expected.ports = expected.ports.filter(|_| kept >= 4);
        expected.tcp_flags = if kept >= 14 { expected.tcp_flags } else { 0 };
    }
    u16::try_from(told).unwrap_or(0)
}

/// Writes an extension header; says whether it is that of a later fragment.
fn extension(stack: &mut Stack<'_>, header: u8, next: u8) -> bool {
    match header {
        FRAGMENT => {
            stack.name("ipv6 fragment");
            let kind = fragment(stack);
            let offset = match kind {
                Fragment::Whole => 0,
                Fragment::First => 1,
                Fragment::Later => (1 + stack.recipe.number::<u16>() % 0x1fff) << 3,
            };
            let reserved = stack.recipe.byte();
            stack.put(&[next, reserved]);
            stack.be16(offset);
            stack.any::<4>();
            kind == Fragment::Later
        }
        AUTHENTICATION => {
            authentication(stack, next);
            false
        }
        _ => {
            stack.name("ipv6 extension");
            let eights = stack.recipe.below(4);
            stack.put(&[next, eights]);
            stack.filler(6 + 8 * usize::from(eights));
            false
        }
    }
}

/// RFC 4302: the length counts 4-byte words, less two. Of IPv6 it is a multiple of eight bytes.
fn authentication(stack: &mut Stack<'_>, next: u8) {
    stack.name("authentication");
    let words = 2 + 2 * stack.recipe.below(4);
    stack.put(&[next, words]);
    stack.filler(4 * (usize::from(words) + 2) - 2);
}

fn fragment(stack: &mut Stack<'_>) -> Fragment {
    stack
        .recipe
        .choose(&[Fragment::Whole, Fragment::First, Fragment::Later])
}

/// Writes a transport header; its ports and TCP flags.
fn write_transport(stack: &mut Stack<'_>, protocol: u8) -> (Option<(u16, u16)>, u8) {
    let (from, to) = (stack.recipe.number(), stack.recipe.number());
    match protocol {
        TCP => {
            stack.name("tcp");
            let flags = stack.recipe.byte();
            stack.be16(from);
            stack.be16(to);
            stack.any::<8>();
            stack.put(&[0x50, flags]);
            stack.any::<6>();
            (Some((from, to)), flags)
        }
        UDP => {
            stack.name("udp");
            stack.be16(from);
            stack.be16(to);
            stack.any::<4>();
            (Some((from, to)), 0)
        }
        _ => {
            stack.name("other");
            stack.any::<8>();
            (None, 0)
        }
    }
}

fn nothing_but(addresses: Addresses, vlan: Option<u16>) -> PacketView {
    PacketView {
        addresses,
        protocol: 0,
        ports: None,
        tcp_flags: 0,
        vlan,
    }
}
