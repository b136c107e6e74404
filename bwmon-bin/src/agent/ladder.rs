//! How flows are seen: the best way that is permitted, one step down at a time.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use bwmon_core::Collector;
use bwmon_core::collector::{CollectError, CollectErrorKind};
use bwmon_core::frame::InterfaceId;
use bwmon_core::report::{CaptureMethod, CaptureStatus};

use super::config::MethodChoice;
use super::selection::Selection;

/// A collector of flows.
pub(super) trait Tap: Collector {
    /// The interfaces whose frames it captures now; none where it does not see frames.
    fn interfaces(&self) -> Vec<(InterfaceId, String)>;
}

/// An open source of flows.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) tap: Box<dyn Tap>,
    /// How long after a moment everything from before it has been delivered.
    pub(super) drain: Duration,
    /// How often it wants to be asked; each call may wait that long.
    pub(super) pace: Duration,
}

/// Opens sources. Implemented by the real thing and by test doubles.
pub(super) trait Open: fmt::Debug + Send {
    /// Whether this build and system know the method at all.
    fn is_known(&self, method: CaptureMethod) -> bool;
    /// Opens `method` on the interfaces named; those that do not see frames ignore the names.
    fn open(&mut self, method: CaptureMethod, names: &[String]) -> Result<Source, CollectError>;
}

/// Where the agent stands: how flows are seen, and why not better.
#[derive(Debug, Default)]
pub(super) struct Rung {
    /// Absent where only counters are read.
    pub(super) source: Option<Source>,
    pub(super) status: CaptureStatus,
    /// Whether nothing better can be had.
    pub(super) is_best: bool,
    /// Why the method that was asked for in the configuration is not in use.
    pub(super) refusal: Option<String>,
}

impl Rung {
    /// The interfaces whose frames are captured now.
    pub(super) fn interfaces(&self) -> Vec<(InterfaceId, String)> {
        self.source
            .as_ref()
            .map(|source| source.tap.interfaces())
            .unwrap_or_default()
    }
}

/// A method that was in use and ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) method: CaptureMethod,
    pub(super) reason: String,
}

/// Climbs as high as it gets.
#[derive(Debug)]
pub(super) struct Ladder<O> {
    opener: O,
    wanted: MethodChoice,
    grant: String,
}

const BEST_FIRST: [CaptureMethod; 4] = [
    CaptureMethod::AfPacket,
    CaptureMethod::Libpcap,
    CaptureMethod::SockDiag,
    CaptureMethod::Counters,
];

impl<O: Open> Ladder<O> {
    /// A ladder of the steps that `wanted` allows; `program` is the path of the running binary, for
    /// the command that grants it what is missing.
    pub(super) fn new(opener: O, wanted: MethodChoice, program: &Path) -> Self {
        Self {
            opener,
            wanted,
            grant: grant_command(program),
        }
    }

    /// Takes the best step that is permitted now, `failed` and those above it left out. Never fails:
    /// the last one needs nothing.
    pub(super) fn climb(&mut self, selection: &Selection, failed: Option<&Failure>) -> Rung {
        let steps: &[CaptureMethod] = match self.wanted {
            MethodChoice::Auto => &BEST_FIRST,
            MethodChoice::AfPacket => &[CaptureMethod::AfPacket],
            MethodChoice::Libpcap => &[CaptureMethod::Libpcap],
            MethodChoice::SockDiag => &[CaptureMethod::SockDiag],
            MethodChoice::Counters => &[CaptureMethod::Counters],
        };
        let mut why_not = failed.map(|failure| failure.reason.clone());
        let below = |failure: &Failure| 1 + position(steps, failure.method);
        for &method in steps.iter().skip(failed.map_or(0, below)) {
            if method == CaptureMethod::Counters {
                break;
            }
            if self.wanted == MethodChoice::Auto && !self.opener.is_known(method) {
                continue;
            }
            match self.step(method, selection) {
                Ok(source) => return rung(method, source, why_not.as_deref()),
                Err(reason) => {
                    tracing::debug!("{}: {reason}", title(method));
                    why_not.get_or_insert(reason);
                }
            }
        }
        self.only_counters(why_not)
    }

    fn step(&mut self, method: CaptureMethod, selection: &Selection) -> Result<Source, String> {
        if method.sees_frames() && selection.names.is_empty() {
            return Err(selection.reason.clone());
        }
        self.opener
            .open(method, &selection.names)
            .map_err(|error| match error.kind() {
                CollectErrorKind::Permission if method.sees_frames() => {
                    format!(
                        "capturing frames is not permitted; grant it with: {}",
                        self.grant
                    )
                }
                _ => error.to_string(),
            })
    }

    fn only_counters(&self, why_not: Option<String>) -> Rung {
        let note = why_not.as_ref().map(|reason| format!("no flows: {reason}"));
        let is_explicit = !matches!(self.wanted, MethodChoice::Auto | MethodChoice::Counters);
        Rung {
            source: None,
            status: CaptureStatus {
                method: CaptureMethod::Counters,
                note,
                interfaces: Vec::new(),
            },
            is_best: self.wanted == MethodChoice::Counters,
            refusal: why_not.filter(|_| is_explicit),
        }
    }
}

