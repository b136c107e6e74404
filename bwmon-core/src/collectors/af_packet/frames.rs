//! The frames in a block, read with every offset checked: a block is outside input.

use std::mem::{offset_of, size_of};

use libc::{sockaddr_ll, tpacket_block_desc, tpacket_hdr_v1, tpacket_hdr_variant1, tpacket3_hdr};

use crate::collectors::interfaces::{Counting, Interfaces};
use crate::frame::{Direction, Frame, InterfaceId, LinkType};
use crate::time::Timestamp;

/// A frame's header: `struct tpacket3_hdr` and, aligned to 16 bytes, `struct sockaddr_ll`.
const HEADER: usize = ADDRESS + size_of::<sockaddr_ll>();
const ADDRESS: usize = size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);

/// Bare IP, as cellular modems carry it (`linux/if_arp.h`).
const ARPHRD_RAWIP: u16 = 519;

/// Where the part of a block's header that both sides use begins.
const BLOCK: usize = offset_of!(tpacket_block_desc, hdr);

/// What a block turned out to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reading {
    /// Frames handed on.
    pub(super) frames: u32,
    /// Frames that the block announces and does not hold.
    pub(super) unreadable: u32,
}

/// Hands the frames of a `block` to `each`, in their order.
pub(super) fn read(
    block: &[u8],
    interfaces: &Interfaces,
    mut each: impl FnMut(Frame<'_>),
) -> Reading {
    let announced = number(block, BLOCK + offset_of!(tpacket_hdr_v1, num_pkts)).unwrap_or(0);
    let first = number(
        block,
        BLOCK + offset_of!(tpacket_hdr_v1, offset_to_first_pkt),
    );
    let mut rest = first.and_then(|offset| block.get(usize::try_from(offset).ok()?..));
    let mut rules = Rules::new(interfaces);
    let mut frames = 0;
    while frames < announced {
        let Some((header, frame)) = rest.and_then(|rest| {
            let header = Header::new(rest)?;
            Some((header, header.frame(rest, &mut rules)?))
        }) else {
            break;
        };
        each(frame);
        frames += 1;
        rest = match usize::try_from(header.next_offset()) {
            Ok(step) if step >= HEADER => rest.and_then(|rest| rest.get(step..)),
            _ => None,
        };
    }
    Reading {
        frames,
        unreadable: announced - frames,
    }
}

fn number(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|field| u32::from_ne_bytes(*field))
}

/// How interfaces count, with the last answer at hand: frames of one interface come in runs.
struct Rules<'a> {
    interfaces: &'a Interfaces,
    last: (InterfaceId, Counting),
}

impl<'a> Rules<'a> {
    fn new(interfaces: &'a Interfaces) -> Self {
        let none = InterfaceId::default();
        Self {
            interfaces,
            last: (none, interfaces.counting(none)),
        }
    }

    fn of(&mut self, id: InterfaceId) -> Counting {
        if self.last.0 != id {
            self.last = (id, self.interfaces.counting(id));
        }
        self.last.1
    }
}

#[derive(Debug, Clone, Copy)]
struct Header<'a>(&'a [u8; HEADER]);

impl<'a> Header<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        bytes.first_chunk().map(Self)
    }

    fn u32<const OFFSET: usize>(self) -> u32 {
        u32::from_ne_bytes(self.field::<OFFSET, 4>())
    }

    fn u16<const OFFSET: usize>(self) -> u16 {
        u16::from_ne_bytes(self.field::<OFFSET, 2>())
    }

    /// The offset is a constant, checked when this is compiled.
    fn field<const OFFSET: usize, const LENGTH: usize>(self) -> [u8; LENGTH] {
        const { assert!(OFFSET + LENGTH <= HEADER) };
        let mut field = [0; LENGTH];
        field.copy_from_slice(self.0.get(OFFSET..OFFSET + LENGTH).unwrap_or(&[0; LENGTH]));
        field
    }

    fn next_offset(self) -> u32 {
        self.u32::<{ offset_of!(tpacket3_hdr, tp_next_offset) }>()
    }

    /// The frame that this header, at the start of `rest`, describes.
    fn frame<'b>(self, rest: &'b [u8], rules: &mut Rules<'_>) -> Option<Frame<'b>> {
        let start = usize::from(self.u16::<{ offset_of!(tpacket3_hdr, tp_mac) }>());
        let captured = self.u32::<{ offset_of!(tpacket3_hdr, tp_snaplen) }>();
        let bytes = rest.get(start..)?.get(..usize::try_from(captured).ok()?)?;
        let interface =
            InterfaceId(self.u32::<{ ADDRESS + offset_of!(sockaddr_ll, sll_ifindex) }>());
        let [packet_type] = self.field::<{ ADDRESS + offset_of!(sockaddr_ll, sll_pkttype) }, 1>();
        let direction = if packet_type == libc::PACKET_OUTGOING {
            Direction::Egress
        } else {
            Direction::Ingress
        };
        let stripped_vlan = self.stripped_vlan();
        let wire_len = rules.of(interface).wire_len(
            self.u32::<{ offset_of!(tpacket3_hdr, tp_len) }>(),
            direction,
            stripped_vlan.is_some(),
        );
        Some(Frame {
            at: self.at(),
            interface,
            direction,
            link: link_type(self.u16::<{ ADDRESS + offset_of!(sockaddr_ll, sll_hatype) }>()),
            stripped_vlan,
            wire_len,
            bytes,
        })
    }

    fn at(self) -> Timestamp {
        let seconds = u64::from(self.u32::<{ offset_of!(tpacket3_hdr, tp_sec) }>());
        let nanos = u64::from(self.u32::<{ offset_of!(tpacket3_hdr, tp_nsec) }>());
        Timestamp::from_nanos(seconds * 1_000_000_000 + nanos)
    }

    /// The whole tag control information: priority, drop eligibility and identifier.
    fn stripped_vlan(self) -> Option<u16> {
        const TCI: usize =
            offset_of!(tpacket3_hdr, hv1) + offset_of!(tpacket_hdr_variant1, tp_vlan_tci);
        let status = self.u32::<{ offset_of!(tpacket3_hdr, tp_status) }>();
        if status & libc::TP_STATUS_VLAN_VALID == 0 {
            return None;
        }
        u16::try_from(self.u32::<TCI>()).ok()
    }
}

