//! Days without a collector, on a clock that runs faster.

use std::io::Write;
use std::time::Duration;

use bwmon_core::report::{Batch, Envelope, Fate};
use bwmon_core::time::Timestamp;
use bwmon_sinks::spool::{Folder, Spool, SpoolConfig, SpoolStats};

use super::emitter::{self, EMITTED, Enrolled};
use super::lab::Lab;
use super::scale;

const INTERVAL: Duration = Duration::from_secs(2);
const RESTARTS: u32 = 10;

/// What an agent says within the outage waits in its spool as it is by default, through kills; then all
/// of it arrives.
#[test]
fn three_days_without_a_collector_arrive_afterwards() {
    let hours: u64 = scale::of("BWMON_SOAK_HOURS", 2, 72);
    let mut lab = Lab::new();
    let data = lab.emitter_data();
    let end = emitter::now();
    // The last report is as old as the age limit lets the first one be.
    let outage = Duration::from_secs(hours * 3_600 - 60);
    let mut emitted = emitter::append(&data.join(EMITTED));
    let mut at = end.minus(outage);
    let mut spool = open(&data, at);
    let reports = u32::try_from(outage.as_secs() / INTERVAL.as_secs()).unwrap();
    for number in 1..=reports {
        at = at.plus(INTERVAL);
        for record in spool.append(emitter::report(at, INTERVAL), at) {
            let key = record.key();
            writeln!(emitted, "{} {}", key.epoch, key.seq).unwrap();
        }
        spool.tick(at);
        if number % (reports / (RESTARTS + 1)) == 0 {
            // Dropped and not closed: as if killed.
            drop(spool);
            spool = open(&data, at);
        }
    }
    let before = spool.stats();
    let after = deliver(&lab, &mut spool);
    drop(spool.close(emitter::now()));
    lab.end();
    let ledger = lab.ledger_of(&data);
    let balance = ledger.balance(&data);
    scale::say(&format!(
        "{hours} h: {} reports, {} MiB on disk; {balance:?}; {after:?}",
        reports,
        before.disk_bytes >> 20
    ));
    assert!(after.is_balanced() && after.spooled == 0, "{after:?}");
    assert_eq!(after.flows_lost, 0, "{after:?}");
    balance.assert_nothing_lost();
}

fn open(data: &std::path::Path, now: Timestamp) -> Spool {
    let files = Box::new(Folder::new(data.join("spool")));
    Spool::open(files, SpoolConfig::default(), emitter::draw, now)
}

/// Sends until nothing is left.
fn deliver(lab: &Lab, spool: &mut Spool) -> SpoolStats {
    let enrolled = Enrolled::read(&lab.emitter_data());
    let collector = format!("http://{}", lab.listen());
    let mut sink = enrolled.sink(&collector, &lab.emitter_data());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        loop {
            let records = spool.take(64, 64);
            if records.is_empty() {
                break;
            }
            let agent = enrolled.agent;
            let entries = records.into_iter().map(|record| Envelope { agent, record });
            let batch = Batch {
                entries: entries.collect(),
            };
            match sink.write(&batch).await {
                Ok(receipt) => {
                    for (entry, fate) in batch.entries.iter().zip(&receipt.fates) {
                        assert!(!matches!(fate, Fate::Refused(_)), "{fate:?}");
                        spool.settle(entry.record.key(), fate);
                    }
                    for stream in &receipt.streams {
                        spool.missing(stream.epoch, &stream.missing);
                    }
                }
                Err(error) => {
                    assert!(error.is_retryable(), "{error}");
                    spool.give_back();
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            spool.tick(emitter::now());
        }
    });
    spool.stats()
}
