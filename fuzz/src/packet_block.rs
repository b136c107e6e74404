//! A block of a packet ring, as the kernel writes it or as nobody does: what a naive reader finds.
//!
//! The bytes are a recipe: frames, then changes to the block, then its length. Without changes every
//! frame that was written is read.

use bwmon_core::collectors::af_packet::read_block;
use bwmon_core::frame::{Direction, LinkType};

use super::recipe::Recipe;

/// `struct tpacket_block_desc`: where the number of frames and the offset of the first are.
const COUNT: usize = 12;
const FIRST_OFFSET: usize = 16;
const FIRST: usize = 48;
/// `struct tpacket3_hdr`, aligned, and `struct sockaddr_ll` behind it.
const ADDRESS: usize = 48;
const HEADER: usize = 68;
/// TP_STATUS_VLAN_VALID.
const VLAN_VALID: u32 = 0x10;
const OUTGOING: u8 = 4;
const MOST_FRAMES: u8 = 40;

/// A frame, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    at_ns: u64,
    interface: u32,
    is_egress: bool,
    vlan: Option<u16>,
    wire_len: u32,
    bytes: Vec<u8>,
}

pub fn check(bytes: &[u8]) {
    let mut recipe = Recipe::new(bytes);
    let (mut block, written) = write(&mut recipe);
    let announced = u32::try_from(written.len()).expect("few frames");
    assert_eq!(read(&block), (written, announced));
    while !recipe.is_at_end() {
        let at: u16 = recipe.number();
        let value: u32 = recipe.number();
        if recipe.below(8) == 7 {
            block.truncate(usize::from(at));
        } else {
            put(&mut block, usize::from(at), &value.to_ne_bytes());
        }
    }
    assert_eq!(read(&block), naive(&block));
}

/// What the collector reads, and how many frames it says were announced.
fn read(block: &[u8]) -> (Vec<Seen>, u32) {
    let mut list = Vec::new();
    let (frames, unreadable) = read_block(block, |frame| {
        list.push(Seen {
            at_ns: frame.at.as_nanos(),
            interface: frame.interface.0,
            is_egress: frame.direction == Direction::Egress,
            vlan: frame.stripped_vlan,
            wire_len: frame.wire_len,
            bytes: frame.bytes.to_vec(),
        });
        assert_ne!(frame.link, LinkType::Null, "no packet socket gives these");
    });
    assert_eq!(list.len(), usize::try_from(frames).expect("a count"));
    (list, frames + unreadable)
}

fn naive(block: &[u8]) -> (Vec<Seen>, u32) {
    let announced = number(block, COUNT).unwrap_or(0);
    let mut frames = Vec::new();
    let mut at = number(block, FIRST_OFFSET).map(|first| first as usize);
    while let Some(start) = at.filter(|_| frames.len() < announced as usize) {
        let Some(frame) = naive_frame(block, start) else {
            break;
        };
        frames.push(frame);
        let step = number(block, start).map_or(0, |step| step as usize);
        at = (step >= HEADER).then_some(start + step);
    }
    (frames, announced)
}

fn naive_frame(block: &[u8], start: usize) -> Option<Seen> {
    let header = block.get(start..start + HEADER)?;
    let field = |at| number(header, at).unwrap_or(0);
    let mac = usize::from(u16::from_ne_bytes([header[24], header[25]]));
    let length = field(12) as usize;
    let is_egress = header[ADDRESS + 10] == OUTGOING;
    let vlan = (field(20) & VLAN_VALID != 0).then(|| field(32));
    let vlan = vlan.and_then(|tag| u16::try_from(tag).ok());
    let tag_len = if vlan.is_some() && !is_egress { 4 } else { 0 };
    Some(Seen {
        at_ns: u64::from(field(4)) * 1_000_000_000 + u64::from(field(8)),
        interface: field(ADDRESS + 4),
        is_egress,
        vlan,
        wire_len: field(16).saturating_add(tag_len),
        bytes: block.get(start + mac..start + mac + length)?.to_vec(),
    })
}

/// A block as the kernel writes it.
fn write(recipe: &mut Recipe<'_>) -> (Vec<u8>, Vec<Seen>) {
    let mut block = vec![0; FIRST];
    let mut frames = Vec::new();
    for _ in 0..recipe.below(MOST_FRAMES + 1) {
        frames.push(write_frame(recipe, &mut block));
    }
    put(&mut block, COUNT, &(frames.len() as u32).to_ne_bytes());
    put(&mut block, FIRST_OFFSET, &(FIRST as u32).to_ne_bytes());
    (block, frames)
}

fn write_frame(recipe: &mut Recipe<'_>, block: &mut Vec<u8>) -> Seen {
    let start = block.len();
    let length = usize::from(recipe.byte());
    let mac = HEADER + usize::from(recipe.below(32));
    let step = (mac + length).next_multiple_of(16);
    block.resize(start + step, recipe.byte());
    let frame = &mut block[start..];
    let (seconds, nanos): (u32, u32) = (recipe.number(), recipe.number());
    let (wire_len, interface): (u32, u32) = (recipe.number(), recipe.number());
    let is_egress = recipe.flag();
    let vlan = recipe.flag().then(|| recipe.number::<u16>());
    let hardware: u16 = recipe.choose(&[1, 772, 65_534, 519, 801]);
    for (at, value) in [
        (0, step as u32),
        (4, seconds),
        (8, nanos),
        (12, length as u32),
        (16, wire_len),
        (20, 1 | if vlan.is_some() { VLAN_VALID } else { 0 }),
        (32, u32::from(vlan.unwrap_or(0))),
        (ADDRESS + 4, interface),
    ] {
        put(frame, at, &value.to_ne_bytes());
    }
    put(frame, 24, &(mac as u16).to_ne_bytes());
    put(frame, ADDRESS + 8, &hardware.to_ne_bytes());
    put(frame, ADDRESS + 10, &[if is_egress { OUTGOING } else { 0 }]);
    let tag_len = if vlan.is_some() && !is_egress { 4 } else { 0 };
    Seen {
        at_ns: u64::from(seconds) * 1_000_000_000 + u64::from(nanos),
        interface,
        is_egress,
        vlan,
        wire_len: wire_len.saturating_add(tag_len),
        bytes: frame[mac..mac + length].to_vec(),
    }
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(field) = bytes.get_mut(at..at + value.len()) {
        field.copy_from_slice(value);
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*field))
}
