//! What is stacked between a link layer and IP, written by hand from the specifications.

use bwmon_core::frame::LinkType;

use super::{Next, Stack};

/// What an EtherType field may say; the first is what a recipe that has ended says.
const TYPES: [u16; 27] = [
    0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x9200, 0x8847, 0x8848, 0x8864, 0x880b, 0x88e7, 0x8926,
    0x8903, 0x894f, 0x88e5, 0x8870, 0x893f, 0xf1c1, 0x892f, 0x8909, 0x22f3, 0x4305,
    0x6558, // The others carry no IP.
    0x0806, 0x88cc, 0x8035, 0x05ff,
];
/// Longest frame whose type field is a length (IEEE 802.3).
const MAX_LENGTH: u16 = 1_500;

const ETHERNET: Next = Next::Link(LinkType::Ethernet);

/// Writes a header; says what stands behind it.
pub(super) fn header(stack: &mut Stack<'_>, next: Next) -> Next {
    match next {
        Next::Type(number) => behind_type(stack, number),
        Next::Llc => llc(stack),
        Next::Snap(padding) => snap(stack, padding),
        Next::Nlpid => nlpid(stack),
        Next::Ppp => ppp(stack),
        Next::Mpls => mpls(stack),
        other => other,
    }
}

/// IP of either version, without a field that says so.
pub(super) fn version(stack: &mut Stack<'_>) -> Next {
    Next::Ip(stack.recipe.choose(&[4, 6]))
}

/// The number of an EtherType.
pub(super) fn number(stack: &mut Stack<'_>) -> u16 {
    stack.recipe.choose(&TYPES)
}

/// An EtherType field.
pub(super) fn ethertype(stack: &mut Stack<'_>) -> Next {
    let number = number(stack);
    stack.be16(number);
    Next::Type(number)
}

/// A field that is an EtherType or, up to 1500, the length of what an LLC header begins.
pub(super) fn type_or_length(stack: &mut Stack<'_>) -> Next {
    if stack.recipe.below(8) == 7 {
        let length = stack.recipe.number::<u16>() % (MAX_LENGTH + 1);
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
            stack.tag(tag);
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
        0x88e7 => before_type::<16>(stack, "pbb"),
        0x8926 => before_type::<4>(stack, "vntag"),
        0x893f => before_type::<6>(stack, "e-tag"),
        0xf1c1 => before_type::<4>(stack, "r-tag"),
        0x892f => before_type::<4>(stack, "hsr"),
        0x8909 => before_type::<6>(stack, "cisco metadata"),
        0x8903 => {
            stack.name("fabricpath");
            stack.any::<2>();
            ETHERNET
        }
        0x22f3 => {
            stack.name("trill");
            let options = u16::from(stack.recipe.below(8));
            let hops = u16::from(stack.recipe.below(64));
            stack.be16(options << 6 | hops);
            stack.any::<4>();
            stack.filler(4 * usize::from(options));
            ETHERNET
        }
        0x4305 => batman(stack),
        0x6558 => ETHERNET,
        0x894f => nsh(stack),
        0x88e5 => macsec(stack),
        0x8870 => Next::Llc,
        other => Next::NonIp(other),
    }
}

/// A header of a fixed length, then a type.
fn before_type<const LENGTH: usize>(stack: &mut Stack<'_>, name: &'static str) -> Next {
    stack.name(name);
    stack.any::<LENGTH>();
    type_or_length(stack)
}

/// IEEE 802.2: SNAP, IP by its own service access point, a network layer identifier, or spanning tree.
fn llc(stack: &mut Stack<'_>) -> Next {
    stack.name("llc");
    let (access_point, next) = match stack.recipe.below(4) {
        // RFC 2684: two bytes bring a bridged frame to a multiple of four.
        0 => (0xaa, Next::Snap(2)),
        1 => (0x06, Next::Ip(4)),
        2 => (0xfe, Next::Nlpid),
        _ => (0x42, Next::NonIp(0)),
    };
    stack.put(&[access_point, access_point, 0x03]);
    next
}

/// RFC 1042, IEEE 802.1H, RFC 2427 (bridged Ethernet), and an organisation of its own.
fn snap(stack: &mut Stack<'_>, padding: usize) -> Next {
    stack.name("snap");
    match stack.recipe.below(5) {
        kind @ (0 | 1) => {
            stack.put(&[0, 0, if kind == 0 { 0 } else { 0xf8 }]);
            let number = number(stack).max(0x0600);
            stack.be16(number);
            Next::Type(number)
        }
        kind @ (2 | 3) => {
            stack.put(&[0, 0x80, 0xc2, 0, if kind == 2 { 1 } else { 7 }]);
            stack.filler(padding);
            ETHERNET
        }
        _ => {
            let protocol = stack.recipe.number();
            stack.put(&[0, 0, 0x0c]);
            stack.be16(protocol);
            Next::NonIp(protocol)
        }
    }
}

