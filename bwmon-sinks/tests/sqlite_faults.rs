//! The store when the process dies and when the disk is full, each in a process of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bwmon_core::Sink;
use bwmon_core::report::{AgentId, Batch, Epoch, Fate};
use bwmon_core::testkit::envelope;
use bwmon_core::testkit::namespace::{in_mounts, sh};
use bwmon_sinks::sqlite::{SqliteConfig, SqliteReader, SqliteSink};
use tempfile::TempDir;

const AGENT: AgentId = AgentId(0xa);
const FOLDER: &str = "BWMON_TEST_FOLDER";
const ROUND: &str = "BWMON_TEST_ROUND";

fn this_test<'a>(name: &str, command: &'a mut Command) -> &'a mut Command {
    command.args([
        "--exact",
        name,
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ])
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os(FOLDER).expect("only another test may start this one"))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

#[test]
#[ignore = "the process that a_killed_writer_loses_nothing_that_it_acknowledged kills"]
fn write_until_killed() {
    let round: u128 = std::env::var(ROUND).unwrap().parse().unwrap();
    let mut config = SqliteConfig::new(folder().join("bwmon.db"));
    // Every second round is never done with sealing.
    config.journal_bytes = if round.is_multiple_of(2) {
        16 << 20
    } else {
        5_000
    };
    runtime().block_on(async {
        let mut sink = SqliteSink::open(config).unwrap();
        for first in (1..).step_by(3) {
            let entries = (first..first + 3).map(|seq| envelope(AGENT, Epoch(round), seq));
            let batch = Batch {
                entries: entries.collect(),
            };
            let receipt = sink.write(&batch).await.unwrap();
            assert_eq!(receipt.fates, vec![Fate::Stored; 3]);
            println!("\nacknowledged {}", first + 2);
        }
    });
}

/// Reads what the child acknowledged until `enough`, kills it, and takes what it said last.
fn kill_after(mut child: Child, enough: u64) -> u64 {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = 0;
    let mut is_killed = false;
    while let Some(Ok(line)) = lines.next() {
        if let Some(seq) = line.strip_prefix("acknowledged ") {
            acknowledged = seq.parse().unwrap();
        }
        if acknowledged >= enough && !is_killed {
            child.kill().unwrap();
            is_killed = true;
        }
    }
    assert!(is_killed, "the writer ended by itself");
    child.wait().unwrap();
    acknowledged
}

#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    let folder = TempDir::new().unwrap();
    let mut acknowledged = Vec::new();
    for round in 1..=30_u64 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let child = this_test("write_until_killed", &mut command)
            .env(FOLDER, folder.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        acknowledged.push(kill_after(child, 3 * (round * 7 % 11)));
        let reader = SqliteReader::open(folder.path().join("bwmon.db")).unwrap();
        let keys = reader.keys(AGENT).unwrap();
        assert_eq!(reader.stats().unwrap().records, keys.len() as u64);
        for (epoch, through) in (1..).zip(&acknowledged) {
            let of_epoch = keys.iter().filter(|key| key.epoch == Epoch(epoch));
            let seqs: Vec<u64> = of_epoch.map(|key| key.seq).collect();
            let whole: Vec<u64> = (1..=seqs.len() as u64).collect();
            assert_eq!(seqs, whole, "epoch {epoch}");
            assert!(
                seqs.len() as u64 >= *through,
                "epoch {epoch}: lost after {}",
                seqs.len()
            );
            assert_eq!(seqs.len() % 3, 0, "epoch {epoch}: part of a batch");
        }
    }
    assert!(acknowledged.iter().any(|through| *through > 20));
}

async fn write(sink: &mut SqliteSink, seq: u64) -> Result<Fate, bwmon_core::sink::SinkError> {
    let batch = Batch {
        entries: vec![envelope(AGENT, Epoch(1), seq)],
    };
    sink.write(&batch)
        .await
        .map(|mut receipt| receipt.fates.remove(0))
}

#[test]
fn a_full_disk_loses_nothing_and_hinders_no_reading() {
    in_mounts("a_full_disk_loses_nothing_and_hinders_no_reading", || {
        fill_a_small_disk(16 << 20);
    });
}

#[test]
fn a_disk_that_is_full_while_the_journal_is_sealed_loses_nothing() {
    in_mounts(
        "a_disk_that_is_full_while_the_journal_is_sealed_loses_nothing",
        || fill_a_small_disk(20_000),
    );
}

fn fill_a_small_disk(journal_bytes: usize) {
    let folder = Path::new("/run");
    sh("mount -t tmpfs -o size=1m tmpfs /run");
    let path = folder.join("bwmon.db");
    let mut config = SqliteConfig::new(&path);
    config.journal_bytes = journal_bytes;
    runtime().block_on(async {
        let mut sink = SqliteSink::open(config).unwrap();
        let mut stored = 0;
        let error = loop {
            match write(&mut sink, stored + 1).await {
                Ok(fate) => assert_eq!(fate, Fate::Stored),
                Err(error) => break error,
            }
            stored += 1;
        };
        assert!(stored > 10, "the disk was full after {stored} records");
        assert!(error.is_retryable(), "{error}");
        assert!(error.to_string().contains("no space left"), "{error}");
        // Reading the journal back and sealing it may give some room.
        match write(&mut sink, stored + 1).await {
            Ok(fate) => {
                assert_eq!(fate, Fate::Stored);
                stored += 1;
            }
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
        let reader = SqliteReader::open(&path).unwrap();
        assert_eq!(reader.keys(AGENT).unwrap().len() as u64, stored);
        assert!(reader.latest_report(AGENT).unwrap().is_some());

        sh("mount -o remount,size=64m /run");
        assert_eq!(write(&mut sink, stored + 1).await.unwrap(), Fate::Stored);
        assert_eq!(write(&mut sink, stored).await.unwrap(), Fate::Duplicate);
        assert_eq!(reader.keys(AGENT).unwrap().len() as u64, stored + 1);
        Box::new(sink).close().await.unwrap();
    });
    drop(SqliteReader::open(&path).unwrap());

    sh("mount -o remount,ro /run");
    let existing = SqliteSink::open(SqliteConfig::new(&path))
        .unwrap_err()
        .to_string();
    assert!(existing.contains("bwmon.db"), "{existing}");
    let new = SqliteSink::open(SqliteConfig::new(folder.join("new.db")))
        .unwrap_err()
        .to_string();
    assert!(new.contains("new.db") && new.contains("write"), "{new}");
}

/// Closing a file takes away every lock that the process holds on it (fcntl(2), "Advisory record
/// locking"), also those of SQLite; a program with an older SQLite that opens the database and closes it
/// then takes the write-ahead log away from under the writer.
#[test]
fn opening_readers_takes_no_lock_away() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bwmon.db");
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
    let is_locked = || {
        let (file, own) = (
            format!(":{} ", inode(&path)),
            std::process::id().to_string(),
        );
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        locks
            .lines()
            .any(|lock| lock.contains(&file) && lock.split_whitespace().any(|word| word == own))
    };
    runtime().block_on(async {
        let mut sink = SqliteSink::open(SqliteConfig::new(&path)).unwrap();
        let batch = Batch {
            entries: (1..=3).map(|seq| envelope(AGENT, Epoch(1), seq)).collect(),
        };
        sink.write(&batch).await.unwrap();
        assert!(is_locked());
        let reader = SqliteReader::open(&path).unwrap();
        assert_eq!(reader.keys(AGENT).unwrap().len(), 3);
        assert!(is_locked());
    });
}
