use super::{AlertRule, Finding, Findings, Needs, RuleContext, RuleDescription};
use crate::report::Interval;

/// Fires while a metric is at or above a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    id: String,
    metric: ThresholdMetric,
    limit: f64,
}

/// What a [`Threshold`] compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThresholdMetric {
    /// Processor use in percent.
    CpuPercent,
    /// Memory in use in percent.
    MemoryPercent,
    /// Use of each file system in percent.
    DiskPercent,
    /// The busier direction of each interface in percent of its link speed.
    LinkPercent,
}

impl Threshold {
    /// A rule that fires while `metric` is at or above `limit`.
    pub fn new(id: impl Into<String>, metric: ThresholdMetric, limit: f64) -> Self {
        Self {
            id: id.into(),
            metric,
            limit,
        }
    }

    fn judge(&self, subject: &str, value: f64, out: &mut Findings) {
        out.push(Finding {
            subject: subject.to_owned(),
            is_firing: value >= self.limit,
            value,
            limit: self.limit,
        });
    }
}

impl AlertRule for Threshold {
    fn id(&self) -> &str {
        &self.id
    }

    fn describe(&self) -> RuleDescription {
        let (what, look) = match self.metric {
            ThresholdMetric::CpuPercent => ("CPU", "Look at the load and the busiest processes."),
            ThresholdMetric::MemoryPercent => {
                ("Memory", "Look at the largest processes and at swap.")
            }
            ThresholdMetric::DiskPercent => ("Disk", "Free space or grow the file system."),
            ThresholdMetric::LinkPercent => ("Link", "Look at the top peers of the interface."),
        };
        RuleDescription {
            title: format!("{what} at {} % or more", self.limit),
            detail: look.to_owned(),
        }
    }

    fn needs(&self) -> Needs {
        match self.metric {
            ThresholdMetric::LinkPercent => Needs::INTERFACES,
            _ => Needs::HOST,
        }
    }

    fn evaluate(&self, context: &RuleContext<'_>, out: &mut Findings) {
        let interval = context.interval;
        match self.metric {
            ThresholdMetric::LinkPercent => {
                for (name, percent) in link_percents(interval) {
                    self.judge(name, percent, out);
                }
            }
            ThresholdMetric::DiskPercent => {
                for mount in interval.host.iter().flat_map(|host| &host.mounts) {
                    if let Some(percent) = mount.used_percent() {
                        self.judge(&mount.path, percent, out);
                    }
                }
            }
            ThresholdMetric::CpuPercent => {
                let cpu = interval.host.as_ref().and_then(|host| host.cpu.as_ref());
                if let Some(cpu) = cpu {
                    self.judge("", f64::from(cpu.total_percent), out);
                }
            }
            ThresholdMetric::MemoryPercent => {
                let memory = interval.host.as_ref().and_then(|host| host.memory);
                if let Some(percent) = memory.and_then(|memory| memory.used_percent()) {
                    self.judge("", percent, out);
                }
            }
        }
    }
}

fn link_percents(interval: &Interval) -> impl Iterator<Item = (&str, f64)> {
    interval.interfaces.iter().filter_map(|interface| {
        let kernel = interface.kernel.as_ref()?;
        let speed = interface.facts.speed_bps.filter(|speed| *speed > 0)?;
        let busier = kernel.ingress.bytes.max(kernel.egress.bytes);
        let rate = interval.window.bits_per_second(busier)?;
        Some((interface.facts.name.as_str(), rate / speed as f64 * 100.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PerDirection;
    use crate::report::{HostMetrics, InterfaceInterval, KernelCounters, MountUsage};
    use crate::time::{Timestamp, Window};
    use std::time::Duration;

    fn findings(metric: ThresholdMetric, limit: f64, interval: &Interval) -> Vec<Finding> {
        let mut out = Findings::default();
        Threshold::new("t", metric, limit).evaluate(&RuleContext::new(interval), &mut out);
        out.as_slice().to_vec()
    }

    #[test]
    fn a_file_system_fires_under_its_full_path() {
        let mount = |path: &str, available| MountUsage {
            path: path.to_owned(),
            total_bytes: 100,
            used_bytes: 100 - available,
            available_bytes: available,
            ..MountUsage::default()
        };
        let host = HostMetrics {
            mounts: vec![mount("/srv/data", 4), mount("/mnt/data", 50)],
            ..HostMetrics::default()
        };
        let interval = Interval {
            host: Some(host),
            ..Interval::default()
        };
        let found = findings(ThresholdMetric::DiskPercent, 95.0, &interval);
        let firing: Vec<_> = found
            .iter()
            .map(|f| (f.subject.as_str(), f.is_firing))
            .collect();
        assert_eq!(firing, [("/srv/data", true), ("/mnt/data", false)]);
    }

    #[test]
    fn a_link_is_judged_by_its_busier_direction_in_si_bits() {
        let mut interface = InterfaceInterval::default();
        interface.facts.speed_bps = Some(1_000_000);
        interface.kernel = Some(PerDirection {
            ingress: KernelCounters {
                bytes: 200_000,
                ..Default::default()
            },
            egress: KernelCounters {
                bytes: 10,
                ..Default::default()
            },
        });
        let interval = Interval {
            window: Window::new(Timestamp::EPOCH, Duration::from_secs(2)),
            interfaces: vec![interface],
            ..Interval::default()
        };
        let found = findings(ThresholdMetric::LinkPercent, 80.0, &interval);
        assert_eq!(
            found
                .iter()
                .map(|f| (f.is_firing, f.value))
                .collect::<Vec<_>>(),
            [(true, 80.0)]
        );
    }

    #[test]
    fn what_was_not_measured_gives_no_finding() {
        for metric in [
            ThresholdMetric::CpuPercent,
            ThresholdMetric::MemoryPercent,
            ThresholdMetric::DiskPercent,
            ThresholdMetric::LinkPercent,
        ] {
            assert_eq!(findings(metric, 1.0, &Interval::default()), []);
        }
    }
}
