//! The pure facade: frames and samples in, intervals out. The caller passes the time.
//!
//! # How an interval closes to the byte
//!
//! Frames reach the monitor later than the kernel counts them, because they wait in a ring. So a
//! window ends in two steps: when the interfaces' counters are read, the caller says
//! [`Monitor::cut`] with that moment; frames stamped at or after it count for the next window. Once
//! the ring has been drained past it, [`Monitor::rotate`] moves the window out.
//!
//! # How to start
//!
//! Open the sources, end a window as any other (sample, cut, drain, rotate) and discard its interval:
//! when it began is not known, the kernel counted most of it before anybody looked, and there is no
//! earlier sample to compare with. What it leaves is what the first real window needs: a sample to
//! compare with, the losses so far, and the frames after the cut.

mod account;
mod classes;

use std::collections::BTreeMap;
use std::time::Duration;

pub use account::{Account, AccountConfig, Accounted, Detail, Totals};
pub use classes::Classes;

use crate::collector::{InterfaceEvent, Losses, Observer};
use crate::flow::{Flow, FlowKey, Limits, Place};
use crate::frame::{Frame, InterfaceId, PerDirection, Tally};
use crate::report::{
    CaptureLoss, CaptureStatus, Conservation, DiskInterval, FlowRow, HostMetrics,
    InterfaceInterval, Interval, KernelCounters, ProbeResult, Terms, bounds,
};
use crate::sample::{HostSample, InterfaceSample};
use crate::time::{Timestamp, Window};

/// Bounds of a [`Monitor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MonitorConfig {
    /// Most flows that the table tells apart within one window.
    pub max_flows: usize,
    /// Most flow rows in one interval, at most [`bounds::FLOWS`]; the rest counts as overflow.
    pub max_reported_flows: usize,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            max_flows: 65_536,
            max_reported_flows: bounds::FLOWS,
        }
    }
}

/// Turns what collectors observe into intervals.
#[derive(Debug)]
pub struct Monitor {
    config: MonitorConfig,
    open: Account,
    next: Account,
    cut: Option<Timestamp>,
    names: BTreeMap<InterfaceId, String>,
    captured: Vec<InterfaceId>,
    capture: CaptureStatus,
    baseline: Option<HostSample>,
    latest: Option<HostSample>,
    losses: Vec<CaptureLoss>,
    losses_before: Vec<CaptureLoss>,
    probes: Vec<ProbeResult>,
}

impl Monitor {
    /// A monitor that has seen nothing.
    pub fn new(config: MonitorConfig) -> Self {
        let account = AccountConfig::new(Limits::flows(config.max_flows), Detail::Report);
        Self {
            open: Account::new(account),
            next: Account::new(account),
            config,
            cut: None,
            names: BTreeMap::new(),
            captured: Vec::new(),
            capture: CaptureStatus::default(),
            baseline: None,
            latest: None,
            losses: Vec::new(),
            losses_before: Vec::new(),
            probes: Vec::new(),
        }
    }

    /// Says how flows are seen, and the frames of which interfaces are captured.
    pub fn set_capture(&mut self, status: CaptureStatus, captured: Vec<InterfaceId>) {
        self.capture = status;
        self.captured = captured;
    }

    /// Ends the open window at `at`: frames stamped at or after it count for the next one.
    pub fn cut(&mut self, at: Timestamp) {
        self.cut = Some(at);
    }

    /// Takes what a collector lost so far. Cumulative, so the last word counts.
    pub fn set_losses(&mut self, losses: &Losses) {
        for now in &losses.sources {
            let mut known = self.losses.iter_mut();
            if let Some(loss) = known.find(|loss| loss.is_same_source(now)) {
                loss.clone_from(now);
            } else if self.losses.len() < bounds::PARTS {
                self.losses.push(now.clone());
            }
        }
    }

    /// Number of flows in the open window.
    pub fn open_flows(&mut self) -> usize {
        self.open.open_flows()
    }

    /// Moves the window out that ended at `end` by the wall clock and lasted `length` by a
    /// monotonic one, and opens the next. The first one is to be discarded; see the
    /// [module's documentation](self).
    pub fn rotate(&mut self, end: Timestamp, length: Duration) -> Interval {
        self.cut = None;
        let accounted = self.open.rotate();
        std::mem::swap(&mut self.open, &mut self.next);
        let limit = self.config.max_reported_flows.min(bounds::FLOWS);
        let (flows, overflow) = accounted.flows.largest(limit);
        let window = Counted {
            flows,
            overflow: overflow.into_iter().collect(),
            classes: accounted.classes,
        };

        let latest = self.latest.take();
        let (host, interfaces) = self.interfaces(latest.as_ref(), &window);
        let clocks = latest.as_ref().and_then(|sample| sample.clocks);
        if latest.is_some() {
            self.baseline = latest;
        }
        Interval {
            window: Window::new(end.minus(length), length),
            host,
            interfaces,
            overflow_without_interface: window.overflow_at(None),
            flows: window.flows.iter().map(|flow| self.row(flow)).collect(),
            capture: self.capture.clone(),
            losses: self.take_losses(),
            probes: std::mem::take(&mut self.probes),
            merged_windows: 0,
            clocks,
            flows_lost: None,
        }
    }

