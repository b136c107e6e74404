//! Scripted sources for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bwmon_core::collector::{CollectError, CollectErrorKind, Losses, Progress};
use bwmon_core::frame::{Direction, Frame, InterfaceId, LinkType};
use bwmon_core::report::{CaptureLoss, CaptureMethod};
use bwmon_core::{Collector, Observer};

use super::ladder::{Open, Source};
use super::selection::Selection;

pub(super) fn selection(names: &[&str]) -> Selection {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Selection { names, reason: "because".to_owned() }
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
    /// Whether sources that see frames fail now.
    pub(super) is_broken: bool,
    /// Names that were opened, in order.
    pub(super) opened: Vec<(&'static str, Vec<String>)>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Doubles(pub(super) Arc<Mutex<Script>>);

impl Doubles {
    pub(super) fn refusing(self, method: CaptureMethod, kind: CollectErrorKind) -> Self {
        self.0.lock().unwrap().refused.insert(super::ladder::title(method), kind);
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
        let interfaces = if method.sees_frames() {
            names.iter().cloned().map(|name| (InterfaceId(7), name)).collect()
        } else {
            Vec::new()
        };
        let sees_frames = method.sees_frames();
        let collector = Box::new(Double { title, sees_frames, script: Arc::clone(&self.0), own: 0 });
        let (drain, pace) = (Duration::from_millis(2), Duration::from_millis(5));
        Ok(Source { collector, interfaces, drain, pace })
    }
}

/// Delivers the frames of the script one by one.
#[derive(Debug)]
struct Double {
    title: &'static str,
    sees_frames: bool,
    script: Arc<Mutex<Script>>,
    own: u64,
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
        if !self.sees_frames {
            return Ok(Progress::Idle);
        }
        if script.is_broken {
            return Err(CollectError::new(CollectErrorKind::Gone, "the interface went away"));
        }
        if script.frames == 0 {
            return Ok(Progress::Idle);
        }
        script.frames -= 1;
        script.delivered += 1;
        self.own += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        into.frame(Frame {
            at: bwmon_core::time::Timestamp::EPOCH.plus(now),
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
        Losses { sources: vec![loss] }
    }
}
