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
    /// Agents that are still to be looked at.
    Agents(VecDeque<i64>),
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
                self.phase = Phase::Agents(agents.collect::<Result<_, _>>()?);
                Ok(false)
            }
            Phase::Agents(agents) if agents.is_empty() => {
                self.phase = Phase::Space;
                Ok(false)
            }
            Phase::Agents(agents) => {
                clean(parts, agents, self.cutoff_us, &mut self.done)?;
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

/// Removes what is old of some agents, with a bounded number of chunks.
fn clean(
    parts: &mut Parts<'_>,
    agents: &mut VecDeque<i64>,
    cutoff_us: u64,
    done: &mut CleanUp,
) -> rusqlite::Result<()> {
    let mut chunks = 0;
    for _ in 0..STEP_AGENTS {
        let Some(&agent) = agents.front() else { break };
        let room = STEP_CHUNKS - chunks;
        let (removed, records) = remove_chunks(parts.connection, agent, cutoff_us, room)?;
        if records > 0 {
            parts
                .connection
                .prepare_cached("UPDATE agents SET records = records - ?2 WHERE id = ?1")?
                .execute(params![agent, records])?;
        }
        done.records += records;
        chunks += removed;
        if removed == room {
            break;
        }
        remove_remains(parts, agent, cutoff_us, done)?;
        agents.pop_front();
    }
    Ok(())
}

/// Removes chunks of which everything ended before the cutoff; says how many, and how many records they had.
fn remove_chunks(
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

/// Removes an agent of which nothing is left, or else its epochs that ended long ago. Epochs are kept while
/// nothing newer came from their agent: a resend may still refer to them. Of an agent with entries in the
/// journal everything is kept: they are not in its figures yet, or would seem to be not sealed if its row
/// were gone.
fn remove_remains(
    parts: &mut Parts<'_>,
    row: i64,
    cutoff_us: u64,
    done: &mut CleanUp,
) -> rusqlite::Result<()> {
    let (agent, is_gone) = parts
        .connection
        .prepare_cached(
            "SELECT agent, records = 0 AND last_seen_us <= ?2 FROM agents WHERE id = ?1",
        )?
        .query_row(params![row, cutoff_us], |found| {
            Ok((
                AgentId(found.get(0).map(u128::from_be_bytes)?),
                found.get(1)?,
            ))
        })?;
    if parts.heads.has_rows_of(agent) {
        return Ok(());
    }
    let mut select = parts.connection.prepare_cached(
        "DELETE FROM streams WHERE agent = ?1 AND (?2 OR (updated_us <= ?3 AND updated_us <
             (SELECT max(updated_us) FROM streams WHERE agent = ?1)))
         RETURNING epoch",
    )?;
    let early = cutoff_us.saturating_sub(STREAM_MARGIN_US);
    let mut removed = select.query(params![row, is_gone, early])?;
    while let Some(found) = removed.next()? {
        let epoch = Epoch(found.get(0).map(u128::from_be_bytes)?);
        parts.heads.streams.forget(&(agent, epoch));
        done.streams += 1;
    }
    if is_gone {
        done.agents += parts
            .connection
            .prepare_cached("DELETE FROM agents WHERE id = ?1")?
            .execute([row])? as u64;
    }
    Ok(())
}
