//! Sums over a host's reports. Host totals count uplinks only: a flow that is seen on two interfaces
//! has a row on each, and would count twice.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::query::{HostDetail, HostStatus, HostSummary, PeerUsage, Probed, RecentPoint};
use bwmon_core::report::{
    AgentId, FlowIdentity, FlowRow, FlowsLost, HostMetrics, Interval, MountUsage,
};
use bwmon_core::time::Window;
use bwmon_sinks::sqlite::TrafficSummer;

use super::Sightings;
use crate::server::legacy::identity;

/// Most peers that a detail lists.
const MAX_PEERS: usize = 100;
/// Most flows that a detail lists.
const MAX_FLOWS: usize = 200;

/// Bytes that the uplinks moved, by the kernel's counters; absent where none has two readings.
pub(crate) fn uplink_bytes(interval: &Interval) -> Option<PerDirection<u64>> {
    let uplinks = interval.interfaces.iter().filter(|i| i.facts.is_uplink);
    uplinks
        .filter_map(|interface| interface.kernel.as_ref())
        .map(|kernel| kernel.map(|side| side.bytes))
        .reduce(|a, b| PerDirection {
            ingress: a.ingress.saturating_add(b.ingress),
            egress: a.egress.saturating_add(b.egress),
        })
}

/// Bits per second of both directions over a window; zero for an empty one.
fn rate(window: &Window, traffic: &PerDirection<Tally>) -> PerDirection<f64> {
    traffic.map(|side| window.bits_per_second(side.bytes).unwrap_or(0.0))
}

/// Processor use of a report, 0 to 100.
pub(crate) fn cpu_percent(interval: &Interval) -> Option<f32> {
    let cpu = interval.host.as_ref()?.cpu.as_ref()?;
    cpu.total_percent.is_finite().then_some(cpu.total_percent)
}

/// Memory use of a report, 0 to 100.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a percentage fits, rounded"
)]
pub(crate) fn memory_percent(interval: &Interval) -> Option<f32> {
    let host = interval.host.as_ref()?;
    match host.memory {
        Some(memory) => memory.used_percent().map(|percent| percent as f32),
        None => host.memory_percent.filter(|percent| percent.is_finite()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a percentage fits, rounded"
)]
fn disk_percent(host: &HostMetrics) -> Option<f32> {
    let used = host.mounts.iter().filter_map(MountUsage::used_percent);
    used.reduce(f64::max).map(|percent| percent as f32)
}

/// A report's point of the sparkline.
pub(super) fn point(interval: &Interval) -> RecentPoint {
    let bytes = uplink_bytes(interval).map(|b| b.ingress.saturating_add(b.egress));
    RecentPoint {
        at: interval.window.end(),
        cpu_percent: cpu_percent(interval),
        memory_percent: memory_percent(interval),
        throughput_bps: bytes.and_then(|bytes| interval.window.bits_per_second(bytes)),
    }
}

/// A host on the dashboard.
pub(super) fn summary(
    latest: &Interval,
    agent: AgentId,
    status: HostStatus,
    seen: Sightings,
    top_peer: Option<PeerUsage>,
    recent: impl Iterator<Item = RecentPoint>,
) -> HostSummary {
    let host = latest.host.as_ref();
    let facts = host.map(|host| &host.facts);
    let id = agent.to_string();
    let name = facts.map(|facts| facts.hostname.clone());
    HostSummary {
        name: name
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| id.clone()),
        id,
        status,
        is_authenticated: !identity::is_legacy(agent),
        last_seen: seen.last,
        first_seen: seen.first,
        addresses: facts
            .map(|facts| facts.addresses.clone())
            .unwrap_or_default(),
        os: facts.map(|facts| facts.os.clone()).unwrap_or_default(),
        agent_version: facts
            .map(|facts| facts.agent_version.clone())
            .unwrap_or_default(),
        uptime_s: host.map_or(0, |host| host.uptime_s),
        window: latest.window,
        cpu_percent: cpu_percent(latest),
        memory_percent: memory_percent(latest),
        disk_percent: host.and_then(disk_percent),
        throughput_bps: throughput(latest),
        top_peer,
        capture: latest.capture.clone(),
        capture_dropped: latest
            .losses
            .iter()
            .fold(0, |sum: u64, loss| sum.saturating_add(loss.dropped)),
        cloned: None,
        clock_wrong_by_us: None,
        recent: recent.collect(),
    }
}

