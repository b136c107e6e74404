use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bwmon_core::sink::SinkError;
use bwmon_core::time::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::sink::stopped;
use super::writer::{Command, Reply};

/// Most records that one step removes: how long a write may have to wait.
const STEP_RECORDS: u64 = 500;
/// Most agents that one step looks at.
const STEP_AGENTS: usize = 256;
/// Most pages that one step gives back to the file system.
const STEP_PAGES: u64 = 256;

/// Asks the writer of a [`SqliteSink`](super::SqliteSink) for house-keeping, also after the sink
/// was given to a driver. Does not keep the writer alive.
#[derive(Clone)]
pub struct SqliteMaintenance {
    commands: mpsc::WeakSender<Command>,
}

/// What a clean-up removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CleanUp {
    /// Records whose window ended too long ago.
    pub records: u64,
    /// Agents that have no records left and were not seen since.
    pub agents: u64,
    /// Epochs that ended long ago, of which nothing is expected any more.
    pub streams: u64,
    /// Bytes given back to the file system.
    pub freed_bytes: u64,
}

impl SqliteMaintenance {
    pub(super) const fn new(commands: mpsc::WeakSender<Command>) -> Self {
        Self { commands }
    }

    /// Removes what ended more than `keep` before `now`, in small steps between the writes, and
    /// gives the space back to the file system.
    ///
    /// # Errors
    /// When the sink is closed, a clean-up is under way already, or the file cannot be written.
    pub async fn clean_up(&self, now: Timestamp, keep: Duration) -> Result<CleanUp, SinkError> {
        let (reply, answer) = oneshot::channel();
        let commands = self.commands.upgrade().ok_or_else(stopped)?;
        commands
            .send(Command::CleanUp(now.minus(keep), reply))
            .await
            .map_err(|_| stopped())?;
        drop(commands);
        answer.await.map_err(|_| stopped())?
    }
}

impl fmt::Debug for SqliteMaintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteMaintenance").finish_non_exhaustive()
    }
}

/// A clean-up under way.
pub(super) struct Work {
    cutoff_us: u64,
    reply: Reply<CleanUp>,
    done: CleanUp,
    phase: Phase,
}

enum Phase {
    Start,
    Records(VecDeque<i64>),
    Space,
}

impl Work {
    pub(super) fn new(cutoff: Timestamp, reply: Reply<CleanUp>) -> Self {
        Self {
            cutoff_us: cutoff.as_micros(),
            reply,
            done: CleanUp::default(),
            phase: Phase::Start,
        }
    }

    /// Does a bounded part of it; `true` when all is done.
    pub(super) fn step(&mut self, connection: &mut Connection) -> rusqlite::Result<bool> {
        match &mut self.phase {
            Phase::Start => {
                let mut select = connection.prepare_cached("SELECT id FROM agents")?;
                let agents = select.query_map([], |row| row.get(0))?;
                self.phase = Phase::Records(agents.collect::<Result<_, _>>()?);
                Ok(false)
            }
            Phase::Records(agents) if agents.is_empty() => {
                self.remove_remains(connection)?;
                self.phase = Phase::Space;
                Ok(false)
            }
            Phase::Records(agents) => {
                self.done.records += remove_records(connection, agents, self.cutoff_us)?;
                Ok(false)
            }
            Phase::Space => self.give_back(connection),
        }
    }

    pub(super) fn finish(self) {
        let _ = self.reply.send(Ok(self.done));
    }

    pub(super) fn fail(self, error: SinkError) {
        let _ = self.reply.send(Err(error));
    }

    /// Epochs are kept while nothing newer came from their agent: a resend may still refer to them.
    fn remove_remains(&mut self, connection: &mut Connection) -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let gone = "SELECT id FROM agents WHERE records = 0 AND last_seen_us <= ?1";
        let streams = transaction.execute(
            &format!(
                "DELETE FROM streams WHERE agent IN ({gone}) OR (updated_us <= ?1 AND EXISTS
                     (SELECT 1 FROM streams AS later WHERE later.agent = streams.agent
                      AND later.updated_us > streams.updated_us))"
            ),
            [self.cutoff_us],
        )?;
        let agents = transaction.execute(
            &format!("DELETE FROM agents WHERE id IN ({gone})"),
            [self.cutoff_us],
        )?;
        transaction.commit()?;
        self.done.streams = streams as u64;
        self.done.agents = agents as u64;
        Ok(())
    }

    /// Where nothing more can be given back, the log is copied into the file, which shrinks it;
    /// what readers still need stays.
    fn give_back(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let freed = vacuum(connection)?;
        if freed == 0 {
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            return Ok(true);
        }
        self.done.freed_bytes += freed * number(connection, "page_size")?;
        Ok(false)
    }
}

/// Gives back some pages; says how many.
fn vacuum(connection: &Connection) -> rusqlite::Result<u64> {
    let before = number(connection, "freelist_count")?;
    let sql = format!("PRAGMA incremental_vacuum({STEP_PAGES})");
    let mut statement = connection.prepare(&sql)?;
    // Each row that it returns is one page: it must be read to its end.
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(before.saturating_sub(number(connection, "freelist_count")?))
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

fn remove_records(
    connection: &mut Connection,
    agents: &mut VecDeque<i64>,
    cutoff_us: u64,
) -> rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut removed = 0;
    for _ in 0..STEP_AGENTS {
        let Some(&agent) = agents.front() else { break };
        let room = STEP_RECORDS - removed;
        let count = transaction
            .prepare_cached(
                "DELETE FROM records WHERE id IN
                     (SELECT id FROM records WHERE agent = ?1 AND end_us <= ?2
                      ORDER BY end_us LIMIT ?3)",
            )?
            .execute(params![agent, cutoff_us, room])? as u64;
        if count > 0 {
            transaction
                .prepare_cached("UPDATE agents SET records = records - ?2 WHERE id = ?1")?
                .execute(params![agent, count])?;
        }
        removed += count;
        if count == room {
            break;
        }
        agents.pop_front();
    }
    transaction.commit()?;
    Ok(removed)
}
