//! The only connection that writes, on its own thread.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bwmon_core::report::{
    AgentId, Batch, Envelope, Epoch, Fate, Receipt, Record, RecordBody, StreamState,
};
use bwmon_core::sink::{SinkError, SinkErrorKind};
use bwmon_core::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::connection;
use super::error::write_error;
use super::fault;
use super::maintenance::{CleanUp, Work};
use super::ranges::Arrived;
use super::schema::{KIND_DROPPED, KIND_EPOCH_START, KIND_REPORT};
use crate::Clock;

const ZSTD_LEVEL: i32 = 1;

pub(super) type Reply<T> = oneshot::Sender<Result<T, SinkError>>;

/// What the thread is asked for.
pub(super) enum Command {
    Write(Batch, Reply<Receipt>),
    CleanUp(Timestamp, Reply<CleanUp>),
    Close(Reply<()>),
}

pub(super) struct Writer {
    path: PathBuf,
    clock: Clock,
    /// Absent after an error that leaves its state in doubt; opened anew by the next write.
    connection: Option<Connection>,
}

impl Writer {
    pub(super) fn new(path: PathBuf, clock: Clock, connection: Connection) -> Self {
        Self {
            path,
            clock,
            connection: Some(connection),
        }
    }

    /// Serves until everyone who could ask is gone. A clean-up goes on one step at a time, after
    /// each command, so that writes never wait for all of it.
    pub(super) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut work: Option<Work> = None;
        loop {
            let command = match work {
                None => match commands.blocking_recv() {
                    Some(command) => Some(command),
                    None => return,
                },
                Some(_) => match commands.try_recv() {
                    Ok(command) => Some(command),
                    Err(mpsc::error::TryRecvError::Empty) => None,
                    Err(mpsc::error::TryRecvError::Disconnected) => return,
                },
            };
            match command {
                Some(Command::Close(reply)) => {
                    let _ = reply.send(self.close());
                    return;
                }
                Some(Command::Write(batch, reply)) => {
                    let _ = reply.send(self.write(&batch));
                }
                Some(Command::CleanUp(_, reply)) if work.is_some() => {
                    let _ = reply.send(Err(SinkError::new(
                        SinkErrorKind::Busy,
                        "a clean-up is under way already",
                    )));
                }
                Some(Command::CleanUp(cutoff, reply)) => work = Some(Work::new(cutoff, reply)),
                None => {}
            }
            work = work.and_then(|work| self.step(work));
        }
    }

    fn step(&mut self, mut work: Work) -> Option<Work> {
        match self.with_connection(|connection| work.step(connection)) {
            Ok(false) => Some(work),
            Ok(true) => {
                work.finish();
                None
            }
            Err(error) => {
                work.fail(error);
                None
            }
        }
    }

    fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError> {
        let now = self.clock.now();
        self.with_connection(|connection| commit(connection, &batch.entries, now))
    }

    fn with_connection<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, SinkError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connection::open_writer(&self.path).map_err(|error| {
                SinkError::new(SinkErrorKind::Broken, error.to_string()).caused_by(error)
            })?,
        };
        let error = match work(&mut connection) {
            Ok(value) => {
                self.connection = Some(connection);
                return Ok(value);
            }
            Err(error) => error,
        };
        let error = write_error(&self.path, error);
        if error.kind() == SinkErrorKind::Busy {
            self.connection = Some(connection);
        }
        Err(error)
    }

    fn close(&mut self) -> Result<(), SinkError> {
        let Some(connection) = self.connection.take() else {
            return Ok(());
        };
        // A reader that is still open keeps SQLite from doing this by itself, and whoever copies the
        // file after an orderly end must have it all. Where it cannot be done, the log has it.
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        connection
            .close()
            .map_err(|(_, error)| write_error(&self.path, error))
    }
}

/// Stores a batch in one transaction.
fn commit(
    connection: &mut Connection,
    entries: &[Envelope],
    now: Timestamp,
) -> rusqlite::Result<Receipt> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut open = Open::new(&transaction, now)?;
    let mut fates = Vec::with_capacity(entries.len());
    for entry in entries {
        fates.push(match fault::find(&entry.record, now) {
            Some(reason) => Fate::Refused(reason),
            None => open.take(entry)?,
        });
    }
    let streams = open.finish()?;
    transaction.commit()?;
    let mut receipt = Receipt::new(fates);
    receipt.streams = streams;
    receipt.server_time = Some(now);
    Ok(receipt)
}

/// A transaction and what it has loaded so far.
struct Open<'a> {
    transaction: &'a Transaction<'a>,
    now: Timestamp,
    compressor: zstd::bulk::Compressor<'static>,
    agents: BTreeMap<AgentId, AgentState>,
    streams: BTreeMap<(AgentId, Epoch), Arrived>,
}

struct AgentState {
    row: i64,
    stored: u64,
}

impl<'a> Open<'a> {
    fn new(transaction: &'a Transaction<'a>, now: Timestamp) -> rusqlite::Result<Self> {
        Ok(Self {
            transaction,
            now,
            compressor: zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(encoding)?,
            agents: BTreeMap::new(),
            streams: BTreeMap::new(),
        })
    }

