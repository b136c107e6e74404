//! The only connection that writes, on its own thread.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use bwmon_core::report::Receipt;
use bwmon_core::sink::{SinkError, SinkErrorKind};
use bwmon_core::time::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::batch::Prepared;
use super::checkpoint::{self, Checkpointer};
use super::chunk::ChunkWriter;
use super::connection;
use super::error::{OpenError, write_error};
use super::figures::{Counted, Figures};
use super::heads::Heads;
use super::maintenance::{CleanUp, Work};
use super::{journal, seal};

/// For how long nothing is asked for before work goes on that nobody waits for. Under load it rides on
/// commits.
const IDLE: Duration = Duration::from_millis(5);
/// Most records that are committed together, unless one batch alone has more.
const GROUP_RECORDS: usize = 1_024;
/// Bytes that are committed together, unless one batch alone has more.
const GROUP_BYTES: usize = 4 << 20;
/// For how long more is waited for, once, where a group is smaller than the one before: a commit costs the
/// same whatever it carries.
const LINGER: Duration = Duration::from_micros(400);
/// Batches of a group from which on that is done: below, nobody gains by waiting.
const LOADED: usize = 8;
/// Steps of sealing in one transaction when nothing else is to be done.
const IDLE_STEPS: usize = 4;
/// How far sealing is ahead of the generation that grows meanwhile, so that it ends first.
const SEAL_PACE: f64 = 1.25;

pub(super) type Reply<T> = oneshot::Sender<Result<T, SinkError>>;

/// What the thread is asked for.
pub(super) enum Command {
    Write(Prepared, Reply<Receipt>),
    CleanUp(Timestamp, Reply<CleanUp>),
    Close(Reply<()>),
}

/// A command and the place in the queue that it holds.
pub(super) type Queued = (Command, OwnedSemaphorePermit);

/// The open file, and what the journal in it says.
pub(super) struct Store {
    connection: Connection,
    /// SQLite's `data_version`: changes when somebody else writes.
    version: i64,
    heads: Heads,
}

/// What a transaction works on.
pub(super) struct Parts<'a> {
    pub(super) connection: &'a Connection,
    pub(super) heads: &'a mut Heads,
    pub(super) chunks: &'a mut ChunkWriter,
    /// What counts once the transaction is committed.
    pub(super) counted: &'a mut Counted,
}

pub(super) struct Writer {
    path: PathBuf,
    journal_bytes: usize,
    figures: Figures,
    /// Absent after an error that leaves its state in doubt; opened and read anew by the next command.
    store: Option<Store>,
    chunks: ChunkWriter,
    checkpointer: Checkpointer,
    /// Batches of the last commit.
    last_group: usize,
}

impl Store {
    /// Opens the file and reads the journal back.
    pub(super) fn open(
        path: &Path,
        journal_bytes: usize,
        figures: &Figures,
    ) -> Result<Self, OpenError> {
        let mut connection = connection::open_writer(path)?;
        let sqlite = |source| OpenError::sqlite(path, source);
        let counted = figures.clone();
        connection
            .wal_hook(Some(move |_: &mut _, pages: std::ffi::c_int| {
                counted.set_wal_pages(u64::try_from(pages).unwrap_or(0));
                Ok(())
            }))
            .map_err(sqlite)?;
        let read = connection.transaction().and_then(|transaction| {
            let heads = Heads::replay(&transaction, journal_bytes)?;
            Ok((data_version(&transaction)?, heads))
        });
        let (version, heads) = read.map_err(sqlite)?;
        figures.replayed();
        figures.journal(heads.size());
        Ok(Self {
            connection,
            version,
            heads,
        })
    }
}

/// A transaction that was not committed, or of which that is not known.
enum Failed {
    NotBegun(rusqlite::Error),
    InDoubt(rusqlite::Error),
}

impl Store {
    fn transact<T>(
        &mut self,
        chunks: &mut ChunkWriter,
        figures: &Figures,
        work: impl FnOnce(&mut Parts<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Failed> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Failed::NotBegun)?;
        let mut counted = Counted::default();
        let done = data_version(&transaction).and_then(|found| {
            if found != self.version {
                // Somebody else has written since.
                self.heads = Heads::replay(&transaction, self.heads.generation_bytes)?;
                self.version = found;
                figures.replayed();
            }
            work(&mut Parts {
                connection: &transaction,
                heads: &mut self.heads,
                chunks,
                counted: &mut counted,
            })
        });
        let done = done.and_then(|value| transaction.commit().map(|()| value));
        if done.is_ok() {
            figures.add(&counted);
        }
        done.map_err(Failed::InDoubt)
    }
}