fn position(steps: &[CaptureMethod], method: CaptureMethod) -> usize {
    steps
        .iter()
        .position(|step| *step == method)
        .unwrap_or(steps.len())
}

fn rung(method: CaptureMethod, source: Source, why_not: Option<&str>) -> Rung {
    let note = if method == CaptureMethod::SockDiag {
        let why_not = why_not.map(|reason| format!(": {reason}"));
        Some(format!(
            "TCP only, payload bytes as the kernel counts them per connection{}",
            why_not.unwrap_or_default()
        ))
    } else {
        None
    };
    Rung {
        status: CaptureStatus {
            method,
            note,
            interfaces: source
                .tap
                .interfaces()
                .into_iter()
                .map(|(_, name)| name)
                .collect(),
        },
        source: Some(source),
        is_best: why_not.is_none(),
        refusal: None,
    }
}

/// How people call a method.
pub(super) const fn title(method: CaptureMethod) -> &'static str {
    match method {
        CaptureMethod::AfPacket => "af_packet",
        CaptureMethod::Libpcap => "libpcap",
        CaptureMethod::SockDiag => "sock_diag",
        CaptureMethod::HostPairs => "host_pairs",
        CaptureMethod::Counters => "counters",
    }
}

/// The command that lets the binary at `program` capture frames without being root.
pub(super) fn grant_command(program: &Path) -> String {
    let path = program.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if path.chars().all(is_plain) {
        format!("sudo setcap cap_net_raw+ep {path}")
    } else {
        format!(
            "sudo setcap cap_net_raw+ep '{}'",
            path.replace('\'', r"'\''")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::doubles::{Doubles, selection};
    use super::*;

    fn ladder(opener: Doubles, wanted: MethodChoice) -> Ladder<Doubles> {
        Ladder::new(opener, wanted, Path::new("/opt/bw mon/bwmon-agent"))
    }

    #[test]
    fn the_best_permitted_step_is_taken_and_says_what_grants_more() {
        let refused =
            Doubles::default().refusing(CaptureMethod::AfPacket, CollectErrorKind::Permission);
        let rung = ladder(refused, MethodChoice::Auto).climb(&selection(&["eth0"]), None);
        assert_eq!(rung.status.method, CaptureMethod::SockDiag);
        let note = rung.status.note.unwrap();
        assert!(note.starts_with("TCP only"), "{note}");
        assert!(
            note.ends_with("sudo setcap cap_net_raw+ep '/opt/bw mon/bwmon-agent'"),
            "{note}"
        );
        assert!(!rung.is_best && rung.refusal.is_none());
    }

    #[test]
    fn the_best_step_has_no_note() {
        let rung =
            ladder(Doubles::default(), MethodChoice::Auto).climb(&selection(&["eth0"]), None);
        assert_eq!(rung.status.method, CaptureMethod::AfPacket);
        assert_eq!(rung.status.interfaces, ["eth0"]);
        assert!(rung.is_best && rung.status.note.is_none());
    }

    #[test]
    fn the_last_step_needs_nothing() {
        let refused = Doubles::default()
            .refusing(CaptureMethod::AfPacket, CollectErrorKind::NotFound)
            .refusing(CaptureMethod::SockDiag, CollectErrorKind::Other);
        let rung = ladder(refused, MethodChoice::Auto).climb(&selection(&["eth0"]), None);
        assert_eq!(rung.status.method, CaptureMethod::Counters);
        assert!(
            rung.status
                .note
                .unwrap()
                .starts_with("no flows: af_packet is refused")
        );
    }

    #[test]
    fn after_a_failure_the_next_step_down_is_taken() {
        let failure = Failure {
            method: CaptureMethod::AfPacket,
            reason: "it broke".to_owned(),
        };
        let mut ladder = ladder(Doubles::default(), MethodChoice::Auto);
        let rung = ladder.climb(&selection(&["eth0"]), Some(&failure));
        assert_eq!(rung.status.method, CaptureMethod::SockDiag);
        assert!(rung.status.note.unwrap().ends_with("it broke"));
        assert!(!rung.is_best);
    }

    #[test]
    fn what_was_asked_for_is_used_or_refused() {
        let refused =
            Doubles::default().refusing(CaptureMethod::AfPacket, CollectErrorKind::Permission);
        let rung = ladder(refused, MethodChoice::AfPacket).climb(&selection(&["eth0"]), None);
        assert!(rung.refusal.unwrap().contains("setcap"));
        let rung = ladder(Doubles::default(), MethodChoice::AfPacket).climb(&selection(&[]), None);
        assert!(rung.refusal.is_some());
        let rung =
            ladder(Doubles::default(), MethodChoice::Counters).climb(&selection(&["eth0"]), None);
        assert!(rung.is_best && rung.refusal.is_none() && rung.status.note.is_none());
    }
}
