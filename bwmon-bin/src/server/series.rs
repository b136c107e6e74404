//! A host's recent course, with explicit gaps.

use std::collections::BTreeMap;
use std::time::Duration;

use bwmon_core::frame::PerDirection;
use bwmon_core::query::{Gap, GapReason, HostStatus, Metric, Series, SeriesSet};
use bwmon_core::report::{AgentId, Dropped, Interval, RecordKey};
use bwmon_core::time::{Timestamp, Window};

use super::live::{cpu_percent, memory_percent, uplink_bytes};

/// Most interfaces that get series: those with the most bytes.
const MAX_INTERFACES: usize = 64;

/// Which series are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesQuery {
    /// The host.
    pub agent: AgentId,
    /// Seconds back from now.
    pub seconds: u32,
}

/// What a store knows of a host over a range.
#[derive(Debug, Clone, Default)]
pub struct Course {
    /// Its reports, oldest first.
    pub points: Vec<Point>,
    /// What it said will never come.
    pub dropped: Vec<Notice>,
}

/// One report, as far as series need it.
#[derive(Debug, Clone)]
pub struct Point {
    key: RecordKey,
    window: Window,
    cpu_percent: Option<f32>,
    memory_percent: Option<f32>,
    uplinks: Option<PerDirection<u64>>,
    interfaces: Vec<(String, PerDirection<u64>)>,
}

/// Records that will never come.
#[derive(Debug, Clone, Copy)]
pub struct Notice {
    key: RecordKey,
    from_seq: u64,
}

/// What is known of the host besides its reports.
#[derive(Debug, Clone, Copy)]
pub struct HostState {
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// Whether it reports.
    pub status: HostStatus,
}

impl Point {
    /// The point of a report.
    pub fn new(key: RecordKey, interval: &Interval) -> Self {
        let bytes = interval.interfaces.iter().filter_map(|interface| {
            let kernel = interface.kernel.as_ref()?;
            Some((interface.facts.name.clone(), kernel.map(|side| side.bytes)))
        });
        Self {
            key,
            window: interval.window,
            cpu_percent: cpu_percent(interval),
            memory_percent: memory_percent(interval),
            uplinks: uplink_bytes(interval),
            interfaces: bytes.collect(),
        }
    }
}

impl Notice {
    /// A notice, and the record it came in.
    pub const fn new(key: RecordKey, dropped: Dropped) -> Self {
        Self {
            key,
            from_seq: dropped.from_seq,
        }
    }

    fn is_between(&self, before: RecordKey, after: RecordKey) -> bool {
        self.key.epoch == before.epoch
            && self.key.epoch == after.epoch
            && self.from_seq < after.seq
            && self.key.seq > before.seq
    }
}

/// Draws the series of `range`.
pub fn build(range: Window, course: &Course, host: HostState) -> SeriesSet {
    let points = &course.points;
    let mut series = vec![
        one(points, Metric::CpuPercent, |p| p.cpu_percent.map(f64::from)),
        one(points, Metric::MemoryPercent, |p| {
            p.memory_percent.map(f64::from)
        }),
        one(points, Metric::TotalIngressBps, |p| {
            p.window.bits_per_second(p.uplinks?.ingress)
        }),
        one(points, Metric::TotalEgressBps, |p| {
            p.window.bits_per_second(p.uplinks?.egress)
        }),
    ];
    for name in busiest(points) {
        series.extend(of_interface(points, name));
    }
    SeriesSet {
        range,
        at: points.iter().map(|point| point.window.end()).collect(),
        series,
        gaps: gaps(range, course, host),
    }
}

fn one(points: &[Point], metric: Metric, value: impl Fn(&Point) -> Option<f64>) -> Series {
    Series {
        metric,
        interface: None,
        values: points.iter().map(value).collect(),
    }
}

/// Interfaces with the most bytes, by name.
fn busiest(points: &[Point]) -> Vec<&str> {
    let mut bytes: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, moved) in points.iter().flat_map(|point| &point.interfaces) {
        let sum = bytes.entry(name).or_default();
        *sum = sum
            .saturating_add(moved.ingress)
            .saturating_add(moved.egress);
    }
    let mut names: Vec<_> = bytes.into_iter().collect();
    names.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    names.truncate(MAX_INTERFACES);
    let mut names: Vec<&str> = names.into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names
}

fn of_interface(points: &[Point], name: &str) -> [Series; 2] {
    let values: Vec<Option<PerDirection<f64>>> = points
        .iter()
        .map(|point| {
            let (_, bytes) = point.interfaces.iter().find(|(other, _)| other == name)?;
            Some(PerDirection {
                ingress: point.window.bits_per_second(bytes.ingress)?,
                egress: point.window.bits_per_second(bytes.egress)?,
            })
        })
        .collect();
    let series = |metric, side: fn(&PerDirection<f64>) -> f64| Series {
        metric,
        interface: Some(name.to_owned()),
        values: values
            .iter()
            .map(|value| value.as_ref().map(side))
            .collect(),
    };
    [
        series(Metric::IngressBps, |bps| bps.ingress),
        series(Metric::EgressBps, |bps| bps.egress),
    ]
}

/// Where windows start more than one and a half intervals apart, data is missing.
fn gaps(range: Window, course: &Course, host: HostState) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let (Some(first), Some(last)) = (course.points.first(), course.points.last()) else {
        let from = range.start.max(host.first_seen);
        gaps.extend(gap(from, range.end(), tail_reason(host)));
        return gaps;
    };
    if host.first_seen < range.start && is_apart(range.start, first.window.start, first) {
        gaps.extend(gap(range.start, first.window.start, GapReason::Unknown));
    }
    for (before, after) in course.points.iter().zip(course.points.iter().skip(1)) {
        let (end, start) = (before.window.end(), after.window.start);
        if is_apart(end, start, before) {
            gaps.extend(gap(end, start, reason(course, before.key, after.key)));
        }
    }
    if host.status == HostStatus::Stale {
        gaps.extend(gap(last.window.end(), range.end(), GapReason::NotYet));
    }
    gaps
}

