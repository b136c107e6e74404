//! What an agent of the original program says, in the terms of an [`Interval`]. Its rates become bytes
//! again; what it does not measure stays absent; nothing is made up. docs/legacy.md has the table.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::report::{
    CaptureMethod, CaptureStatus, CpuUsage, DiskCounters, DiskInterval, FlowRow, HostFacts,
    HostMetrics, InterfaceFacts, InterfaceInterval, InterfaceKind, Interval, KernelCounters,
    MountUsage, OperState, ProbeKind, ProbeResult,
};
use bwmon_core::time::{Timestamp, Window};
use sha2::{Digest as _, Sha256};

use super::payload::{DiskTraffic, DiskUsage, Interface, Payload, PeerTraffic, Ping, Share};

/// How far ahead of the collector's clock a report may end before it gets the collector's time: beyond,
/// the store refuses it.
const FUTURE_LIMIT: Duration = Duration::from_secs(600);
/// Longest interval that is taken, in seconds.
const LONGEST_S: f64 = 86_400.0;
/// Bytes per second of what the original calls 1 Mbps: 2^20 bit/s.
const BYTES_PER_MBPS: f64 = 1_048_576.0 / 8.0;
/// Bytes of what the original calls 1 GB.
const BYTES_PER_GB: f64 = 1_073_741_824.0;
/// The largest quantity that is taken: JSON carries integers exactly up to here.
const MOST: f64 = 9_007_199_254_740_992.0;
/// The protocol of flows whose protocol is not known: IANA reserves it.
const UNKNOWN_PROTOCOL: u8 = 255;

const NOTE: &str = "An agent of the original program tells bytes between pairs of monitored hosts: no \
protocols, ports, packets or other peers. To see all of it: install bwmon-agent on the host";

/// Tells reports of one host apart, by all that they say.
pub(super) type Digest = [u8; 32];

/// A report in our terms.
#[derive(Debug)]
pub struct Mapped {
    /// The name that the host says.
    pub name: String,
    /// What it says.
    pub interval: Interval,
    /// Whether the report got the collector's time, because its own is absent, not readable or too far
    /// ahead.
    pub is_clock_replaced: bool,
    /// Values that mean nothing and were left out.
    pub values_skipped: u64,
    /// Absent where it carries no time: the next one may then say the same and be another.
    pub(super) digest: Option<Digest>,
}

/// Why a report is not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MapError {
    /// The address is none. Worded as by the original.
    #[error("Invalid agent_ip format: {}", .0.escape_debug())]
    Address(String),
    /// The length of the interval is absent or out of range; without it rates are no bytes.
    #[error("interval_sec is {0:?}; a number above 0 and at most 86400 is needed")]
    Interval(Option<f64>),
    /// The name cannot be shown.
    #[error(
        "the hostname {} has invisible or control characters; rename the host",
        .0.escape_debug()
    )]
    Name(String),
}

/// Maps a report that `peer` sent and that arrived at `now`.
///
/// # Errors
/// Where it cannot be stored as anything.
pub fn map(payload: Payload, peer: IpAddr, now: Timestamp) -> Result<Mapped, MapError> {
    let peer = peer.to_canonical();
    let address = match payload.agent_ip.as_ref().map(|text| text.0.trim()) {
        None | Some("") => peer,
        Some(text) => text
            .parse()
            .map_err(|_| MapError::Address(text.to_owned()))?,
    };
    let name = name(&payload, peer)?;
    let length = length(payload.interval_sec)?;
    let sent = payload.timestamp_utc.as_ref().and_then(|at| moment(&at.0));
    let window = |end: Timestamp| Window::new(end.minus(length), length);
    let mut mapper = Mapper {
        window: window(sent.unwrap_or(now)),
        seconds: length.as_secs_f64(),
        skipped: 0,
    };
    let mut interval = mapper.interval(payload, &name, address);
    let digest = sent.map(|_| digest(&interval));
    let is_ahead = sent.is_some_and(|end| end > now.plus(FUTURE_LIMIT));
    if is_ahead {
        place(&mut interval, window(now));
    }
    Ok(Mapped {
        name,
        interval,
        is_clock_replaced: is_ahead || sent.is_none(),
        values_skipped: mapper.skipped,
        digest,
    })
}

