//! By how much an agent's wall clock is off, and where its reports belong by the receiver's.

use std::collections::VecDeque;
use std::time::Duration;

use super::clock::Sent;
use super::interval::Interval;
use crate::time::Timestamp;

/// Boots of a host that are remembered: what waited on its disk may be of an earlier one.
const BOOTS: usize = 4;
/// Deliveries that a boot's beginning is estimated from.
const SAMPLES: usize = 8;
/// Deliveries from which on an estimate is believed.
const BELIEVED: usize = 3;
/// How far off a wall clock may be before its times are moved: less is within what a request takes
/// on its way, and moving would do more harm than good.
const TOLERATED_US: i64 = 1_000_000;
/// From here on a single delivery is believed: none takes this long.
const CERTAIN_US: i64 = 60_000_000;
/// How much better an estimate must be before it replaces the one in use: where a host's times are
/// moved, they are moved evenly.
const WORTH_MOVING_US: i64 = 250_000;
/// How far ahead of the receiver's clock a report may end. What is further is refused.
pub const FUTURE_LIMIT: Duration = Duration::from_secs(600);

/// What a receiver learns of one agent's clocks.
///
/// An agent says with each delivery how long ago its host booted, by a clock that nobody can set, and
/// the same of the end of each report. The receiver's clock less that is the moment of the boot, plus
/// the time that the delivery took; so the least of the last eight is the best estimate, and steps of
/// the agent's wall clock do not touch it. Where a report's own time is more than a second off what
/// follows from it, the report is moved there.
#[derive(Debug, Clone, Default)]
pub struct ClockTracker {
    /// The present boot last.
    boots: VecDeque<Boot>,
    ahead_us: Option<i64>,
}

#[derive(Debug, Clone)]
struct Boot {
    id: String,
    /// When it was by the receiver's clock, in microseconds, by the last deliveries.
    samples: VecDeque<i64>,
    /// The estimate in use.
    began_us: i64,
}

impl ClockTracker {
    /// Takes what a delivery says, which was received at `received`.
    pub fn heard(&mut self, sent: &Sent, received: Timestamp) {
        let began_us = micros(received.as_micros()).saturating_sub(micros(sent.since_boot_us));
        let known = self.boots.iter().position(|boot| boot.id == sent.boot_id);
        let mut boot = match known.and_then(|at| self.boots.remove(at)) {
            Some(boot) => boot,
            None => Boot {
                id: sent.boot_id.clone(),
                samples: VecDeque::with_capacity(SAMPLES),
                began_us,
            },
        };
        boot.sample(began_us);
        let now_us = boot.began_us.saturating_add(micros(sent.since_boot_us));
        self.ahead_us = Some(micros(sent.at.as_micros()).saturating_sub(now_us));
        self.boots.push_back(boot);
        if self.boots.len() > BOOTS {
            self.boots.pop_front();
        }
    }

    /// How far the agent's wall clock was ahead of the receiver's at the last delivery, in
    /// microseconds; negative where it was behind. Up to a second of it may be the way.
    pub const fn ahead_us(&self) -> Option<i64> {
        self.ahead_us
    }

    /// Moves a report to where it belongs by the receiver's clock; says whether it was moved.
    ///
    /// While the agent's clock is more than [`FUTURE_LIMIT`] ahead nothing is moved: its host's clock
    /// must be set, and what is that far in the future is refused.
    pub fn correct(&self, interval: &mut Interval) -> bool {
        let by_us = self.correction(interval).unwrap_or(0);
        interval.move_by(by_us);
        by_us != 0
    }

    fn correction(&self, interval: &Interval) -> Option<i64> {
        if self.ahead_us? > limit_us() {
            return None;
        }
        let clocks = interval.clocks?;
        let boot_id = &interval.host.as_ref()?.facts.boot_id;
        let boot = self.boots.iter().find(|boot| boot.id == *boot_id)?;
        let end_us = boot.began_us.saturating_add(micros(clocks.since_boot_us));
        let told_us = micros(interval.window.end().as_micros());
        let ahead_us = told_us.saturating_sub(end_us);
        let tolerated_us = match boot.samples.len() {
            0..BELIEVED => CERTAIN_US,
            _ => TOLERATED_US,
        };
        (ahead_us.saturating_abs() > tolerated_us).then(|| ahead_us.saturating_neg())
    }
}

impl Boot {
    fn sample(&mut self, began_us: i64) {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(began_us);
        let best = self.samples.iter().min().copied().unwrap_or(began_us);
        let difference = best.saturating_sub(self.began_us).saturating_abs();
        if difference > WORTH_MOVING_US || self.samples.len() <= BELIEVED {
            self.began_us = best;
        }
    }
}

