//! Scripted sources for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bwmon_core::collector::{CollectError, CollectErrorKind, Losses, Progress};
use bwmon_core::frame::{Direction, Frame, InterfaceId, LinkType, PerDirection};
use bwmon_core::report::{CaptureLoss, CaptureMethod, InterfaceFacts, KernelCounters};
use bwmon_core::sample::{HostSample, InterfaceSample};
use bwmon_core::{Collector, Observer};

use super::clock::wall_clock;
use super::host::Host;
use super::ladder::{Open, Source, Tap};
use super::selection::Selection;

pub(super) fn selection(names: &[&str]) -> Selection {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Selection {
        names,
        reason: "because".to_owned(),
    }
}

/// What a test tells its sources while they run.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// Methods that cannot be opened.
    pub(super) refused: BTreeMap<&'static str, CollectErrorKind>,
    /// Frames still to come.
    pub(super) frames: u64,
    /// Frames that were delivered.
    pub(super) delivered: u64,
    /// Whether a filter leaves the host's interface out of the report.
    pub(super) is_left_out: bool,
    /// Whether sources that see frames fail now.
    pub(super) is_broken: bool,
    /// Names that were opened, in order.
    pub(super) opened: Vec<(&'static str, Vec<String>)>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Doubles(pub(super) Arc<Mutex<Script>>);

impl Doubles {
    pub(super) fn refusing(self, method: CaptureMethod, kind: CollectErrorKind) -> Self {
        self.0
            .lock()
            .unwrap()
            .refused
            .insert(super::ladder::title(method), kind);
        self
    }
}

impl Open for Doubles {
    fn is_known(&self, method: CaptureMethod) -> bool {
        method != CaptureMethod::Libpcap
    }

    fn open(&mut self, method: CaptureMethod, names: &[String]) -> Result<Source, CollectError> {
        let title = super::ladder::title(method);
        let mut script = self.0.lock().unwrap();
        if let Some(kind) = script.refused.get(title) {
            return Err(CollectError::new(*kind, format!("{title} is refused")));
        }
        script.opened.push((title, names.to_vec()));
        let names = if method.sees_frames() {
            names.to_vec()
        } else {
            Vec::new()
        };
        let tap = Box::new(Double {
            title,
            names,
            script: Arc::clone(&self.0),
            own: 0,
        });
        let (drain, pace) = (Duration::from_millis(2), Duration::from_millis(5));
        Ok(Source { tap, drain, pace })
    }
}

/// Delivers the frames of the script one by one.
#[derive(Debug)]
struct Double {
    title: &'static str,
    names: Vec<String>,
    script: Arc<Mutex<Script>>,
    own: u64,
}

impl Tap for Double {
    fn interfaces(&self) -> Vec<(InterfaceId, String)> {
        self.names
            .iter()
            .cloned()
            .map(|name| (InterfaceId(7), name))
            .collect()
    }
}

/// Bytes of each frame on the wire.
pub(super) const FRAME_BYTES: u32 = 100;

impl Collector for Double {
    fn name(&self) -> &str {
        self.title
    }

    fn collect(
        &mut self,
        _budget: Duration,
        into: &mut dyn Observer,
    ) -> Result<Progress, CollectError> {
        let mut script = self.script.lock().unwrap();
        if self.names.is_empty() {
            return Ok(Progress::Idle);
        }
        if script.is_broken {
            return Err(CollectError::new(
                CollectErrorKind::Gone,
                "the interface went away",
            ));
        }
        if script.frames == 0 {
            return Ok(Progress::Idle);
        }
        script.frames -= 1;
        script.delivered += 1;
        self.own += 1;
        into.frame(Frame {
            at: wall_clock(),
            interface: InterfaceId(7),
            direction: Direction::Ingress,
            link: LinkType::Unsupported(9),
            stripped_vlan: None,
            wire_len: FRAME_BYTES,
            bytes: &[],
        });
        Ok(Progress::Busy)
    }

    fn losses(&self) -> Losses {
        let loss = CaptureLoss {
            source: self.title.to_owned(),
            interface: None,
            received: self.own,
            dropped: 0,
        };
        Losses {
            sources: vec![loss],
        }
    }
}

/// A host with one interface, which counts what the script says was delivered.
#[derive(Debug)]
pub(super) struct OneInterface {
    pub(super) always: BTreeSet<String>,
    pub(super) name: Arc<Mutex<String>>,
    pub(super) script: Arc<Mutex<Script>>,
}

impl OneInterface {
    fn facts(&self) -> InterfaceFacts {
        InterfaceFacts {
            id: InterfaceId(7),
            name: self.name.lock().unwrap().clone(),
            has_default_route: true,
            ..InterfaceFacts::default()
        }
    }
}

impl Host for OneInterface {
    fn interfaces(&self) -> Result<Vec<InterfaceFacts>, CollectError> {
        Ok(vec![self.facts()])
    }

    fn always_report(&mut self, names: BTreeSet<String>) {
        self.always = names;
    }
}

impl Collector for OneInterface {
    fn name(&self) -> &str {
        "one_interface"
    }

    fn collect(
        &mut self,
        _budget: Duration,
        into: &mut dyn Observer,
    ) -> Result<Progress, CollectError> {
        let (packets, is_left_out) = {
            let script = self.script.lock().unwrap();
            (script.delivered, script.is_left_out)
        };
        let ingress = KernelCounters {
            bytes: packets * u64::from(FRAME_BYTES),
            packets,
            ..KernelCounters::default()
        };
        let counters = PerDirection {
            ingress,
            egress: KernelCounters::default(),
        };
        let facts = self.facts();
        let is_reported = !is_left_out || self.always.contains(&facts.name);
        let interface = is_reported.then_some(InterfaceSample { facts, counters });
        into.sample(
            wall_clock(),
            HostSample {
                interfaces: interface.into_iter().collect(),
                ..HostSample::default()
            },
        );
        Ok(Progress::Idle)
    }

    fn losses(&self) -> Losses {
        Losses::default()
    }
}
