use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bounds;
use super::clock::ClockReading;
use super::host::HostMetrics;
use super::interface::InterfaceInterval;
use super::record::DropReason;
use crate::frame::{PerDirection, Tally};
use crate::time::{Timestamp, Window};

/// Everything about one host within one window. What an agent reports.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interval {
    /// When, by the agent's clocks.
    pub window: Window,
    /// Health of the host; absent if nothing was sampled.
    #[serde(default)]
    pub host: Option<HostMetrics>,
    /// Every interface that exists, captured or not.
    #[serde(default, deserialize_with = "bounds::parts")]
    pub interfaces: Vec<InterfaceInterval>,
    /// Flows, most bytes first.
    #[serde(default, deserialize_with = "bounds::flows")]
    pub flows: Vec<FlowRow>,
    /// What belongs to flows without an interface (sock_diag) that are beyond the bound of the table
    /// or of the report. Flows with an interface count in its own overflow term.
    #[serde(default)]
    pub overflow_without_interface: PerDirection<Tally>,
    /// How the flows were seen.
    #[serde(default)]
    pub capture: CaptureStatus,
    /// What the sources of frames lost within the window.
    #[serde(default, deserialize_with = "bounds::parts")]
    pub losses: Vec<CaptureLoss>,
    /// Results of probes that ended within the window.
    #[serde(default, deserialize_with = "bounds::parts")]
    pub probes: Vec<ProbeResult>,
    /// Further windows that were merged into this one because the next queue was full: resolution
    /// was lost, bytes were not.
    #[serde(default)]
    pub merged_windows: u32,
    /// The agent's clocks at the end of the window, where it has such clocks.
    #[serde(default)]
    pub clocks: Option<ClockReading>,
    /// Flow rows that were measured and are gone; their bytes count as overflow. Absent where none
    /// are.
    #[serde(default)]
    pub flows_lost: Option<FlowsLost>,
}

impl Interval {
    /// The window by the agent's own clock, where a receiver moved it.
    pub fn window_as_told(&self) -> Window {
        let moved_us = self.clocks.map_or(0, |clocks| clocks.moved_us);
        Window {
            start: moved(self.window.start, moved_us.saturating_neg()),
            ..self.window
        }
    }

    /// Moves every moment in it by `by_us`, and notes that. Whatever an agent said of earlier moves
    /// is forgotten.
    pub fn move_by(&mut self, by_us: i64) {
        if let Some(clocks) = &mut self.clocks {
            clocks.moved_us = by_us;
        }
        if by_us == 0 {
            return;
        }
        self.window.start = moved(self.window.start, by_us);
        for row in &mut self.flows {
            row.first = moved(row.first, by_us);
            row.last = moved(row.last, by_us);
        }
    }
}

fn moved(at: Timestamp, by_us: i64) -> Timestamp {
    let span = Duration::from_micros(by_us.unsigned_abs());
    if by_us < 0 {
        at.minus(span)
    } else {
        at.plus(span)
    }
}

/// Flow rows of an interval that were lost on their way, while the rest of it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlowsLost {
    /// How many rows.
    pub rows: u64,
    /// Why.
    pub reason: DropReason,
}

impl FlowsLost {
    /// Both together; reasons that differ become [`DropReason::Other`].
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            reason: if self.reason == other.reason {
                self.reason
            } else {
                DropReason::Other
            },
        }
    }
}

/// How an agent sees flows, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CaptureMethod {
    /// Every frame, from a Linux packet ring.
    AfPacket,
    /// Every frame, through libpcap.
    Libpcap,
    /// TCP connections only, payload bytes, from the kernel's own per-connection counters.
    SockDiag,
    /// Bytes between pairs of monitored hosts, as an agent of the original program counts them: no
    /// interface, protocol, ports or packets. Their protocol is 255, which IANA reserves.
    HostPairs,
    /// No flows: interface counters only.
    #[default]
    #[serde(other)]
    Counters,
}

impl CaptureMethod {
    /// Whether it sees every frame, and so makes a claim on the identity of bytes.
    pub const fn sees_frames(self) -> bool {
        matches!(self, Self::AfPacket | Self::Libpcap)
    }
}

/// How flows were seen in an interval, and why not better.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaptureStatus {
    /// The method in use.
    pub method: CaptureMethod,
    /// What is missing for the next better method, and the command that grants it; absent when the
    /// best one is in use or nothing more was asked for.
    #[serde(default, deserialize_with = "bounds::optional_string")]
    pub note: Option<String>,
    /// Names of the interfaces whose frames are captured.
    #[serde(default, deserialize_with = "bounds::strings")]
    pub interfaces: Vec<String>,
}

