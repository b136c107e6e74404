use super::*;
use proptest::prelude::*;

const UP: HostState = HostState {
    first_seen: Timestamp::EPOCH,
    status: HostStatus::Up,
};
const BOOTED_S: u64 = 1_000;

fn window(start_s: u64, seconds: u64) -> Window {
    Window::new(Timestamp::from_secs(start_s), Duration::from_secs(seconds))
}

fn key(epoch: u128, seq: u64) -> RecordKey {
    RecordKey {
        epoch: Epoch(epoch),
        seq,
    }
}

/// Two seconds from `start_s`, of an agent without clocks that cannot be set.
fn plain(epoch: u128, seq: u64, start_s: u64) -> Covered {
    Covered {
        key: key(epoch, seq),
        window: window(start_s, 2),
        clocks: None,
        boot_id: String::new(),
    }
}

/// The same of a host that booted at 1,000 s and whose agent started a second later.
fn clocked(epoch: u128, seq: u64, start_s: u64) -> Covered {
    Covered {
        clocks: Some(ClockReading {
            since_boot_us: (start_s + 2 - BOOTED_S) * 1_000_000,
            process_started_us: 1_000_000,
            ..ClockReading::default()
        }),
        boot_id: "one".to_owned(),
        ..plain(epoch, seq, start_s)
    }
}

fn with_clocks(mut covered: Covered, change: impl FnOnce(&mut ClockReading)) -> Covered {
    change(covered.clocks.as_mut().unwrap());
    covered
}

fn dropped(epoch: u128, from_seq: u64, to: u64, reason: DropReason) -> Notice {
    let dropped = Dropped {
        from_seq,
        reports: to - from_seq + 1,
        reason,
    };
    Notice::Dropped(key(epoch, to), dropped)
}

fn started(epoch: u128, at_s: u64, previous: Option<u128>) -> Notice {
    let start = EpochStart {
        started: Timestamp::from_secs(at_s),
        previous: previous.map(Epoch),
    };
    Notice::EpochStart(key(epoch, 1), start)
}

fn reasons(reports: &[Covered], notices: &[Notice], host: HostState) -> Vec<(u64, u64, GapReason)> {
    let range = window(2_000, 20);
    let gaps = gaps(range, reports, notices, host);
    let seconds = |gap: &Gap| {
        let start = gap.window.start.as_micros() / 1_000_000;
        (start, gap.window.duration_us / 1_000_000, gap.reason)
    };
    gaps.iter().map(seconds).collect()
}

