//! A captured frame and where it was seen.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// One interface, by the number that its source gives it: the `ifindex` on a live Linux host, the
/// interface number in a capture file. Numbers are reused by kernels; names are attributes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct InterfaceId(pub u32);

/// Which way a frame crossed the interface, seen from this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Received by this host.
    Ingress,
    /// Sent by this host.
    Egress,
    /// Not recorded, as in most capture files.
    Unknown,
}

/// What the first byte of a frame belongs to, by the names of the tcpdump group's link-layer header
/// types (<https://www.tcpdump.org/linktypes.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkType {
    /// Ethernet II or IEEE 802.3, 14-byte header without the frame check sequence (1).
    Ethernet,
    /// A bare IPv4 or IPv6 header, told apart by the version nibble (101; 12 and 14 on some systems).
    RawIp,
    /// A bare IPv4 header (228).
    Ipv4,
    /// A bare IPv6 header (229).
    Ipv6,
    /// A four-byte address family in either byte order (NULL, 0; LOOP, 108).
    Null,
    /// Linux "cooked" capture (113).
    LinuxSll,
    /// Linux "cooked" capture, version 2 (276).
    LinuxSll2,
    /// PPP (9).
    Ppp,
    /// PPP in HDLC framing, or Cisco HDLC (50).
    PppHdlc,
    /// A PPPoE session header, then PPP (51).
    PppEther,
    /// PPP whose address byte was replaced by the direction (166).
    PppPppd,
    /// A direction byte, then PPP (204).
    PppWithDirection,
    /// Cisco HDLC (104; 112 on NetBSD).
    CiscoHdlc,
    /// A direction byte, then Cisco HDLC (205).
    CiscoHdlcWithDirection,
    /// Frame relay (107).
    FrameRelay,
    /// A direction byte, then frame relay (206).
    FrameRelayWithDirection,
    /// Serial line IP under a 16-byte header (8).
    Slip,
    /// AX.25 (3).
    Ax25,
    /// AX.25 under a KISS byte (202).
    Ax25Kiss,
    /// FDDI (10).
    Fddi,
    /// IEEE 802.5 token ring (6).
    TokenRing,
    /// ARCNET with BSD's header (7).
    Arcnet,
    /// ARCNET with Linux's header (129).
    ArcnetLinux,
    /// LLC-encapsulated ATM (100; 11 on some systems).
    AtmRfc1483,
    /// Classical IP over ATM on Linux: an LLC header or bare IP (106).
    AtmClip,
    /// IP over Fibre Channel (122).
    IpOverFc,
    /// IP over IEEE 1394 as Apple's systems capture it (138).
    AppleIpOverIeee1394,
    /// IP over InfiniBand (242).
    IpOverInfiniband,
    /// MPLS labels (219).
    Mpls,
    /// IEEE 802.11 (105).
    Ieee80211,
    /// IEEE 802.11 under a radiotap header (127).
    Radiotap,
    /// IEEE 802.11 under a Prism header (119).
    Prism,
    /// IEEE 802.11 under an AVS header (163).
    Avs,
    /// Per-packet information (192).
    Ppi,
    /// Linux netfilter log (239).
    Nflog,
    /// OpenBSD's packet filter log (117).
    Pflog,
    /// OpenBSD's `enc` interface of IPsec (109).
    Enc,
    /// Solaris' `ipnet` (226).
    Ipnet,
    /// Apple's header that names the link type of each packet (258).
    Pktap,
    /// Ethernet under Juniper's header (178).
    JuniperEther,
    /// PPP under Juniper's header (179).
    JuniperPpp,
    /// Frame relay under Juniper's header (180).
    JuniperFrameRelay,
    /// Cisco HDLC under Juniper's header (181).
    JuniperCiscoHdlc,
    /// Ethernet under the four bytes of a netANALYZER (240).
    Netanalyzer,
    /// Ethernet with its preamble under the four bytes of a netANALYZER (241).
    NetanalyzerTransparent,
    /// Ethernet of a passive optical network, with its preamble (259).
    Epon,
    /// IEEE 802.3br mPackets: Ethernet with its preamble (274).
    EthernetMpacket,
    /// Ethernet with a Broadcom switch tag after the addresses (281).
    BroadcomTag,
    /// Ethernet with a Broadcom switch tag before it (282).
    BroadcomTagPrepended,
    /// Ethernet with a Marvell DSA tag after the addresses (284).
    DsaTag,
    /// Ethernet with a Marvell EtherType DSA tag after the addresses (285).
    EdsaTag,
    /// A link layer that this version does not parse: its bytes are counted, as malformed.
    Unsupported(u32),
}

