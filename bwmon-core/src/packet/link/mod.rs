//! Link layers and what is stacked between them and IP, one header per step.
//!
//! Each step reads one header and says what follows. A step takes at least one byte or goes on to a
//! layer of another kind, and [`MAX_STEPS`] bounds their number, so the work per frame is bounded.

mod ethernet;
mod llc;
mod medium;
mod mpls;
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
    /// IEEE 802.11 with padding after its header, as radiotap tells.
    PaddedIeee80211,
    /// The payload of an EtherType, or of an 802.3 length below 1536.
    EtherType(u16),
    /// IEEE 802.2 logical link control.
    Llc,
    /// A network layer protocol identifier (ISO/IEC TR 9577).
    Nlpid,
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
        Layer::PaddedIeee80211 => wireless::padded_ieee80211(bytes),
        Layer::EtherType(ethertype) => ethernet::payload(ethertype, bytes),
        Layer::Llc => llc::llc(bytes),
        Layer::Nlpid => llc::nlpid(bytes),
        Layer::Ppp => serial::ppp(bytes),
        Layer::Mpls => mpls::mpls(bytes),
        Layer::Ipv4 | Layer::Ipv6 | Layer::AnyIp => Step::Next(layer, bytes),
    }
}

fn link(link: LinkType, bytes: &[u8]) -> Step<'_> {
    match link {
        LinkType::Ethernet => ethernet::ethernet(bytes),
        LinkType::RawIp => Step::Next(Layer::AnyIp, bytes),
        LinkType::Ipv4 => Step::Next(Layer::Ipv4, bytes),
        LinkType::Ipv6 => Step::Next(Layer::Ipv6, bytes),
        LinkType::Mpls => Step::Next(Layer::Mpls, bytes),
        LinkType::Null => pseudo::null(bytes),
        LinkType::LinuxSll => pseudo::sll(bytes),
        LinkType::LinuxSll2 => pseudo::sll2(bytes),
        LinkType::Nflog => pseudo::nflog(bytes),
        LinkType::Ppi => pseudo::ppi(bytes),
        LinkType::Pktap => pseudo::pktap(bytes),
        LinkType::Pflog => pseudo::pflog(bytes),
        LinkType::Enc => pseudo::enc(bytes),
        LinkType::Ipnet => pseudo::ipnet(bytes),
        LinkType::Slip => after(bytes, 16, Layer::AnyIp, "slip"),
        LinkType::JuniperEther => pseudo::juniper(LinkType::Ethernet, bytes),
        LinkType::JuniperPpp => pseudo::juniper(LinkType::Ppp, bytes),
        LinkType::JuniperFrameRelay => pseudo::juniper(LinkType::FrameRelay, bytes),
        LinkType::JuniperCiscoHdlc => pseudo::juniper(LinkType::CiscoHdlc, bytes),
        LinkType::Ppp | LinkType::PppHdlc => serial::ppp_hdlc(bytes),
        LinkType::PppEther => ethernet::payload(ethernet::PPPOE_SESSION, bytes),
        LinkType::PppPppd => after(bytes, 2, Layer::Ppp, "ppp"),
        LinkType::CiscoHdlc => serial::cisco_hdlc(bytes),
        LinkType::FrameRelay => serial::frame_relay(bytes),
        LinkType::PppWithDirection => directed(LinkType::Ppp, bytes),
        LinkType::CiscoHdlcWithDirection => directed(LinkType::CiscoHdlc, bytes),
        LinkType::FrameRelayWithDirection => directed(LinkType::FrameRelay, bytes),
        LinkType::Ax25 => medium::ax25(bytes),
        LinkType::Ax25Kiss => after(bytes, 1, Layer::Link(LinkType::Ax25), "kiss"),
        LinkType::Fddi => medium::fddi(bytes),
        LinkType::TokenRing => medium::token_ring(bytes),
        LinkType::Arcnet => medium::arcnet(bytes),
        LinkType::ArcnetLinux => medium::arcnet_linux(bytes),
        LinkType::AtmRfc1483 => Step::Next(Layer::Llc, bytes),
        LinkType::AtmClip => medium::atm_clip(bytes),
        // RFC 2625: a network header of two addresses, 8 bytes each.
        LinkType::IpOverFc => after(bytes, 16, Layer::Llc, "ip over fc"),
        // Two EUI-64 addresses, then a type.
        LinkType::AppleIpOverIeee1394 => typed(bytes, 16, "ieee 1394"),
        LinkType::IpOverInfiniband => medium::infiniband(bytes),
        LinkType::Ieee80211 => wireless::ieee80211(bytes),
        LinkType::Radiotap => wireless::radiotap(bytes),
        LinkType::Prism => wireless::prism(bytes),
        LinkType::Avs => wireless::avs(bytes),
        LinkType::Netanalyzer => after(bytes, 4, ETHERNET, "netanalyzer"),
        LinkType::NetanalyzerTransparent => after(bytes, 12, ETHERNET, "netanalyzer"),
        LinkType::EthernetMpacket => ethernet::mpacket(bytes),
        LinkType::Epon => ethernet::epon(bytes),
        LinkType::BroadcomTag => typed(bytes, 16, "broadcom tag"),
        LinkType::BroadcomTagPrepended => after(bytes, 4, ETHERNET, "broadcom tag"),
        LinkType::DsaTag => ethernet::dsa(bytes, 12),
        // The tag's own type and two reserved bytes come first.
        LinkType::EdsaTag => ethernet::dsa(bytes, 16),
        LinkType::Unsupported(_) => malformed("link", "unsupported link type"),
    }
}

const ETHERNET: Layer = Layer::Link(LinkType::Ethernet);

/// A byte that says who sent the packet, then the packet.
fn directed(link: LinkType, bytes: &[u8]) -> Step<'_> {
    after(bytes, 1, Layer::Link(link), "direction")
}

/// The EtherType at `at`, and what follows it.
fn typed<'a>(bytes: &'a [u8], at: usize, layer: &'static str) -> Step<'a> {
    match be16(bytes, at) {
        Some(ethertype) => Step::Next(
            Layer::EtherType(ethertype),
            bytes.get(at + 2..).unwrap_or_default(),
        ),
        None => cut(layer),
    }
}

/// A header of `length` bytes, then `next`.
fn after<'a>(bytes: &'a [u8], length: usize, next: Layer, layer: &'static str) -> Step<'a> {
    match bytes.get(length..) {
        Some(rest) => Step::Next(next, rest),
        None => cut(layer),
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
