//! Turning a generation of the journal into chunks, in small steps that ride on commits.

use std::collections::BTreeMap;

use bwmon_core::report::{AgentId, Epoch};
use rusqlite::{Connection, params};

use super::entry::Label;
use super::heads::{Frozen, Generation, Piece};
use super::writer::Parts;
use super::{row, streams};

/// Into how many steps a generation is cut by its bytes: at 16 MiB they have 64 KiB.
const STEPS: usize = 256;
/// Agents after which a step ends.
const STEP_AGENTS: usize = 16;
/// Bytes of rows that one step removes.
const STEP_REMOVED_BYTES: usize = 512 << 10;
/// Rows that one step removes.
const STEP_REMOVED_ROWS: usize = 256;

/// Does a bounded part of sealing the frozen generation, within the caller's transaction: agents first,
/// then, when every agent has its chunks, the rows are removed. What `heads` says of progress holds once
/// the transaction is committed; after one that failed, they are read anew.
pub(super) fn step(parts: &mut Parts<'_>) -> rusqlite::Result<()> {
    let Some(mut frozen) = parts.heads.frozen.take() else {
        return Ok(());
    };
    if frozen.agents_done < frozen.generation.order.len() {
        seal_agents(parts, &mut frozen)?;
        parts.heads.frozen = Some(frozen);
    } else if remove_rows(parts.connection, &mut frozen)? {
        parts.counted.generations += 1;
        let sealed = parts.heads.sealed_row();
        parts.heads.streams.prune(sealed);
    } else {
        parts.heads.frozen = Some(frozen);
    }
    Ok(())
}

fn seal_agents(parts: &mut Parts<'_>, frozen: &mut Frozen) -> rusqlite::Result<()> {
    let step_bytes = parts.heads.generation_bytes.div_ceil(STEPS);
    let (mut bytes, mut agents) = (0, 0);
    while bytes < step_bytes && agents < STEP_AGENTS {
        let Some(agent) = frozen.generation.order.get(frozen.agents_done).copied() else {
            break;
        };
        let pieces = frozen.generation.agents.get(&agent);
        let pieces = pieces.map(Vec::as_slice).unwrap_or_default();
        let rest = pieces.get(frozen.pieces_done..).unwrap_or_default();
        let portion = rest.split_at(portion(rest, step_bytes * 4)).0;
        let is_last = portion.len() == rest.len();
        let through = match (is_last, portion.last()) {
            (false, Some(piece)) => frozen.generation.row_id(*piece),
            _ => frozen.generation.last_row(),
        };
        let part = Part {
            agent,
            portion,
            through,
        };
        let chunks = part.seal(parts, &frozen.generation)?;
        parts.counted.sealed_records += portion.len() as u64;
        parts.counted.chunks += chunks;
        let done = portion.iter().map(|piece| piece.bytes()).sum::<usize>();
        bytes += done;
        agents += 1;
        frozen.bytes_done += done;
        frozen.pieces_done += portion.len();
        if is_last {
            frozen.agents_done += 1;
            frozen.pieces_done = 0;
        }
    }
    Ok(())
}

/// How many pieces of an agent are sealed at once: whole rows, of little more than so many bytes.
fn portion(pieces: &[Piece], most: usize) -> usize {
    let mut bytes = 0;
    let mut last_row = None;
    let fits = pieces.iter().take_while(|piece| {
        let is_same_row = last_row == Some(piece.row);
        let fits = bytes < most || is_same_row;
        bytes += piece.bytes();
        last_row = Some(piece.row);
        fits
    });
    fits.count()
}

/// Some pieces of an agent that become chunks in one transaction.
struct Part<'a> {
    agent: AgentId,
    portion: &'a [Piece],
    /// The row up to which the agent is sealed then.
    through: i64,
}

impl Part<'_> {
    fn seal(&self, parts: &mut Parts<'_>, generation: &Generation) -> rusqlite::Result<u64> {
        let connection = parts.connection;
        let entries: Vec<(Label, &[u8])> = self
            .portion
            .iter()
            .filter_map(|piece| generation.entry(*piece))
            .collect();
        let Some(agent) = self.note_agent(connection, &entries)? else {
            return Ok(0);
        };
        let chunks = parts.chunks.store(connection, agent, &entries)?;
        let mut updated: BTreeMap<Epoch, u64> = BTreeMap::new();
        for (label, _) in &entries {
            let received = updated.entry(label.epoch).or_default();
            *received = (*received).max(label.received.as_micros());
        }
        for (epoch, received) in updated {
            if let Some(stream) = parts.heads.streams.find(&(self.agent, epoch)) {
                streams::store(connection, agent, epoch, &stream.arrived, received)?;
            }
        }
        Ok(chunks)
    }

    /// Brings what is known of the agent up to date; its row. `None` where nothing of it is left: its
    /// entries were sealed before, and it may be gone.
    fn note_agent(
        &self,
        connection: &Connection,
        entries: &[(Label, &[u8])],
    ) -> rusqlite::Result<Option<i64>> {
        let received = entries.iter().map(|(label, _)| label.received.as_micros());
        let (Some(first), Some(last)) = (received.clone().min(), received.max()) else {
            return Ok(None);
        };
        let records = entries
            .iter()
            .filter(|(label, _)| label.is_record())
            .count();
        let row = connection
            .prepare_cached(
                "INSERT INTO agents (agent, first_seen_us, last_seen_us, records, sealed_row)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (agent) DO UPDATE SET
                     last_seen_us = max(last_seen_us, excluded.last_seen_us),
                     records = records + excluded.records,
                     sealed_row = excluded.sealed_row
                 RETURNING id",
            )?
            .query_row(
                params![
                    self.agent.0.to_be_bytes(),
                    first,
                    last,
                    records as u64,
                    self.through
                ],
                |row| row.get(0),
            )?;
        Ok(Some(row))
    }
}

impl Generation {
    fn row_id(&self, piece: Piece) -> i64 {
        self.rows.get(piece.row as usize).map_or(0, |row| row.id)
    }

    fn entry(&self, piece: Piece) -> Option<(Label, &[u8])> {
        let row = self.rows.get(piece.row as usize)?;
        let entry = row::at(&row.bytes, piece.place())?;
        Some((entry.label, row::bytes_at(&row.bytes, piece.place())))
    }
}

/// Removes some rows; `true` when none is left.
fn remove_rows(connection: &Connection, frozen: &mut Frozen) -> rusqlite::Result<bool> {
    let rest = frozen.generation.rows.get(frozen.rows_done..);
    let mut bytes = 0;
    let rows = rest.unwrap_or_default().iter().take(STEP_REMOVED_ROWS);
    let rows = rows.take_while(|row| {
        let fits = bytes < STEP_REMOVED_BYTES;
        bytes += row.bytes.len();
        fits
    });
    let ids: Vec<i64> = rows.map(|row| row.id).collect();
    if let (Some(first), Some(last)) = (ids.first(), ids.last()) {
        connection
            .prepare_cached("DELETE FROM journal WHERE id BETWEEN ?1 AND ?2")?
            .execute([first, last])?;
        connection
            .prepare_cached("UPDATE journal_state SET removed = ?1")?
            .execute([last])?;
    }
    frozen.rows_done += ids.len();
    Ok(frozen.rows_done >= frozen.generation.rows.len())
}
