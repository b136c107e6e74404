//! Headers of networks: Ethernet and its variants, 802.11, serial lines, and the others.

use bwmon_core::frame::LinkType;

use super::stacked::{ethertype, type_or_length, version};
use super::{Next, Stack};

const ETHERNET: Next = Next::Link(LinkType::Ethernet);

/// Ethernet II and IEEE 802.3, or Cisco's ISL. No address is ISL's by chance.
pub(super) fn ethernet(stack: &mut Stack<'_>) -> Next {
    if stack.recipe.below(16) == 15 {
        stack.name("isl");
        stack.put(&[0x01, 0, 0x0c, 0, 0]);
        stack.filler(7);
        stack.put(&[0, 100]);
        stack.filler(6);
        let vlan: u16 = stack.recipe.number();
        stack.be16(vlan);
        stack.tag(vlan >> 1);
        stack.filler(4);
        return ETHERNET;
    }
    stack.name("ethernet");
    addresses(stack);
    type_or_length(stack)
}

/// Two addresses, the first one of a station.
fn addresses(stack: &mut Stack<'_>) {
    stack.put(&[0x02]);
    stack.any::<11>();
}

/// Ethernet with four bytes of a Marvell switch after the addresses, or eight.
pub(super) fn dsa(stack: &mut Stack<'_>, has_type: bool) -> Next {
    stack.name("dsa tag");
    addresses(stack);
    if has_type {
        stack.put(&[0xda, 0xda, 0, 0]);
    }
    let has_vlan = stack.recipe.flag();
    let vlan: u16 = stack.recipe.number();
    stack.put(&[0xc0 | if has_vlan { 0x20 } else { 0 }, 0]);
    stack.be16(vlan);
    if has_vlan {
        stack.tag(vlan);
    }
    type_or_length(stack)
}

/// Ethernet with four bytes of a Broadcom switch after the addresses.
pub(super) fn broadcom(stack: &mut Stack<'_>) -> Next {
    stack.name("broadcom tag");
    addresses(stack);
    stack.any::<4>();
    type_or_length(stack)
}

/// IEEE 802.3br: preamble and a delimiter, which says whether a frame begins.
pub(super) fn mpacket(stack: &mut Stack<'_>) -> Next {
    stack.name("mpacket");
    let preamble = usize::from(stack.recipe.below(8));
    let (delimiter, next) = stack.recipe.choose(&[
        (0xd5, ETHERNET),
        (0xe6, ETHERNET),
        (0x7f, ETHERNET),
        (0x61, Next::NonIp(0)),
    ]);
    stack.frame.resize(stack.frame.len() + preamble, 0x55);
    stack.put(&[delimiter]);
    next
}

pub(super) fn epon(stack: &mut Stack<'_>) -> Next {
    stack.name("epon");
    if stack.recipe.flag() {
        stack.put(&[0x55, 0x55]);
    }
    stack.put(&[0xd5]);
    stack.any::<5>();
    ETHERNET
}

/// ISO 9314-2: a frame control byte and two addresses.
pub(super) fn fddi(stack: &mut Stack<'_>) -> Next {
    stack.name("fddi");
    let priority = stack.recipe.below(8);
    stack.put(&[0x50 | priority]);
    stack.any::<12>();
    Next::Llc
}

/// IEEE 802.5, with and without routing information.
pub(super) fn token_ring(stack: &mut Stack<'_>) -> Next {
    stack.name("token ring");
    let routing = 2 * stack.recipe.below(9);
    let is_management = stack.recipe.below(8) == 7;
    stack.put(&[0x10, if is_management { 0 } else { 0x40 }]);
    stack.any::<6>();
    stack.put(&[if routing > 0 { 0x80 } else { 0 }]);
    stack.any::<5>();
    if routing > 0 {
        stack.put(&[routing]);
        stack.filler(usize::from(routing) - 1);
    }
    if is_management {
        stack.filler(8);
        return Next::NonIp(0);
    }
    Next::Llc
}

/// RFC 1051 and RFC 1201 behind BSD's header, where an exception frame has four bytes more, or behind
/// Linux's.
pub(super) fn arcnet(stack: &mut Stack<'_>, is_linux: bool) -> Next {
    stack.name("arcnet");
    let (protocol, next) = match stack.recipe.below(4) {
        0 => (212, Next::Ip(4)),
        1 => (196, Next::Ip(6)),
        2 => (240, Next::Ip(4)),
        _ => (213, Next::NonIp(0)),
    };
    stack.any::<2>();
    if is_linux {
        stack.any::<2>();
    }
    stack.put(&[protocol]);
    if protocol == 240 {
        return next;
    }
    if !is_linux && stack.recipe.flag() {
        stack.put(&[0xff, 0, 0xff, 0xff]);
    }
    stack.put(&[0]);
    stack.any::<2>();
    next
}