/// What a packet socket shows of an interface's frames, by its hardware type (`ARPHRD_*`).
///
/// Tunnels have no header of their own: what goes in is IP. So has PPP, whose header is put in front
/// after the frame was seen.
fn link_type(hardware: u16) -> LinkType {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => LinkType::Ethernet,
        libc::ARPHRD_NONE
        | libc::ARPHRD_PPP
        | ARPHRD_RAWIP
        | libc::ARPHRD_TUNNEL
        | libc::ARPHRD_TUNNEL6
        | libc::ARPHRD_SIT
        | libc::ARPHRD_IPGRE => LinkType::RawIp,
        other => LinkType::Unsupported(u32::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: usize = 48;

    fn put(block: &mut [u8], offset: usize, value: u32) {
        block[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
    }

    /// A block as the kernel writes it, with `count` frames of 60 bytes.
    fn block(count: u8) -> Vec<u8> {
        let mut block = vec![0; 4_096];
        put(&mut block, 12, u32::from(count));
        put(&mut block, 16, u32::try_from(FIRST).unwrap());
        for index in 0..count {
            let frame = &mut block[FIRST + usize::from(index) * 144..];
            put(frame, 0, 144);
            put(frame, 4, 10);
            put(frame, 8, 11);
            put(frame, 12, 60);
            put(frame, 16, 1_500);
            put(frame, 20, libc::TP_STATUS_VLAN_VALID);
            put(frame, 24, 82);
            put(frame, 32, 0x2005);
            put(frame, ADDRESS + 4, 7);
            put(frame, ADDRESS + 8, u32::from(libc::ARPHRD_ETHER));
            frame[82] = index;
        }
        block
    }

    fn interfaces() -> Interfaces {
        Interfaces::resolve(&[]).unwrap()
    }

    #[test]
    fn a_block_gives_its_frames_in_order() {
        let mut firsts = Vec::new();
        let reading = read(&block(5), &interfaces(), |frame| {
            assert_eq!(frame.at, Timestamp::from_nanos(10_000_000_011));
            assert_eq!(frame.interface, InterfaceId(7));
            assert_eq!(frame.stripped_vlan, Some(0x2005));
            assert_eq!((frame.bytes.len(), frame.link), (60, LinkType::Ethernet));
            firsts.push(frame.bytes[0]);
        });
        assert_eq!((reading.frames, reading.unreadable), (5, 0));
        assert_eq!(firsts, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn frames_that_a_block_announces_and_does_not_hold_are_counted() {
        let mut stuck = block(5);
        put(&mut stuck, FIRST + 144, 0);
        let mut beyond = block(5);
        put(&mut beyond, FIRST + 144 + 12, 5_000);
        for (block, frames) in [(stuck, 2), (beyond, 1)] {
            let reading = read(&block, &interfaces(), |_| {});
            assert_eq!((reading.frames, reading.unreadable), (frames, 5 - frames));
        }
    }

    proptest! {
        #[test]
        fn no_block_leads_out_of_it(
            changes in prop::collection::vec((0..1_000_usize, any::<u32>()), 0..20),
            length in 0..4_097_usize,
        ) {
            let mut block = block(10);
            for (offset, value) in changes {
                put(&mut block, offset, value);
            }
            block.truncate(length);
            let announced = number(&block, 12).unwrap_or(0);
            let mut delivered = 0;
            let reading = read(&block, &interfaces(), |_| delivered += 1);
            prop_assert_eq!(delivered, reading.frames);
            prop_assert_eq!(reading.frames + reading.unreadable, announced);
        }
    }
}
