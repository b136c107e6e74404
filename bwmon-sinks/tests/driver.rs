//! The driver with scripted sinks, in paused time.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::time::Duration;

use bwmon_core::report::{AgentId, DropReason, Envelope, Epoch, RecordBody, RecordKey};
use bwmon_core::sink::SinkErrorKind;
use bwmon_core::testkit::{Outcome, SAMPLE_START, Script, ScriptedSink, envelope};
use bwmon_sinks::Clock;
use bwmon_sinks::driver::{Driver, DriverConfig, DriverStats};
use proptest::prelude::*;
use tokio::time::Instant;

const AGENT: AgentId = AgentId(0xa);
const EPOCH: Epoch = Epoch(1);
const LONG: Duration = Duration::from_secs(86_400);

fn report(seq: u64) -> Envelope {
    envelope(AGENT, EPOCH, seq)
}

fn key(seq: u64) -> RecordKey {
    RecordKey { epoch: EPOCH, seq }
}

fn config(queue_records: usize) -> DriverConfig {
    let mut config = DriverConfig::default();
    config.queue_records = queue_records;
    config.clock = Clock::new(|| SAMPLE_START);
    config
}

fn spawn(script: &Script, max_batch: usize, config: DriverConfig) -> Driver {
    Driver::spawn(
        Box::new(ScriptedSink::new(script.clone(), max_batch)),
        config,
    )
}

fn seqs(script: &Script) -> Vec<u64> {
    script
        .stored()
        .iter()
        .map(|entry| entry.record.seq)
        .collect()
}

