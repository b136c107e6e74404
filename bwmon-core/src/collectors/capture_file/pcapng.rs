//! The next-generation format (draft-ietf-opsawg-pcapng): sections, interfaces with link types,
//! snapshot lengths and clocks of their own, simple, enhanced and obsolete packet blocks. Other
//! blocks are passed over.

use std::io::Read;

use super::input::Input;
use super::order::ByteOrder;
use super::{MAX_CAPTURED, Record, damaged};
use crate::collector::{CollectError, Observer};
use crate::frame::{Direction, Frame, InterfaceId, LinkType};
use crate::time::Timestamp;

/// First bytes of a section header block; the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Longest packet or interface block that is taken, with its comments.
const MAX_BLOCK: usize = 1024 * 1024;
/// Most interfaces of one section.
const MAX_INTERFACES: usize = 65_536;
const LENGTHS_DIFFER: &str = "a block whose two lengths differ";
const OPTION_END: u16 = 0;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;

/// What the current section said so far.
#[derive(Debug, Default)]
pub(super) struct PcapNg {
    order: ByteOrder,
    interfaces: Vec<Interface>,
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    snapshot_len: u32,
    clock: Clock,
}

/// How an interface's ticks become time.
#[derive(Debug, Clone, Copy)]
struct Clock {
    ticks_per_second: u64,
    offset_seconds: i64,
}

impl PcapNg {
    pub(super) fn next<R: Read>(
        &mut self,
        input: &mut Input<R>,
        into: &mut (impl Observer + ?Sized),
    ) -> Result<Record, CollectError> {
        if input.is_at_end()? {
            return Ok(Record::End);
        }
        let offset = input.offset();
        let Some(head) = input.peek(8)? else {
            return Err(damaged(offset, "a block header is cut"));
        };
        if head.starts_with(&MAGIC) {
            self.section(input)?;
        }
        let Some(head) = input.peek(8)? else {
            return Err(damaged(offset, "a block header is cut"));
        };
        let kind = self.order.u32(head, 0);
        let length = self.order.u32(head, 4);
        if length < 12 || !length.is_multiple_of(4) {
            return Err(damaged(offset, format_args!("a block of {length} bytes")));
        }
        match kind {
            INTERFACE | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET => {
                self.block(kind, length, input, into)
            }
            _ => self.pass_over(length, input),
        }
    }

    /// A block of any length whose content does not matter.
    fn pass_over<R: Read>(
        &self,
        length: u32,
        input: &mut Input<R>,
    ) -> Result<Record, CollectError> {
        let offset = input.offset();
        let is_whole = input.skip(u64::from(length) - 4)?;
        match input.peek(4)?.filter(|_| is_whole) {
            Some(trailer) if self.order.u32(trailer, 0) == length => {}
            Some(_) => return Err(damaged(offset, LENGTHS_DIFFER)),
            None => return Err(damaged(offset, "the last block is cut")),
        }
        input.skip(4)?;
        Ok(Record::Other)
    }

    /// A section has its own byte order and interfaces.
    fn section<R: Read>(&mut self, input: &mut Input<R>) -> Result<(), CollectError> {
        let offset = input.offset();
        let Some(head) = input.peek(28)? else {
            return Err(damaged(offset, "a section header is cut"));
        };
        self.order = match head.get(8..12) {
            Some([0x1a, 0x2b, 0x3c, 0x4d]) => ByteOrder::Big,
            Some([0x4d, 0x3c, 0x2b, 0x1a]) => ByteOrder::Little,
            _ => return Err(damaged(offset, "a section header without a byte order")),
        };
        let major = self.order.u16(head, 12);
        if major != 1 {
            return Err(damaged(
                offset,
                format_args!("a section of version {major}, 1 is read"),
            ));
        }
        if self.order.u32(head, 4) < 28 {
            return Err(damaged(offset, "a section header that is too short"));
        }
        self.interfaces.clear();
        Ok(())
    }