/// A digest of all that a report says.
pub(super) fn digest(interval: &Interval) -> Digest {
    // Writing to memory what is made of numbers, strings and lists does not fail.
    let json = serde_json::to_vec(interval).unwrap_or_default();
    Sha256::digest(json).into()
}

fn name(payload: &Payload, peer: IpAddr) -> Result<String, MapError> {
    let name = payload.hostname.as_ref().map_or("", |name| name.0.trim());
    if name.is_empty() {
        return Ok(format!("ip_{peer}"));
    }
    if name.chars().any(is_deceptive) {
        return Err(MapError::Name(name.to_owned()));
    }
    Ok(name.to_owned())
}

/// Control characters, and those that are invisible or turn the direction of text: with them a name
/// looks like another.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        )
}

fn length(seconds: Option<f64>) -> Result<Duration, MapError> {
    let range = f64::MIN_POSITIVE..=LONGEST_S;
    seconds
        .filter(|seconds| range.contains(seconds))
        .map(Duration::from_secs_f64)
        .filter(|length| length.as_micros() > 0)
        .ok_or(MapError::Interval(seconds))
}

/// A moment such as `2026-11-22T23:14:35.960767Z`.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let utc = text.strip_suffix("+00:00").unwrap_or(text);
    let at = humantime::parse_rfc3339_weak(utc).ok()?;
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::EPOCH.plus(since))
}

/// Puts a report into another window of the same length.
fn place(interval: &mut Interval, window: Window) {
    interval.window = window;
    for row in &mut interval.flows {
        row.first = window.start;
        row.last = window.end();
    }
}

struct Mapper {
    window: Window,
    seconds: f64,
    skipped: u64,
}

impl Mapper {
    fn interval(&mut self, payload: Payload, name: &str, address: IpAddr) -> Interval {
        let mut host = HostMetrics {
            facts: HostFacts {
                hostname: name.to_owned(),
                addresses: vec![address],
                ..HostFacts::default()
            },
            memory_percent: self.percent(payload.memory),
            ..HostMetrics::default()
        };
        host.cpu = self.percent(payload.cpu).map(|total_percent| CpuUsage {
            total_percent,
            cores_percent: Vec::new(),
        });
        let mounts = payload.disk_usage.map(|all| all.0).unwrap_or_default();
        host.mounts = mounts
            .into_iter()
            .filter_map(|(path, usage)| self.mount(path, &usage))
            .collect();
        let disks = payload.disk_io.map(|all| all.0).unwrap_or_default();
        host.disks = disks
            .into_iter()
            .map(|(name, traffic)| self.disk(name, &traffic))
            .collect();
        let interfaces = payload.network.and_then(|network| network.interfaces);
        let interfaces = interfaces.map(|all| all.0).unwrap_or_default();
        let traffic = payload.peer_traffic.map(|all| all.0).unwrap_or_default();
        let pings = payload.ping_results.map(|all| all.0).unwrap_or_default();
        Interval {
            window: self.window,
            host: Some(host),
            interfaces: interfaces
                .into_iter()
                .map(|(name, interface)| self.interface(name, &interface))
                .collect(),
            flows: self.flows(traffic, address),
            capture: CaptureStatus {
                method: CaptureMethod::HostPairs,
                note: Some(NOTE.to_owned()),
                interfaces: Vec::new(),
            },
            probes: pings
                .into_iter()
                .filter_map(|(target, ping)| self.probe(&target, &ping))
                .collect(),
            ..Interval::default()
        }
    }

