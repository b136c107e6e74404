//! The classic format (draft-ietf-opsawg-pcap), in its six variants.

use super::super::capture_file::Seen;
use super::super::packet::{link_of, number_of};
use super::super::recipe::Recipe;
use super::{MOST_RECORDS, Order, Written, payload};

pub(super) fn write(recipe: &mut Recipe<'_>) -> Written {
    let order = Order {
        is_big_endian: recipe.flag(),
    };
    let (magic, nanos_per_tick, more_header) = recipe.choose(&[
        (0xa1b2_c3d4, 1_000, 0),
        (0xa1b2_3c4d, 1, 0),
        (0xa1b2_cd34, 1_000, 8),
    ]);
    let choice = recipe.byte();
    // The length of a frame check sequence, in the upper bits, is passed over.
    let link = number_of(choice) | u32::from(recipe.below(16)) << 28;
    let snapshot_len: u32 = recipe.number();
    let file = order.words(&[magic, order.version(), 0, 0, snapshot_len, link]);
    let mut written = Written {
        records: vec![0, file.len()],
        file,
        ..Written::default()
    };
    while !recipe.is_at_end() && written.frames.len() < MOST_RECORDS {
        let (seconds, ticks, wire_len): (u32, u32, u32) =
            (recipe.number(), recipe.number(), recipe.number());
        let bytes = payload(recipe);
        let captured = u32::try_from(bytes.len()).expect("a length");
        written
            .file
            .extend(order.words(&[seconds, ticks, captured, wire_len]));
        written.file.extend(vec![0xee; more_header]);
        written.file.extend(&bytes);
        written.records.push(written.file.len());
        written.frames.push(Seen {
            at_ns: u64::from(seconds) * 1_000_000_000 + u64::from(ticks) * nanos_per_tick,
            interface: 0,
            link: link_of(choice),
            wire_len,
            bytes,
        });
    }
    written
}

impl Order {
    /// Version 2.4, two numbers of 16 bits.
    fn version(self) -> u32 {
        let [a, b] = self.u16(2);
        let [c, d] = self.u16(4);
        if self.is_big_endian {
            u32::from_be_bytes([a, b, c, d])
        } else {
            u32::from_le_bytes([a, b, c, d])
        }
    }
}
