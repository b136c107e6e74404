//! Files of version 1, as the versions before wrote them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bwmon_core::Sink;
use bwmon_core::report::{AgentId, Batch, Envelope, Epoch, Fate, RecordBody};
use bwmon_core::testkit::{envelope, epoch_start};
use bwmon_core::time::Timestamp;
use bwmon_sinks::sqlite::{
    APPLICATION_ID, SCHEMA_VERSION, SqliteConfig, SqliteReader, SqliteSink, StoredRecord,
    StoredReport,
};
use rusqlite::{Connection, params};
use tempfile::TempDir;

const EPOCH: Epoch = Epoch(0xe);
const FOLDER: &str = "BWMON_TEST_FOLDER";
const RECEIVED: Timestamp = Timestamp::from_secs(1_700_090_000);

const LAYOUT_1: &str = "
CREATE TABLE agents (
    id            INTEGER PRIMARY KEY,
    agent         BLOB NOT NULL UNIQUE CHECK (length(agent) = 16),
    first_seen_us INTEGER NOT NULL,
    last_seen_us  INTEGER NOT NULL,
    records       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE streams (
    agent      INTEGER NOT NULL REFERENCES agents (id),
    epoch      BLOB NOT NULL CHECK (length(epoch) = 16),
    through    INTEGER NOT NULL,
    highest    INTEGER NOT NULL,
    missing    TEXT NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (agent, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE records (
    id          INTEGER PRIMARY KEY,
    agent       INTEGER NOT NULL REFERENCES agents (id),
    epoch       BLOB NOT NULL CHECK (length(epoch) = 16),
    seq         INTEGER NOT NULL CHECK (seq > 0),
    kind        INTEGER NOT NULL,
    start_us    INTEGER NOT NULL,
    end_us      INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    body        BLOB NOT NULL,
    UNIQUE (agent, epoch, seq)
) STRICT;
CREATE INDEX records_by_end ON records (agent, end_us);
";

/// A file of version 1 with so many agents, each with the start of its epoch and reports 2 to `reports`, except
/// number 5. Of what has arrived, it claims too little, as version 1 did where there were many ranges.
fn version_1(path: &Path, agents: u128, reports: u64) {
    let mut raw = Connection::open(path).unwrap();
    raw.pragma_update(None, "page_size", 8_192).unwrap();
    raw.pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .unwrap();
    raw.execute_batch(&format!(
        "{LAYOUT_1} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;
         PRAGMA journal_mode = WAL;"
    ))
    .unwrap();
    let transaction = raw.transaction().unwrap();
    for number in 1..=agents {
        let entries = entries(AgentId(number), reports);
        transaction
            .execute(
                "INSERT INTO agents VALUES (?1, ?2, ?3, ?3, ?4)",
                params![
                    row(number),
                    number.to_be_bytes(),
                    RECEIVED.as_micros(),
                    entries.len()
                ],
            )
            .unwrap();
        transaction
            .execute(
                "INSERT INTO streams VALUES (?1, ?2, 2, ?3, ?4, ?5)",
                params![
                    row(number),
                    EPOCH.0.to_be_bytes(),
                    reports,
                    format!("[[3,{}]]", reports - 1),
                    RECEIVED.as_micros()
                ],
            )
            .unwrap();
        for entry in entries {
            insert(&transaction, row(number), &entry);
        }
    }
    transaction.commit().unwrap();
}

fn row(agent: u128) -> i64 {
    agent.try_into().unwrap()
}

fn entries(agent: AgentId, reports: u64) -> Vec<Envelope> {
    let reports = (2..=reports).filter(|seq| *seq != 5);
    let reports = reports.map(|seq| envelope(agent, EPOCH, seq));
    [epoch_start(agent, EPOCH)]
        .into_iter()
        .chain(reports)
        .collect()
}

fn insert(raw: &Connection, agent: i64, entry: &Envelope) {
    let record = &entry.record;
    let (kind, end) = match &record.body {
        RecordBody::Report(interval) => (1, interval.window.end()),
        RecordBody::Dropped(_) => (2, RECEIVED),
        RecordBody::EpochStart(start) => (3, start.started),
    };
    let json = serde_json::to_vec(&record.body).unwrap();
    raw.prepare_cached(
        "INSERT INTO records (agent, epoch, seq, kind, start_us, end_us, received_us, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)",
    )
    .unwrap()
    .execute(params![
        agent,
        record.epoch.0.to_be_bytes(),
        record.seq,
        kind,
        end.as_micros(),
        RECEIVED.as_micros(),
        zstd::bulk::compress(&json, 1).unwrap()
    ])
    .unwrap();
}

fn version(path: &Path) -> u32 {
    let raw = Connection::open(path).unwrap();
    raw.pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

fn copy_of(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.version-1", path.display()))
}

/// Everything that the file of version 1 had is there.
fn compare(path: &Path, agents: u128, reports: u64) {
    let reader = SqliteReader::open(path).unwrap();
    let found = reader.agents().unwrap();
    let ids: Vec<u128> = found.iter().map(|entry| entry.agent.0).collect();
    assert_eq!(ids, (1..=agents).collect::<Vec<_>>());
    for agent in found {
        let expected = entries(agent.agent, reports);
        assert_eq!(agent.records, expected.len() as u64);
        assert_eq!((agent.first_seen, agent.last_seen), (RECEIVED, RECEIVED));
        let mut bodies = Vec::new();
        let each = |record: StoredRecord| {
            assert_eq!(record.received, RECEIVED);
            bodies.push(record.body);
            ControlFlow::Continue(())
        };
        reader
            .notices(agent.agent, Timestamp::EPOCH, RECEIVED, 10, each)
            .unwrap();
        let each = |report: StoredReport| {
            assert_eq!(report.received, RECEIVED);
            bodies.push(RecordBody::Report(Box::new(report.interval)));
            ControlFlow::Continue(())
        };
        reader
            .reports(agent.agent, Timestamp::EPOCH, RECEIVED, usize::MAX, each)
            .unwrap();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|entry| entry.record.body)
            .collect();
        assert!(bodies == expected, "agent {}", agent.agent);
    }
}

async fn write(sink: &mut SqliteSink, entries: Vec<Envelope>) -> Vec<Fate> {
    sink.write(&Batch { entries }).await.unwrap().fates
}

#[tokio::test]
async fn a_file_of_version_1_is_brought_up_to_date_and_a_copy_is_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    version_1(&path, 3, 200);
    let raw = Connection::open(&path).unwrap();
    raw.execute("UPDATE records SET body = x'00ff' WHERE agent = 3", [])
        .unwrap();
    raw.execute("DELETE FROM agents WHERE id = 3", [])
        .unwrap_err();
    raw.execute("DELETE FROM streams WHERE agent = 3", [])
        .unwrap();
    drop(raw);
    let refused = SqliteReader::open(&path).unwrap_err().to_string();
    assert!(
        refused.contains("schema version 1, this bwmon reads 2"),
        "{refused}"
    );

    let mut sink = SqliteSink::open(SqliteConfig::new(&path)).unwrap();
    assert_eq!(version(&path), SCHEMA_VERSION);
    let found = SqliteReader::open(&path).unwrap().agents().unwrap();
    assert_eq!((found.len(), found[2].records), (3, 0));
    // What has arrived is known exactly again: only number 5 is new.
    let again = (1..=201).map(|seq| envelope(AgentId(1), EPOCH, seq));
    let fates = write(&mut sink, again.collect()).await;
    let stored = (1..).zip(&fates).filter(|(_, fate)| **fate == Fate::Stored);
    assert_eq!(stored.map(|(seq, _)| seq).collect::<Vec<u64>>(), [5, 201]);
    Box::new(sink).close().await.unwrap();

    let copy = copy_of(&path);
    assert_eq!(version(&copy), 1);
    let raw = Connection::open(&copy).unwrap();
    let records: u64 = raw
        .query_row("SELECT count(*) FROM records", [], |row| row.get(0))
        .unwrap();
    assert_eq!(records, 3 * 199);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
#[ignore = "the process that a_death_while_it_is_brought_up_to_date_loses_nothing kills"]
fn open_and_wait() {
    let folder = std::env::var_os(FOLDER).expect("only another test may start this one");
    println!("\nopening");
    let sink = SqliteSink::open(SqliteConfig::new(Path::new(&folder).join("bwmon.db")));
    println!("\nopened");
    std::thread::sleep(Duration::from_secs(600));
    drop(sink);
}

/// Opens the file in another process and kills it `after` that began; whether it was done.
fn open_and_kill(folder: &Path, after: Duration) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "open_and_wait", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while lines.next().unwrap().unwrap() != "opening" {}
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.any(|line| line.is_ok_and(|line| line == "opened"))
}

#[test]
fn a_death_while_it_is_brought_up_to_date_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    version_1(&path, 3, 400);
    let mut deaths = 0;
    for round in 1.. {
        if open_and_kill(folder.path(), Duration::from_millis(round * 7)) {
            break;
        }
        deaths += 1;
        let found = version(&path);
        assert!(found == 1 || found == SCHEMA_VERSION, "version {found}");
    }
    assert!(deaths > 1, "it was done before it could be killed");
    assert_eq!(version(&path), SCHEMA_VERSION);
    compare(&path, 3, 400);
    // The copy is whole as well: brought up to date, it has the same.
    let copy = folder.path().join("copy.db");
    fs::rename(copy_of(&path), &copy).unwrap();
    assert_eq!(version(&copy), 1);
    drop(SqliteSink::open(SqliteConfig::new(&copy)).unwrap());
    compare(&copy, 3, 400);
}
