//! The capture thread: owns the source and the account, and hands over what each refresh saw.
//!
//! It never waits for the view. A refresh ends as an interval of the agent does: the interfaces'
//! counters are read, frames stamped later count for the next refresh, and the ring is drained past
//! that moment. So the kernel's counters and what was captured speak of the same bytes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::bail;
use bwmon_core::Observer;
use bwmon_core::collector::{InterfaceEvent, Progress};
use bwmon_core::flow::{FlowKey, Limits, Place};
use bwmon_core::frame::{Frame, InterfaceId, PerDirection, Tally};
use bwmon_core::monitor::{Account, AccountConfig, Accounted, Classes, Detail};
use bwmon_core::report::{KernelCounters, ProbeResult, Terms};
use bwmon_core::sample::HostSample;
use bwmon_core::time::Timestamp;

use super::outlet::Outlet;
use super::update::{InterfaceUpdate, Update};
use crate::agent::clock::wall_clock;
use crate::agent::host::Host;
use crate::agent::ladder::{Failure, Ladder, Open, Rung, Source, title};
use crate::agent::losses::LossLedger;
use crate::agent::schedule::Schedule;
use crate::agent::selection::{self, Selection};

/// How long to wait after a source said that it has nothing, where it could not wait by itself.
const IDLE: Duration = Duration::from_millis(10);

/// How often the choice of interfaces is looked at again, and how soon after it was opened a source
/// that fails is stepped down from.
const REVIEW: Duration = Duration::from_secs(10);

/// What the thread is made of.
pub(super) struct Capture<O> {
    host: Box<dyn Host>,
    ladder: Ladder<O>,
    wanted: Vec<String>,
    selection: Selection,
    rung: Rung,
    window: Window,
    losses: LossLedger,
    dropped: u64,
    counters: BTreeMap<InterfaceId, PerDirection<KernelCounters>>,
    last_end: Instant,
    last_climb: Instant,
    last_review: Instant,
}

impl<O: Open> Capture<O> {
    /// Chooses interfaces and opens the best source that is permitted.
    ///
    /// # Errors
    /// When flows cannot be seen in any way, with what grants it.
    pub(super) fn open(
        host: Box<dyn Host>,
        mut ladder: Ladder<O>,
        wanted: Vec<String>,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        let interfaces = host.interfaces()?;
        selection::check_names(&wanted, &interfaces)?;
        let selection = selection::select(&wanted, &interfaces);
        let rung = ladder.climb(&selection, None);
        if let Some(reason) = &rung.refusal {
            bail!("cannot see flows in the way that was asked for: {reason}");
        }
        if let (None, Some(note)) = (&rung.source, &rung.status.note) {
            bail!("cannot see any flow: {note}");
        }
        let now = Instant::now();
        Ok(Self {
            host,
            ladder,
            wanted,
            selection,
            rung,
            window: Window::new(limits),
            losses: LossLedger::default(),
            dropped: 0,
            counters: BTreeMap::new(),
            last_end: now,
            last_climb: now,
            last_review: now,
        })
    }

    /// Hands over an update each `refresh` until nobody takes them.
    pub(super) fn run(mut self, refresh: Duration, mut outlet: Outlet) {
        // What happened before now is in the counters already and belongs to no refresh.
        let _before = self.close();
        let mut schedule = Schedule::new(self.last_end, refresh);
        loop {
            let failure = self.fill(schedule.deadline());
            let update = self.close();
            self.review(failure.as_ref());
            if !outlet.put(update) {
                return;
            }
            schedule.advance(self.last_end);
        }
    }

    /// Collects until the deadline, or until the source fails.
    fn fill(&mut self, deadline: Instant) -> Option<Failure> {
        loop {
            let now = Instant::now();
            let left = deadline.saturating_duration_since(now);
            if left.is_zero() {
                return None;
            }
            let Some(source) = self.rung.source.as_mut() else {
                std::thread::sleep(left);
                continue;
            };
            let budget = left.min(source.pace);
            let is_idle = match source.tap.collect(budget, &mut self.window) {
                Ok(Progress::Busy) => false,
                Ok(Progress::Idle) => true,
                Ok(Progress::Ended) => return Some(self.failure("the source ended")),
                Err(error) if error.is_retryable() => true,
                Err(error) => return Some(self.failure(&error.to_string())),
            };
            if is_idle {
                std::thread::sleep(budget.saturating_sub(now.elapsed()));
            }
        }
    }

    fn failure(&self, reason: &str) -> Failure {
        let method = self.rung.status.method;
        tracing::warn!("capturing through {} ended: {reason}", title(method));
        Failure {
            method,
            reason: reason.to_owned(),
        }
    }

