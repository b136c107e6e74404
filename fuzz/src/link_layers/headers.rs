//! Link layers and what is stacked on them, written by hand from their specifications.

use bwmon_core::frame::LinkType;

use super::super::packet::{link_of, number_of};
use super::{Next, Stack};

/// What an EtherType field may say; the first is what a recipe that has ended says.
const TYPES: [u16; 20] = [
    0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x9200, 0x8847, 0x8848, 0x8864, 0x880b, 0x88e7, 0x8926,
    0x8903, 0x894f, 0x88e5, 0x8870, // The others carry no IP.
    0x0806, 0x88cc, 0x8035, 0x88f7,
];

/// Writes a header; says what stands behind it.
pub(super) fn write(stack: &mut Stack<'_>, next: Next) -> Next {
    match next {
        Next::Link(link) => self::link(stack, link),
        Next::Type(number) => behind_type(stack, number),
        Next::Llc => llc(stack),
        Next::Snap => snap(stack),
        Next::Ppp => ppp(stack),
        Next::Mpls => mpls(stack),
        Next::Ip(_) | Next::NonIp(_) | Next::Unsupported => next,
    }
}

fn link(stack: &mut Stack<'_>, link: LinkType) -> Next {
    match link {
        LinkType::Ethernet => {
            stack.name("ethernet");
            stack.any::<12>();
            type_or_length(stack)
        }
        LinkType::RawIp => version(stack),
        LinkType::Ipv4 => Next::Ip(4),
        LinkType::Ipv6 => Next::Ip(6),
        LinkType::Null => null(stack),
        LinkType::LinuxSll => sll(stack),
        LinkType::LinuxSll2 => sll2(stack),
        LinkType::Ppp => Next::Ppp,
        LinkType::PppHdlc if stack.recipe.flag() => cisco_hdlc(stack),
        LinkType::PppHdlc => Next::Ppp,
        LinkType::CiscoHdlc => cisco_hdlc(stack),
        LinkType::FrameRelay => frame_relay(stack),
        LinkType::Fddi => {
            stack.name("fddi");
            let priority = stack.recipe.below(8);
            stack.put(&[0x50 | priority]);
            stack.any::<12>();
            Next::Llc
        }
        LinkType::ArcnetLinux => arcnet(stack),
        LinkType::Ieee80211 => ieee80211(stack),
        LinkType::Radiotap => radiotap(stack),
        LinkType::Ppi => ppi(stack),
        LinkType::Nflog => nflog(stack),
        _ => Next::Unsupported,
    }
}

fn version(stack: &mut Stack<'_>) -> Next {
    Next::Ip(stack.recipe.choose(&[4, 6]))
}

/// An EtherType field.
fn ethertype(stack: &mut Stack<'_>) -> Next {
    let number = stack.recipe.choose(&TYPES);
    stack.be16(number);
    Next::Type(number)
}

/// A field that is an EtherType or, below 1536, the length of what an LLC header begins.
fn type_or_length(stack: &mut Stack<'_>) -> Next {
    if stack.recipe.below(8) == 7 {
        let length = stack.recipe.number::<u16>() % 0x0600;
        stack.be16(length);
        return Next::Llc;
    }
    ethertype(stack)
}

fn behind_type(stack: &mut Stack<'_>, number: u16) -> Next {
    match number {
        0x0800 => Next::Ip(4),
        0x86dd => Next::Ip(6),
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
            stack.name("vlan");
            let tag: u16 = stack.recipe.number();
            stack.be16(tag);
            stack.vlan = stack.vlan.or(Some(tag & 0x0fff));
            type_or_length(stack)
        }
        0x8847 | 0x8848 => Next::Mpls,
        0x8864 => {
            stack.name("pppoe");
            stack.put(&[0x11, 0]);
            stack.any::<4>();
            Next::Ppp
        }
        0x880b => Next::Ppp,
        0x88e7 => {
            stack.name("pbb");
            stack.any::<16>();
            type_or_length(stack)
        }
        0x8926 => {
            stack.name("vntag");
            stack.any::<4>();
            type_or_length(stack)
        }
        0x8903 => {
            stack.name("fabricpath");
            stack.any::<2>();
            Next::Link(LinkType::Ethernet)
        }
        0x894f => nsh(stack),
        0x88e5 => macsec(stack),
        0x8870 => Next::Llc,
        other => Next::NonIp(other),
    }
}

/// IEEE 802.2: SNAP, IP by its own service access point, or spanning tree.
fn llc(stack: &mut Stack<'_>) -> Next {
    stack.name("llc");
    match stack.recipe.below(3) {
        0 => {
            stack.put(&[0xaa, 0xaa, 0x03]);
            Next::Snap
        }
        1 => {
            stack.put(&[0x06, 0x06, 0x03]);
            Next::Ip(4)
        }
        _ => {
            stack.put(&[0x42, 0x42, 0x03]);
            stack.filler(8);
            Next::NonIp(0)
        }
    }
}

