//! Observers that stand between a collector and the monitor.

use bwmon_core::Observer;
use bwmon_core::collector::InterfaceEvent;
use bwmon_core::flow::FlowKey;
use bwmon_core::frame::{Frame, InterfaceId, PerDirection, Tally};
use bwmon_core::report::ProbeResult;
use bwmon_core::sample::HostSample;
use bwmon_core::time::Timestamp;

/// Passes everything on and remembers when the last sample was read.
#[derive(Debug)]
pub(super) struct Noting<'a, T> {
    inner: &'a mut T,
    sampled_at: Option<Timestamp>,
}

impl<'a, T: Observer> Noting<'a, T> {
    pub(super) fn new(inner: &'a mut T) -> Self {
        Self {
            inner,
            sampled_at: None,
        }
    }

    /// The moment of the last sample.
    pub(super) fn sampled_at(&self) -> Option<Timestamp> {
        self.sampled_at
    }
}

impl<T: Observer> Observer for Noting<'_, T> {
    fn frame(&mut self, frame: Frame<'_>) {
        self.inner.frame(frame);
    }

    fn flow(
        &mut self,
        at: Timestamp,
        interface: Option<InterfaceId>,
        key: FlowKey,
        delta: PerDirection<Tally>,
    ) {
        self.inner.flow(at, interface, key, delta);
    }

    fn interface(&mut self, at: Timestamp, event: InterfaceEvent) {
        self.inner.interface(at, event);
    }

    fn sample(&mut self, at: Timestamp, sample: HostSample) {
        self.sampled_at = Some(at);
        self.inner.sample(at, sample);
    }

    fn probe(&mut self, at: Timestamp, probe: ProbeResult) {
        self.inner.probe(at, probe);
    }
}

/// Which side of the moment at which one source takes over from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// What the old source saw: before the moment.
    Before(Timestamp),
    /// What the new source sees: from the moment on.
    From(Timestamp),
}

/// Passes the frames of one side on, so that two sources that overlap count no frame twice.
#[derive(Debug)]
pub(super) struct OneSide<'a, T> {
    pub(super) inner: &'a mut T,
    pub(super) side: Side,
}

impl<T: Observer> Observer for OneSide<'_, T> {
    fn frame(&mut self, frame: Frame<'_>) {
        let passes = match self.side {
            Side::Before(moment) => frame.at < moment,
            Side::From(moment) => frame.at >= moment,
        };
        if passes {
            self.inner.frame(frame);
        }
    }

    fn flow(
        &mut self,
        at: Timestamp,
        interface: Option<InterfaceId>,
        key: FlowKey,
        delta: PerDirection<Tally>,
    ) {
        self.inner.flow(at, interface, key, delta);
    }

    fn interface(&mut self, at: Timestamp, event: InterfaceEvent) {
        self.inner.interface(at, event);
    }

    fn sample(&mut self, at: Timestamp, sample: HostSample) {
        self.inner.sample(at, sample);
    }

    fn probe(&mut self, at: Timestamp, probe: ProbeResult) {
        self.inner.probe(at, probe);
    }
}
