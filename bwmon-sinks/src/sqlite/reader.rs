use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bwmon_core::query::TrafficSum;
use bwmon_core::report::{AgentId, Interval, RecordBody, RecordKey};
use bwmon_core::time::Timestamp;
use rusqlite::{Connection, Row};

use super::chunk;
use super::connection;
use super::error::{OpenError, ReadError};
use super::tail::{Held, Tail};
use super::traffic::TrafficSummer;
use super::walk::View;

/// Connections that are kept for the next question.
const IDLE_CONNECTIONS: usize = 4;

/// Reads what a [`SqliteSink`](super::SqliteSink) stores, also while it writes and after it stopped.
///
/// Cheap to clone; every clone shares a few read-only connections. Calls block on the disk: from
/// async code, call through `spawn_blocking`.
#[derive(Clone)]
pub struct SqliteReader {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
    tail: Arc<Mutex<Tail>>,
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
            tail: Arc::default(),
        })
    }

    /// Every agent, by the order in which they first reported.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn agents(&self) -> Result<Vec<AgentEntry>, ReadError> {
        self.ask(|connection, tail| {
            let tail = lock(tail, connection)?;
            let mut agents = Vec::new();
            let mut known = HashSet::new();
            let mut select = connection.prepare_cached(
                "SELECT agent, first_seen_us, last_seen_us, records, sealed_row FROM agents
                 ORDER BY id",
            )?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let mut entry = AgentEntry {
                    agent: AgentId(id_at(row, 0)?),
                    first_seen: time_at(row, 1)?,
                    last_seen: time_at(row, 2)?,
                    records: row.get(3)?,
                };
                tail.of(entry.agent, row.get(4)?)
                    .for_each(|held| entry.add(held));
                known.insert(entry.agent);
                agents.push(entry);
            }
            let new = tail.agents().filter(|agent| !known.contains(agent));
            let mut new: Vec<_> = new
                .filter_map(|agent| AgentEntry::of(agent, tail.of(agent, 0)))
                .collect();
            new.sort_by_key(|(place, _)| *place);
            agents.extend(new.into_iter().map(|(_, entry)| entry));
            Ok(agents)
        })
    }

    /// The report of `agent` whose window ended last; `None` if there is none that can be decoded.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn latest_report(&self, agent: AgentId) -> Result<Option<StoredReport>, ReadError> {
        let stored = self.ask_of(agent, |view| view.latest(chunk::REPORTS))?;
        Ok(stored.and_then(report))
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
        self.ask_of(agent, |view| {
            view.walk(chunk::REPORTS, (from, to), limit, |record| {
                report(record).map_or(ControlFlow::Continue(()), &mut each)
            })
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
        self.ask_of(agent, |view| {
            view.walk(chunk::NOTICES, (from, to), limit, each)
        })
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
        self.ask_of(agent, |view| {
            let mut keys = Vec::new();
            view.labels(|label| keys.push(label.key()))?;
            keys.sort_unstable();
            Ok(keys)
        })
    }

    /// How much there is.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stats(&self) -> Result<StoreStats, ReadError> {
        let agents = self.agents()?;
        Ok(StoreStats {
            bytes: self.size_bytes(),
            agents: agents.len() as u64,
            records: agents.iter().map(|entry| entry.records).sum(),
        })
    }

    /// Size of the database and its write-ahead log, in bytes.
    pub fn size_bytes(&self) -> u64 {
        file_bytes(&self.path, "") + file_bytes(&self.path, "-wal")
    }

    fn ask_of<T>(
        &self,
        agent: AgentId,
        question: impl FnOnce(View<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        self.ask(|connection, tail| {
            let view = View::of(connection, &*lock(tail, connection)?, agent)?;
            question(view)
        })
    }

    /// Asks within one transaction, which sees one state of the file.
    fn ask<T>(
        &self,
        question: impl FnOnce(&Connection, &Mutex<Tail>) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::open_reader(&self.path)?,
        };
        let answer = connection
            .unchecked_transaction()
            .and_then(|transaction| question(&transaction, &self.tail))
            .map_err(|source| ReadError::Sqlite {
                path: self.path.to_path_buf(),
                source,
            })?;
        let mut idle = self.idle();
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
        Ok(answer)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tail as of the transaction that `connection` is in, of which this must be the first question: each
/// transaction then sees a later state than the one that held the lock before.
fn lock<'a>(
    tail: &'a Mutex<Tail>,
    connection: &Connection,
) -> rusqlite::Result<MutexGuard<'a, Tail>> {
    let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
    tail.refresh(connection)?;
    Ok(tail)
}

impl AgentEntry {
    /// What an agent's entries in the journal tell, and the place of the first; `None` where there are none.
    fn of<'a>(
        agent: AgentId,
        mut held: impl Iterator<Item = &'a Held>,
    ) -> Option<((i64, u32), Self)> {
        let first = held.next()?;
        let mut entry = Self {
            agent,
            first_seen: first.received,
            last_seen: first.received,
            records: 0,
        };
        entry.add(first);
        held.for_each(|held| entry.add(held));
        Some((first.place(), entry))
    }

    fn add(&mut self, held: &Held) {
        self.last_seen = self.last_seen.max(held.received);
        self.records += u64::from(held.is_record());
    }
}

impl fmt::Debug for SqliteReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteReader")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
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
