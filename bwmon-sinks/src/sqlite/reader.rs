use std::fmt;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bwmon_core::query::TrafficSum;
use bwmon_core::report::{AgentId, Epoch, Interval, RecordBody, RecordKey};
use bwmon_core::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::connection;
use super::error::{OpenError, ReadError};
use super::schema::KIND_REPORT;
use super::traffic::TrafficSummer;

/// Connections that are kept for the next question.
const IDLE_CONNECTIONS: usize = 4;
/// Longest body after decompression: far above what the bounds of a report allow.
const BODY_BYTES: usize = 64 << 20;

/// Reads what a [`SqliteSink`](super::SqliteSink) stores, also while it writes and after it stopped.
///
/// Cheap to clone; every clone shares a few read-only connections. Calls block on the disk: from
/// async code, call through `spawn_blocking`.
#[derive(Clone)]
pub struct SqliteReader {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// An agent that the store knows. Times are by the collector's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentEntry {
    /// Its identity.
    pub agent: AgentId,
    /// When a record of it first arrived.
    pub first_seen: Timestamp,
    /// When a record of it last arrived, duplicates included.
    pub last_seen: Timestamp,
    /// How many of its records are stored.
    pub records: u64,
}

/// A record as it was stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredRecord {
    /// What makes it unique within its agent.
    pub key: RecordKey,
    /// When it arrived, by the collector's clock.
    pub received: Timestamp,
    /// What it says.
    pub body: RecordBody,
}

/// A report as it was stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredReport {
    /// What makes it unique within its agent.
    pub key: RecordKey,
    /// When it arrived, by the collector's clock.
    pub received: Timestamp,
    /// What it says.
    pub interval: Interval,
}

/// What a walk over a range came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ReadCount {
    /// Records that were handed over.
    pub records: u64,
    /// Records that could not be decoded.
    pub damaged: u64,
    /// Whether the limit ended the walk although there was more.
    pub is_truncated: bool,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StoreStats {
    /// Size of the database and its write-ahead log, in bytes.
    pub bytes: u64,
    /// Agents.
    pub agents: u64,
    /// Records of all agents.
    pub records: u64,
}

