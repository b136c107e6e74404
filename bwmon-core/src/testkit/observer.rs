use crate::collector::{InterfaceEvent, Observer};
use crate::flow::FlowKey;
use crate::frame::{Direction, Frame, InterfaceId, LinkType, PerDirection, Tally};
use crate::report::ProbeResult;
use crate::sample::HostSample;
use crate::time::Timestamp;

/// Keeps what it observes, in order.
#[derive(Debug, Clone, Default)]
pub struct RecordingObserver {
    /// Frames.
    pub frames: Vec<OwnedFrame>,
    /// Traffic that the kernel attributed: when, where, which flow, how much.
    pub flows: Vec<(Timestamp, Option<InterfaceId>, FlowKey, PerDirection<Tally>)>,
    /// Changes in the set of interfaces.
    pub interfaces: Vec<(Timestamp, InterfaceEvent)>,
    /// Samples of the host.
    pub samples: Vec<(Timestamp, HostSample)>,
    /// Results of probes.
    pub probes: Vec<(Timestamp, ProbeResult)>,
}

/// A [`Frame`] with bytes of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedFrame {
    /// When the source saw it.
    pub at: Timestamp,
    /// Where.
    pub interface: InterfaceId,
    /// Which way.
    pub direction: Direction,
    /// What `bytes` starts with.
    pub link: LinkType,
    /// The outermost 802.1Q tag if the source took it out of `bytes`.
    pub stripped_vlan: Option<u16>,
    /// Length on the wire in bytes.
    pub wire_len: u32,
    /// The captured bytes.
    pub bytes: Vec<u8>,
}

impl RecordingObserver {
    /// How many observations of any kind there were.
    pub fn count(&self) -> usize {
        self.frames.len()
            + self.flows.len()
            + self.interfaces.len()
            + self.samples.len()
            + self.probes.len()
    }
}

impl Observer for RecordingObserver {
    fn frame(&mut self, frame: Frame<'_>) {
        self.frames.push(OwnedFrame {
            at: frame.at,
            interface: frame.interface,
            direction: frame.direction,
            link: frame.link,
            stripped_vlan: frame.stripped_vlan,
            wire_len: frame.wire_len,
            bytes: frame.bytes.to_vec(),
        });
    }

    fn flow(
        &mut self,
        at: Timestamp,
        interface: Option<InterfaceId>,
        key: FlowKey,
        delta: PerDirection<Tally>,
    ) {
        self.flows.push((at, interface, key, delta));
    }

    fn interface(&mut self, at: Timestamp, event: InterfaceEvent) {
        self.interfaces.push((at, event));
    }

    fn sample(&mut self, at: Timestamp, sample: HostSample) {
        self.samples.push((at, sample));
    }

    fn probe(&mut self, at: Timestamp, probe: ProbeResult) {
        self.probes.push((at, probe));
    }
}
