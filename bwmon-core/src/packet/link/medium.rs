//! Local networks other than Ethernet and 802.11: FDDI, token ring, ARCNET, ATM, InfiniBand, AX.25.

use super::{Layer, Step, cut, malformed, typed};

/// A frame control byte and two addresses before the LLC header (ISO 9314-2).
pub(super) fn fddi(bytes: &[u8]) -> Step<'_> {
    match bytes.get(13..) {
        // Asynchronous LLC frames only; the others manage the ring.
        Some(rest) if bytes.first().is_some_and(|control| control & 0xf0 == 0x50) => {
            Step::Next(Layer::Llc, rest)
        }
        Some(_) => Step::NonIp(0),
        None => cut("fddi"),
    }
}

/// IEEE 802.5: access and frame control, two addresses, and routing information where the source
/// address says so; then LLC.
pub(super) fn token_ring(bytes: &[u8]) -> Step<'_> {
    const LLC_FRAME: u8 = 0x40;
    const ROUTED: u8 = 0x80;
    let (Some(control), Some(source)) = (bytes.get(1), bytes.get(8)) else {
        return cut("token ring");
    };
    if control & 0xc0 != LLC_FRAME {
        return Step::NonIp(0);
    }
    let routing = match bytes.get(14) {
        Some(control) if source & ROUTED != 0 => usize::from(control & 0x1f),
        _ => 0,
    };
    match bytes.get(14 + routing..) {
        Some(rest) => Step::Next(Layer::Llc, rest),
        None => cut("token ring"),
    }
}

/// BSD's header: addresses and a protocol number. RFC 1201 adds a split flag and a sequence number, and
/// an exception frame puts four bytes before the split flag.
pub(super) fn arcnet(bytes: &[u8]) -> Step<'_> {
    const EXCEPTION: u8 = 0xff;
    match bytes.get(3) {
        Some(&EXCEPTION) => arcnet_protocol(bytes, 2, 7),
        _ => arcnet_protocol(bytes, 2, 3),
    }
}

/// Linux's header has an offset after the addresses, and hides what exception frames have more.
pub(super) fn arcnet_linux(bytes: &[u8]) -> Step<'_> {
    arcnet_protocol(bytes, 4, 3)
}

/// The protocol at `at`, and what follows it where it is one of RFC 1201's.
fn arcnet_protocol(bytes: &[u8], at: usize, rfc1201: usize) -> Step<'_> {
    const IP_RFC1051: u8 = 240;
    const IP_RFC1201: u8 = 212;
    const IPV6_RFC1201: u8 = 196;
    let Some((&protocol, rest)) = bytes.get(at..).and_then(<[u8]>::split_first) else {
        return cut("arcnet");
    };
    let layer = match protocol {
        IP_RFC1051 => return Step::Next(Layer::Ipv4, rest),
        IP_RFC1201 => Layer::Ipv4,
        IPV6_RFC1201 => Layer::Ipv6,
        _ => return Step::NonIp(0),
    };
    match rest.get(rfc1201..) {
        Some(rest) => Step::Next(layer, rest),
        None => cut("arcnet"),
    }
}

/// RFC 2225 as Linux captures it: with its LLC header, or without.
pub(super) fn atm_clip(bytes: &[u8]) -> Step<'_> {
    let layer = match bytes.first() {
        Some(0xaa) => Layer::Llc,
        _ => Layer::AnyIp,
    };
    Step::Next(layer, bytes)
}

/// RFC 4391, section 6: a type and two reserved bytes, which a global routing header may precede; its
/// first nibble is 6, which no type that the RFC allows begins with.
pub(super) fn infiniband(bytes: &[u8]) -> Step<'_> {
    const ROUTING_HEADER: usize = 40;
    let start = match bytes.first() {
        Some(byte) if byte >> 4 == 6 => ROUTING_HEADER,
        Some(_) => 0,
        None => return cut("infiniband"),
    };
    match typed(bytes, start, "infiniband") {
        Step::Next(layer, rest) => match rest.get(2..) {
            Some(rest) => Step::Next(layer, rest),
            None => cut("infiniband"),
        },
        other => other,
    }
}

/// AX.25 2.2, section 3: two to ten addresses, the last one marked, then an unnumbered information
/// frame with a protocol identifier.
pub(super) fn ax25(bytes: &[u8]) -> Step<'_> {
    const ADDRESS: usize = 7;
    const MAX_ADDRESSES: usize = 10;
    let mut addresses = bytes.chunks_exact(ADDRESS).take(MAX_ADDRESSES);
    let last = addresses.position(|address| address.last().is_some_and(|byte| byte & 1 == 1));
    let Some(last) = last else {
        return malformed("ax.25", "no last address");
    };
    match bytes.get((last + 1) * ADDRESS..).unwrap_or_default() {
        // 0xcc is the ARPA Internet Protocol.
        [0x03, 0xcc, rest @ ..] => Step::Next(Layer::Ipv4, rest),
        [_, ..] => Step::NonIp(0),
        [] => cut("ax.25"),
    }
}
