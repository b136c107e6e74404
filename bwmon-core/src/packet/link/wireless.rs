//! IEEE 802.11 data frames, bare and under radiotap.

use super::{Layer, Step, cut, malformed};
use crate::frame::LinkType;

const DATA: u8 = 2;

/// A data frame that is not encrypted carries LLC; everything else has no IP that can be read.
pub(super) fn ieee80211(bytes: &[u8]) -> Step<'_> {
    const TO_AND_FROM_DS: u8 = 0x03;
    const PROTECTED: u8 = 0x40;
    const ORDER: u8 = 0x80;
    const NO_DATA: u8 = 0x04;
    const QOS: u8 = 0x08;
    const AGGREGATE: u8 = 0x80;
    let Some(&[control, flags]) = bytes.first_chunk::<2>() else {
        return cut("802.11");
    };
    let subtype = control >> 4;
    if (control >> 2) & 3 != DATA || subtype & NO_DATA != 0 || flags & PROTECTED != 0 {
        return Step::NonIp(0);
    }
    let mut length = if flags & TO_AND_FROM_DS == TO_AND_FROM_DS {
        30
    } else {
        24
    };
    let mut is_aggregate = false;
    if subtype & QOS != 0 {
        is_aggregate = bytes.get(length).is_some_and(|qos| qos & AGGREGATE != 0);
        length += if flags & ORDER != 0 { 6 } else { 2 };
    }
    // Of an aggregate the first subframe is read: two addresses and a length before its LLC header.
    length += if is_aggregate { 14 } else { 0 };
    match bytes.get(length..) {
        Some(rest) => Step::Next(Layer::Llc, rest),
        None => cut("802.11"),
    }
}

/// Radiotap: version 0, little-endian length.
pub(super) fn radiotap(bytes: &[u8]) -> Step<'_> {
    let Some(&[0, _, a, b]) = bytes.first_chunk::<4>() else {
        return malformed("radiotap", "truncated or bad version");
    };
    let length = usize::from(u16::from_le_bytes([a, b]));
    match (length >= 8).then(|| bytes.get(length..)).flatten() {
        Some(rest) => Step::Next(Layer::Link(LinkType::Ieee80211), rest),
        None => malformed("radiotap", "bad length"),
    }
}