fn is_apart(end: Timestamp, start: Timestamp, point: &Point) -> bool {
    start.since(end) > point.window.duration() / 2
}

fn gap(from: Timestamp, to: Timestamp, reason: GapReason) -> Option<Gap> {
    let length = to.since(from);
    (length > Duration::ZERO).then(|| Gap {
        window: Window::new(from, length),
        reason,
    })
}

fn tail_reason(host: HostState) -> GapReason {
    match host.status {
        HostStatus::Stale => GapReason::NotYet,
        HostStatus::Up => GapReason::Unknown,
    }
}

fn reason(course: &Course, before: RecordKey, after: RecordKey) -> GapReason {
    let is_dropped = || {
        let mut notices = course.dropped.iter();
        notices.any(|notice| notice.is_between(before, after))
    };
    if before.epoch != after.epoch {
        GapReason::AgentRestart
    } else if is_dropped() {
        GapReason::Dropped
    } else {
        GapReason::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bwmon_core::report::{
        DropReason, Epoch, InterfaceFacts, InterfaceInterval, KernelCounters,
    };

    const UP: HostState = HostState {
        first_seen: Timestamp::from_secs(0),
        status: HostStatus::Up,
    };

    fn window(start_s: u64, seconds: u64) -> Window {
        Window::new(Timestamp::from_secs(start_s), Duration::from_secs(seconds))
    }

    fn point(epoch: u128, seq: u64, start_s: u64) -> Point {
        let kernel = KernelCounters {
            bytes: 1_000,
            ..KernelCounters::default()
        };
        let interface = |name: &str, is_uplink, has_kernel: bool| InterfaceInterval {
            facts: InterfaceFacts {
                name: name.to_owned(),
                is_uplink,
                ..InterfaceFacts::default()
            },
            kernel: has_kernel.then_some(PerDirection {
                ingress: kernel,
                egress: KernelCounters::default(),
            }),
            ..InterfaceInterval::default()
        };
        let interval = Interval {
            window: window(start_s, 2),
            interfaces: vec![
                interface("eth0", true, seq > 1),
                interface("br0", false, true),
            ],
            ..Interval::default()
        };
        Point::new(
            RecordKey {
                epoch: Epoch(epoch),
                seq,
            },
            &interval,
        )
    }

    fn reasons(
        points: Vec<Point>,
        dropped: Vec<Notice>,
        host: HostState,
    ) -> Vec<(u64, u64, GapReason)> {
        let course = Course { points, dropped };
        build(window(100, 20), &course, host)
            .gaps
            .iter()
            .map(|gap| {
                let start = gap.window.start.as_micros() / 1_000_000;
                (start, gap.window.duration_us / 1_000_000, gap.reason)
            })
            .collect()
    }

    #[test]
    fn what_was_not_measured_has_no_value_and_totals_count_uplinks_only() {
        let course = Course {
            points: vec![point(1, 1, 100), point(1, 2, 102)],
            dropped: Vec::new(),
        };
        let set = build(window(100, 4), &course, UP);
        let values = |metric, interface: Option<&str>| {
            let found = set
                .series
                .iter()
                .find(|series| series.metric == metric && series.interface.as_deref() == interface);
            found.unwrap().values.clone()
        };
        assert_eq!(values(Metric::TotalIngressBps, None), [None, Some(4_000.0)]);
        assert_eq!(
            values(Metric::IngressBps, Some("eth0")),
            [None, Some(4_000.0)]
        );
        assert_eq!(values(Metric::IngressBps, Some("br0")), [Some(4_000.0); 2]);
        assert_eq!(values(Metric::CpuPercent, None), [None, None]);
        assert_eq!(set.gaps, []);
    }

    #[test]
    fn gaps_carry_their_reason() {
        assert_eq!(
            reasons(vec![point(1, 2, 100), point(2, 2, 106)], vec![], UP),
            [(102, 4, GapReason::AgentRestart)]
        );
        let notice = Notice::new(
            RecordKey {
                epoch: Epoch(1),
                seq: 4,
            },
            Dropped {
                from_seq: 3,
                reports: 2,
                reason: DropReason::QueueFull,
            },
        );
        assert_eq!(
            reasons(vec![point(1, 2, 100), point(1, 5, 106)], vec![notice], UP),
            [(102, 4, GapReason::Dropped)]
        );
        assert_eq!(
            reasons(vec![point(1, 4, 100), point(1, 5, 106)], vec![notice], UP),
            [(102, 4, GapReason::Unknown)]
        );
    }

    #[test]
    fn the_tail_of_a_silent_host_may_still_come() {
        let stale = HostState {
            status: HostStatus::Stale,
            ..UP
        };
        assert_eq!(
            reasons(vec![point(1, 2, 100)], vec![], stale),
            [(102, 18, GapReason::NotYet)]
        );
        assert_eq!(
            reasons(vec![], vec![], stale),
            [(100, 20, GapReason::NotYet)]
        );
    }

    #[test]
    fn before_a_host_was_known_nothing_is_missing() {
        let new = HostState {
            first_seen: Timestamp::from_secs(110),
            ..UP
        };
        assert_eq!(reasons(vec![point(1, 2, 108)], vec![], new), []);
        assert_eq!(
            reasons(vec![point(1, 2, 108)], vec![], UP),
            [(100, 8, GapReason::Unknown)]
        );
    }
}
