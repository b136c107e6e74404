use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use bwmon_core::collector::CollectErrorKind;
use bwmon_core::monitor::MonitorConfig;
use bwmon_core::report::CaptureMethod;
use tokio::sync::mpsc::Receiver as Intervals;

use super::super::config::MethodChoice;
use super::super::doubles::{Doubles, FRAME_BYTES, OneInterface};
use super::*;

/// Guards against a hang; says nothing about how long things take.
const PATIENCE: Duration = Duration::from_secs(30);

struct Running {
    sources: Doubles,
    interface: Arc<Mutex<String>>,
    intervals: Intervals<Interval>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn start(sources: Doubles, interval: Duration, every: Review) -> Self {
        let interface = Arc::new(Mutex::new("eth0".to_owned()));
        let host = OneInterface {
            always: BTreeSet::new(),
            name: Arc::clone(&interface),
            script: Arc::clone(&sources.0),
        };
        let ladder = Ladder::new(sources.clone(), MethodChoice::Auto, Path::new("/bin/agent"));
        let monitor = Monitor::new(MonitorConfig::default());
        let gatherer = Gatherer::new(monitor, Box::new(host), Vec::new(), ladder, every);
        let (handoff, intervals) = Handoff::new();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || gatherer.run(interval, handoff, &Stop(stopped)));
        Self {
            sources,
            interface,
            intervals,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn next(&mut self) -> Interval {
        let started = Instant::now();
        loop {
            if let Ok(interval) = self.intervals.try_recv() {
                return interval;
            }
            assert!(started.elapsed() < PATIENCE, "no interval came");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The next interval of which `is_meant` is true.
    fn next_where(&mut self, is_meant: impl Fn(&Interval) -> bool) -> Interval {
        let started = Instant::now();
        loop {
            let interval = self.next();
            if is_meant(&interval) {
                return interval;
            }
            assert!(started.elapsed() < PATIENCE, "such an interval never came");
        }
    }

    /// Ends the thread; answers with what it still had to say.
    fn finish(&mut self) -> Vec<Interval> {
        drop(self.stop.take());
        let mut rest = Vec::new();
        while let Some(interval) = self.intervals.blocking_recv() {
            rest.push(interval);
        }
        self.thread.take().unwrap().join().unwrap();
        rest
    }
}

fn captured(interval: &Interval) -> (u64, Option<i64>) {
    let ingress = interval.interfaces[0].conservation.unwrap().ingress;
    (ingress.terms.captured().bytes, ingress.residual_bytes)
}

#[test]
fn what_came_before_the_start_belongs_to_no_interval_and_all_else_is_conserved() {
    let sources = Doubles::default();
    sources.0.lock().unwrap().frames = 1_000;
    let mut running = Running::start(sources, Duration::from_millis(20), Review::default());
    let mut intervals = vec![running.next()];
    running.sources.0.lock().unwrap().frames += 500;
    intervals.push(running.next());
    intervals.extend(running.finish());
    for interval in &intervals {
        assert_eq!(captured(interval).1, Some(0), "{interval:?}");
        assert_eq!(interval.capture.method, CaptureMethod::AfPacket);
    }
    let sum: u64 = intervals.iter().map(|interval| captured(interval).0).sum();
    assert!(sum <= 1_500 * u64::from(FRAME_BYTES));
    assert!(
        intervals
            .windows(2)
            .all(|pair| pair[0].window.end() <= pair[1].window.end())
    );
}

#[test]
fn what_is_captured_is_reported_although_a_filter_leaves_it_out() {
    let sources = Doubles::default();
    sources.0.lock().unwrap().is_left_out = true;
    let mut running = Running::start(sources, Duration::from_millis(10), OFTEN);
    running.sources.0.lock().unwrap().frames += 100;
    assert_eq!(captured(&running.next()).1, Some(0));
    // An interface that comes to be captured is reported from its first interval on.
    *running.interface.lock().unwrap() = "wlan0".to_owned();
    let later = running.next_where(|interval| interval.capture.interfaces == ["wlan0"]);
    assert_eq!(later.interfaces[0].facts.name, "wlan0");
    assert!(later.interfaces[0].kernel.is_some() && later.interfaces[0].conservation.is_some());
    // Without capture the filter has its way.
    running
        .sources
        .clone()
        .refusing(CaptureMethod::AfPacket, CollectErrorKind::Permission);
    running.sources.0.lock().unwrap().is_broken = true;
    let last = running.next_where(|i| i.capture.method == CaptureMethod::SockDiag);
    assert!(last.interfaces.is_empty());
    running.finish();
}

#[test]
fn the_end_closes_the_open_interval_at_once() {
    let mut running = Running::start(
        Doubles::default(),
        Duration::from_secs(300),
        Review::default(),
    );
    running.sources.0.lock().unwrap().frames = 3;
    let started = Instant::now();
    while running.sources.0.lock().unwrap().frames > 0 {
        assert!(started.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(1));
    }
    let rest = running.finish();
    assert_eq!(rest.len(), 1);
    assert!(rest[0].window.duration() < Duration::from_secs(300));
    assert_eq!(captured(&rest[0]).1, Some(0));
}

#[test]
fn a_source_that_fails_ends_its_interval_and_the_next_step_takes_over() {
    let mut running = Running::start(
        Doubles::default(),
        Duration::from_secs(300),
        Review::default(),
    );
    running
        .sources
        .clone()
        .refusing(CaptureMethod::AfPacket, CollectErrorKind::Permission);
    running.sources.0.lock().unwrap().is_broken = true;
    let before = running.next();
    assert_eq!(before.capture.method, CaptureMethod::AfPacket);
    let after = running.finish();
    assert_eq!(after[0].capture.method, CaptureMethod::SockDiag);
    let note = after[0].capture.note.clone().unwrap();
    assert!(
        note.starts_with("TCP only") && note.contains("went away"),
        "{note}"
    );
    assert!(after[0].interfaces[0].conservation.is_none());
}

const OFTEN: Review = Review {
    interfaces: Duration::ZERO,
    climb: Duration::ZERO,
};

#[test]
fn a_better_step_is_taken_once_it_is_permitted() {
    let sources =
        Doubles::default().refusing(CaptureMethod::AfPacket, CollectErrorKind::Permission);
    let mut running = Running::start(sources, Duration::from_millis(10), OFTEN);
    assert_eq!(running.next().capture.method, CaptureMethod::SockDiag);
    running.sources.0.lock().unwrap().refused.clear();
    running.next_where(|i| i.capture.method == CaptureMethod::AfPacket);
    running.sources.0.lock().unwrap().frames += 100;
    let last = running.finish().pop().unwrap();
    assert_eq!(captured(&last).1, Some(0));
    assert!(last.capture.note.is_none());
}

#[test]
fn another_choice_of_interfaces_takes_over_without_a_byte_lost_or_counted_twice() {
    let mut running = Running::start(Doubles::default(), Duration::from_millis(10), OFTEN);
    running.next();
    *running.interface.lock().unwrap() = "wlan0".to_owned();
    running.sources.0.lock().unwrap().frames += 2_000;
    let mut intervals = Vec::new();
    let started = Instant::now();
    while running.sources.0.lock().unwrap().frames > 0
        || !intervals
            .iter()
            .any(|i: &Interval| i.capture.interfaces == ["wlan0"])
    {
        assert!(started.elapsed() < PATIENCE);
        intervals.push(running.next());
    }
    intervals.extend(running.finish());
    let sum: u64 = intervals.iter().map(|interval| captured(interval).0).sum();
    let received: u64 = intervals
        .iter()
        .map(|interval| interval.losses[0].received)
        .sum();
    assert_eq!(received, 2_000);
    // The double hands each frame to one source only, and what the other side of the change
    // belongs to is left out: that is what the residual says.
    let residual: i64 = intervals
        .iter()
        .filter_map(|interval| captured(interval).1)
        .sum();
    assert_eq!(
        i64::try_from(sum).unwrap() + residual,
        2_000 * i64::from(FRAME_BYTES)
    );
}
