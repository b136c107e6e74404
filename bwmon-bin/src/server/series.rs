//! A host's recent course, with explicit gaps.

use std::collections::BTreeMap;

use bwmon_core::frame::PerDirection;
use bwmon_core::query::{Covered, HostState, Metric, Notice, Series, SeriesSet, clock_steps, gaps};
use bwmon_core::report::{AgentId, Interval, RecordKey};
use bwmon_core::time::Window;

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
    /// What it said that is no report.
    pub notices: Vec<Notice>,
}

/// One report, as far as series need it.
#[derive(Debug, Clone)]
pub struct Point {
    covered: Covered,
    cpu_percent: Option<f32>,
    memory_percent: Option<f32>,
    uplinks: Option<PerDirection<u64>>,
    interfaces: Vec<(String, PerDirection<u64>)>,
}

impl Point {
    /// The point of a report.
    pub fn new(key: RecordKey, interval: &Interval) -> Self {
        let bytes = interval.interfaces.iter().filter_map(|interface| {
            let kernel = interface.kernel.as_ref()?;
            Some((interface.facts.name.clone(), kernel.map(|side| side.bytes)))
        });
        Self {
            covered: Covered::new(key, interval),
            cpu_percent: cpu_percent(interval),
            memory_percent: memory_percent(interval),
            uplinks: uplink_bytes(interval),
            interfaces: bytes.collect(),
        }
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
            p.covered.window.bits_per_second(p.uplinks?.ingress)
        }),
        one(points, Metric::TotalEgressBps, |p| {
            p.covered.window.bits_per_second(p.uplinks?.egress)
        }),
    ];
    for name in busiest(points) {
        series.extend(of_interface(points, name));
    }
    let covered: Vec<Covered> = points.iter().map(|point| point.covered.clone()).collect();
    SeriesSet {
        range,
        at: points
            .iter()
            .map(|point| point.covered.window.end())
            .collect(),
        series,
        gaps: gaps(range, &covered, &course.notices, host),
        clock_steps: clock_steps(&covered),
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
                ingress: point.covered.window.bits_per_second(bytes.ingress)?,
                egress: point.covered.window.bits_per_second(bytes.egress)?,
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

#[cfg(test)]
mod tests {
    use super::*;
    use bwmon_core::query::HostStatus;
    use bwmon_core::report::{Epoch, InterfaceFacts, InterfaceInterval, KernelCounters};
    use bwmon_core::time::Timestamp;
    use std::time::Duration;

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

    #[test]
    fn what_was_not_measured_has_no_value_and_totals_count_uplinks_only() {
        let course = Course {
            points: vec![point(1, 1, 100), point(1, 2, 102)],
            notices: Vec::new(),
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
}