/// RFC 2225 as Linux captures it.
pub(super) fn atm_clip(stack: &mut Stack<'_>) -> Next {
    if stack.recipe.flag() {
        stack.name("llc");
        stack.put(&[0xaa, 0xaa, 0x03]);
        return Next::Snap(2);
    }
    version(stack)
}

/// RFC 4391; a global routing header may precede the type.
pub(super) fn infiniband(stack: &mut Stack<'_>) -> Next {
    stack.name("infiniband");
    if stack.recipe.flag() {
        stack.put(&[0x60]);
        stack.filler(39);
    }
    let number = stack.recipe.choose(&[0x0800, 0x86dd, 0x0806]);
    stack.be16(number);
    stack.put(&[0, 0]);
    Next::Type(number)
}

/// AX.25 2.2: two to ten addresses, the last one marked; IP, or a supervisory frame.
pub(super) fn ax25(stack: &mut Stack<'_>) -> Next {
    stack.name("ax.25");
    let count = 2 + stack.recipe.below(9);
    for index in 1..=count {
        let letter = stack.recipe.byte() << 1;
        stack.put(&[letter; 6]);
        stack.put(&[0x60 | u8::from(index == count)]);
    }
    if stack.recipe.below(4) == 3 {
        stack.put(&[0x01]);
        return Next::NonIp(0);
    }
    stack.put(&[0x03, 0xcc]);
    Next::Ip(4)
}

pub(super) fn cisco_hdlc(stack: &mut Stack<'_>) -> Next {
    stack.name("hdlc");
    let address = stack.recipe.choose(&[0x0f, 0x8f]);
    stack.put(&[address, 0]);
    ethertype(stack)
}

/// Q.922 addresses of two to four bytes; RFC 2427, or Cisco's EtherType.
pub(super) fn frame_relay(stack: &mut Stack<'_>) -> Next {
    stack.name("frame relay");
    for _ in 0..1 + stack.recipe.below(3) {
        let byte = stack.recipe.byte() & 0xfe;
        stack.put(&[byte]);
    }
    let last = stack.recipe.byte() | 1;
    stack.put(&[last]);
    let kind = stack.recipe.below(3);
    if kind == 0 {
        return ethertype(stack);
    }
    stack.put(&[0x03]);
    if stack.recipe.flag() {
        stack.put(&[0]);
    }
    if kind == 1 {
        return Next::Nlpid;
    }
    stack.put(&[0x80]);
    Next::Snap(0)
}

/// A data frame, with and without quality of service, aggregation, four addresses; or one without
/// data that can be read.
pub(super) fn ieee80211(stack: &mut Stack<'_>) -> Next {
    stack.name("802.11");
    let is_padded = std::mem::take(&mut stack.pads_ieee80211);
    let kind = stack.recipe.below(8);
    let distribution = stack.recipe.below(4);
    if kind == 7 {
        let [control, flags] =
            stack
                .recipe
                .choose(&[[0x80, 0], [0x08, 0x40], [0x48, 0], [0xb4, 0]]);
        stack.put(&[control, flags]);
        stack.filler(40);
        return Next::NonIp(0);
    }
    let has_quality = kind & 1 != 0;
    let has_throughput = has_quality && kind & 2 != 0;
    let is_aggregate = has_quality && kind & 4 != 0;
    let control = if has_quality { 0x88 } else { 0x08 };
    let start = stack.frame.len();
    stack.put(&[
        control,
        distribution | if has_throughput { 0x80 } else { 0 },
    ]);
    stack.filler(20);
    let sequence = stack.recipe.byte() & 0xf0;
    stack.put(&[sequence, 0]);
    if distribution == 3 {
        stack.any::<6>();
    }
    if has_quality {
        stack.put(&[if is_aggregate { 0x80 } else { 0 }, 0]);
    }
    if has_throughput {
        stack.any::<4>();
    }
    let length = stack.frame.len() - start;
    if is_padded {
        stack.filler(length.next_multiple_of(4) - length);
    }
    if is_aggregate {
        stack.any::<14>();
    }
    Next::Llc
}