fn micros(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn limit_us() -> i64 {
    i64::try_from(FUTURE_LIMIT.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ClockReading, FlowRow, HostFacts, HostMetrics};
    use crate::time::Window;
    use proptest::prelude::*;

    const BOOTED_US: i64 = 1_795_000_000_000_000;
    const LENGTH: Duration = Duration::from_secs(2);
    const LIMIT_US: i64 = 600_000_000;

    /// A host whose wall clock is set as people like.
    struct Host {
        boot_id: &'static str,
        since_boot_us: i64,
        wall_error_us: i64,
    }

    impl Host {
        fn new(wall_error_us: i64) -> Self {
            Self {
                boot_id: "one",
                since_boot_us: 100_000_000,
                wall_error_us,
            }
        }

        fn wall(&self) -> Timestamp {
            let us = BOOTED_US + self.since_boot_us + self.wall_error_us;
            Timestamp::from_micros(u64::try_from(us).unwrap())
        }

        fn report(&mut self) -> Interval {
            self.since_boot_us += 2_000_000;
            let end = self.wall();
            let host = HostMetrics {
                facts: HostFacts {
                    boot_id: self.boot_id.to_owned(),
                    ..HostFacts::default()
                },
                ..HostMetrics::default()
            };
            Interval {
                window: Window::new(end.minus(LENGTH), LENGTH),
                host: Some(host),
                clocks: Some(ClockReading {
                    since_boot_us: self.since_boot_us.unsigned_abs(),
                    ..ClockReading::default()
                }),
                ..Interval::default()
            }
        }

        fn sent(&self) -> Sent {
            Sent {
                at: self.wall(),
                since_boot_us: self.since_boot_us.unsigned_abs(),
                boot_id: self.boot_id.to_owned(),
            }
        }

        /// The receiver's clock after a delivery that took `transit_us`.
        fn received(&self, transit_us: i64) -> Timestamp {
            let us = BOOTED_US + self.since_boot_us + transit_us;
            Timestamp::from_micros(us.unsigned_abs())
        }
    }

    fn deliver(tracker: &mut ClockTracker, host: &Host, transit_us: i64) {
        tracker.heard(&host.sent(), host.received(transit_us));
    }

    fn end_us(interval: &Interval) -> i64 {
        micros(interval.window.end().as_micros())
    }

    #[test]
    fn a_clock_that_is_right_is_left_alone() {
        let (mut host, mut tracker) = (Host::new(300_000), ClockTracker::default());
        for _ in 0..10 {
            let mut interval = host.report();
            let told = interval.clone();
            deliver(&mut tracker, &host, 40_000);
            assert!(!tracker.correct(&mut interval));
            assert_eq!(interval, told);
        }
        assert_eq!(tracker.ahead_us(), Some(260_000));
    }

    #[test]
    fn rows_move_with_their_window_and_the_move_is_noted() {
        let (mut host, mut tracker) = (Host::new(-3_600_000_000), ClockTracker::default());
        let mut interval = host.report();
        interval.flows = vec![FlowRow {
            interface: None,
            protocol: 6,
            local: [10, 0, 0, 1].into(),
            local_port: 1,
            remote: [10, 0, 0, 2].into(),
            remote_port: 2,
            traffic: Default::default(),
            first: interval.window.start,
            last: interval.window.end(),
            tcp_flags: 0,
        }];
        let told = interval.window;
        deliver(&mut tracker, &host, 0);
        assert!(tracker.correct(&mut interval), "an hour is certain at once");
        assert_eq!(interval.clocks.unwrap().moved_us, 3_600_000_000);
        assert_eq!(end_us(&interval), BOOTED_US + host.since_boot_us);
        assert_eq!(interval.flows[0].first, interval.window.start);
        assert_eq!(interval.flows[0].last, interval.window.end());
        assert_eq!(interval.window_as_told(), told);
    }

    #[test]
    fn a_few_seconds_are_believed_only_after_some_deliveries() {
        let (mut host, mut tracker) = (Host::new(-5_000_000), ClockTracker::default());
        let mut moved = Vec::new();
        for transit_us in [20_000_000, 30_000, 10_000, 50_000] {
            let mut interval = host.report();
            deliver(&mut tracker, &host, transit_us);
            tracker.correct(&mut interval);
            moved.push(interval.clocks.unwrap().moved_us);
        }
        assert_eq!(moved, [0, 0, 5_010_000, 5_010_000]);
    }

    #[test]
    fn a_clock_far_ahead_is_not_mended() {
        let (mut host, mut tracker) = (Host::new(LIMIT_US + 1_000_000), ClockTracker::default());
        for _ in 0..4 {
            let mut interval = host.report();
            deliver(&mut tracker, &host, 0);
            assert!(!tracker.correct(&mut interval));
        }
        assert_eq!(tracker.ahead_us(), Some(LIMIT_US + 1_000_000));
        // Once it is set, what was measured before is put right.
        let mut waited = host.report();
        host.wall_error_us = 0;
        deliver(&mut tracker, &host, 0);
        assert!(tracker.correct(&mut waited));
        assert_eq!(end_us(&waited), BOOTED_US + host.since_boot_us);
    }

    #[test]
    fn what_an_agent_says_of_moves_is_forgotten() {
        let mut interval = Host::new(0).report();
        interval.clocks.as_mut().unwrap().moved_us = 7;
        assert!(!ClockTracker::default().correct(&mut interval));
        assert_eq!(interval.clocks.unwrap().moved_us, 0);
    }

    #[test]
    fn absurd_clocks_do_no_harm() {
        let mut tracker = ClockTracker::default();
        let mut interval = Host::new(0).report();
        interval.clocks.as_mut().unwrap().since_boot_us = u64::MAX;
        for (at, since_boot_us) in [(0, u64::MAX), (u64::MAX, 0), (u64::MAX, u64::MAX), (0, 0)] {
            let sent = Sent {
                at: Timestamp::from_micros(at),
                since_boot_us,
                boot_id: "one".to_owned(),
            };
            tracker.heard(&sent, Timestamp::from_micros(at));
            tracker.correct(&mut interval.clone());
        }
        for boot in 0..100 {
            let sent = Sent {
                at: Timestamp::EPOCH,
                since_boot_us: 0,
                boot_id: boot.to_string(),
            };
            tracker.heard(&sent, Timestamp::EPOCH);
        }
        assert_eq!(tracker.boots.len(), BOOTS);
    }

    /// What happens to a host between two reports.
    #[derive(Debug, Clone)]
    enum Event {
        /// Its wall clock is set: error from now on, in microseconds.
        Step(i64),
        /// Its reports wait.
        Outage(u8),
        /// It sleeps.
        Sleep(i64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (-90_000_000_000_i64..90_000_000_000).prop_map(Event::Step),
            (-3_000_000_i64..3_000_000).prop_map(Event::Step),
            (1_u8..20).prop_map(Event::Outage),
            (0_i64..30_000_000_000).prop_map(Event::Sleep),
        ]
    }

    proptest! {
        /// Whatever is done to the wall clock: a report ends where it ended, up to what is tolerated
        /// and what deliveries took; it is never longer or shorter; and reports stay in order.
        #[test]
        fn steps_of_the_wall_clock_do_not_move_the_past(
            first_error in -90_000_000_000_i64..90_000_000_000,
            events in prop::collection::vec(event(), 0..12),
            transits in prop::collection::vec(0_i64..400_000, 64),
        ) {
            let (mut host, mut tracker) = (Host::new(first_error), ClockTracker::default());
            let mut transits = transits.into_iter().cycle();
            // Three deliveries settle the estimate.
            for _ in 0..3 {
                host.report();
                deliver(&mut tracker, &host, transits.next().unwrap());
            }
            for event in events {
                let mut waiting = Vec::new();
                match event {
                    Event::Step(error) => host.wall_error_us = error,
                    Event::Sleep(us) => host.since_boot_us += us,
                    Event::Outage(reports) => {
                        waiting.extend((0..reports).map(|_| (host.report(), host.since_boot_us)));
                    }
                }
                waiting.push((host.report(), host.since_boot_us));
                deliver(&mut tracker, &host, transits.next().unwrap());
                let is_far_ahead = tracker.ahead_us().unwrap() > LIMIT_US;
                let mut before = i64::MIN;
                for (mut interval, since_boot_us) in waiting {
                    let told = interval.window;
                    tracker.correct(&mut interval);
                    prop_assert_eq!(interval.window.duration(), LENGTH);
                    prop_assert_eq!(interval.window_as_told(), told);
                    if is_far_ahead {
                        prop_assert_eq!(interval.window, told);
                        continue;
                    }
                    let error = end_us(&interval) - (BOOTED_US + since_boot_us);
                    prop_assert!(error.abs() <= TOLERATED_US + 400_000 + WORTH_MOVING_US, "{}", error);
                    let end = end_us(&interval);
                    prop_assert!(end > before, "{} after {}", end, before);
                    before = end;
                }
            }
        }
    }
}
