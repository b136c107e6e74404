//! The capture thread: owns the sources and the monitor, and turns them into intervals.
//!
//! It waits for neither network nor disk. A source that fails ends the interval early, so that what
//! was seen and how it was seen stay together; the next one starts a step further down.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use bwmon_core::collector::{InterfaceEvent, Progress};
use bwmon_core::frame::InterfaceId;
use bwmon_core::report::Interval;
use bwmon_core::time::Timestamp;
use bwmon_core::{Monitor, Observer};

use super::clock::wall_clock;
use super::handoff::Handoff;
use super::host::Host;
use super::ladder::{Failure, Ladder, Open, Rung, Source, title};
use super::losses::LossLedger;
use super::observers::{Relay, Side};
use super::probing::Probes;
use super::schedule::Schedule;
use super::selection::{self, Selection};
use super::vitals::{CaptureSums, Vitals};

/// How long to wait after a source said that it has nothing, where it could not wait by itself.
const IDLE: Duration = Duration::from_millis(10);

/// Asks the thread to end: once the other end is dropped.
#[derive(Debug)]
pub(super) struct Stop(pub(super) Receiver<()>);

impl Stop {
    fn is_requested(&self) -> bool {
        self.0.try_recv() != Err(TryRecvError::Empty)
    }

    /// Waits for `span` or until the end is asked for.
    fn wait(&self, span: Duration) -> bool {
        self.0.recv_timeout(span) != Err(RecvTimeoutError::Timeout)
    }
}

/// How often to look whether flows can be seen better.
#[derive(Debug, Clone, Copy)]
pub(super) struct Review {
    /// How often the choice of interfaces is looked at again, and how soon after a climb a failing
    /// source is no longer opened anew but stepped down from.
    pub(super) interfaces: Duration,
    /// How often a better step than the present one is tried.
    pub(super) climb: Duration,
}

impl Default for Review {
    fn default() -> Self {
        Self {
            interfaces: Duration::from_secs(10),
            climb: Duration::from_secs(60),
        }
    }
}

/// What the thread is made of.
pub(super) struct Gatherer<O> {
    monitor: Monitor,
    host: Box<dyn Host>,
    wanted: Vec<String>,
    selection: Selection,
    ladder: Ladder<O>,
    every: Review,
    rung: Rung,
    captured: Vec<(InterfaceId, String)>,
    losses: LossLedger,
    probes: Option<Probes>,
    vitals: Arc<Vitals>,
    sums: CaptureSums,
    last_end: Instant,
    last_climb: Instant,
    last_review: Instant,
    complaint: Option<String>,
}

/// Why an interval ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Deadline,
    Failed(Failure),
    Stopped,
}

impl<O: Open> Gatherer<O> {
    /// Chooses interfaces and opens the best source that is permitted.
    pub(super) fn new(
        monitor: Monitor,
        host: Box<dyn Host>,
        wanted: Vec<String>,
        mut ladder: Ladder<O>,
        every: Review,
    ) -> Self {
        let selection = choose(&wanted, &*host);
        let rung = ladder.climb(&selection, None);
        let now = Instant::now();
        let mut gatherer = Self {
            monitor,
            host,
            wanted,
            selection,
            ladder,
            every,
            rung,
            captured: Vec::new(),
            losses: LossLedger::default(),
            probes: None,
            vitals: Arc::default(),
            sums: CaptureSums::default(),
            last_end: now,
            last_climb: now,
            last_review: now,
            complaint: None,
        };
        gatherer.tell_monitor();
        gatherer
    }

    /// Takes in what comes of pings.
    pub(super) fn listen_to(&mut self, probes: Probes) {
        self.probes = Some(probes);
    }

    /// Tells what it counts.
    pub(super) fn tell(&mut self, vitals: Arc<Vitals>) {
        self.vitals = vitals;
    }

    /// How flows are seen.
    pub(super) const fn rung(&self) -> &Rung {
        &self.rung
    }

