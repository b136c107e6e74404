use serde::{Deserialize, Serialize};

use super::bounds;
use crate::frame::{InterfaceId, PerDirection, Tally};

/// What kind of network interface it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InterfaceKind {
    /// Hardware, or what a virtual machine is given as such.
    Physical,
    /// A radio.
    Wireless,
    /// `lo`.
    Loopback,
    /// A software switch.
    Bridge,
    /// Several interfaces used as one.
    Bond,
    /// An 802.1Q interface on top of another.
    Vlan,
    /// One end of a virtual cable.
    Veth,
    /// Tunnels and virtual private networks.
    Tunnel,
    /// Anything else, and kinds from newer agents.
    #[default]
    #[serde(other)]
    Other,
}

/// Operational state (RFC 2863, section 3.1.14, as Linux shows it in `operstate`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperState {
    /// Ready to pass packets.
    Up,
    /// Not ready.
    Down,
    /// Waiting for an event, such as an authentication.
    Dormant,
    /// An interface below it is down.
    LowerLayerDown,
    /// The driver does not say; loopback and many tunnels.
    #[default]
    #[serde(other)]
    Unknown,
}

/// What changes rarely about an interface.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InterfaceFacts {
    /// Number that the kernel gave it; reused after it is gone.
    pub id: InterfaceId,
    /// Current name.
    #[serde(deserialize_with = "bounds::string")]
    pub name: String,
    /// Kind.
    #[serde(default)]
    pub kind: InterfaceKind,
    /// Operational state.
    #[serde(default)]
    pub state: OperState,
    /// Link speed in bits per second; absent where the driver does not say.
    #[serde(default)]
    pub speed_bps: Option<u64>,
    /// Names of the interfaces that this one is stacked on (bridge ports, bond members, VLAN parent).
    #[serde(default, deserialize_with = "bounds::strings")]
    pub stacked_on: Vec<String>,
    /// Whether a default route leaves through it.
    #[serde(default)]
    pub has_default_route: bool,
    /// Whether it counts towards the host's total: the interfaces with a default route, or, where
    /// there is none, those that no other interface is stacked on, loopback excepted.
    #[serde(default)]
    pub is_uplink: bool,
}

/// The kernel's 64-bit counters of one direction of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KernelCounters {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
    /// Packets with errors.
    #[serde(default)]
    pub errors: u64,
    /// Packets dropped.
    #[serde(default)]
    pub drops: u64,
}

impl KernelCounters {
    /// The change since `earlier`; `None` if any counter went back, which means a reset.
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        Some(Self {
            bytes: self.bytes.checked_sub(earlier.bytes)?,
            packets: self.packets.checked_sub(earlier.packets)?,
            errors: self.errors.checked_sub(earlier.errors)?,
            drops: self.drops.checked_sub(earlier.drops)?,
        })
    }

    /// The sum of two changes; saturates.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            packets: self.packets.saturating_add(other.packets),
            errors: self.errors.saturating_add(other.errors),
            drops: self.drops.saturating_add(other.drops),
        }
    }
}

/// Where the captured bytes of one direction went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Terms {
    /// Attributed to flow rows of the interval.
    pub attributed: Tally,
    /// Belongs to flows beyond the bound of the table or of the report.
    #[serde(default)]
    pub overflow: Tally,
    /// Not IP: ARP, LLDP, spanning tree and so on.
    #[serde(default)]
    pub non_ip: Tally,
    /// Broken, cut or of a link layer that is not parsed.
    #[serde(default)]
    pub malformed: Tally,
}

impl Terms {
    /// Everything that was captured.
    pub fn captured(&self) -> Tally {
        let mut sum = self.attributed;
        sum.add(self.overflow);
        sum.add(self.non_ip);
        sum.add(self.malformed);
        sum
    }

    /// Adds the terms of another span of time.
    pub fn add(&mut self, other: &Self) {
        self.attributed.add(other.attributed);
        self.overflow.add(other.overflow);
        self.non_ip.add(other.non_ip);
        self.malformed.add(other.malformed);
    }
}

/// The identity of bytes of one direction:
/// `kernel = attributed + overflow + non_ip + malformed + residual`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Conservation {
    /// Where the captured bytes went.
    pub terms: Terms,
    /// Bytes of the kernel's counter that were not captured; negative by what the edges of an
    /// interval shift. Absent where the counter has no earlier reading or was reset.
    #[serde(default)]
    pub residual_bytes: Option<i64>,
}

impl Conservation {
    /// The identity for captured `terms` and the kernel's change over the same window.
    pub fn new(terms: Terms, kernel: Option<&KernelCounters>) -> Self {
        let residual_bytes = kernel.map(|k| signed_difference(k.bytes, terms.captured().bytes));
        Self {
            terms,
            residual_bytes,
        }
    }
}

fn signed_difference(a: u64, b: u64) -> i64 {
    i64::try_from(i128::from(a) - i128::from(b)).unwrap_or(if a > b { i64::MAX } else { i64::MIN })
}

/// Frames of one EtherType that carry no IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NonIpCount {
    /// EtherType (IEEE 802), or the 802.3 length field where it is below 1536.
    pub ethertype: u16,
    /// How much.
    pub tally: Tally,
}

/// Frames that could not be parsed, by layer and reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnparsedCount {
    /// The layer that failed, such as `ipv4`.
    #[serde(deserialize_with = "bounds::string")]
    pub layer: String,
    /// Why, such as `truncated`.
    #[serde(deserialize_with = "bounds::string")]
    pub reason: String,
    /// How much.
    pub tally: Tally,
}

/// One interface within one interval.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InterfaceInterval {
    /// What it is.
    pub facts: InterfaceFacts,
    /// Change of the kernel's counters; absent where there is no earlier reading or one was reset.
    #[serde(default)]
    pub kernel: Option<PerDirection<KernelCounters>>,
    /// The identity of bytes; absent where the interface is not captured.
    #[serde(default)]
    pub conservation: Option<PerDirection<Conservation>>,
    /// What the non-IP frames were, both directions together, largest first.
    #[serde(default, deserialize_with = "bounds::classes")]
    pub non_ip: Vec<NonIpCount>,
    /// Why frames could not be parsed, both directions together, largest first.
    #[serde(default, deserialize_with = "bounds::classes")]
    pub malformed: Vec<UnparsedCount>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_went_back_yields_no_change() {
        let before = KernelCounters {
            bytes: 10,
            packets: 1,
            ..Default::default()
        };
        let after = KernelCounters {
            bytes: 4,
            packets: 2,
            ..Default::default()
        };
        assert_eq!(after.since(&before), None);
        assert_eq!(before.since(&before), Some(KernelCounters::default()));
    }

    #[test]
    fn the_residual_closes_the_identity() {
        let mut terms = Terms::default();
        terms.attributed.count(100);
        terms.non_ip.count(60);
        let kernel = KernelCounters {
            bytes: 200,
            ..Default::default()
        };
        assert_eq!(
            Conservation::new(terms, Some(&kernel)).residual_bytes,
            Some(40)
        );
        assert_eq!(Conservation::new(terms, None).residual_bytes, None);
        let less = KernelCounters {
            bytes: 150,
            ..Default::default()
        };
        assert_eq!(
            Conservation::new(terms, Some(&less)).residual_bytes,
            Some(-10)
        );
    }

    #[test]
    fn kinds_from_newer_agents_are_other() {
        assert_eq!(
            serde_json::from_str::<InterfaceKind>("\"quantum\"").unwrap(),
            InterfaceKind::Other
        );
    }
}