    /// A value, unless it means nothing; that is counted.
    fn take<T>(&mut self, value: Option<T>) -> Option<T> {
        self.skipped += u64::from(value.is_none());
        value
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a percentage fits, rounded"
    )]
    fn percent(&mut self, share: Option<Share>) -> Option<f32> {
        let percent = share?.percent?;
        let percent = self.take((0.0..=100.0).contains(&percent).then_some(percent))?;
        Some(percent as f32)
    }

    /// What `rate` units per second come to within the interval.
    fn amount(&self, rate: Option<f64>, unit: f64) -> Option<u64> {
        whole(rate? * unit * self.seconds)
    }

    /// The original says the percentage of what is used and free to users, as df(1) does, and not how
    /// much is used: that follows.
    fn mount(&mut self, path: String, usage: &DiskUsage) -> Option<MountUsage> {
        let measured = || {
            let total = whole(usage.total_gb? * BYTES_PER_GB)?;
            let free = whole(usage.free_gb? * BYTES_PER_GB)?.min(total);
            let percent = usage.percent.filter(|it| (0.0..=100.0).contains(it))?;
            let rest = total - free;
            let used = if percent < 100.0 {
                whole(usage.free_gb? * BYTES_PER_GB * percent / (100.0 - percent))?
            } else {
                rest
            };
            Some((total, free, used.min(rest)))
        };
        let (total_bytes, available_bytes, used_bytes) = self.take(measured())?;
        Some(MountUsage {
            path,
            total_bytes,
            used_bytes,
            available_bytes,
            ..MountUsage::default()
        })
    }

    fn disk(&mut self, name: String, traffic: &DiskTraffic) -> DiskInterval {
        let measured = || {
            Some(DiskCounters {
                read_bytes: self.amount(traffic.read, 1.0)?,
                written_bytes: self.amount(traffic.written, 1.0)?,
                reads: self.amount(traffic.read_ops_ps, 1.0)?,
                writes: self.amount(traffic.write_ops_ps, 1.0)?,
            })
        };
        let delta = measured();
        DiskInterval {
            name,
            delta: self.take(delta),
        }
    }

    fn interface(&mut self, name: String, interface: &Interface) -> InterfaceInterval {
        let counters = |bytes| KernelCounters {
            bytes,
            ..KernelCounters::default()
        };
        let measured = || {
            Some(PerDirection {
                ingress: counters(self.amount(interface.received, BYTES_PER_MBPS)?),
                egress: counters(self.amount(interface.sent, BYTES_PER_MBPS)?),
            })
        };
        let kernel = measured();
        let kind = kind(&name);
        let state = match interface.is_up {
            Some(true) => OperState::Up,
            Some(false) => OperState::Down,
            None => OperState::Unknown,
        };
        let speed = interface.link_speed_mbps.filter(|speed| *speed > 0.0);
        InterfaceInterval {
            facts: InterfaceFacts {
                is_uplink: state != OperState::Down && is_uplink(kind),
                name,
                kind,
                state,
                speed_bps: speed.and_then(|speed| whole(speed * 1e6)),
                ..InterfaceFacts::default()
            },
            kernel: self.take(kernel),
            ..InterfaceInterval::default()
        }
    }

    /// One row per peer, most bytes first. What is between two other hosts is none of this one's.
    fn flows(&mut self, traffic: Vec<(String, PeerTraffic)>, own: IpAddr) -> Vec<FlowRow> {
        let mut peers: BTreeMap<IpAddr, PerDirection<Tally>> = BTreeMap::new();
        for (pair, traffic) in traffic {
            let Some((ends, bytes)) = self.take(ends(&pair).zip(traffic.bytes.and_then(whole)))
            else {
                continue;
            };
            let (source, destination) = ends;
            let moved = Tally { bytes, packets: 0 };
            let mut sum = PerDirection::<Tally>::default();
            let peer = if source == own {
                sum.egress = moved;
                Some(destination)
            } else {
                sum.ingress = moved;
                (destination == own).then_some(source)
            };
            if let Some(peer) = self.take(peer) {
                peers.entry(peer).or_default().add(sum);
            }
        }
        let mut rows: Vec<FlowRow> = peers
            .into_iter()
            .map(|(remote, traffic)| self.row(own, remote, traffic))
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.traffic.total_bytes()));
        rows
    }

    fn row(&self, local: IpAddr, remote: IpAddr, traffic: PerDirection<Tally>) -> FlowRow {
        FlowRow {
            interface: None,
            protocol: UNKNOWN_PROTOCOL,
            local,
            local_port: 0,
            remote,
            remote_port: 0,
            traffic,
            first: self.window.start,
            last: self.window.end(),
            tcp_flags: 0,
        }
    }

    /// A round that ended within the interval, as one probe: the original does not say how many pings it
    /// was. Rounds of before are sent again with each report.
    fn probe(&mut self, target: &str, ping: &Ping) -> Option<ProbeResult> {
        let at = self.take(ping.timestamp.and_then(instant))?;
        if at <= self.window.start || at > self.window.end() {
            return None;
        }
        let (target, lost) = self.take(target.parse().ok().zip(lost(ping)))?;
        let latency = ping.latency_ms.filter(|_| lost == 0);
        let mean = latency.and_then(|latency| u32::try_from(whole(latency * 1e3)?).ok());
        if lost == 0 {
            self.take(mean)?;
        }
        Some(ProbeResult {
            target,
            kind: ProbeKind::Icmp,
            sent: 1,
            lost,
            min_us: None,
            mean_us: mean,
            max_us: None,
        })
    }
}

