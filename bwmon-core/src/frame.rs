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
    /// Cisco HDLC (104).
    CiscoHdlc,
    /// Frame relay (107).
    FrameRelay,
    /// FDDI (10).
    Fddi,
    /// ARCNET with Linux's header (129).
    ArcnetLinux,
    /// IEEE 802.11 (105).
    Ieee80211,
    /// IEEE 802.11 under a radiotap header (127).
    Radiotap,
    /// Per-packet information (192).
    Ppi,
    /// Linux netfilter log (239).
    Nflog,
    /// A link layer that this version does not parse: its bytes are counted, as malformed.
    Unsupported(u32),
}

impl LinkType {
    /// The link type of a LINKTYPE_ number, as capture files carry it.
    pub const fn from_linktype(number: u32) -> Self {
        match number {
            0 | 108 => Self::Null,
            1 => Self::Ethernet,
            9 => Self::Ppp,
            10 => Self::Fddi,
            12 | 14 | 101 => Self::RawIp,
            50 => Self::PppHdlc,
            104 => Self::CiscoHdlc,
            105 => Self::Ieee80211,
            107 => Self::FrameRelay,
            113 => Self::LinuxSll,
            127 => Self::Radiotap,
            129 => Self::ArcnetLinux,
            192 => Self::Ppi,
            228 => Self::Ipv4,
            229 => Self::Ipv6,
            239 => Self::Nflog,
            276 => Self::LinuxSll2,
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

    /// Bytes in both directions.
    pub const fn total_bytes(&self) -> u64 {
        self.ingress.bytes.saturating_add(self.egress.bytes)
    }

    /// Whether nothing was counted in either direction.
    pub const fn is_empty(&self) -> bool {
        self.ingress.is_empty() && self.egress.is_empty()
    }
}
