use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bwmon_core::report::{AgentId, Epoch};
use bwmon_core::sink::SinkError;
use bwmon_core::time::Timestamp;
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::chunk::SPAN_US;
use super::queue::WeakQueue;
use super::seal;
use super::sink::stopped;
use super::writer::{Command, Parts, Reply};

/// Chunks that one step removes: how long a write may have to wait.
const STEP_CHUNKS: usize = 64;
/// Most agents that one step looks at.
const STEP_AGENTS: usize = 256;
/// Most pages that one step gives back to the file system.
const STEP_PAGES: u64 = 256;
/// For how much longer than its records the state of an ended epoch is kept, in microseconds: a chunk goes
/// when its last record may, and a window may end some minutes after it was received.
const STREAM_MARGIN_US: u64 = 2 * SPAN_US;

/// Asks the writer of a [`SqliteSink`](super::SqliteSink) for house-keeping, also after the sink
/// was given to a driver. Does not keep the writer alive.
#[derive(Clone)]
pub struct SqliteMaintenance {
    commands: WeakQueue,
}

/// What a clean-up removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CleanUp {
    /// Records that ended too long ago.
    pub records: u64,
    /// Agents that have no records left and were not seen since.
    pub agents: u64,
    /// Epochs that ended long ago, of which nothing is expected any more.
    pub streams: u64,
    /// Bytes given back to the file system.
    pub freed_bytes: u64,
}

impl SqliteMaintenance {
    pub(super) const fn new(commands: WeakQueue) -> Self {
        Self { commands }
    }

    /// Removes what ended more than `keep` before `now`, in small steps between the writes, and
    /// gives the space back to the file system. Records lie together by the hour: some are kept for up
    /// to an hour longer.
    ///
    /// # Errors
    /// When the sink is closed, a clean-up is under way already, or the file cannot be written.
    pub async fn clean_up(&self, now: Timestamp, keep: Duration) -> Result<CleanUp, SinkError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(Command::CleanUp(now.minus(keep), reply))
            .await?;
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
    /// Sealing what was in the journal at the start, up to this row once it is known.
    Journal(Option<i64>),
    Chunks(VecDeque<i64>),
    Space,
}

impl Work {
    pub(super) fn new(cutoff: Timestamp, reply: Reply<CleanUp>) -> Self {
        Self {
            cutoff_us: cutoff.as_micros(),
            reply,
            done: CleanUp::default(),
            phase: Phase::Journal(None),
        }
    }

    /// Does a bounded part of it, within the caller's transaction; `true` when all is done.
    pub(super) fn step(&mut self, parts: &mut Parts<'_>) -> rusqlite::Result<bool> {
        match &mut self.phase {
            Phase::Journal(until) => {
                let until = *until.get_or_insert(parts.heads.last_row);
                if parts.heads.sealed_row() < until {
                    parts.heads.freeze();
                    seal::step(parts)?;
                    return Ok(false);
                }
                let mut select = parts.connection.prepare_cached("SELECT id FROM agents")?;
                let agents = select.query_map([], |row| row.get(0))?;
                self.phase = Phase::Chunks(agents.collect::<Result<_, _>>()?);
                Ok(false)
            }
            Phase::Chunks(agents) if agents.is_empty() => {
                self.remove_remains(parts)?;
                self.phase = Phase::Space;
                Ok(false)
            }
            Phase::Chunks(agents) => {
                self.done.records += remove_chunks(parts.connection, agents, self.cutoff_us)?;
                Ok(false)
            }
            Phase::Space => self.give_back(parts.connection),
        }
    }

    pub(super) fn finish(self) {
        let _ = self.reply.send(Ok(self.done));
    }

    pub(super) fn fail(self, error: SinkError) {
        let _ = self.reply.send(Err(error));
    }