    fn take(&mut self, entry: &Envelope) -> rusqlite::Result<Fate> {
        let record = &entry.record;
        let agent = self.agent_row(entry.agent)?;
        let stream = (entry.agent, record.epoch);
        if !self.streams.contains_key(&stream) {
            let arrived = load_stream(self.transaction, agent, record.epoch)?;
            self.streams.insert(stream, arrived);
        }
        let known = self.streams.get(&stream);
        if known.is_some_and(|arrived| arrived.contains(record.seq)) {
            return Ok(Fate::Duplicate);
        }
        let is_new = self.insert(agent, record)?;
        if let Some(arrived) = self.streams.get_mut(&stream) {
            arrived.insert(first_settled(record), record.seq);
        }
        if !is_new {
            return Ok(Fate::Duplicate);
        }
        if let Some(state) = self.agents.get_mut(&entry.agent) {
            state.stored += 1;
        }
        Ok(Fate::Stored)
    }

    fn agent_row(&mut self, agent: AgentId) -> rusqlite::Result<i64> {
        if let Some(state) = self.agents.get(&agent) {
            return Ok(state.row);
        }
        let id = agent.0.to_be_bytes();
        let row = self
            .transaction
            .prepare_cached(
                "INSERT INTO agents (agent, first_seen_us, last_seen_us) VALUES (?1, ?2, ?2)
                 ON CONFLICT (agent) DO UPDATE SET last_seen_us = max(last_seen_us, ?2)
                 RETURNING id",
            )?
            .query_row(params![id, self.now.as_micros()], |row| row.get(0))?;
        self.agents.insert(agent, AgentState { row, stored: 0 });
        Ok(row)
    }

    fn insert(&mut self, agent: i64, record: &Record) -> rusqlite::Result<bool> {
        let json = serde_json::to_vec(&record.body).map_err(encoding)?;
        let body = self.compressor.compress(&json).map_err(encoding)?;
        let (kind, start, end) = self.place(&record.body);
        let changed = self
            .transaction
            .prepare_cached(
                "INSERT INTO records
                     (agent, epoch, seq, kind, start_us, end_us, received_us, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (agent, epoch, seq) DO NOTHING",
            )?
            .execute(params![
                agent,
                record.epoch.0.to_be_bytes(),
                record.seq,
                kind,
                start.as_micros(),
                end.as_micros(),
                self.now.as_micros(),
                body,
            ])?;
        Ok(changed > 0)
    }

    /// Kind and window of a body; what has no window of its own is placed where it was received.
    fn place(&self, body: &RecordBody) -> (u8, Timestamp, Timestamp) {
        match body {
            RecordBody::Report(interval) => {
                (KIND_REPORT, interval.window.start, interval.window.end())
            }
            RecordBody::Dropped(_) => (KIND_DROPPED, self.now, self.now),
            RecordBody::EpochStart(start) => {
                let at = start.started.min(self.now);
                (KIND_EPOCH_START, at, at)
            }
        }
    }

    fn finish(self) -> rusqlite::Result<Vec<StreamState>> {
        let mut count = self
            .transaction
            .prepare_cached("UPDATE agents SET records = records + ?2 WHERE id = ?1")?;
        for state in self.agents.values().filter(|state| state.stored > 0) {
            count.execute(params![state.row, state.stored])?;
        }
        let mut states = Vec::with_capacity(self.streams.len());
        for ((agent, epoch), arrived) in self.streams {
            let Some(state) = self.agents.get(&agent) else {
                continue;
            };
            store_stream(self.transaction, state.row, epoch, &arrived, self.now)?;
            states.push(StreamState {
                agent,
                epoch,
                through: arrived.through(),
                missing: arrived.missing().to_vec(),
            });
        }
        Ok(states)
    }
}

/// The first number that `record` settles: a drop record speaks for all that it covers.
fn first_settled(record: &Record) -> u64 {
    match &record.body {
        RecordBody::Dropped(dropped) => dropped.from_seq,
        RecordBody::Report(_) | RecordBody::EpochStart(_) => record.seq,
    }
}

fn load_stream(
    transaction: &Transaction<'_>,
    agent: i64,
    epoch: Epoch,
) -> rusqlite::Result<Arrived> {
    let stored = transaction
        .prepare_cached(
            "SELECT through, highest, missing FROM streams WHERE agent = ?1 AND epoch = ?2",
        )?
        .query_row(params![agent, epoch.0.to_be_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    let Some((through, highest, missing)) = stored else {
        return Ok(Arrived::default());
    };
    let missing = serde_json::from_str(&missing).unwrap_or_default();
    let arrived = Arrived::restore(through, highest, missing);
    if arrived.is_none() {
        tracing::warn!(%epoch, "the state of a stream was damaged; it is built anew");
    }
    Ok(arrived.unwrap_or_default())
}

fn store_stream(
    transaction: &Transaction<'_>,
    agent: i64,
    epoch: Epoch,
    arrived: &Arrived,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let missing = serde_json::to_string(arrived.missing()).map_err(encoding)?;
    transaction
        .prepare_cached(
            "INSERT INTO streams (agent, epoch, through, highest, missing, updated_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (agent, epoch) DO UPDATE SET through = excluded.through,
                 highest = excluded.highest, missing = excluded.missing,
                 updated_us = excluded.updated_us",
        )?
        .execute(params![
            agent,
            epoch.0.to_be_bytes(),
            arrived.through(),
            arrived.highest(),
            missing,
            now.as_micros(),
        ])?;
    Ok(())
}

fn encoding(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
