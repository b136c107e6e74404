//! The store at its boundary: real files, read back.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use bwmon_core::Sink;
use bwmon_core::report::{AgentId, Batch, Envelope, Epoch, Fate, Receipt, RecordBody, RecordKey};
use bwmon_core::sink::SinkErrorKind;
use bwmon_core::testkit::{self, ManualClock, SAMPLE_START, envelope, epoch_start};
use bwmon_core::time::Timestamp;
use bwmon_sinks::Clock;
use bwmon_sinks::sqlite::{
    APPLICATION_ID, OpenError, SCHEMA_VERSION, SqliteConfig, SqliteReader, SqliteSink, StoredReport,
};
use tempfile::TempDir;

const AGENT: AgentId = AgentId(0xa);
const EPOCH: Epoch = Epoch(0xe);

fn open(path: &Path) -> SqliteSink {
    SqliteSink::open(SqliteConfig::new(path)).unwrap()
}

fn open_at(path: &Path, clock: &ManualClock) -> SqliteSink {
    let clock = clock.clone();
    let mut config = SqliteConfig::new(path);
    config.clock = Clock::new(move || clock.now());
    SqliteSink::open(config).unwrap()
}

async fn write(sink: &mut SqliteSink, entries: &[Envelope]) -> Receipt {
    let batch = Batch {
        entries: entries.to_vec(),
    };
    sink.write(&batch).await.unwrap()
}

fn all_keys(path: &Path) -> Vec<(AgentId, RecordKey)> {
    let reader = SqliteReader::open(path).unwrap();
    let agents = reader.agents().unwrap();
    let keys = |agent: AgentId| {
        let keys = reader.keys(agent).unwrap();
        keys.into_iter().map(move |key| (agent, key))
    };
    agents.iter().flat_map(|entry| keys(entry.agent)).collect()
}

#[tokio::test]
async fn it_keeps_the_laws_of_a_sink() {
    let folder = TempDir::new().unwrap();
    let path = |place: u32| folder.path().join(format!("{place}.db"));
    let subject = testkit::sink::Subject::new(|place| {
        let sink: Box<dyn Sink> = Box::new(open(&path(place)));
        std::future::ready(sink)
    })
    .reading(|place| std::future::ready(all_keys(&path(place))));
    testkit::sink::conformance(subject).await;
}

#[tokio::test]
async fn a_report_comes_back_as_it_was_written() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START.plus(Duration::from_secs(60)));
    let mut sink = open_at(&path, &clock);
    let entries = [
        epoch_start(AGENT, EPOCH),
        envelope(AGENT, EPOCH, 2),
        envelope(AGENT, EPOCH, 3),
    ];
    let receipt = write(&mut sink, &entries).await;
    assert_eq!(receipt.server_time, Some(clock.now()));
    let state = &receipt.streams[0];
    assert_eq!((state.agent, state.epoch, state.through), (AGENT, EPOCH, 3));
    assert_eq!(state.missing, []);

    let reader = SqliteReader::open(&path).unwrap();
    let latest = reader.latest_report(AGENT).unwrap().unwrap();
    assert_eq!(
        RecordBody::Report(Box::new(latest.interval)),
        entries[2].record.body
    );
    assert_eq!((latest.key.seq, latest.received), (3, clock.now()));
    assert_eq!(reader.latest_report(AgentId(99)).unwrap(), None);
    let agents = reader.agents().unwrap();
    assert_eq!((agents.len(), agents[0].records), (1, 3));
    assert_eq!(
        (agents[0].first_seen, agents[0].last_seen),
        (clock.now(), clock.now())
    );
    let stats = reader.stats().unwrap();
    assert_eq!((stats.agents, stats.records), (1, 3));
    assert!(stats.bytes > 0);

    let mut notices = Vec::new();
    let count = reader.notices(AGENT, Timestamp::EPOCH, clock.now(), 10, |record| {
        notices.push(record.body);
        ControlFlow::Continue(())
    });
    assert_eq!(count.unwrap().records, 1);
    assert_eq!(notices, [entries[0].record.body.clone()]);
}

