//! The next-generation format (draft-ietf-opsawg-pcapng): sections, interfaces and packet blocks, with
//! options and with blocks that are passed over.

use bwmon_core::frame::LinkType;

use super::super::capture_file::Seen;
use super::super::packet::{link_of, number_of};
use super::super::recipe::Recipe;
use super::{MOST_RECORDS, Order, Written, payload};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Name resolution, statistics, secrets, custom, and one that nobody knows.
const OTHERS: [u32; 5] = [4, 5, 10, 0xbad, 0x7777_7777];

/// Ticks per second by resolution, as the option has it.
const RESOLUTIONS: [(u8, u64); 9] = [
    (6, 1_000_000),
    (9, 1_000_000_000),
    (3, 1_000),
    (0, 1),
    (12, 1_000_000_000_000),
    (19, 10_000_000_000_000_000_000),
    (0x80, 1),
    (0x80 | 10, 1_024),
    (0x80 | 63, 1 << 63),
];

#[derive(Clone, Copy)]
struct Interface {
    link: LinkType,
    snapshot_len: u32,
    ticks_per_second: u64,
    offset_seconds: i64,
}

impl Interface {
    /// Nanoseconds, within what 64 bits hold.
    fn time(self, ticks: u64) -> u64 {
        let whole = i128::from(ticks / self.ticks_per_second) + i128::from(self.offset_seconds);
        let part = u128::from(ticks % self.ticks_per_second) * 1_000_000_000
            / u128::from(self.ticks_per_second);
        let nanos = whole * 1_000_000_000 + i128::try_from(part).expect("below a second");
        u64::try_from(nanos.max(0)).unwrap_or(u64::MAX)
    }
}

/// A file that is being written.
struct Writer<'r, 'a> {
    recipe: &'r mut Recipe<'a>,
    order: Order,
    interfaces: Vec<Interface>,
    written: Written,
}

pub(super) fn write(recipe: &mut Recipe<'_>) -> Written {
    let mut writer = Writer {
        recipe,
        order: Order {
            is_big_endian: false,
        },
        interfaces: Vec::new(),
        written: Written::default(),
    };
    writer.section();
    while !writer.recipe.is_at_end() && writer.written.records.len() < MOST_RECORDS {
        let has_interface = !writer.interfaces.is_empty();
        match writer.recipe.below(6) {
            0 | 1 if has_interface => writer.packet(ENHANCED_PACKET),
            2 if has_interface => writer.packet(OBSOLETE_PACKET),
            3 if has_interface => writer.simple_packet(),
            4 => writer.other(),
            5 => writer.section(),
            _ => writer.interface(),
        }
    }
    writer.written
}

impl Writer<'_, '_> {
    fn block(&mut self, kind: u32, body: &[u8]) {
        let padded = body.len().next_multiple_of(4);
        let length = self
            .order
            .u32(u32::try_from(padded + 12).expect("a length"));
        let file = &mut self.written.file;
        self.written.records.push(file.len());
        file.extend(self.order.u32(kind));
        file.extend(length);
        file.extend(body);
        file.resize(file.len() + padded - body.len(), 0);
        file.extend(length);
    }

    /// A section has its own byte order and interfaces; its length is told or not.
    fn section(&mut self) {
        self.order.is_big_endian = self.recipe.flag();
        self.interfaces.clear();
        let length = self.recipe.choose(&[u32::MAX, 0]);
        let version = if self.order.is_big_endian {
            0x0001_0000
        } else {
            1
        };
        let mut body = self.order.words(&[0x1a2b_3c4d, version, length, length]);
        self.text_option(&mut body, 4);
        self.block(SECTION, &body);
    }