fn assert_conserved(stats: &DriverStats) {
    let sum = stats.stored + stats.duplicate + stats.refused + stats.dropped;
    assert_eq!(
        stats.offered,
        sum + stats.queued + stats.in_flight,
        "{stats:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn records_arrive_in_order_and_in_batches() {
    let script = Script::new();
    let driver = spawn(&script, 4, config(100));
    (1..=10).for_each(|seq| driver.offer(report(seq)));
    let closed = driver.close(LONG).await;
    closed.sink.unwrap();
    assert_eq!(
        (closed.stats.stored, closed.stats.last_success),
        (10, Some(SAMPLE_START))
    );
    assert!(closed.stats.is_empty());
    assert_eq!(seqs(&script), (1..=10).collect::<Vec<_>>());
    let sizes: Vec<_> = script
        .writes()
        .iter()
        .map(|batch| batch.entries.len())
        .collect();
    assert_eq!(sizes, [4, 4, 2]);
    assert_eq!(script.closed(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_sent_again_until_it_is_taken_and_a_lost_answer_counts_once() {
    let script = Script::new();
    for kind in [
        SinkErrorKind::Unavailable,
        SinkErrorKind::Busy,
        SinkErrorKind::Broken,
        SinkErrorKind::Unauthorised,
        SinkErrorKind::Incompatible,
    ] {
        script.then(Outcome::Fail(kind));
    }
    script.then(Outcome::LoseAnswer);
    let driver = spawn(&script, 8, config(100));
    (1..=3).for_each(|seq| driver.offer(report(seq)));
    let mut stats = driver.watch();
    stats.wait_for(|stats| stats.retries == 3).await.unwrap();
    assert!(
        stats
            .borrow()
            .last_error
            .as_deref()
            .unwrap()
            .contains("Broken")
    );
    stats.wait_for(DriverStats::is_empty).await.unwrap();
    let stats = driver.stats();
    assert_eq!((stats.retries, stats.duplicate, stats.stored), (6, 3, 0));
    assert_eq!(stats.last_error, None);
    assert_eq!(seqs(&script), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn the_destinations_word_and_a_missing_credential_set_the_pace() {
    let script = Script::new();
    script.then(Outcome::ComeBackIn(Duration::from_secs(100)));
    script.then(Outcome::Fail(SinkErrorKind::Unauthorised));
    let driver = spawn(&script, 8, config(100));
    let start = Instant::now();
    driver.offer(report(1));
    let mut stats = driver.watch();
    stats.wait_for(|stats| stats.retries == 2).await.unwrap();
    let first = start.elapsed();
    stats.wait_for(DriverStats::is_empty).await.unwrap();
    let second = start.elapsed() - first;
    // Paused time: these are the driver's own waits, not the machine's.
    assert!((80..=121).contains(&first.as_secs()), "{first:?}");
    assert!((240..=361).contains(&second.as_secs()), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn when_the_queue_is_full_the_receiver_is_told_what_is_missing() {
    let script = Script::new();
    script.then(Outcome::Fail(SinkErrorKind::Unavailable));
    let driver = spawn(&script, 2, config(5));
    driver.offer(report(1));
    driver.offer(report(2));
    let mut stats = driver.watch();
    stats.wait_for(|stats| stats.retries == 1).await.unwrap();
    // 1 and 2 are in flight and stay; 3 to 16 give way to what comes later.
    (3..=20).for_each(|seq| driver.offer(report(seq)));
    let full = driver.stats();
    assert_eq!(
        (full.in_flight, full.queued, full.dropped, full.notices),
        (2, 4, 14, 1)
    );
    assert_conserved(&full);
    let closed = driver.close(LONG).await;
    assert_eq!(
        (closed.stats.stored, closed.stats.notices_delivered),
        (6, 1)
    );
    assert_conserved(&closed.stats);
    assert_eq!(seqs(&script), [1, 2, 16, 17, 18, 19, 20]);
    let RecordBody::Dropped(dropped) = script.stored()[2].record.body else {
        panic!()
    };
    assert_eq!((dropped.from_seq, dropped.reports), (3, 14));
    assert_eq!(dropped.reason, DropReason::QueueFull);
}

#[tokio::test(start_paused = true)]
async fn one_poison_record_does_not_hold_up_the_others() {
    let script = Script::new();
    script.poison(key(3));
    script.refuse(key(5), "clock");
    let driver = spawn(&script, 8, config(100));
    (1..=8).for_each(|seq| driver.offer(report(seq)));
    let closed = driver.close(LONG).await;
    assert_eq!(seqs(&script), [1, 2, 4, 6, 7, 8]);
    assert_eq!(
        (
            closed.stats.stored,
            closed.stats.refused,
            closed.stats.retries
        ),
        (6, 2, 0)
    );
    assert_eq!(closed.stats.refusals.len(), 2);
    assert!(closed.stats.refusals.contains(&("clock".to_owned(), 1)));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_too_large_is_halved_until_it_fits() {
    let script = Script::new();
    script.limit_records(3);
    let driver = spawn(&script, 16, config(100));
    (1..=16).for_each(|seq| driver.offer(report(seq)));
    let closed = driver.close(LONG).await;
    assert_eq!(seqs(&script), (1..=16).collect::<Vec<_>>());
    assert_eq!((closed.stats.stored, closed.stats.refused), (16, 0));
}

#[tokio::test(start_paused = true)]
async fn closing_takes_no_longer_than_it_may_and_says_what_is_left() {
    let script = Script::new();
    script.then(Outcome::Take);
    script.then(Outcome::Hang);
    let driver = spawn(&script, 2, config(100));
    (1..=2).for_each(|seq| driver.offer(report(seq)));
    assert!(driver.drain(LONG).await);
    (3..=7).for_each(|seq| driver.offer(report(seq)));
    assert!(!driver.drain(Duration::from_secs(1)).await);
    let start = Instant::now();
    let closed = driver.close(Duration::from_secs(5)).await;
    assert_eq!(start.elapsed().as_secs(), 5);
    closed.sink.unwrap();
    assert_eq!(
        (
            closed.stats.stored,
            closed.stats.in_flight,
            closed.stats.queued
        ),
        (2, 2, 3)
    );
    assert_conserved(&closed.stats);
    assert_eq!(script.closed(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_sit_out_a_long_wait() {
    let script = Script::new();
    script.then(Outcome::ComeBackIn(Duration::from_secs(3_000)));
    let driver = spawn(&script, 2, config(100));
    driver.offer(report(1));
    driver
        .watch()
        .wait_for(|stats| stats.retries == 1)
        .await
        .unwrap();
    let closed = driver.close(Duration::from_secs(5)).await;
    assert_eq!(closed.stats.stored, 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_driver_closes_its_sink() {
    let script = Script::new();
    drop(spawn(&script, 2, config(100)));
    while script.closed() == 0 {
        tokio::task::yield_now().await;
    }
}

fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    let kind = prop_oneof![
        Just(SinkErrorKind::Unavailable),
        Just(SinkErrorKind::Busy),
        Just(SinkErrorKind::Unauthorised),
        Just(SinkErrorKind::Incompatible),
        Just(SinkErrorKind::Broken),
        Just(SinkErrorKind::TooLarge),
        Just(SinkErrorKind::Refused),
    ];
    let outcome = prop_oneof![
        3 => Just(Outcome::Take),
        3 => kind.prop_map(Outcome::Fail),
        1 => Just(Outcome::LoseAnswer),
        1 => Just(Outcome::ComeBackIn(Duration::from_secs(9))),
    ];
    prop::collection::vec(outcome, 0..30)
}

/// Agents 1 to 3 speak in turns, as `turns` says; pauses are in seconds.
fn offers() -> impl Strategy<Value = Vec<(u128, u64)>> {
    prop::collection::vec(
        (1_u128..4, prop_oneof![4 => Just(0_u64), 1 => 0_u64..40]),
        0..80,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn what_was_offered_is_always_somewhere(
        outcomes in outcomes(),
        offers in offers(),
        max_batch in 1_usize..6,
        queue in 1_usize..12,
        poison in prop::collection::btree_set(1_u64..20, 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let script = Script::new();
            outcomes.into_iter().for_each(|outcome| script.then(outcome));
            poison.iter().for_each(|seq| script.poison(key(*seq)));
            let driver = spawn(&script, max_batch, config(queue));
            let mut next = [0_u64; 4];
            for (agent, pause) in &offers {
                let seq = &mut next[usize::try_from(*agent).unwrap()];
                *seq += 1;
                driver.offer(envelope(AgentId(*agent), EPOCH, *seq));
                assert_conserved(&driver.stats());
                if *pause > 0 {
                    tokio::time::sleep(Duration::from_secs(*pause)).await;
                }
            }
            let closed = driver.close(LONG).await;
            let stats = closed.stats;
            assert_conserved(&stats);
            prop_assert!(stats.is_empty(), "{:?}", stats);
            prop_assert_eq!(stats.offered, offers.len() as u64);
            let sum: u64 = stats.refusals.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(sum, stats.refused);
            check_destination(&script, &stats)?;
            Ok(())
        })?;
    }
}

/// What arrived is what the driver says, and no notice speaks for a record that arrived.
fn check_destination(script: &Script, stats: &DriverStats) -> Result<(), TestCaseError> {
    let stored = script.stored();
    let mut arrived = BTreeSet::new();
    let (mut announced, mut notices) = (0, 0);
    for entry in &stored {
        match &entry.record.body {
            RecordBody::Dropped(dropped) => {
                announced += dropped.reports;
                notices += 1;
                prop_assert_eq!(entry.record.seq - dropped.from_seq + 1, dropped.reports);
            }
            _ => {
                arrived.insert((entry.agent, entry.record.seq));
            }
        }
    }
    // What is refused after its answer was lost may have arrived all the same.
    let taken = stats.stored + stats.duplicate;
    prop_assert!((taken..=taken + stats.refused).contains(&(arrived.len() as u64)));
    let delivered = stats.notices_delivered;
    prop_assert!((delivered..=delivered + stats.notices_lost).contains(&notices));
    if stats.notices_lost == 0 {
        prop_assert_eq!(announced, stats.dropped);
    }
    for entry in &stored {
        if let RecordBody::Dropped(dropped) = &entry.record.body {
            let covered = dropped.from_seq..=entry.record.seq;
            let is_silent = covered
                .into_iter()
                .all(|seq| !arrived.contains(&(entry.agent, seq)));
            prop_assert!(is_silent, "{:?} speaks for what arrived", dropped);
        }
    }
    Ok(())
}
