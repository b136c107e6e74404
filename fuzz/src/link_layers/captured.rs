//! Where a frame begins: a network's header, or one that a capturing system made up.

use bwmon_core::frame::LinkType;

use super::super::packet::{link_of, number_of};
use super::stacked::{ethertype, number, version};
use super::{Next, Stack, media};

const ETHERNET: Next = Next::Link(LinkType::Ethernet);

/// Writes a link layer's header; says what stands behind it.
pub(super) fn link(stack: &mut Stack<'_>, link: LinkType) -> Next {
    match link {
        LinkType::Ethernet => media::ethernet(stack),
        LinkType::RawIp => version(stack),
        LinkType::Ipv4 => Next::Ip(4),
        LinkType::Ipv6 => Next::Ip(6),
        LinkType::Mpls => Next::Mpls,
        LinkType::Ppp | LinkType::PppHdlc if stack.recipe.flag() => media::cisco_hdlc(stack),
        LinkType::Ppp | LinkType::PppHdlc => Next::Ppp,
        LinkType::PppEther => Next::Type(0x8864),
        LinkType::PppPppd => before::<2>(stack, "direction", Next::Ppp),
        LinkType::PppWithDirection => before::<1>(stack, "direction", Next::Link(LinkType::Ppp)),
        LinkType::CiscoHdlcWithDirection => {
            before::<1>(stack, "direction", Next::Link(LinkType::CiscoHdlc))
        }
        LinkType::FrameRelayWithDirection => {
            before::<1>(stack, "direction", Next::Link(LinkType::FrameRelay))
        }
        LinkType::CiscoHdlc => media::cisco_hdlc(stack),
        LinkType::FrameRelay => media::frame_relay(stack),
        LinkType::Ax25 => media::ax25(stack),
        LinkType::Ax25Kiss => before::<1>(stack, "kiss", Next::Link(LinkType::Ax25)),
        LinkType::Fddi => media::fddi(stack),
        LinkType::TokenRing => media::token_ring(stack),
        LinkType::Arcnet => media::arcnet(stack, false),
        LinkType::ArcnetLinux => media::arcnet(stack, true),
        LinkType::AtmRfc1483 => Next::Llc,
        LinkType::AtmClip => media::atm_clip(stack),
        LinkType::IpOverFc => before::<16>(stack, "fibre channel", Next::Llc),
        LinkType::AppleIpOverIeee1394 => {
            stack.name("ieee 1394");
            stack.any::<16>();
            ethertype(stack)
        }
        LinkType::IpOverInfiniband => media::infiniband(stack),
        LinkType::Ieee80211 => media::ieee80211(stack),
        LinkType::EthernetMpacket => media::mpacket(stack),
        LinkType::Epon => media::epon(stack),
        LinkType::BroadcomTag => media::broadcom(stack),
        LinkType::BroadcomTagPrepended => before::<4>(stack, "broadcom tag", ETHERNET),
        LinkType::DsaTag => media::dsa(stack, false),
        LinkType::EdsaTag => media::dsa(stack, true),
        made_up => self::made_up(stack, made_up),
    }
}

/// Headers of capturing systems.
fn made_up(stack: &mut Stack<'_>, link: LinkType) -> Next {
    match link {
        LinkType::Null => null(stack),
        LinkType::LinuxSll => sll(stack),
        LinkType::LinuxSll2 => sll2(stack),
        LinkType::Nflog => nflog(stack),
        LinkType::Ppi => ppi(stack),
        LinkType::Pktap => pktap(stack),
        LinkType::Pflog => pflog(stack),
        LinkType::Enc => enc(stack),
        LinkType::Ipnet => {
            stack.name("ipnet");
            let (family, next) = stack.recipe.choose(&FAMILIES_OF_SOLARIS);
            stack.put(&[1, family]);
            stack.filler(22);
            next
        }
        LinkType::Slip => {
            let next = version(stack);
            before::<16>(stack, "slip", next)
        }
        LinkType::JuniperEther => juniper(stack, LinkType::Ethernet),
        LinkType::JuniperPpp => juniper(stack, LinkType::Ppp),
        LinkType::JuniperFrameRelay => juniper(stack, LinkType::FrameRelay),
        LinkType::JuniperCiscoHdlc => juniper(stack, LinkType::CiscoHdlc),
        LinkType::Radiotap => radiotap(stack),
        LinkType::Prism if stack.recipe.flag() => avs(stack),
        LinkType::Prism => {
            stack.name("prism");
            stack.put(&[0x44, 0, 0, 0]);
            stack.filler(140);
            Next::Link(LinkType::Ieee80211)
        }
        LinkType::Avs => avs(stack),
        LinkType::Netanalyzer => before::<4>(stack, "netanalyzer", ETHERNET),
        LinkType::NetanalyzerTransparent => before::<12>(stack, "netanalyzer", ETHERNET),
        _ => Next::Unsupported,
    }
}