    /// Opens another source where the present one failed or other interfaces are to be captured.
    fn review(&mut self, failure: Option<&Failure>) {
        let now = Instant::now();
        let is_due = now.duration_since(self.last_review) >= REVIEW;
        if failure.is_none() && !is_due {
            return;
        }
        self.last_review = now;
        let Ok(interfaces) = self.host.interfaces() else {
            return;
        };
        let selection = selection::select(&self.wanted, &interfaces);
        let is_changed = selection.names != self.selection.names;
        self.selection = selection;
        if failure.is_none() && !is_changed {
            return;
        }
        let failed_again = failure.filter(|_| now.duration_since(self.last_climb) < REVIEW);
        let next = self.ladder.climb(&self.selection, failed_again);
        self.last_climb = now;
        if let Some(old) = self.rung.source.take() {
            self.losses.retire(&old.tap.losses());
        }
        self.rung = next;
    }

    /// Ends the open refresh now.
    fn close(&mut self) -> Update {
        let captured = self.rung.interfaces();
        let names = || captured.iter().map(|(_, name)| name.clone());
        self.host.always_report(names().collect());
        let (sample, at, read) = self.sample();
        self.window.cut = Some(at);
        if let Some(source) = self.rung.source.as_mut() {
            drain(source, read, &mut self.window);
        }
        let accounted = self.window.rotate();
        self.rung.status.interfaces = names().collect();
        let elapsed = read.duration_since(self.last_end);
        self.last_end = read;
        Update {
            elapsed,
            overflow: accounted.flows.overflow().iter().copied().collect(),
            interfaces: self.interfaces(&sample, &captured, &accounted),
            capture: self.rung.status.clone(),
            dropped: self.newly_dropped(),
            host: sample.metrics.facts.hostname,
            flows: accounted.flows,
        }
    }

    /// Reads the host; answers with the moment by the wall clock and by the monotonic one.
    fn sample(&mut self) -> (HostSample, Timestamp, Instant) {
        let mut latest = Latest::default();
        if let Err(error) = self.host.collect(Duration::ZERO, &mut latest) {
            tracing::warn!("host metrics cannot be read: {error}");
        }
        let read = Instant::now();
        match latest.0 {
            Some((at, sample)) => (sample, at, read),
            None => (HostSample::default(), wall_clock(), read),
        }
    }

    fn newly_dropped(&mut self) -> u64 {
        let Some(source) = &self.rung.source else {
            return 0;
        };
        let total = self.losses.total(&source.tap.losses());
        let dropped = total.sources.iter().map(|loss| loss.dropped).sum();
        let before = std::mem::replace(&mut self.dropped, dropped);
        dropped.saturating_sub(before)
    }

    fn interfaces(
        &mut self,
        sample: &HostSample,
        captured: &[(InterfaceId, String)],
        accounted: &Accounted,
    ) -> BTreeMap<InterfaceId, InterfaceUpdate> {
        let attributed = attributed(accounted);
        let before = std::mem::take(&mut self.counters);
        let mut updates = BTreeMap::new();
        for interface in &sample.interfaces {
            let id = interface.facts.id;
            let now = interface.counters;
            self.counters.insert(id, now);
            let kernel = before.get(&id).and_then(|before| change(before, &now));
            let is_captured = captured.iter().any(|(other, _)| *other == id);
            let terms = (is_captured && kernel.is_some()).then(|| Terms {
                attributed: attributed.get(&Some(id)).copied().unwrap_or_default(),
                overflow: overflow_at(accounted, Some(id)),
                ..classes(&accounted.classes, id)
            });
            let update = InterfaceUpdate {
                facts: interface.facts.clone(),
                kernel,
                terms,
            };
            updates.insert(id, update);
        }
        updates
    }
}

/// What is open, and what is already seen of the next refresh.
#[derive(Debug)]
struct Window {
    open: Account,
    next: Account,
    cut: Option<Timestamp>,
}

impl Window {
    fn new(limits: Limits) -> Self {
        let config = AccountConfig::new(limits, Detail::Full);
        Self {
            open: Account::new(config),
            next: Account::new(config),
            cut: None,
        }
    }

    fn rotate(&mut self) -> Accounted {
        let accounted = self.open.rotate();
        std::mem::swap(&mut self.open, &mut self.next);
        self.cut = None;
        accounted
    }
}

