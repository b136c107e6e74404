use super::sys::Nature;
use crate::frame::Direction;

/// Length of an Ethernet II header in bytes.
const ETHERNET_HEADER: u32 = 14;

/// Length of an 802.1Q tag in bytes.
pub(in crate::collectors) const TAG: u32 = 4;

/// What an interface's byte counters contain of a frame, compared with what a packet socket says.
///
/// Linux has no common rule: a driver adds whatever `skb->len` is where it counts. Found by
/// comparing the counters with frames of known length (see `tests/af_packet.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::collectors) enum Counting {
    /// The whole frame, with a VLAN tag that the stack strips after the driver counted: hardware,
    /// virtual cables, tap and tun. Where the driver never had the tag in the frame (a VLAN
    /// interface or a tagging bridge at the far end of a virtual cable) this says 4 bytes too many.
    #[default]
    WholeFrame,
    /// The frame without its Ethernet header, but with its tag, both ways: loopback.
    WithoutHeader,
    /// What comes in without its Ethernet header and without a tag, because both were taken off
    /// below: bridges, 802.1Q interfaces.
    IngressWithoutHeader,
    /// What comes in with its Ethernet header, but without a tag: macvlan.
    IngressWithoutTag,
}

impl Counting {
    /// The rule of an interface.
    pub(super) fn of(nature: &Nature) -> Self {
        if nature.is_loopback {
            return Self::WithoutHeader;
        }
        match nature.driver.as_str() {
            "bridge" | "802.1Q VLAN Support" | "vlan" => Self::IngressWithoutHeader,
            "macvlan" | "macvtap" => Self::IngressWithoutTag,
            _ => Self::WholeFrame,
        }
    }

    /// The length that the counter takes for a frame of `frame_len` bytes, out of which a tag was
    /// stripped or not.
    pub(in crate::collectors) fn wire_len(
        self,
        frame_len: u32,
        direction: Direction,
        has_stripped_tag: bool,
    ) -> u32 {
        let is_ingress = direction != Direction::Egress;
        let tag = if is_ingress && has_stripped_tag {
            TAG
        } else {
            0
        };
        match self {
            Self::WholeFrame => frame_len.saturating_add(tag),
            Self::WithoutHeader => frame_len
                .saturating_add(tag)
                .saturating_sub(ETHERNET_HEADER),
            Self::IngressWithoutHeader if is_ingress => frame_len.saturating_sub(ETHERNET_HEADER),
            Self::IngressWithoutHeader | Self::IngressWithoutTag => frame_len,
        }
    }
}
