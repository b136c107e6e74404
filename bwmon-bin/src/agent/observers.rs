//! The observer that stands between a collector and the monitor.

use bwmon_core::Observer;
use bwmon_core::collector::InterfaceEvent;
use bwmon_core::flow::FlowKey;
use bwmon_core::frame::{Frame, InterfaceId, PerDirection, Tally};
use bwmon_core::report::ProbeResult;
use bwmon_core::sample::HostSample;
use bwmon_core::time::Timestamp;

/// Which frames pass, by the moment at which one source takes over from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// All: there is one source.
    Both,
    /// What the old source saw: before the moment.
    Before(Timestamp),
    /// What the new source sees: from the moment on.
    From(Timestamp),
}

impl Side {
    fn admits(self, at: Timestamp) -> bool {
        match self {
            Self::Both => true,
            Self::Before(moment) => at < moment,
            Self::From(moment) => at >= moment,
        }
    }
}

/// Passes on what is observed, of frames those of one side, so that two sources that overlap count
/// no frame twice; remembers when the last sample was read.
#[derive(Debug)]
pub(super) struct Relay<'a, T> {
    inner: &'a mut T,
    side: Side,
    sampled_at: Option<Timestamp>,
}

impl<'a, T: Observer> Relay<'a, T> {
    pub(super) fn new(inner: &'a mut T, side: Side) -> Self {
        Self {
            inner,
            side,
            sampled_at: None,
        }
    }

    /// The moment of the last sample.
    pub(super) fn sampled_at(&self) -> Option<Timestamp> {
        self.sampled_at
    }
}

impl<T: Observer> Observer for Relay<'_, T> {
    fn frame(&mut self, frame: Frame<'_>) {
        if self.side.admits(frame.at) {
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
        self.sampled_at = Some(at);
        self.inner.sample(at, sample);
    }

    fn probe(&mut self, at: Timestamp, probe: ProbeResult) {
        self.inner.probe(at, probe);
    }
}
