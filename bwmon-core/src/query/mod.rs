//! What a store answers. Rates are derived here, at the edge, from stored bytes and windows; bits
//! per second are SI.

mod gaps;

use std::net::IpAddr;

pub use gaps::{Covered, HostState, Notice, clock_steps, gaps};

use serde::{Deserialize, Serialize};

use crate::frame::{PerDirection, Tally};
use crate::report::{CaptureStatus, FlowRow, FlowsLost, Interval, ProbeResult, Terms};
use crate::time::{Timestamp, Window};

/// Whether a host reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HostStatus {
    /// Reported within the stale-after time.
    Up,
    /// Stopped reporting; its last figures are shown as such.
    Stale,
}

/// A host on the dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostSummary {
    /// Identity of its agent, 32 hexadecimal digits.
    pub id: String,
    /// Name that the host gives itself.
    pub name: String,
    /// Whether it reports.
    pub status: HostStatus,
    /// Whether its agent has shown a credential. Hosts whose agent is the original program have none:
    /// anybody whose address the collector lets in may have said what is shown of them.
    pub is_authenticated: bool,
    /// When a report of it last arrived, by the collector's clock.
    #[serde(rename = "last_seen_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub last_seen: Timestamp,
    /// When a report of it first arrived, by the collector's clock.
    #[serde(rename = "first_seen_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub first_seen: Timestamp,
    /// Addresses of its uplinks.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub addresses: Vec<IpAddr>,
    /// Distribution and version.
    pub os: String,
    /// Version of its agent.
    pub agent_version: String,
    /// Seconds since it booted, at its last report.
    pub uptime_s: u64,
    /// Window of its last report.
    pub window: Window,
    /// Processor use, 0 to 100.
    pub cpu_percent: Option<f32>,
    /// Memory in use, 0 to 100.
    pub memory_percent: Option<f32>,
    /// Fullest file system, 0 to 100.
    pub disk_percent: Option<f32>,
    /// Traffic of its uplinks in bits per second; absent where no counter has two readings yet.
    pub throughput_bps: Option<PerDirection<f64>>,
    /// Peer with the most bytes on the uplinks in the last minute.
    pub top_peer: Option<PeerUsage>,
    /// How its flows are seen.
    pub capture: CaptureStatus,
    /// Packets that capture lost in the last report.
    pub capture_dropped: u64,
    /// Set while the credential of its agent is used in two places, so that what is shown is of two
    /// machines.
    #[serde(default)]
    pub cloned: Option<Cloned>,
    /// How far its wall clock is ahead of the collector's, in microseconds, negative where it is
    /// behind; absent up to five seconds. The times of its reports are put right up to ten minutes
    /// ahead; what is further in the future is refused.
    #[serde(default)]
    pub clock_wrong_by_us: Option<i64>,
    /// Recent course for a sparkline, oldest first, at most 60 points, and fewer in a list of more than
    /// 2,000 hosts.
    pub recent: Vec<RecentPoint>,
}

/// An agent's credential is used in two places. One of them must enrol again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cloned {
    /// What tells it.
    pub reason: CloneReason,
    /// When it was first noticed, by the collector's clock.
    #[serde(rename = "since_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub since: Timestamp,
}

/// What tells that an agent was cloned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CloneReason {
    /// Two runs of sequence numbers go on at once. The reports of both are stored.
    EpochsAlternate,
    /// One number came with two different reports. Only the first of them is stored.
    NumberReused,
}

/// One point of a sparkline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecentPoint {
    /// End of the window.
    #[serde(rename = "at_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub at: Timestamp,
    /// Processor use, 0 to 100.
    pub cpu_percent: Option<f32>,
    /// Memory in use, 0 to 100.
    pub memory_percent: Option<f32>,
    /// Traffic of the uplinks, both directions together, in bits per second.
    pub throughput_bps: Option<f64>,
}

/// Bytes exchanged with one peer over a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PeerUsage {
    /// Its address.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub address: IpAddr,
    /// What moved, seen from the host.
    pub traffic: PerDirection<Tally>,
    /// The same in bits per second over the window.
    pub rate_bps: PerDirection<f64>,
    /// How many flows it was made of.
    pub flows: u32,
}

/// A flow over a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlowUsage {
    /// Who, to whom, and how much.
    pub flow: FlowRow,
    /// Bits per second over the window.
    pub rate_bps: PerDirection<f64>,
}