const FAMILIES_OF_SOLARIS: [(u8, Next); 3] =
    [(2, Next::Ip(4)), (26, Next::Ip(6)), (7, Next::NonIp(0))];

/// An address family and what it stands for; the last one is none of IP's.
const FAMILIES: [(u8, Next); 6] = [
    (2, Next::Ip(4)),
    (10, Next::Ip(6)),
    (24, Next::Ip(6)),
    (28, Next::Ip(6)),
    (30, Next::Ip(6)),
    (7, Next::NonIp(0)),
];

/// Bytes that are passed over.
fn before<const LENGTH: usize>(stack: &mut Stack<'_>, name: &'static str, next: Next) -> Next {
    stack.name(name);
    stack.any::<LENGTH>();
    next
}

/// A number as the capturing machine writes it.
fn either_order(stack: &mut Stack<'_>, number: u32) {
    let bytes = if stack.recipe.flag() {
        number.to_be_bytes()
    } else {
        number.to_le_bytes()
    };
    stack.put(&bytes);
}

/// An address family, or what old systems put there: PPP, an EtherType, a number of 16 bits.
fn null(stack: &mut Stack<'_>) -> Next {
    match stack.recipe.below(8) {
        7 => {
            stack.name("null");
            let order = stack.recipe.choose(&[[0, 2, 0, 0], [0, 0, 2, 0]]);
            stack.put(&order);
            Next::Ip(4)
        }
        6 => {
            stack.name("null");
            let (number, next) = stack
                .recipe
                .choose(&[(0x0800, Next::Ip(4)), (0x86dd, Next::Ip(6))]);
            either_order(stack, number);
            next
        }
        5 => {
            stack.name("ppp");
            stack.put(&[0xff, 0x03, 0x00, 0x57]);
            Next::Ip(6)
        }
        _ => {
            stack.name("null");
            let (family, next) = stack.recipe.choose(&FAMILIES);
            either_order(stack, family.into());
            next
        }
    }
}

/// Hardware types of Linux, and what stands behind a cooked header of each, whatever its protocol.
fn hardware(stack: &mut Stack<'_>) -> (u16, Option<Next>) {
    match stack.recipe.below(8) {
        0 => (1, None),
        1 => (772, None),
        2 => (778, None),
        3 => (768, None),
        4 => (65_534, None),
        5 => (824, Some(Next::NonIp(0))),
        6 => (803, Some(Next::Link(LinkType::Radiotap))),
        _ => (770, Some(Next::Link(LinkType::FrameRelay))),
    }
}

/// Hardware type and protocol of a cooked header, and what stands behind it.
fn cooked(stack: &mut Stack<'_>) -> (u16, u16, Next) {
    let (hardware, fixed) = hardware(stack);
    let (hardware, protocol, next) = match stack.recipe.below(10) {
        9 => (801, 0x0019, Next::Link(LinkType::Ieee80211)),
        8 => (hardware, 0x0007, Next::Ppp),
        7 => (hardware, 0x0004, Next::Llc),
        6 => (hardware, 0x0003, ETHERNET),
        5 => (hardware, 0x000c, Next::NonIp(0x000c)),
        _ => {
            let number = number(stack);
            let next = match number {
                0x0600.. => Next::Type(number),
                _ => Next::NonIp(number),
            };
            (hardware, number, next)
        }
    };
    match hardware {
        801 => (hardware, protocol, next),
        _ => (hardware, protocol, fixed.unwrap_or(next)),
    }
}