    /// Epochs are kept while nothing newer came from their agent: a resend may still refer to them. Of
    /// an agent with entries in the journal everything is kept: they are not in its figures yet, or would
    /// seem to be not sealed if its row were gone.
    fn remove_remains(&mut self, parts: &mut Parts<'_>) -> rusqlite::Result<()> {
        let streams = "SELECT agents.id, agents.agent, epoch,
                records = 0 AND last_seen_us <= ?1 AS is_gone
            FROM streams JOIN agents ON agents.id = streams.agent
            WHERE is_gone OR (updated_us <= ?2 AND EXISTS
                (SELECT 1 FROM streams AS later WHERE later.agent = streams.agent
                 AND later.updated_us > streams.updated_us))";
        let early = self.cutoff_us.saturating_sub(STREAM_MARGIN_US);
        let found = {
            let mut select = parts.connection.prepare_cached(streams)?;
            let rows = select.query_map([self.cutoff_us, early], |row| {
                let agent = AgentId(row.get(1).map(u128::from_be_bytes)?);
                let epoch = Epoch(row.get(2).map(u128::from_be_bytes)?);
                Ok((row.get::<_, i64>(0)?, agent, epoch))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()?
        };
        for (row, agent, epoch) in found {
            if parts.heads.has_rows_of(agent) {
                continue;
            }
            parts.heads.streams.forget(&(agent, epoch));
            self.done.streams += parts
                .connection
                .prepare_cached("DELETE FROM streams WHERE agent = ?1 AND epoch = ?2")?
                .execute(params![row, epoch.0.to_be_bytes()])?
                as u64;
        }
        self.remove_agents(parts)
    }

    fn remove_agents(&mut self, parts: &Parts<'_>) -> rusqlite::Result<()> {
        let found = {
            let mut select = parts.connection.prepare_cached(
                "SELECT id, agent FROM agents WHERE records = 0 AND last_seen_us <= ?1",
            )?;
            let rows = select.query_map([self.cutoff_us], |row| {
                let agent = AgentId(row.get(1).map(u128::from_be_bytes)?);
                Ok((row.get::<_, i64>(0)?, agent))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()?
        };
        for (row, agent) in found {
            if !parts.heads.has_rows_of(agent) {
                self.done.agents += parts
                    .connection
                    .prepare_cached("DELETE FROM agents WHERE id = ?1")?
                    .execute([row])? as u64;
            }
        }
        Ok(())
    }

    fn give_back(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let freed = vacuum(connection)?;
        self.done.freed_bytes += freed * number(connection, "page_size")?;
        Ok(freed == 0)
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

/// Removes chunks of which everything ended before the cutoff; says how many records they had.
fn remove_chunks(
    connection: &Connection,
    agents: &mut VecDeque<i64>,
    cutoff_us: u64,
) -> rusqlite::Result<u64> {
    let (mut records, mut chunks) = (0, 0);
    for _ in 0..STEP_AGENTS {
        let Some(&agent) = agents.front() else { break };
        let room = STEP_CHUNKS - chunks;
        let (removed, of_agent) = remove_of(connection, agent, cutoff_us, room)?;
        if of_agent > 0 {
            connection
                .prepare_cached("UPDATE agents SET records = records - ?2 WHERE id = ?1")?
                .execute(params![agent, of_agent])?;
        }
        records += of_agent;
        chunks += removed;
        if removed == room {
            break;
        }
        agents.pop_front();
    }
    Ok(records)
}

fn remove_of(
    connection: &Connection,
    agent: i64,
    cutoff_us: u64,
    most: usize,
) -> rusqlite::Result<(usize, u64)> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM chunks WHERE id IN
             (SELECT id FROM chunks WHERE agent = ?1 AND class IN (1, 2) AND last_end_us <= ?2
              ORDER BY last_end_us LIMIT ?3)
         RETURNING records",
    )?;
    let removed = delete.query_map(params![agent, cutoff_us, most as u64], |row| row.get(0))?;
    removed
        .collect::<rusqlite::Result<Vec<u64>>>()
        .map(|all| (all.len(), all.iter().sum()))
}