    fn block<R: Read>(
        &mut self,
        kind: u32,
        length: u32,
        input: &mut Input<R>,
        into: &mut (impl Observer + ?Sized),
    ) -> Result<Record, CollectError> {
        let offset = input.offset();
        let Some(size) = usize::try_from(length)
            .ok()
            .filter(|size| *size <= MAX_BLOCK)
        else {
            return Err(damaged(offset, format_args!("a block of {length} bytes")));
        };
        let Some(block) = input.peek(size)? else {
            return Err(damaged(offset, "the last block is cut"));
        };
        if self.order.u32(block, size - 4) != length {
            return Err(damaged(offset, LENGTHS_DIFFER));
        }
        let body = block.get(8..size - 4).unwrap_or_default();
        let record = if kind == INTERFACE {
            let interface = self
                .interface(body)
                .ok_or_else(|| damaged(offset, "a bad interface"))?;
            if self.interfaces.len() == MAX_INTERFACES {
                return Err(damaged(offset, "too many interfaces"));
            }
            self.interfaces.push(interface);
            Record::Other
        } else {
            let frame = self.frame(kind, body);
            into.frame(
                frame
                    .ok_or_else(|| damaged(offset, "a packet of an unknown interface or length"))?,
            );
            Record::Frames(1)
        };
        input.skip(u64::from(length))?;
        Ok(record)
    }

    fn interface(&self, body: &[u8]) -> Option<Interface> {
        if body.len() < 8 {
            return None;
        }
        let mut clock = Clock {
            ticks_per_second: 1_000_000,
            offset_seconds: 0,
        };
        let mut options = body.get(8..)?;
        while let Some(head) = options.first_chunk::<4>() {
            let code = self.order.u16(head, 0);
            let length = usize::from(self.order.u16(head, 2));
            let value = options.get(4..4 + length);
            match (code, value) {
                (OPTION_END, _) => break,
                (OPTION_RESOLUTION, Some(&[resolution])) => {
                    clock.ticks_per_second = ticks_per_second(resolution)?;
                }
                (OPTION_OFFSET, Some(value)) if length == 8 => {
                    clock.offset_seconds = self.order.i64(value, 0);
                }
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..)?;
        }
        Some(Interface {
            link: LinkType::from_linktype(u32::from(self.order.u16(body, 0))),
            snapshot_len: self.order.u32(body, 4),
            clock,
        })
    }

    fn frame<'a>(&self, kind: u32, body: &'a [u8]) -> Option<Frame<'a>> {
        let (id, ticks, captured, wire_len, data) = match kind {
            // It has no time.
            SIMPLE_PACKET => {
                let wire_len = self.order.u32(body, 0);
                let limit = self.interfaces.first()?.snapshot_len;
                let captured = if limit == 0 {
                    wire_len
                } else {
                    wire_len.min(limit)
                };
                (0, None, captured, wire_len, body.get(4..)?)
            }
            ENHANCED_PACKET => (
                self.order.u32(body, 0),
                Some(self.ticks(body)),
                self.order.u32(body, 12),
                self.order.u32(body, 16),
                body.get(20..)?,
            ),
            _ => (
                u32::from(self.order.u16(body, 0)),
                Some(self.ticks(body)),
                self.order.u32(body, 12),
                self.order.u32(body, 16),
                body.get(20..)?,
            ),
        };
        let interface = self.interfaces.get(usize::try_from(id).ok()?)?;
        let captured = usize::try_from(captured)
            .ok()
            .filter(|len| *len <= MAX_CAPTURED)?;
        Some(Frame {
            at: ticks.map_or(Timestamp::EPOCH, |ticks| interface.clock.time(ticks)),
            interface: InterfaceId(id),
            direction: Direction::Unknown,
            link: interface.link,
            stripped_vlan: None,
            wire_len,
            bytes: data.get(..captured)?,
        })
    }

    fn ticks(&self, body: &[u8]) -> u64 {
        u64::from(self.order.u32(body, 4)) << 32 | u64::from(self.order.u32(body, 8))
    }
}

impl Clock {
    fn time(self, ticks: u64) -> Timestamp {
        let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(self.ticks_per_second);
        let shifted = i128::try_from(nanos)
            .unwrap_or(i128::MAX)
            .saturating_add(i128::from(self.offset_seconds) * 1_000_000_000);
        Timestamp::from_nanos(u64::try_from(shifted.max(0)).unwrap_or(u64::MAX))
    }
}

/// `if_tsresol`: a power of 10, or of 2 where the top bit is set. `None` beyond 64 bits.
fn ticks_per_second(resolution: u8) -> Option<u64> {
    let exponent = u32::from(resolution & 0x7f);
    if resolution & 0x80 == 0 {
        10u64.checked_pow(exponent)
    } else {
        2u64.checked_pow(exponent)
    }
}