#[tokio::test]
async fn a_range_takes_the_reports_that_end_within_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let mut sink = open(&path);
    // Report n covers the 2 s after SAMPLE_START + 2 n; written last first.
    let entries: Vec<_> = (1..=9)
        .rev()
        .map(|seq| envelope(AGENT, EPOCH, seq))
        .collect();
    write(&mut sink, &entries).await;
    let reader = SqliteReader::open(&path).unwrap();
    let at = |seconds| SAMPLE_START.plus(Duration::from_secs(seconds));
    let seqs = |from: u64, to: u64, limit| {
        let mut seqs = Vec::new();
        let each = |report: StoredReport| {
            seqs.push(report.key.seq);
            ControlFlow::Continue(())
        };
        let count = reader
            .reports(AGENT, at(from), at(to), limit, each)
            .unwrap();
        (seqs, count.is_truncated)
    };
    assert_eq!(seqs(4, 10, 100), (vec![2, 3, 4], false));
    assert_eq!(seqs(3, 9, 100), (vec![1, 2, 3], false));
    assert_eq!(seqs(0, 1_000, 2), (vec![1, 2], true));
    assert_eq!(seqs(0, 1_000, 9), ((1..=9).collect(), false));
    assert_eq!(seqs(10, 4, 100), (vec![], false));
}

#[tokio::test]
async fn sums_are_exact_also_where_flows_are_beyond_the_limit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let mut sink = open(&path);
    let mut entries: Vec<_> = (1..=5).map(|seq| envelope(AGENT, EPOCH, seq)).collect();
    for entry in &mut entries {
        let RecordBody::Report(interval) = &mut entry.record.body else {
            panic!()
        };
        let mut small = interval.flows[0].clone();
        small.remote_port = 80;
        small.traffic.ingress.bytes = 7;
        small.traffic.egress.bytes = 0;
        interval.flows.push(small);
        if entry.record.seq == 1 {
            interval.interfaces[0].kernel = None;
            interval.interfaces[0].conservation = None;
        }
    }
    write(&mut sink, &entries).await;
    let reader = SqliteReader::open(&path).unwrap();
    let to = SAMPLE_START.plus(Duration::from_secs(100));
    let sum = reader.traffic(AGENT, SAMPLE_START, to, 1).unwrap();
    assert_eq!(
        (sum.reports, sum.window.duration()),
        (5, Duration::from_secs(10))
    );
    assert_eq!(sum.flows.len(), 1);
    assert_eq!(sum.flows[0].flow.traffic.ingress.bytes, 5 * 12_000);
    assert_eq!(sum.flows[0].rate_bps.ingress, 5.0 * 12_000.0 * 8.0 / 10.0);
    assert_eq!(sum.flows_beyond_limit.ingress.bytes, 5 * 7);
    let eth0 = &sum.interfaces[0];
    assert_eq!(
        (eth0.kernel.egress.bytes, eth0.intervals_without_kernel),
        (4 * 3_060, 1)
    );
    assert_eq!(eth0.captured.unwrap().egress.attributed.bytes, 4 * 3_000);
    assert_eq!(eth0.residual_bytes.unwrap().egress, 4 * 60);
    let nothing = reader.traffic(AgentId(5), SAMPLE_START, to, 1).unwrap();
    assert_eq!((nothing.reports, nothing.flows.len()), (0, 0));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_the_rest_of_the_batch_is_stored() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START);
    let mut sink = open_at(&path, &clock);
    // The window of report 300 ends 602 s after the clock, that of 299 exactly 600 s.
    let entries = [1, 299, 300, 0].map(|seq| envelope(AGENT, EPOCH, seq));
    let fates = write(&mut sink, &entries).await.fates;
    assert_eq!(fates[..2], [Fate::Stored, Fate::Stored]);
    let Fate::Refused(reason) = &fates[2] else {
        panic!("{fates:?}")
    };
    assert!(
        reason.starts_with("clock: the window ends 602 s"),
        "{reason}"
    );
    assert!(matches!(&fates[3], Fate::Refused(reason) if reason.contains("sequence number 0")));
    let seqs: Vec<u64> = all_keys(&path).iter().map(|(_, key)| key.seq).collect();
    assert_eq!(seqs, [1, 299]);
}