impl LinkType {
    /// The link type of a LINKTYPE_ number, as capture files carry it.
    pub const fn from_linktype(number: u32) -> Self {
        match number {
            0 | 108 => Self::Null,
            1 => Self::Ethernet,
            3 => Self::Ax25,
            6 => Self::TokenRing,
            7 => Self::Arcnet,
            8 => Self::Slip,
            9 => Self::Ppp,
            10 => Self::Fddi,
            11 | 100 => Self::AtmRfc1483,
            12 | 14 | 101 => Self::RawIp,
            50 => Self::PppHdlc,
            51 => Self::PppEther,
            104 | 112 => Self::CiscoHdlc,
            105 => Self::Ieee80211,
            106 => Self::AtmClip,
            107 => Self::FrameRelay,
            109 => Self::Enc,
            113 => Self::LinuxSll,
            117 => Self::Pflog,
            119 => Self::Prism,
            122 => Self::IpOverFc,
            127 => Self::Radiotap,
            129 => Self::ArcnetLinux,
            138 => Self::AppleIpOverIeee1394,
            163 => Self::Avs,
            166 => Self::PppPppd,
            178 => Self::JuniperEther,
            179 => Self::JuniperPpp,
            180 => Self::JuniperFrameRelay,
            181 => Self::JuniperCiscoHdlc,
            192 => Self::Ppi,
            202 => Self::Ax25Kiss,
            204 => Self::PppWithDirection,
            205 => Self::CiscoHdlcWithDirection,
            206 => Self::FrameRelayWithDirection,
            219 => Self::Mpls,
            226 => Self::Ipnet,
            228 => Self::Ipv4,
            229 => Self::Ipv6,
            239 => Self::Nflog,
            240 => Self::Netanalyzer,
            241 => Self::NetanalyzerTransparent,
            242 => Self::IpOverInfiniband,
            258 => Self::Pktap,
            259 => Self::Epon,
            274 => Self::EthernetMpacket,
            276 => Self::LinuxSll2,
            281 => Self::BroadcomTag,
            282 => Self::BroadcomTagPrepended,
            284 => Self::DsaTag,
            285 => Self::EdsaTag,
            other => Self::Unsupported(other),
        }
    }
}

/// A frame, borrowed from its source for one call.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// When the source saw it.
    pub at: Timestamp,
    /// Where.
    pub interface: InterfaceId,
    /// Which way.
    pub direction: Direction,
    /// What `bytes` starts with.
    pub link: LinkType,
    /// The outermost 802.1Q tag if the source took it out of `bytes`.
    pub stripped_vlan: Option<u16>,
    /// Length on the wire in bytes as the interface's own counter counts it, never the captured
    /// length: what every byte count in bwmon is made of.
    pub wire_len: u32,
    /// The captured bytes; may be fewer than `wire_len` (snapshot length).
    pub bytes: &'a [u8],
}

/// A value for each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PerDirection<T> {
    /// What the host received.
    pub ingress: T,
    /// What the host sent.
    pub egress: T,
}

impl<T> PerDirection<T> {
    /// The value for `direction`; unknown directions count as ingress.
    pub fn side(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::Egress => &mut self.egress,
            Direction::Ingress | Direction::Unknown => &mut self.ingress,
        }
    }

    /// Applies `f` to both directions.
    pub fn map<U>(&self, f: impl Fn(&T) -> U) -> PerDirection<U> {
        PerDirection {
            ingress: f(&self.ingress),
            egress: f(&self.egress),
        }
    }
}

/// Frames and their bytes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tally {
    /// Bytes on the wire.
    pub bytes: u64,
    /// Frames as the network stack saw them: with segmentation offload one frame may carry many
    /// segments.
    pub packets: u64,
}

impl Tally {
    /// Counts one frame of `wire_len` bytes. Wraps after 2^32 frames of the greatest length, 18 exabytes.
    #[inline]
    pub const fn count(&mut self, wire_len: u32) {
        self.bytes = self.bytes.wrapping_add(wire_len as u64);
        self.packets = self.packets.wrapping_add(1);
    }

    /// Adds another tally. Associative and commutative; saturates.
    pub fn add(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.packets = self.packets.saturating_add(other.packets);
    }

    /// Whether nothing was counted.
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0 && self.packets == 0
    }
}

impl PerDirection<Tally> {
    /// Adds another pair of tallies.
    pub fn add(&mut self, other: Self) {
        self.ingress.add(other.ingress);
        self.egress.add(other.egress);
    }

    /// Both directions together.
    pub fn total(&self) -> Tally {
        let mut total = self.ingress;
        total.add(self.egress);
        total
    }

    /// Bytes in both directions.
    pub const fn total_bytes(&self) -> u64 {
        self.ingress.bytes.saturating_add(self.egress.bytes)
    }

    /// Whether nothing was counted in either direction.
    pub const fn is_empty(&self) -> bool {
        self.ingress.is_empty() && self.egress.is_empty()
    }
}
