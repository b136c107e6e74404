//! Link layers and what is stacked between them and IP, one header per step.
//!
//! Each step reads one header and says what follows. A step takes at least one byte, and
//! [`MAX_STEPS`] bounds their number, so the work per frame is bounded.

mod ethernet;
mod pseudo;
mod serial;
mod wireless;

use super::Unparsed;
use crate::frame::LinkType;

/// Most headers that are walked before a frame counts as malformed.
pub(super) const MAX_STEPS: usize = 96;

/// What the remaining bytes start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    Link(LinkType),
    /// The payload of an EtherType, or of an 802.3 length below 1536.
    EtherType(u16),
    /// IEEE 802.2 logical link control.
    Llc,
    /// A PPP protocol field, with or without address and control before it.
    Ppp,
    /// A stack of MPLS labels (RFC 3032).
    Mpls,
    /// IPv4 (RFC 791).
    Ipv4,
    /// IPv6 (RFC 8200).
    Ipv6,
    /// IP of the version that its first nibble says.
    AnyIp,
}

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// A header; this follows.
    Next(Layer, &'a [u8]),
    /// A VLAN tag with this identifier; this follows.
    Vlan(u16, Layer, &'a [u8]),
    /// Something without IP, by EtherType.
    NonIp(u16),
    /// A header that is cut or wrong.
    Malformed(Unparsed),
}

/// Reads one header of `layer`, which is none of the IP layers.
pub(super) fn step(layer: Layer, bytes: &[u8]) -> Step<'_> {
    match layer {
        Layer::Link(link) => self::link(link, bytes),
        Layer::EtherType(ethertype) => ethernet::payload(ethertype, bytes),
        Layer::Llc => ethernet::llc(bytes),
        Layer::Ppp => serial::ppp(bytes),
        Layer::Mpls => ethernet::mpls(bytes),
        Layer::Ipv4 | Layer::Ipv6 | Layer::AnyIp => Step::Next(layer, bytes),
    }
}

fn link(link: LinkType, bytes: &[u8]) -> Step<'_> {
    match link {
        LinkType::Ethernet => ethernet::ethernet(bytes),
        LinkType::RawIp => Step::Next(Layer::AnyIp, bytes),
        LinkType::Ipv4 => Step::Next(Layer::Ipv4, bytes),
        LinkType::Ipv6 => Step::Next(Layer::Ipv6, bytes),
        LinkType::Null => pseudo::null(bytes),
        LinkType::LinuxSll => pseudo::sll(bytes),
        LinkType::LinuxSll2 => pseudo::sll2(bytes),
        LinkType::Nflog => pseudo::nflog(bytes),
        LinkType::Ppi => pseudo::ppi(bytes),
        LinkType::Ppp => Step::Next(Layer::Ppp, bytes),
        LinkType::PppHdlc => serial::ppp_hdlc(bytes),
        LinkType::CiscoHdlc => serial::cisco_hdlc(bytes),
        LinkType::FrameRelay => serial::frame_relay(bytes),
        LinkType::Fddi => ethernet::fddi(bytes),
        LinkType::ArcnetLinux => pseudo::arcnet_linux(bytes),
        LinkType::Ieee80211 => wireless::ieee80211(bytes),
        LinkType::Radiotap => wireless::radiotap(bytes),
        LinkType::Unsupported(_) => malformed("link", "unsupported link type"),
    }
}

fn malformed(layer: &'static str, reason: &'static str) -> Step<'static> {
    Step::Malformed(Unparsed { layer, reason })
}

fn cut(layer: &'static str) -> Step<'static> {
    malformed(layer, "truncated")
}

/// The big-endian 16-bit number at `at`.
fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*pair))
}
