//! The spool on a model of a disk.
//!
//! `BWMON_SPOOL_CASES` says how many cases each property is tried on, and how many places of each file
//! are damaged; 20,000 are all places.
#![allow(clippy::indexing_slicing)]

mod damage;
mod model;
mod world;

use bwmon_core::report::{CLOCK_REFUSAL, DropReason, Fate, RecordKey};
use proptest::prelude::*;

use super::{SpoolConfig, SpoolStats};
use model::{EIO, ENOSPC, Model};
use world::World;

/// What [`BWMON_SPOOL_CASES`](self) says, or `few`.
fn cases(few: u32) -> u32 {
    let told = std::env::var("BWMON_SPOOL_CASES").ok();
    told.map_or(few, |told| {
        told.parse().expect("BWMON_SPOOL_CASES is a number")
    })
}

fn small() -> SpoolConfig {
    SpoolConfig {
        core_bytes: 64 << 10,
        flow_bytes: 64 << 10,
        segment_bytes: 8 << 10,
        memory_bytes: 16 << 10,
        ..SpoolConfig::default()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append,
    Pass(u64),
    Send {
        max: usize,
        fate: u8,
    },
    Crash,
    /// The same in the middle of something, after so many calls.
    CrashWithin(u64),
    Kill,
    Restart,
    Fault {
        after: u64,
        count: u64,
        errno: i32,
    },
    Heal,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Append),
        4 => (0_u64..3).prop_map(Step::Pass),
        1 => (30_u64..100).prop_map(Step::Pass),
        4 => (1_usize..8, 0_u8..5).prop_map(|(max, fate)| Step::Send { max, fate }),
        1 => Just(Step::Crash),
        1 => (0_u64..12).prop_map(Step::CrashWithin),
        1 => Just(Step::Kill),
        1 => Just(Step::Restart),
        1 => (0_u64..12, 1_u64..20, prop_oneof![Just(ENOSPC), Just(EIO)])
            .prop_map(|(after, count, errno)| Step::Fault { after, count, errno }),
        1 => Just(Step::Heal),
    ]
}

fn take(world: &mut World, step: &Step) {
    match step {
        Step::Append => world.append(),
        Step::Pass(seconds) => world.pass(*seconds),
        Step::Send { max, fate } => {
            world.send(*max, |seq| match fate {
                0 => None,
                1 if seq % 3 == 0 => Some(Fate::Refused("clock".to_owned())),
                2 => Some(Fate::Duplicate),
                3 if seq % 2 == 0 => None,
                _ => Some(Fate::Stored),
            });
        }
        Step::Crash => {
            world.disk.crash();
            world.open();
        }
        Step::CrashWithin(calls) => {
            world.disk.fail(*calls, u64::MAX, EIO);
            world.append();
            world.pass(2);
            world.disk.crash();
            world.open();
        }
        Step::Kill => world.open(),
        Step::Restart => {
            world.close();
            world.open();
        }
        Step::Fault {
            after,
            count,
            errno,
        } => world.disk.fail(*after, *count, *errno),
        Step::Heal => world.disk.heal(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(100)))]

    /// `Receiver::take` checks that no number is used twice, `World::check` the sums and bounds.
    #[test]
    fn what_was_durable_arrives_or_is_named_whatever_happens(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new(Model::seeded(seed), small());
        steps.iter().for_each(|step| take(&mut world, step));
        world.deliver_all();
        for key in world.durable.iter().chain(&world.own) {
            prop_assert!(world.receiver.knows(key), "{key:?} is lost without a word");
        }
        let marks: Vec<_> = world.receiver.stored.values().flatten().collect();
        let distinct: std::collections::BTreeSet<_> = marks.iter().collect();
        prop_assert_eq!(marks.len(), distinct.len(), "a report arrived under two numbers");
    }

    /// Without errors of the disk, a crash takes nothing that was durable, and leaves no number of
    /// the one epoch without a word.
    #[test]
    fn crashes_alone_lose_nothing_durable(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let config = SpoolConfig { core_bytes: 4 << 20, flow_bytes: 4 << 20, ..small() };
        let mut world = World::new(Model::seeded(seed), config);
        let is_fault = |step: &&Step| !matches!(step, Step::Fault { .. });
        let refuses = |step: &&Step| !matches!(step, Step::Send { fate: 1, .. });
        steps.iter().filter(is_fault).filter(refuses).for_each(|step| take(&mut world, step));
        world.append();
        world.deliver_all();
        for key in &world.durable {
            prop_assert!(world.receiver.stored.contains_key(key), "{key:?} is lost");
            prop_assert!(!world.receiver.named.contains_key(key), "{key:?} is named and here");
            prop_assert!(!world.receiver.without_rows.contains(key), "{key:?} lost its rows");
        }
        let last = world.own.last().copied().unwrap();
        for seq in 1..=last.seq {
            let key = RecordKey { seq, ..last };
            prop_assert!(world.receiver.knows(&key), "{seq} of {} is a hole", last.seq);
        }
    }
}