/// A host in full: what its page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostDetail {
    /// As on the dashboard.
    pub summary: HostSummary,
    /// Its last report, as it came, without the flows.
    pub latest: Interval,
    /// What `peers`, `flows` and `interfaces` are summed over: the last minute of reports.
    pub window: Window,
    /// Peers on the uplinks, most bytes first, at most 100.
    pub peers: Vec<PeerUsage>,
    /// Flows on every interface, most bytes first, at most 200.
    pub flows: Vec<FlowUsage>,
    /// Flow rows of this window that were measured and lost on their way; their bytes count as overflow.
    pub flows_lost: Option<FlowsLost>,
    /// The identity of bytes of each interface.
    pub interfaces: Vec<InterfaceSum>,
    /// Its pings of the last ten minutes, the newest of each target, by address. What another host says
    /// of this one is with that host: a failure in one direction stays visible.
    pub probes: Vec<Probed>,
}

/// How a target answered when it was pinged last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Probed {
    /// End of the interval within which the round ended, by the host's clock.
    #[serde(rename = "at_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub at: Timestamp,
    /// What came of it.
    pub result: ProbeResult,
}

/// The identity of bytes of one interface, summed over a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InterfaceSum {
    /// Name.
    pub name: String,
    /// Whether it counts towards the host's total.
    pub is_uplink: bool,
    /// Bytes and packets by the kernel's counters.
    pub kernel: PerDirection<Tally>,
    /// Where the captured bytes went; absent where the interface was not captured.
    pub captured: Option<PerDirection<Terms>>,
    /// Kernel less captured, over the intervals in which both are known.
    pub residual_bytes: Option<PerDirection<i64>>,
    /// Intervals without a kernel reading (first after a start, or a counter reset).
    pub intervals_without_kernel: u32,
}

/// Sums over a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrafficSum {
    /// From the start of the first to the end of the last report within the range.
    pub window: Window,
    /// Reports within the range.
    pub reports: u64,
    /// The identity of bytes of each interface.
    pub interfaces: Vec<InterfaceSum>,
    /// Flows, most bytes first, at most the limit that was asked for.
    pub flows: Vec<FlowUsage>,
    /// What flows beyond the limit amount to.
    pub flows_beyond_limit: PerDirection<Tally>,
}

/// Why a series has no points for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// No reason is known. What an agent may have had is lost with its spool.
    Unknown,
    /// The agent did not run, or its host was off.
    AgentOff,
    /// The host slept.
    Asleep,
    /// The host's clock was wrong: set forward while no time passed, or so far ahead that the
    /// collector refused its reports.
    Clock,
    /// The agent had no room for more, or what waited grew too old.
    SpoolFull,
    /// What the agent had on its disk was damaged.
    Damage,
    /// The collector refused the reports.
    Refused,
    /// It may still come: nothing has come since, or later reports came first.
    NotYet,
}

/// A span without data; never drawn as zero and never joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// When.
    pub window: Window,
    /// Why.
    pub reason: GapReason,
}

/// A host's wall clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClockStep {
    /// End of the first report after it, by the collector's clock.
    #[serde(rename = "at_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub at: Timestamp,
    /// How far it was set forward, in microseconds; negative where it was set back.
    pub by_us: i64,
}

/// What a series measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Processor use in percent.
    CpuPercent,
    /// Memory in use in percent.
    MemoryPercent,
    /// Received bits per second of one interface.
    IngressBps,
    /// Sent bits per second of one interface.
    EgressBps,
    /// Received bits per second of the host's uplinks.
    TotalIngressBps,
    /// Sent bits per second of the host's uplinks.
    TotalEgressBps,
}

/// One metric over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Series {
    /// What.
    pub metric: Metric,
    /// Of which interface, where it is about one.
    pub interface: Option<String>,
    /// One per moment of the set; absent where nothing was measured.
    pub values: Vec<Option<f64>>,
}

/// Series that share their moments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesSet {
    /// What was asked for.
    pub range: Window,
    /// Ends of the windows, ascending.
    #[serde(rename = "at_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<u64>))]
    pub at: Vec<Timestamp>,
    /// The series.
    pub series: Vec<Series>,
    /// Where data is missing, and why.
    pub gaps: Vec<Gap>,
    /// Where the host's clock was set. The moments above are by the collector's.
    pub clock_steps: Vec<ClockStep>,
}