    fn interfaces(
        &self,
        latest: Option<&HostSample>,
        window: &Counted,
    ) -> (Option<HostMetrics>, Vec<InterfaceInterval>) {
        let attributed = window.attributed();
        let classes = &window.classes;
        let Some(latest) = latest else {
            return (None, Vec::new());
        };
        let interfaces = latest
            .interfaces
            .iter()
            .take(bounds::PARTS)
            .map(|now| {
                let id = now.facts.id;
                let kernel = self.kernel_change(now);
                let conservation = self.captured.contains(&id).then(|| {
                    let terms = classes.terms(
                        id,
                        attributed.get(&id).copied().unwrap_or_default(),
                        window.overflow_at(Some(id)),
                    );
                    conservation(&terms, kernel.as_ref())
                });
                InterfaceInterval {
                    facts: now.facts.clone(),
                    kernel,
                    conservation,
                    non_ip: classes.non_ip(id),
                    malformed: classes.malformed(id),
                }
            })
            .collect();
        (Some(self.host(latest)), interfaces)
    }

    fn kernel_change(&self, now: &InterfaceSample) -> Option<PerDirection<KernelCounters>> {
        let before = self
            .baseline
            .as_ref()?
            .interfaces
            .iter()
            .find(|i| i.facts.id == now.facts.id)?;
        Some(PerDirection {
            ingress: now.counters.ingress.since(&before.counters.ingress)?,
            egress: now.counters.egress.since(&before.counters.egress)?,
        })
    }

    fn host(&self, latest: &HostSample) -> HostMetrics {
        let mut metrics = latest.metrics.clone();
        let before = self.baseline.as_ref().map(|sample| &sample.disks);
        metrics.disks = latest
            .disks
            .iter()
            .take(bounds::PARTS)
            .map(|(name, now)| DiskInterval {
                name: name.clone(),
                delta: before
                    .and_then(|disks| disks.iter().find(|(earlier, _)| earlier == name))
                    .and_then(|(_, counters)| now.since(counters)),
            })
            .collect();
        metrics
    }

    fn row(&self, flow: &Flow) -> FlowRow {
        let Flow {
            place,
            key,
            counters,
        } = flow;
        FlowRow {
            interface: place.map(|id| self.names.get(&id).cloned().unwrap_or_else(|| unnamed(id))),
            protocol: key.protocol,
            local: key.local.address,
            local_port: key.local.port,
            remote: key.remote.address,
            remote_port: key.remote.port,
            traffic: counters.traffic,
            first: counters.first,
            last: counters.last,
            tcp_flags: counters.tcp_flags,
        }
    }

    fn take_losses(&mut self) -> Vec<CaptureLoss> {
        let change = |now: &CaptureLoss| {
            let mut known = self.losses_before.iter();
            let before = known.find(|loss| loss.is_same_source(now));
            let since = |now: u64, before: Option<u64>| now.saturating_sub(before.unwrap_or(0));
            CaptureLoss {
                received: since(now.received, before.map(|loss| loss.received)),
                dropped: since(now.dropped, before.map(|loss| loss.dropped)),
                ..now.clone()
            }
        };
        let losses = self.losses.iter().map(change).collect();
        self.losses_before.clone_from(&self.losses);
        losses
    }
}

/// What a window comes to: its largest flows, and everything else by place.
struct Counted {
    flows: Vec<Flow>,
    overflow: BTreeMap<Place, PerDirection<Tally>>,
    classes: Classes,
}

impl Counted {
    fn attributed(&self) -> BTreeMap<InterfaceId, PerDirection<Tally>> {
        let mut sums: BTreeMap<InterfaceId, PerDirection<Tally>> = BTreeMap::new();
        for flow in &self.flows {
            if let Some(id) = flow.place {
                sums.entry(id).or_default().add(flow.counters.traffic);
            }
        }
        sums
    }

    fn overflow_at(&self, place: Place) -> PerDirection<Tally> {
        self.overflow.get(&place).copied().unwrap_or_default()
    }
}

impl Observer for Monitor {
    fn frame(&mut self, frame: Frame<'_>) {
        let account = match self.cut {
            Some(cut) if frame.at >= cut => &mut self.next,
            _ => &mut self.open,
        };
        account.frame(&frame);
    }

    fn flow(
        &mut self,
        at: Timestamp,
        interface: Option<InterfaceId>,
        key: FlowKey,
        delta: PerDirection<Tally>,
    ) {
        self.open.flow(at, interface, key, delta);
    }

    fn interface(&mut self, _at: Timestamp, event: InterfaceEvent) {
        match event {
            InterfaceEvent::Appeared { id, name } | InterfaceEvent::Renamed { id, name } => {
                self.names.insert(id, bounds::clip(&name));
            }
            InterfaceEvent::Vanished { id } => {
                self.names.remove(&id);
            }
        }
    }

    fn sample(&mut self, _at: Timestamp, sample: HostSample) {
        self.names = sample
            .interfaces
            .iter()
            .map(|interface| (interface.facts.id, interface.facts.name.clone()))
            .collect();
        self.latest = Some(sample);
    }

    fn probe(&mut self, _at: Timestamp, probe: ProbeResult) {
        if self.probes.len() < bounds::PARTS {
            self.probes.push(probe);
        }
    }
}

fn conservation(
    terms: &PerDirection<Terms>,
    kernel: Option<&PerDirection<KernelCounters>>,
) -> PerDirection<Conservation> {
    PerDirection {
        ingress: Conservation::new(terms.ingress, kernel.map(|k| &k.ingress)),
        egress: Conservation::new(terms.egress, kernel.map(|k| &k.egress)),
    }
}

fn unnamed(id: InterfaceId) -> String {
    format!("if{}", id.0)
}

#[cfg(test)]
mod tests;
