//! IEEE 802.11 data frames, bare and under the headers of capturing systems.

use super::{Layer, Step, after, cut, malformed};
use crate::frame::LinkType;

/// First and second byte of a frame (IEEE 802.11-2020, section 9.2.4.1), and quality of service.
mod bits {
    pub(super) const DATA: u8 = 2;
    pub(super) const NO_DATA: u8 = 0x04;
    pub(super) const QOS: u8 = 0x08;
    pub(super) const TO_AND_FROM_DS: u8 = 0x03;
    pub(super) const FROM_DS: u8 = 0x02;
    pub(super) const PROTECTED: u8 = 0x40;
    pub(super) const ORDER: u8 = 0x80;
    pub(super) const AGGREGATE: u8 = 0x80;
    pub(super) const MESH: u8 = 0x01;
}

/// A data frame that is not encrypted carries LLC; everything else has no IP that can be read.
pub(super) fn ieee80211(bytes: &[u8]) -> Step<'_> {
    data(bytes, 1)
}

/// The same with a header that is padded to a multiple of four bytes.
pub(super) fn padded_ieee80211(bytes: &[u8]) -> Step<'_> {
    data(bytes, 4)
}

fn data(bytes: &[u8], alignment: usize) -> Step<'_> {
    let Some(&[control, flags]) = bytes.first_chunk::<2>() else {
        return cut("802.11");
    };
    let subtype = control >> 4;
    if control & 3 != 0 {
        return malformed("802.11", "unknown version");
    }
    let is_data = (control >> 2) & 3 == bits::DATA && subtype & bits::NO_DATA == 0;
    if !is_data || flags & bits::PROTECTED != 0 {
        return Step::NonIp(0);
    }
    // Later fragments have no LLC header; the fragment's number is in the low bits of byte 22.
    match bytes.get(22) {
        Some(sequence) if sequence & 0x0f != 0 => return Step::NonIp(0),
        Some(_) => {}
        None => return cut("802.11"),
    }
    let mut length = if flags & bits::TO_AND_FROM_DS == bits::TO_AND_FROM_DS {
        30
    } else {
        24
    };
    let mut qos = None;
    if subtype & bits::QOS != 0 {
        qos = bytes.get(length..).and_then(|rest| rest.first_chunk());
        length += if flags & bits::ORDER != 0 { 6 } else { 2 };
    }
    let body = bytes.get(length.next_multiple_of(alignment)..);
    match (body, qos) {
        // Of an aggregate the first subframe is read: two addresses and a length before its LLC header.
        (Some(body), Some([first, _])) if first & bits::AGGREGATE != 0 => {
            after(body, 14, Layer::Llc, "802.11")
        }
        (Some(body), Some([_, second])) if second & bits::MESH != 0 => {
            after(body, mesh_control(flags, bytes, body), Layer::Llc, "802.11")
        }
        (Some(body), _) => Step::Next(Layer::Llc, body),
        (None, _) => cut("802.11"),
    }
}

/// Length of the mesh control (section 9.2.4.7.3), which only frames between mesh stations have: those
/// with four addresses and those to a group. Elsewhere the bit that announces it means something else.
fn mesh_control(flags: u8, bytes: &[u8], body: &[u8]) -> usize {
    let is_to_group = bytes.get(4).is_some_and(|byte| byte & 1 == 1);
    match (flags & bits::TO_AND_FROM_DS, body.first()) {
        (bits::TO_AND_FROM_DS, Some(&extension @ 0..=2)) => 6 + 6 * usize::from(extension),
        (bits::FROM_DS, Some(&extension @ 0..=2)) if is_to_group => 6 + 6 * usize::from(extension),
        _ => 0,
    }
}

/// Radiotap: version 0, little-endian length, and which fields are present.
pub(super) fn radiotap(bytes: &[u8]) -> Step<'_> {
    let Some(&[0, _, a, b]) = bytes.first_chunk::<4>() else {
        return malformed("radiotap", "truncated or bad version");
    };
    let length = usize::from(u16::from_le_bytes([a, b]));
    let parts = (length >= 8).then(|| bytes.split_at_checked(length));
    match parts.flatten() {
        Some((header, rest)) if is_padded(header) => Step::Next(Layer::PaddedIeee80211, rest),
        Some((_, rest)) => Step::Next(Layer::Link(LinkType::Ieee80211), rest),
        None => malformed("radiotap", "bad length"),
    }
}

/// Whether the flags field, which only a time of eight bytes may precede, tells of padding.
fn is_padded(radiotap: &[u8]) -> bool {
    const HAS_TIME: u8 = 0x01;
    const HAS_FLAGS: u8 = 0x02;
    const HAS_MORE: u8 = 0x80;
    const PADDED: u8 = 0x20;
    let mut words = radiotap.get(4..).unwrap_or_default().chunks_exact(4);
    let Some(&[present, _, _, mut last]) = words.next() else {
        return false;
    };
    let mut at: usize = 8;
    while last & HAS_MORE != 0 {
        let Some(&[_, _, _, next]) = words.next() else {
            return false;
        };
        (last, at) = (next, at + 4);
    }
    if present & HAS_TIME != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    let flags = radiotap.get(at).filter(|_| present & HAS_FLAGS != 0);
    flags.is_some_and(|flags| flags & PADDED != 0)
}

/// Prism: 144 bytes, where AVS may stand instead.
pub(super) fn prism(bytes: &[u8]) -> Step<'_> {
    const PRISM: usize = 144;
    match bytes {
        [0x80, 0x21, 0x10, ..] => avs(bytes),
        _ => after(bytes, PRISM, Layer::Link(LinkType::Ieee80211), "prism"),
    }
}

/// AVS: a magic number with its version, and a length.
pub(super) fn avs(bytes: &[u8]) -> Step<'_> {
    let Some(&[0x80, 0x21, 0x10, _, 0, 0, a, b]) = bytes.first_chunk::<8>() else {
        return malformed("avs", "truncated or bad version");
    };
    match usize::from(u16::from_be_bytes([a, b])) {
        length @ 8.. => after(bytes, length, Layer::Link(LinkType::Ieee80211), "avs"),
        _ => malformed("avs", "bad length"),
    }
}