fn throughput(interval: &Interval) -> Option<PerDirection<f64>> {
    let bytes = uplink_bytes(interval)?;
    Some(PerDirection {
        ingress: interval.window.bits_per_second(bytes.ingress)?,
        egress: interval.window.bits_per_second(bytes.egress)?,
    })
}

/// A host in full; absent without any report.
pub(super) fn detail(
    summary: HostSummary,
    minute: &[Arc<Interval>],
    probes: Vec<Probed>,
) -> Option<HostDetail> {
    let latest = minute
        .iter()
        .rev()
        .find(|interval| interval.window == summary.window)
        .or(minute.last())?;
    let mut sum = TrafficSummer::new();
    for interval in minute {
        sum.add(Interval::clone(interval));
    }
    let sum = sum.finish(MAX_FLOWS);
    Some(HostDetail {
        latest: without_flows(latest),
        window: sum.window,
        peers: peers(minute, MAX_PEERS),
        flows: sum.flows,
        flows_lost: minute
            .iter()
            .filter_map(|interval| interval.flows_lost)
            .reduce(FlowsLost::plus),
        interfaces: sum.interfaces,
        probes,
        summary,
    })
}

fn without_flows(interval: &Interval) -> Interval {
    Interval {
        flows: Vec::new(),
        window: interval.window,
        host: interval.host.clone(),
        interfaces: interval.interfaces.clone(),
        overflow_without_interface: interval.overflow_without_interface,
        capture: interval.capture.clone(),
        losses: interval.losses.clone(),
        probes: interval.probes.clone(),
        merged_windows: interval.merged_windows,
        clocks: interval.clocks,
        flows_lost: interval.flows_lost,
    }
}

fn hull(minute: &[Arc<Interval>]) -> Option<Window> {
    let windows = minute.iter().map(|interval| interval.window);
    windows.reduce(|all, window| all.hull(&window))
}

/// Peers on the uplinks, and of flows without an interface that leave the host, most bytes first.
pub(super) fn peers(minute: &[Arc<Interval>], limit: usize) -> Vec<PeerUsage> {
    let Some(window) = hull(minute) else {
        return Vec::new();
    };
    let rows = || minute.iter().flat_map(|interval| leaving(interval));
    let mut of: HashMap<IpAddr, PerDirection<Tally>> = HashMap::new();
    for row in rows() {
        of.entry(row.remote).or_default().add(row.traffic);
    }
    let mut peers: Vec<_> = of.into_iter().collect();
    peers.sort_unstable_by_key(|(address, traffic)| (Reverse(traffic.total_bytes()), *address));
    peers.truncate(limit);
    // Only of those that are listed: telling flows apart costs more than adding them up.
    let listed: HashSet<IpAddr> = peers.iter().map(|(address, _)| *address).collect();
    let mut flows: HashMap<IpAddr, HashSet<FlowIdentity<'_>>> = HashMap::new();
    for row in rows().filter(|row| listed.contains(&row.remote)) {
        flows.entry(row.remote).or_default().insert(row.identity());
    }
    let usage = |(address, traffic): (IpAddr, PerDirection<Tally>)| PeerUsage {
        address,
        traffic,
        rate_bps: rate(&window, &traffic),
        flows: u32::try_from(flows.get(&address).map_or(0, HashSet::len)).unwrap_or(u32::MAX),
    };
    peers.into_iter().map(usage).collect()
}

/// Flows that leave the host: those on its uplinks, and those without an interface to somebody else.
fn leaving(interval: &Interval) -> impl Iterator<Item = &FlowRow> {
    let interfaces = interval.interfaces.iter().map(|interface| &interface.facts);
    let uplinks: Vec<&str> = interfaces
        .filter(|facts| facts.is_uplink)
        .map(|facts| facts.name.as_str())
        .collect();
    interval
        .flows
        .iter()
        .filter(move |row| match row.interface.as_deref() {
            Some(name) => uplinks.contains(&name),
            None => !row.is_within_host(),
        })
}