impl SqliteReader {
    /// Opens a store that a [`SqliteSink`](super::SqliteSink) has made.
    ///
    /// # Errors
    /// When the file is not there, is not bwmon's, or is from a newer version.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let path = path.into();
        let connection = connection::open_reader(&path)?;
        Ok(Self {
            path: Arc::new(path),
            idle: Arc::new(Mutex::new(vec![connection])),
        })
    }

    /// Every agent, by the order in which they first reported.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn agents(&self) -> Result<Vec<AgentEntry>, ReadError> {
        self.ask(|connection| {
            connection
                .prepare_cached(
                    "SELECT agent, first_seen_us, last_seen_us, records FROM agents ORDER BY id",
                )?
                .query_map([], |row| {
                    Ok(AgentEntry {
                        agent: AgentId(id_at(row, 0)?),
                        first_seen: time_at(row, 1)?,
                        last_seen: time_at(row, 2)?,
                        records: row.get(3)?,
                    })
                })?
                .collect()
        })
    }

    /// The report of `agent` whose window ended last; `None` if there is none that can be decoded.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn latest_report(&self, agent: AgentId) -> Result<Option<StoredReport>, ReadError> {
        let stored = self.ask(|connection| {
            let sql = format!(
                "{SELECT_RECORD} AND r.kind = {KIND_REPORT} ORDER BY r.end_us DESC LIMIT 1"
            );
            connection
                .prepare_cached(&sql)?
                .query_row(params![agent.0.to_be_bytes()], stored_at)
                .optional()
        })?;
        Ok(stored.and_then(Stored::decode).and_then(report))
    }

    /// Hands over the reports of `agent` whose window ends after `from` and not after `to`, oldest
    /// first, at most `limit`, until `each` breaks.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn reports(
        &self,
        agent: AgentId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
        mut each: impl FnMut(StoredReport) -> ControlFlow<()>,
    ) -> Result<ReadCount, ReadError> {
        let filter = format!("AND r.kind = {KIND_REPORT}");
        self.walk(agent, (from, to), limit, &filter, |record| {
            report(record).map_or(ControlFlow::Continue(()), &mut each)
        })
    }

    /// Hands over what `agent` said that is no report: starts of epochs, where they happened, and
    /// records that will never come, where that was learnt. After `from`, not after `to`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn notices(
        &self,
        agent: AgentId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
        each: impl FnMut(StoredRecord) -> ControlFlow<()>,
    ) -> Result<ReadCount, ReadError> {
        let filter = format!("AND r.kind != {KIND_REPORT}");
        self.walk(agent, (from, to), limit, &filter, each)
    }

    /// Sums the reports of `agent` whose window ends after `from` and not after `to`, with at most
    /// `limit` flows.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn traffic(
        &self,
        agent: AgentId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<TrafficSum, ReadError> {
        let mut sum = TrafficSummer::new();
        self.reports(agent, from, to, usize::MAX, |report| {
            sum.add(report.interval);
            ControlFlow::Continue(())
        })?;
        Ok(sum.finish(limit))
    }

    /// The keys of every stored record of `agent`, in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn keys(&self, agent: AgentId) -> Result<Vec<RecordKey>, ReadError> {
        self.ask(|connection| {
            connection
                .prepare_cached(
                    "SELECT epoch, seq FROM records JOIN agents ON agents.id = records.agent
                     WHERE agents.agent = ?1 ORDER BY epoch, seq",
                )?
                .query_map(params![agent.0.to_be_bytes()], |row| key_at(row, 0, 1))?
                .collect()
        })
    }

    /// How much there is.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stats(&self) -> Result<StoreStats, ReadError> {
        let (agents, records) = self.ask(|connection| {
            connection
                .prepare_cached("SELECT count(*), coalesce(sum(records), 0) FROM agents")?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        })?;
        Ok(StoreStats {
            bytes: file_bytes(&self.path, "") + file_bytes(&self.path, "-wal"),
            agents,
            records,
        })
    }

    fn walk(
        &self,
        agent: AgentId,
        (from, to): (Timestamp, Timestamp),
        limit: usize,
        filter: &str,
        mut each: impl FnMut(StoredRecord) -> ControlFlow<()>,
    ) -> Result<ReadCount, ReadError> {
        let sql = format!(
            "{SELECT_RECORD} AND r.end_us > ?2 AND r.end_us <= ?3 {filter} ORDER BY r.end_us"
        );
        self.ask(|connection| {
            let mut count = ReadCount::default();
            let mut select = connection.prepare_cached(&sql)?;
            let mut rows = select.query(params![
                agent.0.to_be_bytes(),
                from.as_micros(),
                to.as_micros()
            ])?;
            while let Some(row) = rows.next()? {
                if count.records == limit as u64 {
                    count.is_truncated = true;
                    break;
                }
                match stored_at(row)?.decode() {
                    None => count.damaged += 1,
                    Some(record) => {
                        count.records += 1;
                        if each(record).is_break() {
                            break;
                        }
                    }
                }
            }
            Ok(count)
        })
    }

    fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        let idle = self.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::open_reader(&self.path)?,
        };
        let answer = question(&connection).map_err(|source| ReadError::Sqlite {
            path: self.path.to_path_buf(),
            source,
        })?;
        let mut idle = self.lock();
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
        Ok(answer)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SqliteReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteReader")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

const SELECT_RECORD: &str = "SELECT r.epoch, r.seq, r.received_us, r.body
    FROM records AS r JOIN agents AS a ON a.id = r.agent WHERE a.agent = ?1";

struct Stored {
    key: RecordKey,
    received: Timestamp,
    body: Vec<u8>,
}

impl Stored {
    fn decode(self) -> Option<StoredRecord> {
        let json = zstd::bulk::decompress(&self.body, BODY_BYTES).ok()?;
        Some(StoredRecord {
            key: self.key,
            received: self.received,
            body: serde_json::from_slice(&json).ok()?,
        })
    }
}

fn stored_at(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        key: key_at(row, 0, 1)?,
        received: time_at(row, 2)?,
        body: row.get(3)?,
    })
}

fn report(record: StoredRecord) -> Option<StoredReport> {
    match record.body {
        RecordBody::Report(interval) => Some(StoredReport {
            key: record.key,
            received: record.received,
            interval: *interval,
        }),
        RecordBody::Dropped(_) | RecordBody::EpochStart(_) => None,
    }
}

fn key_at(row: &Row<'_>, epoch: usize, seq: usize) -> rusqlite::Result<RecordKey> {
    Ok(RecordKey {
        epoch: Epoch(id_at(row, epoch)?),
        seq: row.get(seq)?,
    })
}

fn id_at(row: &Row<'_>, column: usize) -> rusqlite::Result<u128> {
    row.get(column).map(u128::from_be_bytes)
}

fn time_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_micros)
}

fn file_bytes(path: &Path, suffix: &str) -> u64 {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    fs::metadata(name).map_or(0, |meta| meta.len())
}