fn reason(before: Covered, after: Covered, notices: &[Notice]) -> GapReason {
    match reasons(&[before, after], notices, UP)[..] {
        [(_, _, reason)] => reason,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn what_will_never_come_says_why() {
    for (why, expected) in [
        (DropReason::QueueFull, GapReason::SpoolFull),
        (DropReason::SpoolFull, GapReason::SpoolFull),
        (DropReason::TooOld, GapReason::SpoolFull),
        (DropReason::Damage, GapReason::Damage),
        (DropReason::Refused, GapReason::Refused),
        (DropReason::Clock, GapReason::Clock),
        (DropReason::Other, GapReason::Unknown),
    ] {
        let notice = dropped(1, 3, 4, why);
        let (before, after) = (clocked(1, 2, 2_000), clocked(1, 5, 2_006));
        assert_eq!(reason(before, after, &[notice]), expected);
    }
    // That of most of them counts; what is not settled may still come.
    let notices = [
        dropped(1, 3, 3, DropReason::QueueFull),
        dropped(1, 4, 6, DropReason::Refused),
        dropped(2, 3, 9, DropReason::QueueFull),
    ];
    let (before, after) = (plain(1, 2, 2_000), plain(1, 8, 2_012));
    assert_eq!(reason(before.clone(), after, &notices), GapReason::Refused);
    let after = plain(1, 20, 2_016);
    assert_eq!(reason(before, after, &notices), GapReason::NotYet);
}

#[test]
fn numbers_that_nobody_settled_may_still_come_while_their_epoch_goes_on() {
    let hole = [plain(1, 2, 2_000), plain(1, 5, 2_006)];
    assert_eq!(reasons(&hole, &[], UP), [(2_002, 4, GapReason::NotYet)]);
    let mut ended = hole.to_vec();
    ended.push(plain(2, 2, 2_008));
    assert_eq!(reasons(&ended, &[], UP), [(2_002, 4, GapReason::Unknown)]);
}

#[test]
fn clocks_that_nobody_can_set_tell_sleep_from_absence() {
    let before = || clocked(1, 2, 2_000);
    let after = || clocked(1, 3, 2_010);
    let restarted = with_clocks(after(), |clocks| clocks.process_started_us = 1_009_000_000);
    assert_eq!(reason(before(), restarted, &[]), GapReason::AgentOff);
    let rebooted = Covered {
        boot_id: "two".to_owned(),
        ..after()
    };
    assert_eq!(reason(before(), rebooted, &[]), GapReason::AgentOff);
    let slept = with_clocks(after(), |clocks| clocks.suspended_us = 8_000_000);
    assert_eq!(reason(before(), slept, &[]), GapReason::Asleep);
    assert_eq!(reason(before(), after(), &[]), GapReason::Unknown);
    // Eight seconds by the wall clock, none by the other.
    let stepped = with_clocks(after(), |clocks| clocks.since_boot_us -= 8_000_000);
    assert_eq!(reason(before(), stepped, &[]), GapReason::Clock);
    // An agent that was killed skips numbers that it may have used.
    let skipping = Covered {
        key: key(1, 60),
        ..with_clocks(after(), |clocks| clocks.process_started_us = 1_009_000_000)
    };
    assert_eq!(reason(before(), skipping.clone(), &[]), GapReason::NotYet);
    let never = dropped(1, 3, 59, DropReason::NeverExisted);
    assert_eq!(reason(before(), skipping, &[never]), GapReason::AgentOff);
}

#[test]
fn another_epoch_is_a_restart_unless_a_spool_was_lost() {
    let (before, after) = (plain(1, 2, 2_000), plain(2, 2, 2_006));
    let of = |notices: &[Notice]| reason(before.clone(), after.clone(), notices);
    assert_eq!(of(&[started(2, 2_004, None)]), GapReason::AgentOff);
    assert_eq!(of(&[started(2, 2_004, Some(1))]), GapReason::Unknown);
    assert_eq!(of(&[started(2, 1_990, None)]), GapReason::Unknown);
    assert_eq!(of(&[]), GapReason::Unknown);
}

#[test]
fn the_tail_of_a_silent_host_may_still_come() {
    let stale = HostState {
        status: HostStatus::Stale,
        ..UP
    };
    assert_eq!(
        reasons(&[plain(1, 2, 2_000)], &[], stale),
        [(2_002, 18, GapReason::NotYet)]
    );
    assert_eq!(reasons(&[], &[], stale), [(2_000, 20, GapReason::NotYet)]);
}

#[test]
fn before_a_host_was_known_nothing_is_missing() {
    let new = HostState {
        first_seen: Timestamp::from_secs(2_010),
        ..UP
    };
    assert_eq!(reasons(&[plain(1, 2, 2_008)], &[], new), []);
    assert_eq!(
        reasons(&[plain(1, 2, 2_008)], &[], UP),
        [(2_000, 8, GapReason::Unknown)]
    );
}

#[test]
fn the_host_s_clock_was_set_where_both_clocks_disagree() {
    let back = with_clocks(clocked(1, 4, 2_004), |clocks| {
        clocks.moved_us = 3_600_000_000;
    });
    let reports = [clocked(1, 2, 2_000), clocked(1, 3, 2_002), back];
    let expected = ClockStep {
        at: Timestamp::from_secs(2_006),
        by_us: -3_600_000_000,
    };
    assert_eq!(clock_steps(&reports), [expected]);
    assert_eq!(gaps(window(2_000, 6), &reports, &[], UP), []);
    // Of two boots or without clocks nothing is known.
    let other = Covered {
        boot_id: "two".to_owned(),
        ..clocked(1, 5, 9_000)
    };
    assert_eq!(clock_steps(&[clocked(1, 4, 2_004), other]), []);
    assert_eq!(clock_steps(&[plain(1, 4, 2_004), plain(1, 5, 9_000)]), []);
}

proptest! {
    /// Every moment of the range is covered by a report, by a gap, or within half an interval of a report.
    #[test]
    fn reports_and_gaps_share_the_range(
        steps in prop::collection::vec((2_u64..40, 1_u64..4, 0_u128..2), 1..20),
        is_stale: bool,
    ) {
        let (mut start_s, mut seq) = (BOOTED_S, 1);
        let reports: Vec<Covered> = steps.iter().map(|&(step_s, step_seq, epoch)| {
            (start_s, seq) = (start_s + step_s, seq + step_seq);
            clocked(epoch, seq, start_s)
        }).collect();
        let range = window(BOOTED_S, start_s + 10 - BOOTED_S);
        let status = if is_stale { HostStatus::Stale } else { HostStatus::Up };
        let gaps = gaps(range, &reports, &[], HostState { status, ..UP });
        for second in BOOTED_S..start_s + 2 {
            let at = Timestamp::from_micros(second * 1_000_000 + 500_000);
            let within = |window: Window| window.start <= at && at < window.end();
            let is_covered = reports.iter().any(|report| within(report.window));
            let holes = gaps.iter().filter(|gap| within(gap.window)).count();
            let is_near = reports.iter().any(|report| {
                at.since(report.window.end()) < Duration::from_secs(1)
                    || report.window.start.since(at) < Duration::from_secs(1)
            });
            prop_assert!(holes <= 1);
            prop_assert!(!(is_covered && holes == 1));
            prop_assert!(is_covered || holes == 1 || is_near, "{}", second);
        }
    }
}