    fn interface(&mut self) {
        let choice = self.recipe.byte();
        let number = u16::try_from(number_of(choice)).expect("a number of 16 bits");
        let snapshot_len = self.recipe.choose(&[0, 65_535, 262_144, 96, 1]);
        let mut interface = Interface {
            link: link_of(choice),
            snapshot_len,
            ticks_per_second: 1_000_000,
            offset_seconds: 0,
        };
        let mut body = [self.order.u16(number), [0; 2]].concat();
        body.extend(self.order.u32(snapshot_len));
        self.text_option(&mut body, 2);
        if self.recipe.flag() {
            let (resolution, ticks) = self.recipe.choose(&RESOLUTIONS);
            interface.ticks_per_second = ticks;
            self.option(&mut body, 9, &[resolution]);
        }
        if self.recipe.flag() {
            let offset: i64 = self.recipe.number();
            interface.offset_seconds = offset;
            let bytes = if self.order.is_big_endian {
                offset.to_be_bytes()
            } else {
                offset.to_le_bytes()
            };
            self.option(&mut body, 14, &bytes);
        }
        if self.recipe.flag() {
            self.option(&mut body, 0, &[]);
        }
        self.interfaces.push(interface);
        self.block(INTERFACE, &body);
    }

    /// An enhanced packet block, or the obsolete one, whose interface has 16 bits and a drop count.
    fn packet(&mut self, kind: u32) {
        let (id, interface) = self.known_interface();
        let ticks: u64 = self.recipe.number();
        let wire_len: u32 = self.recipe.number();
        let bytes = payload(self.recipe);
        let mut body = if kind == OBSOLETE_PACKET {
            let id = u16::try_from(id).expect("few interfaces");
            [self.order.u16(id), self.order.u16(7)].concat()
        } else {
            self.order.u32(id).to_vec()
        };
        let [high, low] = [ticks >> 32, ticks & 0xffff_ffff];
        let captured = bytes.len() as u64;
        for number in [high, low, captured, u64::from(wire_len)] {
            body.extend(self.order.u32(u32::try_from(number).expect("32 bits")));
        }
        body.extend(&bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        self.text_option(&mut body, 1);
        self.block(kind, &body);
        self.written.frames.push(Seen {
            at_ns: interface.time(ticks),
            interface: id,
            link: interface.link,
            wire_len,
            bytes,
        });
    }

    /// Of the section's first interface; how much was captured follows from its snapshot length.
    fn simple_packet(&mut self) {
        let Some(&interface) = self.interfaces.first() else {
            return;
        };
        let mut bytes = payload(self.recipe);
        let mut wire_len = u32::try_from(bytes.len()).expect("a length");
        if interface.snapshot_len != 0 && wire_len >= interface.snapshot_len {
            bytes.truncate(usize::try_from(interface.snapshot_len).expect("a length"));
            wire_len = wire_len.saturating_add(self.recipe.number());
        }
        let mut body = self.order.u32(wire_len).to_vec();
        body.extend(&bytes);
        self.block(SIMPLE_PACKET, &body);
        self.written.frames.push(Seen {
            at_ns: 0,
            interface: 0,
            link: interface.link,
            wire_len,
            bytes,
        });
    }

    fn other(&mut self) {
        let kind = self.recipe.choose(&OTHERS);
        let body = payload(self.recipe);
        self.block(kind, &body);
    }

    fn known_interface(&mut self) -> (u32, Interface) {
        let choice = usize::from(self.recipe.byte()) % self.interfaces.len();
        let id = u32::try_from(choice).expect("few interfaces");
        (id, self.interfaces[choice])
    }

    /// Sometimes a comment or a name, which is passed over.
    fn text_option(&mut self, body: &mut Vec<u8>, code: u16) {
        let length = self.recipe.below(40);
        if length > 20 {
            self.option(body, code, &vec![b'x'; usize::from(length - 21)]);
        }
    }

    fn option(&self, body: &mut Vec<u8>, code: u16, value: &[u8]) {
        body.extend(self.order.u16(code));
        body.extend(
            self.order
                .u16(u16::try_from(value.len()).expect("a length")),
        );
        body.extend(value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
}