/// Each call in turn fails, once or for ever.
#[test]
fn an_error_anywhere_is_survived_and_told() {
    let write = |world: &mut World| {
        for _ in 0..12 {
            world.append();
            world.pass(2);
        }
    };
    let send = |world: &mut World| {
        world.send(5, |_| Some(Fate::Stored));
        world.pass(2);
    };
    let mut world = World::new(Model::default(), small());
    write(&mut world);
    let written = world.disk.calls();
    send(&mut world);
    for at in 0..world.disk.calls() {
        for (count, errno) in [(1, EIO), (1, ENOSPC), (u64::MAX, EIO), (u64::MAX, ENOSPC)] {
            let disk = Model::seeded(at);
            disk.fail(at, count, errno);
            let mut world = World::new(disk, small());
            write(&mut world);
            if count == u64::MAX && at < written {
                let mode = world.spool().stats().memory_mode;
                assert!(mode.is_some(), "call {at}: nobody says so");
            }
            send(&mut world);
            world.deliver_all();
            let is_known = |key| world.receiver.knows(key);
            assert!(world.own.iter().all(is_known), "call {at}");
            assert_eq!(world.spool().stats().memory_mode, None, "call {at}");
        }
    }
}

fn emitted_through(world: &mut World, count: usize) -> SpoolStats {
    for _ in 0..count {
        world.append();
        world.pass(2);
    }
    world.spool().stats()
}

#[test]
fn when_it_is_full_flow_rows_go_first_and_everything_is_named() {
    let config = SpoolConfig {
        core_bytes: 192 << 10,
        flow_bytes: 8 << 10,
        segment_bytes: 2 << 10,
        ..small()
    };
    let mut world = World::new(Model::default(), config);
    let stats = emitted_through(&mut world, 70);
    assert!(
        stats.flows_lost > 0 && stats.dropped.total() == 0,
        "{stats:?}"
    );
    let stats = emitted_through(&mut world, 400);
    assert!(stats.dropped.spool_full > 0, "{stats:?}");
    world.close();
    world.open();
    world.deliver_all();
    let first = *world.receiver.named.keys().next().unwrap();
    assert_eq!(first.seq, 1, "the oldest went first");
    assert!(
        world
            .receiver
            .named
            .values()
            .all(|why| *why == DropReason::SpoolFull)
    );
    assert!((1..=471).all(|seq| world.receiver.knows(&RecordKey { seq, ..first })));
}

#[test]
fn what_waited_too_long_is_given_up_by_name() {
    let mut world = World::new(Model::default(), small());
    emitted_through(&mut world, 10);
    world.pass(72 * 3_600 + 60);
    let stats = world.spool().stats();
    assert_eq!((stats.dropped.too_old, stats.spooled), (11, 0), "{stats:?}");
    world.append();
    world.deliver_all();
    assert_eq!(world.receiver.named.len(), 11);
    assert!(
        world
            .receiver
            .named
            .values()
            .all(|why| *why == DropReason::TooOld)
    );
}

#[test]
fn the_newest_goes_first_and_the_backlog_from_its_oldest_under_the_credit() {
    let mut world = World::new(Model::default(), small());
    emitted_through(&mut world, 9);
    let seqs = |batch: Vec<bwmon_core::report::Record>| -> Vec<u64> {
        batch.iter().map(|record| record.seq).collect()
    };
    assert_eq!(seqs(world.spool().take(4, 64)), [1, 2, 3, 10]);
    assert_eq!(
        seqs(world.spool().take(4, 64)),
        [1, 2, 3, 4],
        "10 was tried"
    );
    world.append();
    assert_eq!(seqs(world.spool().take(4, 0)), [11], "no credit: live only");
    assert_eq!(seqs(world.spool().take(4, 0)), [0_u64; 0]);
    assert_eq!(seqs(world.spool().take(4, 2)), [1, 2]);
}

#[test]
fn a_refused_record_is_kept_for_people_and_told_when_it_is_missed() {
    let mut world = World::new(Model::default(), small());
    emitted_through(&mut world, 40);
    while world.send(8, |seq| {
        Some(match seq % 4 {
            0 => Fate::Refused(format!("{CLOCK_REFUSAL} it is wrong")),
            2 => Fate::Refused("it is wrong".to_owned()),
            _ => Fate::Stored,
        })
    }) > 0
    {}
    let stats = world.spool().stats();
    assert_eq!((stats.quarantined, stats.delivered), (20, 21), "{stats:?}");
    let kept = String::from_utf8(world.disk.image()["quarantine.jsonl"].clone()).unwrap();
    assert_eq!(kept.lines().count(), 16);
    assert!(kept.lines().all(|line| line.contains("it is wrong\"")));

    let epoch = stats.epoch;
    world
        .spool()
        .missing(epoch, &[(0, 3), (4, 4), (900, u64::MAX)]);
    let told: Vec<_> = world
        .spool()
        .take(64, 64)
        .into_iter()
        .map(|r| (r.seq, r.body))
        .collect();
    let reasons: Vec<_> = told
        .iter()
        .map(|(seq, body)| match body {
            bwmon_core::report::RecordBody::Dropped(dropped) => {
                (*seq, dropped.from_seq, dropped.reason)
            }
            _ => unreachable!("nothing else waits"),
        })
        .collect();
    assert!(
        reasons.contains(&(2, 2, DropReason::Refused)),
        "{reasons:?}"
    );
    assert!(reasons.contains(&(4, 4, DropReason::Clock)), "{reasons:?}");
    assert!(
        reasons.iter().all(|(seq, _, _)| *seq <= 4),
        "only what was given away: {reasons:?}"
    );
}

#[test]
fn an_orderly_end_skips_no_number() {
    let mut world = World::new(Model::default(), small());
    for _ in 0..5 {
        emitted_through(&mut world, 3);
        world.close();
        world.open();
    }
    world.deliver_all();
    let seqs: Vec<u64> = world.receiver.stored.keys().map(|key| key.seq).collect();
    assert_eq!(seqs, (1..=16).collect::<Vec<_>>());
    assert!(world.receiver.named.is_empty());
}