/// Pings that were lost, of the one that a round counts as; absent where no ping could be sent.
fn lost(ping: &Ping) -> Option<u32> {
    match ping.status.as_ref()?.0.as_str() {
        "success" => Some(0),
        "timeout" => Some(1),
        _ => None,
    }
}

fn instant(seconds: f64) -> Option<Timestamp> {
    whole(seconds * 1e6).map(Timestamp::from_micros)
}

/// The next whole number, where it is one that can be counted.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within the range, and rounded"
)]
fn whole(value: f64) -> Option<u64> {
    (0.0..=MOST).contains(&value).then(|| value.round() as u64)
}

/// Both ends of `10.0.0.1_to_10.0.0.2`.
fn ends(pair: &str) -> Option<(IpAddr, IpAddr)> {
    let (source, destination) = pair.split_once("_to_")?;
    Some((source.parse().ok()?, destination.parse().ok()?))
}

/// The kind that a name tells; the original says nothing else.
fn kind(name: &str) -> InterfaceKind {
    const BY_PREFIX: [(&str, InterfaceKind); 18] = [
        ("loopback", InterfaceKind::Loopback),
        ("docker", InterfaceKind::Bridge),
        ("br-", InterfaceKind::Bridge),
        ("virbr", InterfaceKind::Bridge),
        ("lxcbr", InterfaceKind::Bridge),
        ("lxdbr", InterfaceKind::Bridge),
        ("vethernet", InterfaceKind::Bridge),
        ("vmnet", InterfaceKind::Bridge),
        ("cni", InterfaceKind::Bridge),
        ("veth", InterfaceKind::Veth),
        ("cali", InterfaceKind::Veth),
        ("vnet", InterfaceKind::Tunnel),
        ("tun", InterfaceKind::Tunnel),
        ("tap", InterfaceKind::Tunnel),
        ("wg", InterfaceKind::Tunnel),
        ("flannel", InterfaceKind::Tunnel),
        ("bond", InterfaceKind::Bond),
        ("wl", InterfaceKind::Wireless),
    ];
    let name = name.to_lowercase();
    if name == "lo" || name == "lo0" {
        return InterfaceKind::Loopback;
    }
    let known = BY_PREFIX
        .iter()
        .find(|(prefix, _)| name.starts_with(prefix));
    known.map_or(InterfaceKind::Other, |(_, kind)| *kind)
}

/// Whether it counts towards the host's total. What passes a bridge, a tunnel or a virtual cable passes
/// another interface as well.
const fn is_uplink(kind: InterfaceKind) -> bool {
    !matches!(
        kind,
        InterfaceKind::Loopback
            | InterfaceKind::Bridge
            | InterfaceKind::Veth
            | InterfaceKind::Tunnel
    )
}

#[cfg(test)]
mod tests;