/// One flow on one interface within one interval.
///
/// `local` is the end on this host's side of the interface: the destination of what came in, the
/// source of what went out. A flow that is seen on two interfaces of one host has a row on each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlowRow {
    /// Name of the interface; absent where the source knows none (sock_diag).
    #[serde(default, deserialize_with = "bounds::optional_string")]
    pub interface: Option<String>,
    /// IP protocol number (IANA "Protocol Numbers"): 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6.
    pub protocol: u8,
    /// Address on this host's side.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "192.0.2.10"))]
    pub local: IpAddr,
    /// Port on this host's side; 0 where the protocol has none.
    #[serde(default)]
    pub local_port: u16,
    /// Address of the peer.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "198.51.100.7"))]
    pub remote: IpAddr,
    /// Port of the peer; 0 where the protocol has none.
    #[serde(default)]
    pub remote_port: u16,
    /// What moved. Wire bytes where frames are seen, TCP payload bytes under sock_diag.
    pub traffic: PerDirection<Tally>,
    /// First frame within the window.
    #[serde(rename = "first_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub first: Timestamp,
    /// Last frame within the window.
    #[serde(rename = "last_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub last: Timestamp,
    /// TCP flags seen in either direction, as in byte 13 of the header (RFC 9293, section 3.1).
    #[serde(default)]
    pub tcp_flags: u8,
}

impl FlowRow {
    /// Whether both ends are this host: to a loopback address, or to the host's own address.
    pub fn is_within_host(&self) -> bool {
        self.remote.is_loopback() || self.remote == self.local
    }

    /// What tells this flow apart from the others of its host.
    pub fn identity(&self) -> FlowIdentity<'_> {
        FlowIdentity {
            interface: self.interface.as_deref().map(Cow::Borrowed),
            protocol: self.protocol,
            local: (self.local, self.local_port),
            remote: (self.remote, self.remote_port),
        }
    }

    /// Adds another row of the same flow, of another window or another report: traffic is summed,
    /// `first` and `last` span both, and the TCP flags are those of either.
    pub fn absorb(&mut self, other: &Self) {
        debug_assert_eq!(self.identity(), other.identity());
        self.traffic.add(other.traffic);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.tcp_flags |= other.tcp_flags;
    }
}

/// What tells the flows of one host apart: the interface, the protocol and both ends. Ordered and
/// hashed by these, to sum rows of several windows with [`FlowRow::absorb`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowIdentity<'a> {
    interface: Option<Cow<'a, str>>,
    protocol: u8,
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
}

impl FlowIdentity<'_> {
    /// The same, with a name of the interface of its own.
    pub fn into_owned(self) -> FlowIdentity<'static> {
        FlowIdentity {
            interface: self.interface.map(|name| Cow::Owned(name.into_owned())),
            ..self
        }
    }
}

/// What one source of frames received and lost, in packets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaptureLoss {
    /// The collector that counted, such as `af_packet`.
    #[serde(deserialize_with = "bounds::string")]
    pub source: String,
    /// The interface, where the source tells them apart; a ring that several interfaces share
    /// does not.
    #[serde(default, deserialize_with = "bounds::optional_string")]
    pub interface: Option<String>,
    /// Packets that passed the filter, lost ones included.
    pub received: u64,
    /// Packets lost because the ring was full. Their bytes are part of the residual.
    pub dropped: u64,
}

impl CaptureLoss {
    /// Whether both are of one source and interface, so that their counts can be compared or added.
    pub fn is_same_source(&self, other: &Self) -> bool {
        self.source == other.source && self.interface == other.interface
    }

    /// Adds what the same source counted at another time.
    pub fn absorb(&mut self, other: &Self) {
        debug_assert!(self.is_same_source(other));
        self.received = self.received.saturating_add(other.received);
        self.dropped = self.dropped.saturating_add(other.dropped);
    }
}

/// What a probe was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// ICMP echo.
    Icmp,
    /// Time until a TCP connection was accepted or refused.
    TcpConnect,
    /// A kind from a newer agent.
    #[serde(other)]
    Other,
}

/// Result of probing one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProbeResult {
    /// Who was probed.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub target: IpAddr,
    /// How.
    pub kind: ProbeKind,
    /// Probes sent.
    pub sent: u32,
    /// Probes without an answer.
    pub lost: u32,
    /// Round trip in microseconds: least, mean and most; absent if all were lost.
    #[serde(default)]
    pub min_us: Option<u32>,
    /// Mean round trip in microseconds.
    #[serde(default)]
    pub mean_us: Option<u32>,
    /// Longest round trip in microseconds.
    #[serde(default)]
    pub max_us: Option<u32>,
}