    /// The interfaces that were chosen, and why.
    pub(super) const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Hands over an interval each `interval` until the end is asked for, and then the open one.
    pub(super) fn run(mut self, interval: Duration, mut handoff: Handoff, stop: &Stop) {
        // What happened before now is in the counters already and belongs to no interval.
        let _before = self.close(None);
        let mut schedule = Schedule::new(self.last_end, interval);
        loop {
            let end = self.fill(schedule.deadline(), stop);
            let is_last = end == End::Stopped;
            let next = if is_last { None } else { self.review(end) };
            let interval = self.close(next);
            self.sums.count(&interval);
            self.sums.late += self.last_end.saturating_duration_since(schedule.deadline());
            handoff.put(interval);
            self.sums.merged = handoff.merged();
            self.sums.waiting = handoff.waiting() as u64;
            self.vitals.publish(&self.sums);
            if is_last {
                break;
            }
            schedule.advance(self.last_end);
        }
        handoff.finish();
    }

    /// Collects until the deadline.
    fn fill(&mut self, deadline: Instant, stop: &Stop) -> End {
        loop {
            let now = Instant::now();
            let left = deadline.saturating_duration_since(now);
            if left.is_zero() {
                return End::Deadline;
            }
            let Some(source) = self.rung.source.as_mut() else {
                if stop.wait(left) {
                    return End::Stopped;
                }
                continue;
            };
            let budget = left.min(source.pace);
            let is_idle = match source.tap.collect(budget, &mut self.monitor) {
                Ok(Progress::Busy) => false,
                Ok(Progress::Idle) => true,
                Ok(Progress::Ended) => return End::Failed(self.failure("the source ended")),
                Err(error) if error.is_retryable() => {
                    tracing::debug!("{}: {error}", title(self.rung.status.method));
                    true
                }
                Err(error) => return End::Failed(self.failure(&error.to_string())),
            };
            let unused = budget.saturating_sub(now.elapsed());
            let is_stopped = if is_idle && unused > Duration::ZERO {
                stop.wait(unused)
            } else {
                stop.is_requested()
            };
            if is_stopped {
                return End::Stopped;
            }
        }
    }

    fn failure(&mut self, reason: &str) -> Failure {
        self.sums.failures += 1;
        let method = self.rung.status.method;
        tracing::warn!("capturing through {} ended: {reason}", title(method));
        Failure {
            method,
            reason: reason.to_owned(),
        }
    }

    /// Looks whether another source should take over, and opens it.
    fn review(&mut self, end: End) -> Option<Rung> {
        let now = Instant::now();
        let failure = match end {
            End::Failed(failure) => Some(failure),
            End::Deadline | End::Stopped => None,
        };
        let mut is_changed = false;
        if failure.is_some() || now.duration_since(self.last_review) >= self.every.interfaces {
            self.last_review = now;
            let selection = choose(&self.wanted, &*self.host);
            is_changed = selection.names != self.selection.names;
            self.selection = selection;
        }
        let since_climb = now.duration_since(self.last_climb);
        let may_be_better = !self.rung.is_best && since_climb >= self.every.climb;
        if failure.is_none() && !is_changed && !may_be_better {
            return None;
        }
        let failed_again = failure
            .as_ref()
            .filter(|_| since_climb < self.every.interfaces);
        let next = self.ladder.climb(&self.selection, failed_again);
        self.last_climb = now;
        let (then, status) = (&self.rung.status, &next.status);
        let is_same = status.method == then.method && status.interfaces == then.interfaces;
        if is_same && failure.is_none() {
            self.rung.status.note.clone_from(&status.note);
            self.rung.is_best = next.is_best;
            self.tell_monitor();
            return None;
        }
        Some(next)
    }

