//! What an agent does with what a collector answers: what is held, what is given up, and in which order
//! it all comes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod agent_support;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use agent_support::{Agent, Collector, Reply, wait_for};
use bwmon_core::report::{Document, RecordBody};
use bwmon_sinks::spool::{Folder, look};
use tempfile::TempDir;

const COUNTERS: [&str; 4] = ["--capture-method", "counters", "--ping", "false"];
const STORED: Reply = Reply::Stored { credit: None };

fn in_spool(spool: PathBuf) -> u64 {
    look(&mut Folder::new(spool)).unwrap_or_default().records
}

/// A data folder with at least `count` undelivered records, as an agent leaves it, and how many.
fn backlog(count: u64) -> (TempDir, u64) {
    let nowhere = format!("http://{}", Collector::nowhere());
    let agent = Agent::start(&nowhere, &COUNTERS);
    let spool = agent.data().join("spool");
    wait_for("a backlog", || {
        (in_spool(spool.clone()) >= count).then_some(())
    });
    let folder = agent.stop();
    let records = in_spool(folder.path().join("data/spool"));
    (folder, records)
}

fn anywhere() -> std::net::SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn numbers(collector: &Collector) -> BTreeSet<u64> {
    let received = collector.received();
    received
        .iter()
        .map(|received| received.record.seq)
        .collect()
}

#[test]
fn the_newest_comes_first_and_the_backlog_oldest_first_under_the_credit() {
    let (folder, waiting) = backlog(6);
    let collector = Collector::answering(anywhere(), |_| Reply::Stored { credit: Some(2) });
    let agent = Agent::start_in(folder, &collector.url(), &COUNTERS);
    wait_for("everything", || {
        (1..=waiting + 1)
            .all(|seq| numbers(&collector).contains(&seq))
            .then_some(())
    });
    agent.stop();
    let attempts = collector.attempts();
    assert!(
        attempts.iter().all(|batch| batch.len() <= 2),
        "{attempts:?}"
    );
    assert!(
        attempts[0].len() == 1 && attempts[0][0] >= waiting,
        "the newest alone, as long as no credit is known: {attempts:?}"
    );
    let newest = attempts[0][0];
    let backlog: Vec<u64> = attempts
        .concat()
        .into_iter()
        .filter(|seq| *seq < newest)
        .collect();
    assert!(backlog.is_sorted(), "{attempts:?}");
}

#[test]
fn without_credit_only_what_is_live_comes() {
    let (folder, waiting) = backlog(3);
    let collector = Collector::answering(anywhere(), |_| Reply::Stored { credit: Some(0) });
    let agent = Agent::start_in(folder, &collector.url(), &COUNTERS);
    collector.wait_for(4);
    agent.stop();
    let sent = numbers(&collector);
    assert!(*sent.first().unwrap() >= waiting, "{sent:?} of {waiting}");
}

/// Credentials and versions are for people to mend: nothing is given up, and the next try is minutes away.
#[test]
fn what_people_must_mend_holds_the_spool_and_is_tried_slowly() {
    for (status, tries) in [
        ("401 Unauthorized", 1),
        ("403 Forbidden", 1),
        // Once in each encoding.
        ("415 Unsupported Media Type", 2),
    ] {
        let collector = Collector::answering(anywhere(), move |_| Reply::Refused(status, ""));
        let agent = Agent::start(&collector.url(), &COUNTERS);
        let spool = agent.data().join("spool");
        wait_for("reports in the spool", || {
            (in_spool(spool.clone()) >= 4).then_some(())
        });
        assert_eq!(collector.attempts().len(), tries, "{status}");
        let folder = agent.stop();
        let waiting = in_spool(folder.path().join("data/spool"));
        assert!(waiting >= 4 && !folder.path().join("data/spool/quarantine.jsonl").exists());

        let mended = Collector::start(None);
        let agent = Agent::start_in(folder, &mended.url(), &COUNTERS);
        wait_for("everything", || {
            (1..=waiting)
                .all(|seq| numbers(&mended).contains(&seq))
                .then_some(())
        });
        agent.stop();
    }
}

/// One that is refused for good is kept aside, and everything else arrives.
#[test]
fn a_record_that_is_refused_for_good_does_not_hold_up_the_rest() {
    for status in [
        "400 Bad Request",
        "413 Content Too Large",
        "422 Unprocessable Content",
    ] {
        let (folder, waiting) = backlog(4);
        let has_third = |document: &Document| document.records.iter().any(|record| record.seq == 3);
        let collector =
            Collector::answering(anywhere(), move |document| match has_third(document) {
                true => Reply::Refused(status, ""),
                false => STORED,
            });
        let agent = Agent::start_in(folder, &collector.url(), &COUNTERS);
        wait_for("all others", || {
            let sent = numbers(&collector);
            (1..=waiting + 1)
                .all(|seq| seq == 3 || sent.contains(&seq))
                .then_some(())
        });
        let folder = agent.stop();
        let kept = folder.path().join("data/spool/quarantine.jsonl");
        let kept = fs::read_to_string(kept).unwrap();
        assert_eq!(kept.lines().count(), 1, "{status}: {kept}");
        assert!(
            kept.contains("\"seq\":3") && kept.contains(&status[..3]),
            "{kept}"
        );
        assert_eq!(in_spool(folder.path().join("data/spool")), 0, "{status}");
    }
}

#[test]
fn a_busy_collector_sets_the_time_of_the_next_try() {
    let mut answers = 0;
    let collector = Collector::answering(anywhere(), move |_| {
        answers += 1;
        match answers {
            1 => Reply::Refused("503 Service Unavailable", "retry-after: 10\r\n"),
            _ => STORED,
        }
    });
    let agent = Agent::start(&collector.url(), &COUNTERS);
    wait_for("a first try", || {
        (!collector.attempts().is_empty()).then_some(())
    });
    // Less than 10 s by a fifth, and much more than the first wait of its own, which is below 1 s.
    thread::sleep(Duration::from_secs(5));
    assert_eq!(collector.attempts().len(), 1);
    let received = collector.wait_for(6);
    let is_report = |body: &RecordBody| matches!(body, RecordBody::Report(_));
    assert!(
        received
            .iter()
            .any(|received| is_report(&received.record.body))
    );
    agent.stop();
    let sent = numbers(&collector);
    assert_eq!(sent, (1..=sent.len() as u64).collect());
}
