//! The classic format (draft-ietf-opsawg-pcap), in both byte orders, with micro- and nanoseconds,
//! and the variant with longer record headers that some kernels' patches wrote.

use std::io::Read;

use super::input::Input;
use super::order::ByteOrder;
use super::{MAX_CAPTURED, Record, damaged, not_a_capture};
use crate::collector::{CollectError, Observer};
use crate::frame::{Direction, Frame, InterfaceId, LinkType};
use crate::time::Timestamp;

const FILE_HEADER: usize = 24;
/// Bytes of a record's header; some writers' records have more.
const USUAL_HEADER: u8 = 16;

/// How to read the records of a file.
#[derive(Debug)]
pub(super) struct Pcap {
    order: ByteOrder,
    /// Small types, so that no sum below can overflow.
    nanos_per_tick: u16,
    record_header: u8,
    lengths: Lengths,
    /// Whether records are as most are: little-endian, with the captured length first, and no longer header.
    is_usual: bool,
    link: LinkType,
}

/// Which of a record's two lengths comes first; versions before 2.4 did not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    /// Some writers of version 2.3 did the one, some the other: the smaller one was captured.
    SmallerCaptured,
}

impl Lengths {
    /// The captured length and the length on the wire.
    fn arranged(self, first: u32, second: u32) -> (u32, u32) {
        match self {
            Self::CapturedFirst => (first, second),
            Self::WireFirst => (second, first),
            Self::SmallerCaptured => (first.min(second), first.max(second)),
        }
    }
}

impl Pcap {
    pub(super) fn open<R: Read>(
        input: &mut Input<R>,
        magic: [u8; 4],
    ) -> Result<Self, CollectError> {
        let (order, nanos_per_tick, record_header) = match magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (ByteOrder::Little, 1_000, USUAL_HEADER),
            [0xa1, 0xb2, 0xc3, 0xd4] => (ByteOrder::Big, 1_000, USUAL_HEADER),
            [0x4d, 0x3c, 0xb2, 0xa1] => (ByteOrder::Little, 1, USUAL_HEADER),
            [0xa1, 0xb2, 0x3c, 0x4d] => (ByteOrder::Big, 1, USUAL_HEADER),
            [0x34, 0xcd, 0xb2, 0xa1] => (ByteOrder::Little, 1_000, 24),
            [0xa1, 0xb2, 0xcd, 0x34] => (ByteOrder::Big, 1_000, 24),
            [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd] | [0x04, 0x22, 0x4d, 0x18] => {
                return Err(not_a_capture(
                    "it is compressed; unpack it, or pipe it in unpacked",
                ));
            }
            _ => {
                return Err(not_a_capture(
                    "its first 4 bytes are those of no known format",
                ));
            }
        };
        let Some(header) = input.peek(FILE_HEADER)? else {
            return Err(damaged(0, "the file header is cut"));
        };
        let lengths = match (order.u16(header, 4), order.u16(header, 6)) {
            (2, 0..=2) | (543, _) => Lengths::WireFirst,
            (2, 3) => Lengths::SmallerCaptured,
            _ => Lengths::CapturedFirst,
        };
        // The upper bits say how long a frame check sequence is.
        let link = LinkType::from_linktype(order.u32(header, 20) & 0x03ff_ffff);
        input.skip(FILE_HEADER as u64)?;
        Ok(Self {
            order,
            nanos_per_tick,
            record_header,
            lengths,
            is_usual: order == ByteOrder::Little
                && lengths == Lengths::CapturedFirst
                && record_header == USUAL_HEADER,
            link,
        })
    }

    /// Hands on at most `most` frames of those that are read, at least one if there is one.
    #[inline]
    pub(super) fn next<R: Read>(
        &self,
        input: &mut Input<R>,
        most: usize,
        into: &mut (impl Observer + ?Sized),
    ) -> Result<Record, CollectError> {
        loop {
            let ready = input.ready();
            let (count, consumed) = if self.is_usual {
                self.frames::<true, _>(ready, most, into)
            } else {
                self.frames::<false, _>(ready, most, into)
            };
            if count > 0 {
                input.consume(consumed);
                return Ok(Record::Frames(count));
            }
            if !self.read_on(input)? {
                return Ok(Record::End);
            }
        }
    }

    /// Hands on at most `most` of the whole records that `bytes` start with, and says how many they are
    /// and how long. A loop for the usual records, another for all others.
    #[inline(always)]
    fn frames<const IS_USUAL: bool, O: Observer + ?Sized>(
        &self,
        bytes: &[u8],
        most: usize,
        into: &mut O,
    ) -> (usize, usize) {
        let mut rest = bytes;
        let mut count = 0;
        while count < most
            && let Some((frame, after)) = self.frame::<IS_USUAL>(rest)
        {
            into.frame(frame);
            rest = after;
            count += 1;
        }
        (count, bytes.len() - rest.len())
    }

    /// The frame of the record that `bytes` start with, and what follows the record, if it is whole and
    /// of a length that is taken.
    #[inline(always)]
    fn frame<'a, const IS_USUAL: bool>(&self, bytes: &'a [u8]) -> Option<(Frame<'a>, &'a [u8])> {
        let header = bytes.first_chunk::<16>()?;
        let [seconds, ticks, captured, wire_len] = if IS_USUAL {
            little_endian(header)
        } else {
            self.unusual(header)
        };
        let header_len = usize::from(if IS_USUAL {
            USUAL_HEADER
        } else {
            self.record_header
        });
        let captured = usize::try_from(captured)
            .ok()
            .filter(|length| *length <= MAX_CAPTURED)?;
        let (record, after) = bytes.split_at_checked(header_len + captured)?;
        let nanos =
            u64::from(seconds) * 1_000_000_000 + u64::from(ticks) * u64::from(self.nanos_per_tick);
        let frame = Frame {
            at: Timestamp::from_nanos(nanos),
            interface: InterfaceId(0),
            direction: Direction::Unknown,
            link: self.link,
            stripped_vlan: None,
            wire_len,
            bytes: record.get(header_len..)?,
        };
        Some((frame, after))
    }

    fn unusual(&self, header: &[u8; 16]) -> [u32; 4] {
        let [seconds, ticks, first, second] = match self.order {
            ByteOrder::Little => little_endian(header),
            ByteOrder::Big => little_endian(header).map(u32::swap_bytes),
        };
        let (captured, wire_len) = self.lengths.arranged(first, second);
        [seconds, ticks, captured, wire_len]
    }

    /// Reads until the next record is whole and can be taken; `false` at the end of the file.
    #[cold]
    fn read_on<R: Read>(&self, input: &mut Input<R>) -> Result<bool, CollectError> {
        if input.is_at_end()? {
            return Ok(false);
        }
        let offset = input.offset();
        let Some(header) = input.peek(usize::from(self.record_header))? else {
            return Err(damaged(offset, "a record header is cut"));
        };
        let (captured, _) = self
            .lengths
            .arranged(self.order.u32(header, 8), self.order.u32(header, 12));
        let Some(captured) = usize::try_from(captured)
            .ok()
            .filter(|length| *length <= MAX_CAPTURED)
        else {
            let most = MAX_CAPTURED;
            return Err(damaged(
                offset,
                format_args!("a frame of {captured} bytes, at most {most} are taken"),
            ));
        };
        match input.peek(usize::from(self.record_header) + captured)? {
            Some(_) => Ok(true),
            None => Err(damaged(offset, "the last frame is cut")),
        }
    }
}

#[inline(always)]
fn little_endian(header: &[u8; 16]) -> [u32; 4] {
    let &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = header;
    [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_le_bytes)
}