/// RFC 1042, IEEE 802.1H, RFC 2427 (bridged Ethernet), and an organisation of its own.
fn snap(stack: &mut Stack<'_>) -> Next {
    stack.name("snap");
    match stack.recipe.below(5) {
        0 => {
            stack.put(&[0, 0, 0]);
            ethertype(stack)
        }
        1 => {
            stack.put(&[0, 0, 0xf8]);
            ethertype(stack)
        }
        kind @ (2 | 3) => {
            stack.put(&[0, 0x80, 0xc2, 0, if kind == 2 { 1 } else { 7 }]);
            Next::Link(LinkType::Ethernet)
        }
        _ => {
            let protocol = stack.recipe.number();
            stack.put(&[0, 0, 0x0c]);
            stack.be16(protocol);
            Next::NonIp(protocol)
        }
    }
}

/// RFC 1661; address and control, and the first byte of IP's protocol number, may be left out.
fn ppp(stack: &mut Stack<'_>) -> Next {
    stack.name("ppp");
    if stack.recipe.flag() {
        stack.put(&[0xff, 0x03]);
    }
    match stack.recipe.below(7) {
        0 => {
            stack.put(&[0, 0x21]);
            Next::Ip(4)
        }
        1 => {
            stack.put(&[0x21]);
            Next::Ip(4)
        }
        2 => {
            stack.put(&[0, 0x57]);
            Next::Ip(6)
        }
        3 => {
            stack.put(&[0x57]);
            Next::Ip(6)
        }
        4 => {
            stack.be16(0x0281);
            Next::Mpls
        }
        5 => {
            stack.be16(0x0283);
            Next::Mpls
        }
        _ => {
            stack.be16(0xc021);
            Next::NonIp(0x880b)
        }
    }
}

/// RFC 3032: labels, the last of which is marked; then IP, or a pseudowire's control word.
fn mpls(stack: &mut Stack<'_>) -> Next {
    stack.name("mpls");
    let [high, middle, low, ttl] = stack.recipe.bytes::<4>();
    let following = stack.recipe.below(4);
    let is_bottom = following != 3;
    stack.put(&[high, middle, low & 0xfe | u8::from(is_bottom), ttl]);
    match following {
        0 => Next::Ip(4),
        1 => Next::Ip(6),
        2 => {
            stack.put(&[0; 4]);
            Next::NonIp(0x8847)
        }
        _ => Next::Mpls,
    }
}

/// RFC 8300.
fn nsh(stack: &mut Stack<'_>) -> Next {
    stack.name("nsh");
    let words = 2 + stack.recipe.below(8);
    let (protocol, next) = match stack.recipe.below(5) {
        0 => (1, Next::Ip(4)),
        1 => (2, Next::Ip(6)),
        2 => (3, Next::Link(LinkType::Ethernet)),
        3 => (5, Next::Mpls),
        _ => (4, Next::NonIp(0x894f)),
    };
    stack.put(&[0, words, 2, protocol]);
    stack.filler(4 * usize::from(words) - 4);
    next
}

/// IEEE 802.1AE, integrity only or encrypted, with and without a channel identifier.
fn macsec(stack: &mut Stack<'_>) -> Next {
    stack.name("macsec");
    let association = stack.recipe.below(4);
    let control = stack.recipe.choose(&[0x00, 0x20, 0x0c]);
    stack.put(&[control | association, 0]);
    stack.any::<4>();
    if control & 0x20 != 0 {
        stack.any::<8>();
    }
    if control & 0x0c != 0 {
        stack.filler(32);
        return Next::NonIp(0x88e5);
    }
    type_or_length(stack)
}

/// An address family, as the capturing machine writes it.
fn null(stack: &mut Stack<'_>) -> Next {
    stack.name("null");
    let family: u32 = stack.recipe.choose(&[2, 10, 24, 28, 30, 7]);
    let bytes = if stack.recipe.flag() {
        family.to_be_bytes()
    } else {
        family.to_le_bytes()
    };
    stack.put(&bytes);
    match family {
        2 => Next::Ip(4),
        7 => Next::NonIp(0),
        _ => Next::Ip(6),
    }
}

/// Hardware types of Linux, and what stands behind a cooked header of each.
fn hardware(stack: &mut Stack<'_>) -> (u16, Option<Next>) {
    match stack.recipe.below(9) {
        0 => (1, None),
        1 => (772, None),
        2 => (778, None),
        3 => (768, None),
        4 => (65_534, None),
        5 => (824, Some(Next::NonIp(0))),
        6 => (801, Some(Next::Link(LinkType::Ieee80211))),
        7 => (803, Some(Next::Link(LinkType::Radiotap))),
        _ => (770, Some(Next::Link(LinkType::FrameRelay))),
    }
}

/// The protocol of a cooked header.
fn protocol(stack: &mut Stack<'_>) -> (u16, Next) {
    match stack.recipe.below(8) {
        7 => (0x0004, Next::Llc),
        6 => (0x0003, Next::NonIp(0x0003)),
        _ => {
            let number = stack.recipe.choose(&TYPES);
            (number, Next::Type(number))
        }
    }
}