impl Writer {
    pub(super) fn new(
        path: PathBuf,
        store: Store,
        chunks: ChunkWriter,
        checkpointer: Checkpointer,
        figures: Figures,
    ) -> Self {
        Self {
            path,
            journal_bytes: store.heads.generation_bytes,
            figures,
            store: Some(store),
            chunks,
            checkpointer,
            last_group: 0,
        }
    }

    /// Serves until everyone who could ask is gone. What takes longer goes on one step at a time, with
    /// commits or between them, so that writes never wait for all of it. When nobody can ask any more
    /// nothing goes on: another writer may have opened the file.
    pub(super) fn run(mut self, commands: &Receiver<Queued>) {
        let mut work: Option<Work> = None;
        let mut patience = IDLE;
        // What was taken from the queue while a group was gathered, and does not belong to it.
        let mut held = None;
        loop {
            let is_busy = work.is_some() || self.is_sealing();
            let received = if let Some(held) = held.take() {
                Ok(held)
            } else if is_busy {
                commands.recv_timeout(patience)
            } else {
                commands.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            let command = match received {
                Ok((command, _place)) => Some(command),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            patience = if command.is_some() {
                IDLE
            } else {
                Duration::ZERO
            };
            match command {
                Some(Command::Close(reply)) => {
                    let _ = reply.send(self.close());
                    return;
                }
                Some(Command::Write(batch, reply)) => {
                    held = self.write_together(batch, reply, commands);
                }
                Some(Command::CleanUp(_, reply)) if work.is_some() => {
                    let _ = reply.send(Err(SinkError::new(
                        SinkErrorKind::Busy,
                        "a clean-up is under way already",
                    )));
                }
                Some(Command::CleanUp(cutoff, reply)) => work = Some(Work::new(cutoff, reply)),
                None if work.is_none() => self.seal(),
                None => {}
            }
            work = work.and_then(|work| self.step(work));
        }
    }

    fn is_sealing(&self) -> bool {
        let heads = self.store.as_ref().map(|store| &store.heads);
        heads.is_some_and(|heads| heads.frozen.is_some())
    }

    fn step(&mut self, mut work: Work) -> Option<Work> {
        match self.transact(|parts| work.step(parts)) {
            Ok(false) => Some(work),
            Ok(true) => {
                // Shrinks the file; what readers still need stays.
                if let Some(Err(error)) = self
                    .store
                    .as_ref()
                    .map(|store| checkpoint::copy(&store.connection))
                {
                    work.fail(write_error(&self.path, error));
                } else {
                    work.finish();
                }
                None
            }
            Err(error) => {
                work.fail(error);
                None
            }
        }
    }

    /// Goes on with sealing where nobody waits for it. An error shows with the next write as well.
    fn seal(&mut self) {
        let sealed = self.transact(|parts| {
            for _ in 0..IDLE_STEPS {
                seal::step(parts)?;
            }
            Ok(())
        });
        if let Err(error) = sealed {
            tracing::warn!(%error, "records stay in the journal for now");
        }
    }

    /// Commits a batch with all others that wait, and answers. What else was taken from the queue is given
    /// back.
    fn write_together(
        &mut self,
        batch: Prepared,
        reply: Reply<Receipt>,
        commands: &Receiver<Queued>,
    ) -> Option<Queued> {
        let mut group = Group::new(batch, reply);
        let mut other = group.gather(commands);
        if other.is_none() && (LOADED..self.last_group).contains(&group.replies.len()) {
            thread::sleep(LINGER);
            other = group.gather(commands);
        }
        let Group {
            batches, replies, ..
        } = group;
        self.last_group = replies.len();
        let begun = Instant::now();
        let written = self.write(batches);
        self.figures.written(begun.elapsed(), written.is_ok());
        answer(replies, written);
        other
    }

    fn write(&mut self, batches: Vec<Prepared>) -> Result<Vec<Receipt>, SinkError> {
        let now = batches.first().map(|batch| batch.now);
        self.transact(|parts| {
            let receipts = journal::commit(parts, batches)?;
            keep_pace(parts, now.unwrap_or(Timestamp::EPOCH))?;
            Ok(receipts)
        })
    }

    /// One transaction. Where it fails after it began, memory may be ahead of the file: the file is opened
    /// and read anew the next time.
    fn transact<T>(
        &mut self,
        work: impl FnOnce(&mut Parts<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, SinkError> {
        let mut store = match self.store.take() {
            Some(store) => store,
            None => {
                Store::open(&self.path, self.journal_bytes, &self.figures).map_err(|error| {
                    SinkError::new(SinkErrorKind::Broken, error.to_string()).caused_by(error)
                })?
            }
        };
        let done = store.transact(&mut self.chunks, &self.figures, work);
        let (error, is_begun) = match done {
            Ok(value) => {
                self.committed(store);
                return Ok(value);
            }
            Err(Failed::NotBegun(error)) => (error, false),
            Err(Failed::InDoubt(error)) => (error, true),
        };
        let error = write_error(&self.path, error);
        if error.kind() == SinkErrorKind::Busy && !is_begun {
            self.store = Some(store);
        }
        Err(error)
    }

    fn committed(&mut self, store: Store) {
        self.figures.journal(store.heads.size());
        if let Err(error) = self.checkpointer.after_commit(&store.connection) {
            // What was committed is durable, and the log is copied the next time.
            tracing::warn!(%error, "the write-ahead log is not copied");
        }
        self.store = Some(store);
    }

    fn close(self) -> Result<(), SinkError> {
        let Self {
            path,
            store,
            checkpointer,
            ..
        } = self;
        drop(checkpointer);
        let Some(Store { connection, .. }) = store else {
            return Ok(());
        };
        // A reader that is still open keeps SQLite from doing this by itself, and whoever copies the
        // file after an orderly end must have it all. Where it cannot be done, the log has it.
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        connection
            .close()
            .map_err(|(_, error)| write_error(&path, error))
    }
}

/// Batches that are committed together.
struct Group {
    batches: Vec<Prepared>,
    replies: Vec<Reply<Receipt>>,
    records: usize,
    bytes: usize,
}

impl Group {
    fn new(batch: Prepared, reply: Reply<Receipt>) -> Self {
        let (records, bytes) = batch.size();
        Self {
            batches: vec![batch],
            replies: vec![reply],
            records,
            bytes,
        }
    }

    /// Takes in what waits, up to the bounds. What was taken from the queue and is no batch is given back.
    fn gather(&mut self, commands: &Receiver<Queued>) -> Option<Queued> {
        while self.records < GROUP_RECORDS && self.bytes < GROUP_BYTES {
            match commands.try_recv() {
                Ok((Command::Write(batch, reply), _place)) => {
                    let (records, bytes) = batch.size();
                    self.records += records;
                    self.bytes += bytes;
                    self.batches.push(batch);
                    self.replies.push(reply);
                }
                Ok(other) => return Some(other),
                Err(_) => return None,
            }
        }
        None
    }
}

/// Answers each batch of a group. Whoever asked may be gone.
fn answer(replies: Vec<Reply<Receipt>>, written: Result<Vec<Receipt>, SinkError>) {
    match written {
        Ok(receipts) => {
            for (reply, receipt) in replies.into_iter().zip(receipts) {
                let _ = reply.send(Ok(receipt));
            }
        }
        Err(error) => {
            let (kind, message) = (error.kind(), error.to_string());
            let mut replies = replies.into_iter();
            if let Some(first) = replies.next() {
                let _ = first.send(Err(error));
            }
            for reply in replies {
                let _ = reply.send(Err(SinkError::new(kind, message.clone())));
            }
        }
    }
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}

/// Ends the generation when it is full, and seals as much as it takes to be done before the next is.
fn keep_pace(parts: &mut Parts<'_>, now: Timestamp) -> rusqlite::Result<()> {
    loop {
        if let Some(frozen) = &parts.heads.frozen {
            if frozen.progress() >= parts.heads.fullness() * SEAL_PACE {
                return Ok(());
            }
            seal::step(parts)?;
        } else if !(parts.heads.is_full(now) && parts.heads.freeze()) {
            return Ok(());
        }
    }
}