#[tokio::test]
async fn a_clean_up_removes_what_is_old_and_a_resend_of_it_stays_a_duplicate() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let clock = ManualClock::new(SAMPLE_START);
    let mut sink = open_at(&path, &clock);
    let maintenance = sink.maintenance();
    let day = Duration::from_secs(86_400);
    let gone = AgentId(0xb);
    write(&mut sink, &[envelope(gone, Epoch(1), 1)]).await;
    let old: Vec<_> = (1..=1_000).map(|seq| envelope(AGENT, EPOCH, seq)).collect();
    clock.set(SAMPLE_START.plus(Duration::from_secs(3_000)));
    write(&mut sink, &old).await;
    let before = SqliteReader::open(&path).unwrap().stats().unwrap();
    assert_eq!(before.records, 1_001);

    clock.set(SAMPLE_START.plus(day * 2));
    let mut new = envelope(AGENT, EPOCH, 1_001);
    if let RecordBody::Report(interval) = &mut new.record.body {
        interval.window.start = clock.now();
    }
    write(&mut sink, std::slice::from_ref(&new)).await;
    let cleaning = maintenance.clean_up(clock.now(), day);
    let again = async {
        // A write goes in between the steps.
        tokio::task::yield_now().await;
        write(&mut sink, std::slice::from_ref(&new)).await.fates
    };
    let (done, fates) = tokio::join!(cleaning, again);
    let done = done.unwrap();
    assert_eq!((done.records, done.agents, done.streams), (1_001, 1, 1));
    assert!(done.freed_bytes > 0);
    assert_eq!(fates, [Fate::Duplicate]);
    let fates = write(&mut sink, &old[..3]).await.fates;
    assert_eq!(fates, vec![Fate::Duplicate; 3]);

    let reader = SqliteReader::open(&path).unwrap();
    let stats = reader.stats().unwrap();
    assert_eq!((stats.records, stats.agents), (1, 1));
    assert_eq!(reader.keys(AGENT).unwrap(), [new.record.key()]);
    drop(reader);
    Box::new(sink).close().await.unwrap();
    let after = SqliteReader::open(&path).unwrap().stats().unwrap();
    assert!(after.bytes < before.bytes / 2, "{after:?} {before:?}");
    let closed = maintenance.clean_up(clock.now(), day).await.unwrap_err();
    assert_eq!(closed.kind(), SinkErrorKind::Broken);
}

#[tokio::test]
async fn after_an_orderly_end_the_file_alone_has_everything() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let mut sink = open(&path);
    let reader = SqliteReader::open(&path).unwrap();
    write(&mut sink, &[envelope(AGENT, EPOCH, 1)]).await;
    assert_eq!(reader.keys(AGENT).unwrap().len(), 1);
    Box::new(sink).close().await.unwrap();
    let copy = folder.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    assert_eq!(all_keys(&copy).len(), 1);
    drop(reader);
}

#[test]
fn a_new_file_is_private_and_has_the_settled_layout() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    drop(open(&path));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let raw = rusqlite::Connection::open(&path).unwrap();
    let number = |name: &str| -> u32 {
        raw.pragma_query_value(None, name, |row| row.get(0))
            .unwrap()
    };
    assert_eq!(number("page_size"), 8_192);
    assert_eq!(number("auto_vacuum"), 2);
    assert_eq!(number("application_id"), APPLICATION_ID);
    assert_eq!(APPLICATION_ID.to_be_bytes(), *b"bwmn");
    assert_eq!(number("user_version"), SCHEMA_VERSION);
    let mode: String = raw
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    });
    entries.collect()
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("text"), "dear diary\n".repeat(50)).unwrap();
    fs::write(path("short"), "x").unwrap();
    let raw = rusqlite::Connection::open(path("other.db")).unwrap();
    raw.execute_batch("PRAGMA application_id = 7; CREATE TABLE t (x)")
        .unwrap();
    drop(raw);
    Box::new(open(&path("newer.db"))).close().await.unwrap();
    let raw = rusqlite::Connection::open(path("newer.db")).unwrap();
    raw.pragma_update(None, "user_version", 9).unwrap();
    drop(raw);
    let before = contents(folder.path());
    for (name, words) in [
        ("text", "is not an SQLite database"),
        ("short", "is not an SQLite database"),
        ("other.db", "application id 0x00000007"),
        ("newer.db", "schema version 9, this bwmon reads up to 2"),
    ] {
        for error in [
            SqliteSink::open(SqliteConfig::new(path(name))).unwrap_err(),
            SqliteReader::open(path(name)).unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(text.contains(words) && text.contains(name), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }
    assert!(contents(folder.path()) == before, "a file was changed");
}

#[test]
fn a_missing_folder_and_a_missing_file_are_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("nowhere/bwmon.db");
    let error = SqliteSink::open(SqliteConfig::new(&path)).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("nowhere/bwmon.db") && text.contains("folder"),
        "{text}"
    );
    assert!(SqliteReader::open(folder.path().join("none.db")).is_err());
    assert_eq!(contents(folder.path()), BTreeMap::new());
}
