//! The bytes of a segment: a header, then records that each prove themselves.
//!
//! Integers are big-endian. Header: magic (8), version (2), lane (1), zero (1), segment (8),
//! epoch (16), first number (8), CRC-32C of all before (4). Record: length of the payload (4),
//! number (8), time in seconds (8), CRC-32C of the segment, these three and the payload (4), payload.

use bwmon_core::report::Epoch;

const MAGIC: &[u8; 8] = b"bwmspool";
const VERSION: u16 = 1;
/// Bytes before the first record.
pub(super) const HEADER_BYTES: usize = 48;
/// Bytes before a payload.
pub(super) const RECORD_HEADER_BYTES: usize = 24;
/// Longest payload. A length beyond it is damage.
pub(super) const MAX_PAYLOAD_BYTES: usize = 16 << 20;

/// Which part of a report a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LaneId {
    /// Everything but flow rows.
    Core,
    /// Flow rows.
    Flow,
}

impl LaneId {
    pub(super) const ALL: [Self; 2] = [Self::Core, Self::Flow];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Flow => "flow",
        }
    }
}

/// The name of a segment's file.
pub(super) fn file_name(lane: LaneId, id: u64) -> String {
    format!("{}-{id:016x}.seg", lane.name())
}

/// The reverse of [`file_name`].
pub(super) fn parse_name(name: &str) -> Option<(LaneId, u64)> {
    let (lane, rest) = name.split_once('-')?;
    let lane = LaneId::ALL.into_iter().find(|known| known.name() == lane)?;
    let digits = rest.strip_suffix(".seg").filter(|d| d.len() == 16)?;
    Some((lane, u64::from_str_radix(digits, 16).ok()?))
}

pub(super) fn header(lane: LaneId, id: u64, epoch: Epoch, first_seq: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_be_bytes());
    bytes.extend([lane as u8, 0]);
    bytes.extend(id.to_be_bytes());
    bytes.extend(epoch.0.to_be_bytes());
    bytes.extend(first_seq.to_be_bytes());
    bytes.extend(crc32c::crc32c(&bytes).to_be_bytes());
    bytes
}

/// The epoch of a whole header of this lane and segment.
fn parse_header(bytes: &[u8], lane: LaneId, id: u64) -> Option<Epoch> {
    let epoch = Epoch(u128::from_be_bytes(array(bytes, 20)?));
    let first_seq = u64::from_be_bytes(array(bytes, 36)?);
    (bytes.get(..HEADER_BYTES)? == header(lane, id, epoch, first_seq)).then_some(epoch)
}

/// A record as it stands in segment `id`.
pub(super) fn record(id: u64, seq: u64, at_s: u64, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(RECORD_HEADER_BYTES + payload.len());
    bytes.extend(len.to_be_bytes());
    bytes.extend(seq.to_be_bytes());
    bytes.extend(at_s.to_be_bytes());
    bytes.extend(checksum(id, &bytes, payload).to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn checksum(id: u64, head: &[u8], payload: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&id.to_be_bytes()), head);
    crc32c::crc32c_append(crc, payload)
}

/// A record that was found whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) seq: u64,
    pub(super) at_s: u64,
    /// Of its first byte within the segment.
    pub(super) offset: u32,
    /// With its header.
    pub(super) len: u32,
}

/// What a segment holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) epoch: Epoch,
    pub(super) records: Vec<Found>,
    /// Bytes up to the end of the last whole record.
    pub(super) whole_bytes: usize,
}

/// Reads a segment up to the first byte that is not as it was written; `None` if that is in the
/// header.
pub(super) fn scan(bytes: &[u8], lane: LaneId, id: u64) -> Option<Scan> {
    let epoch = parse_header(bytes, lane, id)?;
    let mut records = Vec::new();
    let mut offset = HEADER_BYTES;
    while let Some((found, _)) = bytes.get(offset..).and_then(|rest| parse(rest, id)) {
        let start = u32::try_from(offset).ok()?;
        records.push(Found {
            offset: start,
            ..found
        });
        offset += found.len as usize;
    }
    Some(Scan {
        epoch,
        records,
        whole_bytes: offset,
    })
}

/// The record at the start of `bytes` and its payload, if both are whole.
pub(super) fn parse(bytes: &[u8], id: u64) -> Option<(Found, &[u8])> {
    let payload_len = u32::from_be_bytes(array(bytes, 0)?) as usize;
    if payload_len > MAX_PAYLOAD_BYTES {
        return None;
    }
    let len = RECORD_HEADER_BYTES + payload_len;
    let payload = bytes.get(RECORD_HEADER_BYTES..len)?;
    let crc = u32::from_be_bytes(array(bytes, 20)?);
    if checksum(id, bytes.get(..20)?, payload) != crc {
        return None;
    }
    let found = Found {
        seq: u64::from_be_bytes(array(bytes, 4)?),
        at_s: u64::from_be_bytes(array(bytes, 12)?),
        offset: 0,
        len: u32::try_from(len).ok()?,
    };
    Some((found, payload))
}

pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for (lane, id) in [(LaneId::Core, 0), (LaneId::Flow, u64::MAX)] {
            assert_eq!(parse_name(&file_name(lane, id)), Some((lane, id)));
        }
        for other in ["state-0", "core-1.seg", "other-0000000000000001.seg"] {
            assert_eq!(parse_name(other), None);
        }
    }

    #[test]
    fn no_flipped_bit_passes_for_what_was_written() {
        let mut bytes = header(LaneId::Core, 7, Epoch(9), 1);
        for seq in 1..=3 {
            bytes.extend(record(7, seq, 100, b"payload"));
        }
        let whole = scan(&bytes, LaneId::Core, 7).unwrap();
        assert_eq!((whole.records.len(), whole.whole_bytes), (3, bytes.len()));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let found = scan(&damaged, LaneId::Core, 7).map_or(0, |scan| scan.records.len());
                let untouched = at.saturating_sub(HEADER_BYTES) / (RECORD_HEADER_BYTES + 7);
                assert_eq!(found, untouched, "byte {at}");
            }
        }
    }
}