/// ISO/IEC TR 9577.
fn nlpid(stack: &mut Stack<'_>) -> Next {
    stack.name("nlpid");
    let (identifier, next) = match stack.recipe.below(4) {
        0 => (0xcc, Next::Ip(4)),
        1 => (0x8e, Next::Ip(6)),
        2 => (0xcf, Next::Ppp),
        _ => (0x83, Next::NonIp(0)),
    };
    stack.put(&[identifier]);
    next
}

/// RFC 1661; address and control, and the first byte of IP's protocol number, may be left out.
fn ppp(stack: &mut Stack<'_>) -> Next {
    const NOT_IP: Next = Next::NonIp(0x880b);
    stack.name("ppp");
    if stack.recipe.flag() {
        let control = stack.recipe.choose(&[0x03, 0x13]);
        stack.put(&[0xff, control]);
    }
    match stack.recipe.below(12) {
        0 => protocol(stack, &[0, 0x21], Next::Ip(4)),
        1 => protocol(stack, &[0x21], Next::Ip(4)),
        2 => protocol(stack, &[0, 0x57], Next::Ip(6)),
        3 => protocol(stack, &[0x57], Next::Ip(6)),
        4 => protocol(stack, &[0x02, 0x81], Next::Mpls),
        5 => protocol(stack, &[0x02, 0x83], Next::Mpls),
        6 => protocol(stack, &[0x08, 0x00], Next::Ip(4)),
        7 => protocol(stack, &[0x86, 0xdd], Next::Ip(6)),
        // RFC 3518: a bridged frame, with and without the number of its network.
        8 => protocol(stack, &[0, 0x31, 0, 1], ETHERNET),
        9 => protocol(stack, &[0, 0x31, 0x40, 1, 1, 2, 3, 4], ETHERNET),
        // RFC 1990: a fragment that begins a packet.
        10 => protocol(stack, &[0, 0x3d, 0x80, 0, 0, 1], Next::Ppp),
        _ => protocol(stack, &[0xc0, 0x21], NOT_IP),
    }
}

fn protocol(stack: &mut Stack<'_>, bytes: &[u8], next: Next) -> Next {
    stack.put(bytes);
    next
}

/// RFC 3032: labels, the last of which is marked; then IP, a pseudowire's control word, or an associated
/// channel. The numbers up to 15 have meanings of their own and are not chosen.
fn mpls(stack: &mut Stack<'_>) -> Next {
    stack.name("mpls");
    let [high, middle, low, ttl] = stack.recipe.bytes::<4>();
    let following = stack.recipe.below(6);
    let is_bottom = following != 3;
    stack.put(&[high | 1, middle, low & 0xfe | u8::from(is_bottom), ttl]);
    match following {
        0 => Next::Ip(4),
        1 => Next::Ip(6),
        2 => protocol(stack, &[0; 4], Next::NonIp(0x8847)),
        3 => Next::Mpls,
        4 => protocol(stack, &[0x10, 0, 0, 0x21], Next::Ip(4)),
        _ => protocol(stack, &[0x10, 0, 0, 0x57], Next::Ip(6)),
    }
}

/// B.A.T.M.A.N. advanced: broadcast, unicast, unicast with both ends, and what carries no frame.
fn batman(stack: &mut Stack<'_>) -> Next {
    stack.name("batman");
    let (kind, length, next) = match stack.recipe.below(4) {
        0 => (0x01, 14, ETHERNET),
        1 => (0x40, 10, ETHERNET),
        2 => (0x42, 18, ETHERNET),
        _ => (0x00, 24, Next::NonIp(0x4305)),
    };
    stack.put(&[kind, 15]);
    stack.filler(length - 2);
    next
}

/// RFC 8300.
fn nsh(stack: &mut Stack<'_>) -> Next {
    stack.name("nsh");
    let words = 2 + stack.recipe.below(8);
    let (protocol, next) = match stack.recipe.below(6) {
        0 => (1, Next::Ip(4)),
        1 => (2, Next::Ip(6)),
        2 => (3, ETHERNET),
        3 => (4, Next::Type(0x894f)),
        4 => (5, Next::Mpls),
        _ => (0xfe, Next::NonIp(0x894f)),
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
