//! The classic format (draft-ietf-opsawg-pcap), in both byte orders, with micro- and nanoseconds,
//! and the variant with longer record headers that some kernels' patches wrote.

use std::io::Read;

use super::input::Input;
use super::order::ByteOrder;
use super::{MAX_CAPTURED, Record, damaged, not_a_capture};
use crate::collector::CollectError;
use crate::frame::{Direction, Frame, InterfaceId, LinkType};
use crate::time::Timestamp;

const FILE_HEADER: usize = 24;

/// How to read the records of a file.
#[derive(Debug)]
pub(super) struct Pcap {
    order: ByteOrder,
    nanos_per_tick: u64,
    record_header: usize,
    link: LinkType,
}

impl Pcap {
    pub(super) fn open<R: Read>(
        input: &mut Input<R>,
        magic: [u8; 4],
    ) -> Result<Self, CollectError> {
        let (order, nanos_per_tick, record_header) = match magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (ByteOrder::Little, 1_000, 16),
            [0xa1, 0xb2, 0xc3, 0xd4] => (ByteOrder::Big, 1_000, 16),
            [0x4d, 0x3c, 0xb2, 0xa1] => (ByteOrder::Little, 1, 16),
            [0xa1, 0xb2, 0x3c, 0x4d] => (ByteOrder::Big, 1, 16),
            [0x34, 0xcd, 0xb2, 0xa1] => (ByteOrder::Little, 1_000, 24),
            [0xa1, 0xb2, 0xcd, 0x34] => (ByteOrder::Big, 1_000, 24),
            _ => {
                return Err(not_a_capture(
                    "its first 4 bytes are those of no known format",
                ));
            }
        };
        let Some(header) = input.peek(FILE_HEADER)? else {
            return Err(damaged(0, "the file header is cut"));
        };
        // The upper bits say how long a frame check sequence is.
        let link = LinkType::from_linktype(order.u32(header, 20) & 0x03ff_ffff);
        input.skip(FILE_HEADER as u64)?;
        Ok(Self {
            order,
            nanos_per_tick,
            record_header,
            link,
        })
    }

    pub(super) fn next<R: Read>(
        &self,
        input: &mut Input<R>,
        observer: &mut impl FnMut(Frame<'_>),
    ) -> Result<Record, CollectError> {
        if input.is_at_end()? {
            return Ok(Record::End);
        }
        let offset = input.offset();
        let Some(header) = input.peek(self.record_header)? else {
            return Err(damaged(offset, "a record header is cut"));
        };
        let seconds = u64::from(self.order.u32(header, 0));
        let ticks = u64::from(self.order.u32(header, 4));
        let captured = self.order.u32(header, 8);
        let wire_len = self.order.u32(header, 12);
        let Some(captured) = usize::try_from(captured)
            .ok()
            .filter(|len| *len <= MAX_CAPTURED)
        else {
            let most = MAX_CAPTURED;
            return Err(damaged(
                offset,
                format_args!("a frame of {captured} bytes, at most {most} are taken"),
            ));
        };
        let total = self.record_header + captured;
        let Some(record) = input.peek(total)? else {
            return Err(damaged(offset, "the last frame is cut"));
        };
        observer(Frame {
            at: Timestamp::from_nanos(seconds * 1_000_000_000 + ticks * self.nanos_per_tick),
            interface: InterfaceId(0),
            direction: Direction::Unknown,
            link: self.link,
            stripped_vlan: None,
            wire_len,
            bytes: record.get(self.record_header..).unwrap_or_default(),
        });
        input.skip(total as u64)?;
        Ok(Record::Frame)
    }
}