    /// Ends the open interval now; `next` takes over from the source in use without a frame lost
    /// or counted twice.
    fn close(&mut self, mut next: Option<Rung>) -> Interval {
        let begun = Instant::now();
        self.report_captured(next.as_ref());
        let (at, read) = self.sample();
        self.monitor.cut(at);
        self.follow_interfaces(at);
        let side = match next {
            Some(_) => Side::Before(at),
            None => Side::Both,
        };
        if let Some(source) = self.rung.source.as_mut() {
            drain(source, read, side, &mut self.monitor);
            let losses = source.tap.losses();
            self.monitor.set_losses(&self.losses.total(&losses));
        }
        if let Some(source) = next.as_mut().and_then(|next| next.source.as_mut()) {
            drain(source, read, Side::From(at), &mut self.monitor);
        }
        if let Some(probes) = &self.probes {
            probes.tell(&mut self.monitor);
        }
        self.sums.flows = self.monitor.open_flows() as u64;
        let interval = self.monitor.rotate(at, read.duration_since(self.last_end));
        self.last_end = read;
        if let Some(next) = next {
            self.adopt(next);
        }
        self.sums.closing += begun.elapsed();
        interval
    }

    /// Reads the host; answers with the moment by the wall clock and by the monotonic one.
    fn sample(&mut self) -> (Timestamp, Instant) {
        let begun = Instant::now();
        let mut relay = Relay::new(&mut self.monitor, Side::Both);
        let result = self.host.collect(Duration::ZERO, &mut relay);
        let at = relay.sampled_at();
        let read = Instant::now();
        self.sums.reading += read.duration_since(begun);
        let complaint = result.err().map(|error| error.to_string());
        if complaint != self.complaint {
            match &complaint {
                Some(error) => tracing::warn!("host metrics cannot be read: {error}"),
                None => tracing::info!("host metrics can be read again"),
            }
            self.complaint = complaint;
        }
        (at.unwrap_or_else(wall_clock), read)
    }

    /// Has the host report what is captured, whatever else is left out: the bytes of a flow belong to
    /// the account of its interface.
    fn report_captured(&mut self, next: Option<&Rung>) {
        let next = next.map(Rung::interfaces).unwrap_or_default();
        let captured = self.rung.interfaces().into_iter().chain(next);
        self.host
            .always_report(captured.map(|(_, name)| name).collect());
    }

    /// Names the captured interfaces, also those that came after the sample, and follows them where
    /// they vanish and come back under another number.
    fn follow_interfaces(&mut self, at: Timestamp) {
        let captured = self.rung.interfaces();
        for (id, name) in captured.clone() {
            self.monitor
                .interface(at, InterfaceEvent::Appeared { id, name });
        }
        if captured != self.captured {
            let names = captured.iter().map(|(_, name)| name.clone());
            self.rung.status.interfaces = names.collect();
            self.tell_monitor();
        }
    }

    fn adopt(&mut self, next: Rung) {
        if let Some(old) = self.rung.source.take() {
            self.losses.retire(&old.tap.losses());
        }
        self.rung = next;
        self.tell_monitor();
        super::run::say_how_flows_are_seen(&self.rung, &self.selection);
    }

    fn tell_monitor(&mut self) {
        self.captured = self.rung.interfaces();
        let ids = self.captured.iter().map(|(id, _)| *id).collect();
        self.monitor.set_capture(self.rung.status.clone(), ids);
    }
}

fn choose(wanted: &[String], host: &dyn Host) -> Selection {
    match host.interfaces() {
        Ok(interfaces) => selection::select(wanted, &interfaces),
        Err(error) => Selection {
            names: Vec::new(),
            reason: error.to_string(),
        },
    }
}

/// Takes from `source` everything from before `read`, which is when the counters were read.
fn drain(source: &mut Source, read: Instant, side: Side, monitor: &mut Monitor) {
    let end = read + source.drain;
    let mut relay = Relay::new(monitor, side);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match source.tap.collect(left, &mut relay) {
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

#[cfg(test)]
mod tests;