impl Observer for Window {
    fn frame(&mut self, frame: Frame<'_>) {
        match self.cut {
            Some(cut) if frame.at >= cut => self.next.frame(&frame),
            _ => self.open.frame(&frame),
        }
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

    fn interface(&mut self, _at: Timestamp, _event: InterfaceEvent) {}

    fn sample(&mut self, _at: Timestamp, _sample: HostSample) {}

    fn probe(&mut self, _at: Timestamp, _probe: ProbeResult) {}
}

/// Keeps the last sample.
#[derive(Debug, Default)]
struct Latest(Option<(Timestamp, HostSample)>);

impl Observer for Latest {
    fn frame(&mut self, _frame: Frame<'_>) {}

    fn flow(
        &mut self,
        _at: Timestamp,
        _interface: Option<InterfaceId>,
        _key: FlowKey,
        _delta: PerDirection<Tally>,
    ) {
    }

    fn interface(&mut self, _at: Timestamp, _event: InterfaceEvent) {}

    fn sample(&mut self, at: Timestamp, sample: HostSample) {
        self.0 = Some((at, sample));
    }

    fn probe(&mut self, _at: Timestamp, _probe: ProbeResult) {}
}

/// Takes from `source` everything from before `read`, which is when the counters were read.
fn drain(source: &mut Source, read: Instant, window: &mut Window) {
    let end = read + source.drain;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match source.tap.collect(left, window) {
            _ if left.is_zero() => return,
            Ok(Progress::Busy) => {}
            Ok(Progress::Idle) => {
                let left = end.saturating_duration_since(Instant::now());
                std::thread::sleep(left.min(IDLE));
            }
            // Whoever collects next is told again, and steps down.
            Ok(Progress::Ended) | Err(_) => return,
        }
    }
}

fn change(
    before: &PerDirection<KernelCounters>,
    now: &PerDirection<KernelCounters>,
) -> Option<PerDirection<KernelCounters>> {
    Some(PerDirection {
        ingress: now.ingress.since(&before.ingress)?,
        egress: now.egress.since(&before.egress)?,
    })
}

/// Bytes and packets of both directions of the flows, by place.
fn attributed(accounted: &Accounted) -> BTreeMap<Place, Tally> {
    let mut sums: BTreeMap<Place, Tally> = BTreeMap::new();
    for flow in accounted.flows.iter() {
        let sum = sums.entry(flow.place).or_default();
        sum.add(flow.counters.traffic.ingress);
        sum.add(flow.counters.traffic.egress);
    }
    sums
}

fn overflow_at(accounted: &Accounted, place: Place) -> Tally {
    let mut sum = Tally::default();
    for (at, traffic) in accounted.flows.overflow() {
        if *at == place {
            sum.add(traffic.ingress);
            sum.add(traffic.egress);
        }
    }
    sum
}

fn classes(classes: &Classes, id: InterfaceId) -> Terms {
    let mut terms = Terms::default();
    for count in classes.non_ip(id) {
        terms.non_ip.add(count.tally);
    }
    for count in classes.malformed(id) {
        terms.malformed.add(count.tally);
    }
    terms
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use bwmon_core::collector::CollectErrorKind;
    use bwmon_core::report::CaptureMethod;

    use super::super::outlet::{Message, channel};
    use super::*;
    use crate::agent::config::MethodChoice;
    use crate::agent::doubles::{Doubles, FRAME_BYTES, OneInterface};

    fn open(doubles: &Doubles) -> anyhow::Result<Capture<Doubles>> {
        let host = OneInterface {
            always: Default::default(),
            name: Arc::new(Mutex::new("eth0".to_owned())),
            script: Arc::clone(&doubles.0),
        };
        let ladder = Ladder::new(
            doubles.clone(),
            MethodChoice::Auto,
            Path::new("/bwmon-agent"),
        );
        Capture::open(Box::new(host), ladder, Vec::new(), Limits::default())
    }

    #[test]
    fn kernel_and_captured_bytes_of_a_refresh_agree() {
        let doubles = Doubles::default();
        let mut capture = open(&doubles).unwrap();
        doubles.0.lock().unwrap().frames = 3;
        let _before = capture.fill(Instant::now() + Duration::from_millis(30));
        capture.close();
        doubles.0.lock().unwrap().frames = 5;
        assert_eq!(
            capture.fill(Instant::now() + Duration::from_millis(50)),
            None
        );
        let update = capture.close();
        let interface = &update.interfaces[&InterfaceId(7)];
        let expected = 5 * u64::from(FRAME_BYTES);
        assert_eq!(interface.kernel.unwrap().ingress.bytes, expected);
        assert_eq!(interface.terms.unwrap().malformed.bytes, expected);
        assert_eq!(update.capture.interfaces, ["eth0"]);
    }

    #[test]
    fn a_source_that_fails_is_opened_anew_or_stepped_down_from_and_the_note_says_so() {
        let doubles = Doubles::default();
        let mut capture = open(&doubles).unwrap();
        doubles.0.lock().unwrap().is_broken = true;
        let failure = capture.fill(Instant::now() + Duration::from_secs(1));
        assert!(failure.is_some());
        capture.review(failure.as_ref());
        let status = capture.close().capture;
        assert_eq!(status.method, CaptureMethod::SockDiag);
        assert!(status.note.unwrap().contains("the interface went away"));
    }

    #[test]
    fn where_nothing_works_it_says_what_grants_the_right() {
        let doubles = Doubles::default()
            .refusing(CaptureMethod::AfPacket, CollectErrorKind::Permission)
            .refusing(CaptureMethod::SockDiag, CollectErrorKind::Other);
        let error = open(&doubles).err().unwrap().to_string();
        assert!(
            error.ends_with("sudo setcap cap_net_raw+ep /bwmon-agent"),
            "{error}"
        );
    }

    #[test]
    fn the_thread_ends_when_nobody_listens_and_says_when_it_ends() {
        let (sender, receiver) = channel();
        let capture = open(&Doubles::default()).unwrap();
        let thread = std::thread::spawn(move || {
            capture.run(Duration::from_millis(200), Outlet::new(sender));
        });
        assert!(matches!(receiver.recv().unwrap(), Message::Update(_)));
        drop(receiver);
        thread.join().unwrap();
    }
}