fn sll(stack: &mut Stack<'_>) -> Next {
    stack.name("sll");
    let (hardware, protocol, next) = cooked(stack);
    let kind = u16::from(stack.recipe.below(5));
    stack.be16(kind);
    stack.be16(hardware);
    stack.be16(6);
    stack.any::<8>();
    stack.be16(protocol);
    next
}

fn sll2(stack: &mut Stack<'_>) -> Next {
    stack.name("sll2");
    let (hardware, protocol, next) = cooked(stack);
    stack.be16(protocol);
    stack.any::<6>(); // Reserved, interface.
    stack.be16(hardware);
    stack.put(&[4, 6]);
    stack.any::<8>();
    next
}

/// Version and length; the flags field may say that the 802.11 header is padded.
fn radiotap(stack: &mut Stack<'_>) -> Next {
    stack.name("radiotap");
    let has_flags = stack.recipe.flag();
    stack.pads_ieee80211 = has_flags && stack.recipe.flag();
    let extra = stack.recipe.below(40);
    let flags = if stack.pads_ieee80211 { 0x20 } else { 0 };
    let fields: &[u8] = if has_flags { &[flags] } else { &[] };
    let length = 8 + u8::from(has_flags) + extra;
    stack.put(&[0, 0, length, 0]);
    stack.put(&[if has_flags { 0x02 } else { 0 }, 0, 0, 0]);
    stack.put(fields);
    stack.filler(usize::from(extra));
    Next::Link(LinkType::Ieee80211)
}

fn avs(stack: &mut Stack<'_>) -> Next {
    stack.name("avs");
    let extra = stack.recipe.below(100);
    stack.put(&[0x80, 0x21, 0x10, 0x01, 0, 0, 0, 8 + extra]);
    stack.filler(usize::from(extra));
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

/// Apple's header: its length, a packet, the link type.
fn pktap(stack: &mut Stack<'_>) -> Next {
    stack.name("pktap");
    let extra = stack.recipe.below(100);
    let choice = stack.recipe.byte();
    stack.put(&[12 + extra, 0, 0, 0, 1, 0, 0, 0]);
    stack.put(&number_of(choice).to_le_bytes());
    stack.filler(usize::from(extra));
    Next::Link(link_of(choice))
}

/// OpenBSD's packet filter log: a length without its padding.
fn pflog(stack: &mut Stack<'_>) -> Next {
    stack.name("pflog");
    let length = 45 + stack.recipe.below(30);
    let (family, next) = stack.recipe.choose(&FAMILIES);
    stack.put(&[length, family]);
    stack.filler(usize::from(length).next_multiple_of(4) - 2);
    next
}

fn enc(stack: &mut Stack<'_>) -> Next {
    stack.name("enc");
    let (family, next) = stack.recipe.choose(&FAMILIES);
    either_order(stack, family.into());
    stack.any::<8>();
    next
}

/// Juniper's header, with and without extensions and the link layer.
fn juniper(stack: &mut Stack<'_>, link: LinkType) -> Next {
    stack.name("juniper");
    let has_extensions = stack.recipe.flag();
    let has_no_link_layer = stack.recipe.below(4) == 3;
    let extensions = stack.recipe.below(50);
    let bit = |is_set, bit| if is_set { bit } else { 0 };
    let flags = bit(has_extensions, 0x80) | bit(has_no_link_layer, 0x02);
    stack.put(&[b'M', b'G', b'C', flags]);
    if has_extensions {
        stack.be16(u16::from(extensions));
        stack.filler(usize::from(extensions));
    }
    if has_no_link_layer {
        stack.any::<4>();
        return version(stack);
    }
    Next::Link(link)
}

/// Some values before the packet's, in either byte order. Tables of other families log IP too.
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
    let own_family = if next == Next::Ip(4) { 2 } else { 10 };
    let family = stack.recipe.choose(&[own_family, 1, 5, 7]);
    stack.put(&[family, 0, 0, 0]);
    for _ in 0..stack.recipe.below(4) {
        let length = u16::from(stack.recipe.byte());
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
