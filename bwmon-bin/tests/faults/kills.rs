//! Either side is killed at any moment, and answers are lost after the commit.

use std::thread;
use std::time::{Duration, Instant};

use super::emitter::wait_for_fates;
use super::lab::Lab;
use super::proxy::Fault;
use super::scale;

/// Of 100 answers that are thrown away after the commit.
const LOST_ANSWERS: u8 = 30;

#[test]
fn kills_of_either_side_and_lost_answers_lose_nothing_and_double_nothing() {
    let kills: u32 = scale::of("BWMON_SOAK_KILLS", 12, 1_000);
    let seed: u64 = scale::of("BWMON_SOAK_SEED", 42, fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut lab = Lab::new();
    lab.start_agent();
    lab.start_emitter();
    wait_for_fates(&lab.emitter_data(), 20);
    lab.proxy.drop_answers(LOST_ANSWERS, seed);
    let mut killed = [0; 3];
    for kill in 0..kills {
        thread::sleep(Duration::from_millis(random.u64(0..400)));
        let whom = random.usize(0..3);
        killed[whom] += 1;
        match whom {
            0 => {
                lab.kill_collector();
                lab.start_collector();
            }
            1 => {
                lab.kill_emitter();
                lab.start_emitter();
            }
            _ => {
                lab.kill_agent();
                lab.start_agent();
            }
        }
        if kill % 10 == 9 {
            wait_for_fates(&lab.emitter_data(), 20);
        }
    }
    wait_for_fates(&lab.emitter_data(), 100);
    let lost_answers = lab.proxy.count(Fault::DropAnswer);
    lab.proxy.always(Fault::None);
    let balance = lab.settle();
    let agent = lab.whole_ledger_of_agent();
    balance.assert_nothing_lost();
    assert!(lost_answers > 0 && balance.duplicates > 0, "{balance:?}");
    scale::say(&format!(
        "seed {seed}: {killed:?} kills of collector, emitter and agent, {lost_answers} lost answers: {balance:?}, \
         {} records of the agent",
        agent.records()
    ));
}

/// The collector is away for long, and both that report are killed meanwhile.
#[test]
fn an_outage_with_restarts_inside_loses_nothing() {
    let outage = Duration::from_secs(scale::of("BWMON_SOAK_OUTAGE_S", 12, 600));
    let restarts: u32 = scale::of("BWMON_SOAK_RESTARTS", 3, 10);
    let mut lab = Lab::new();
    lab.start_agent();
    lab.start_emitter();
    wait_for_fates(&lab.emitter_data(), 20);
    lab.kill_collector();
    let begun = Instant::now();
    for restart in 1..=restarts {
        thread::sleep((outage * restart / (restarts + 1)).saturating_sub(begun.elapsed()));
        lab.kill_emitter();
        lab.kill_agent();
        lab.start_emitter();
        lab.start_agent();
    }
    thread::sleep(outage.saturating_sub(begun.elapsed()));
    lab.start_collector();
    wait_for_fates(&lab.emitter_data(), 200);
    let balance = lab.settle();
    balance.assert_nothing_lost();
    let agent = lab.whole_ledger_of_agent();
    scale::say(&format!(
        "{outage:?} of outage with {restarts} restarts: {balance:?}, {} records of the agent",
        agent.records()
    ));
}
