//! Packets that nobody means well with.

use bwmon_core::frame::Direction;
use fastrand::Rng;

use super::SNAP_LEN;
use super::flow::{Addresses, Flow};
use super::wire::{self, IPV4, IPV6, VLAN};

const QINQ: u16 = 0x88a8;
const MPLS: u16 = 0x8847;
const KINDS: u64 = 8;

/// Writes a packet; each kind in its turn. Answers its length on the wire, which may be anything
/// from what was captured up to that of a segmentation offload giant.
pub(super) fn write(out: &mut Vec<u8>, number: u64, rng: &mut Rng) -> u32 {
    match number % KINDS {
        0 | 1 => whole(out, rng),
        2 => {
            whole(out, rng);
            out.truncate(rng.usize(0..=out.len()));
        }
        3 => tags(out, rng),
        4 => labels(out, rng),
        5 => extensions(out, rng),
        6 => fragment(out, rng),
        _ => noise(out, rng),
    }
    out.truncate(SNAP_LEN);
    rng.u32(64..65_536)
        .max(u32::try_from(out.len()).unwrap_or(u32::MAX))
}

/// Nothing wrong with it but that its flow is new.
fn whole(out: &mut Vec<u8>, rng: &mut Rng) {
    let flow = Flow::random(rng);
    wire::flow_packet(out, &flow, Direction::Egress, 64, rng);
}

/// Up to 27 802.1Q and 802.1ad tags, so that the captured bytes end before or after IP begins.
fn tags(out: &mut Vec<u8>, rng: &mut Rng) {
    wire::ethernet(out, Direction::Ingress);
    for _ in 0..rng.u8(1..28) {
        let kind = if rng.bool() { VLAN } else { QINQ };
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&rng.u16(..).to_be_bytes());
    }
    ip(out, rng);
}

/// Up to 27 MPLS labels, the last of which may not say that it is the last.
fn labels(out: &mut Vec<u8>, rng: &mut Rng) {
    const BOTTOM_OF_STACK: u32 = 1 << 8;
    wire::ethernet(out, Direction::Ingress);
    out.extend_from_slice(&MPLS.to_be_bytes());
    for _ in 0..rng.u8(0..27) {
        out.extend_from_slice(&(rng.u32(..) & !BOTTOM_OF_STACK).to_be_bytes());
    }
    out.extend_from_slice(&rng.u32(..).to_be_bytes());
    let flow = Flow::random(rng);
    wire::ip(out, &flow, Direction::Ingress, 0, rng);
}

/// A chain of IPv6 extension headers, some longer than what is there.
fn extensions(out: &mut Vec<u8>, rng: &mut Rng) {
    const KINDS: [u8; 6] = [0, 43, 44, 51, 60, 135];
    wire::ethernet(out, Direction::Ingress);
    out.extend_from_slice(&IPV6.to_be_bytes());
    out.extend_from_slice(&[0x60, 0, 0, 0]);
    out.extend_from_slice(&rng.u16(..).to_be_bytes());
    let mut any_kind = || rng.choice(KINDS).unwrap_or_default();
    out.extend_from_slice(&[any_kind(), 64]);
    let chain: [u8; 9] = std::array::from_fn(|_| any_kind());
    out.extend_from_slice(&rng.u128(..).to_be_bytes());
    out.extend_from_slice(&rng.u128(..).to_be_bytes());
    for kind in chain {
        let longer = if rng.u8(0..8) == 0 { rng.u8(..) } else { 0 };
        out.extend_from_slice(&[kind, longer, 0, 0, 0, 0, 0, 0]);
    }
}

/// A fragment of IPv4, the first or a later one.
fn fragment(out: &mut Vec<u8>, rng: &mut Rng) {
    wire::ethernet(out, Direction::Ingress);
    out.extend_from_slice(&IPV4.to_be_bytes());
    let start = out.len();
    let flow = Flow::random(rng);
    wire::ip(out, &flow, Direction::Ingress, 0, rng);
    if let Addresses::V4 { .. } = flow.addresses {
        let more_and_offset = if rng.bool() {
            0x2000
        } else {
            rng.u16(0..0x4000)
        };
        let field = out.iter_mut().skip(start + 6);
        for (place, byte) in field.zip(more_and_offset.to_be_bytes()) {
            *place = byte;
        }
    }
}

/// A packet with some bytes overwritten, or nothing but random bytes.
fn noise(out: &mut Vec<u8>, rng: &mut Rng) {
    if rng.bool() {
        let len = rng.usize(0..=SNAP_LEN);
        out.extend(std::iter::repeat_with(|| rng.u8(..)).take(len));
        return;
    }
    whole(out, rng);
    for _ in 0..rng.u8(1..8) {
        let at = rng.usize(0..out.len());
        if let Some(byte) = out.get_mut(at) {
            *byte = rng.u8(..);
        }
    }
}

fn ip(out: &mut Vec<u8>, rng: &mut Rng) {
    let flow = Flow::random(rng);
    let ethertype = if flow.is_ipv6() { IPV6 } else { IPV4 };
    out.extend_from_slice(&ethertype.to_be_bytes());
    wire::ip(out, &flow, Direction::Ingress, 0, rng);
}