fn sll(stack: &mut Stack<'_>) -> Next {
    stack.name("sll");
    let (hardware, fixed) = hardware(stack);
    let (number, next) = protocol(stack);
    let kind = u16::from(stack.recipe.below(5));
    stack.be16(kind);
    stack.be16(hardware);
    stack.be16(6);
    stack.any::<8>();
    stack.be16(number);
    fixed.unwrap_or(next)
}

fn sll2(stack: &mut Stack<'_>) -> Next {
    stack.name("sll2");
    let (hardware, fixed) = hardware(stack);
    let (number, next) = protocol(stack);
    stack.be16(number);
    stack.any::<6>(); // Reserved, interface.
    stack.be16(hardware);
    stack.put(&[4, 6]);
    stack.any::<8>();
    fixed.unwrap_or(next)
}

fn cisco_hdlc(stack: &mut Stack<'_>) -> Next {
    stack.name("hdlc");
    let address = stack.recipe.choose(&[0x0f, 0x8f]);
    stack.put(&[address, 0]);
    ethertype(stack)
}

/// Q.922 addresses of two to four bytes; RFC 2427, or Cisco's EtherType.
fn frame_relay(stack: &mut Stack<'_>) -> Next {
    stack.name("frame relay");
    for _ in 0..1 + stack.recipe.below(3) {
        let byte = stack.recipe.byte() & 0xfe;
        stack.put(&[byte]);
    }
    let last = stack.recipe.byte() | 1;
    stack.put(&[last]);
    let kind = stack.recipe.below(5);
    if kind == 0 {
        return ethertype(stack);
    }
    stack.put(&[0x03]);
    if stack.recipe.flag() {
        stack.put(&[0]);
    }
    let (identifier, next) = match kind {
        1 => (0xcc, Next::Ip(4)),
        2 => (0x8e, Next::Ip(6)),
        3 => (0x80, Next::Snap),
        _ => (0x81, Next::NonIp(0)),
    };
    stack.put(&[identifier]);
    next
}

/// RFC 1051 and RFC 1201, behind Linux's five bytes.
fn arcnet(stack: &mut Stack<'_>) -> Next {
    stack.name("arcnet");
    let (protocol, next) = match stack.recipe.below(4) {
        0 => (212, Next::Ip(4)),
        1 => (196, Next::Ip(6)),
        2 => (240, Next::Ip(4)),
        _ => (213, Next::NonIp(0)),
    };
    stack.any::<4>();
    stack.put(&[protocol]);
    if protocol != 240 {
        stack.any::<3>();
    }
    next
}

/// A data frame, with and without quality of service, aggregation, four addresses; or one without
/// data that can be read.
fn ieee80211(stack: &mut Stack<'_>) -> Next {
    stack.name("802.11");
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
    stack.put(&[
        control,
        distribution | if has_throughput { 0x80 } else { 0 },
    ]);
    stack.filler(if distribution == 3 { 28 } else { 22 });
    if has_quality {
        stack.put(&[if is_aggregate { 0x80 } else { 0 }, 0]);
    }
    if has_throughput {
        stack.any::<4>();
    }
    if is_aggregate {
        stack.any::<14>();
    }
    Next::Llc
}

fn radiotap(stack: &mut Stack<'_>) -> Next {
    stack.name("radiotap");
    let extra = stack.recipe.below(40);
    stack.put(&[0, 0, 8 + extra, 0]);
    stack.filler(4 + usize::from(extra));
    Next::Link(LinkType::Ieee80211)
}

/// Per-packet information, with any link type but itself.
fn ppi(stack: &mut Stack<'_>) -> Next {
    stack.name("ppi");
    let extra = stack.recipe.below(40);
    let choice = stack.recipe.byte();
    let (link, number) = match link_of(choice) {
        LinkType::Ppi => (LinkType::Ethernet, 1),
        link => (link, number_of(choice)),
    };
    stack.put(&[0, 0, 8 + extra, 0]);
    stack.put(&number.to_le_bytes());
    stack.filler(usize::from(extra));
    Next::Link(link)
}

/// Some values before the packet's. None is of type 9 in either byte order, nor as long as to be taken
/// for the other one.
fn nflog(stack: &mut Stack<'_>) -> Next {
    stack.name("nflog");
    let is_big_endian = stack.recipe.flag();
    let number = |n: u16| {
        if is_big_endian {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let next = version(stack);
    stack.put(&[if next == Next::Ip(4) { 2 } else { 10 }, 0, 0, 0]);
    for _ in 0..stack.recipe.below(4) {
        let length = u16::from(stack.recipe.below(30));
        let kind = stack.recipe.choose(&[1, 2, 3, 7, 10]);
        stack.put(&number(length + 4));
        stack.put(&number(kind));
        stack.filler(usize::from(length).next_multiple_of(4));
    }
    stack.nflog_length = Some((stack.frame.len(), is_big_endian));
    stack.put(&[0, 0]);
    stack.put(&number(9));
    next
}
