//! What the journal holds, in memory, until it is sealed.

use std::collections::HashSet;
use std::ops::Range;

use bwmon_core::report::AgentId;
use bwmon_core::time::Timestamp;
use foldhash::HashMap;
use rusqlite::{Connection, params};

use super::entry::Label;
use super::row;
use super::streams::Streams;

/// Rows after which a generation ends.
const GENERATION_ROWS: usize = 16_384;
/// Age after which a generation ends, in seconds: what another process's reader may have to read, and
/// how many reports of an agent lie together.
const GENERATION_SECONDS: u64 = 600;

/// The rows of the journal in memory, and what they say of streams.
#[derive(Debug)]
pub(super) struct Heads {
    /// Rows that are being added to.
    pub(super) current: Generation,
    /// Rows that are being sealed.
    pub(super) frozen: Option<Frozen>,
    pub(super) streams: Streams,
    /// The last row that was given a number.
    pub(super) last_row: i64,
    /// Bytes of rows after which a generation ends.
    pub(super) generation_bytes: usize,
}

/// Some consecutive rows, by agent.
#[derive(Debug, Default)]
pub(super) struct Generation {
    pub(super) rows: Vec<Row>,
    pub(super) bytes: usize,
    pub(super) agents: HashMap<AgentId, Vec<Piece>>,
    /// The agents in the order in which they first appear.
    pub(super) order: Vec<AgentId>,
    began: Option<Timestamp>,
}

/// A row of the journal. One that is damaged has no bytes here.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) bytes: Vec<u8>,
}

/// Where an entry lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Place of its row in the generation.
    pub(super) row: u32,
    from: u32,
    to: u32,
}

/// A generation that is being sealed, and how far that is.
#[derive(Debug)]
pub(super) struct Frozen {
    pub(super) generation: Generation,
    /// Agents of `order` that are sealed.
    pub(super) agents_done: usize,
    /// Pieces of the next agent that are sealed.
    pub(super) pieces_done: usize,
    /// Bytes of entries that are sealed.
    pub(super) bytes_done: usize,
    /// Rows that are removed.
    pub(super) rows_done: usize,
}

impl Piece {
    pub(super) fn place(self) -> Range<usize> {
        self.from as usize..self.to as usize
    }

    pub(super) fn bytes(self) -> usize {
        self.place().len()
    }
}

impl Generation {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn last_row(&self) -> i64 {
        self.rows.last().map_or(0, |row| row.id)
    }

    /// Adds a row, of which the agents' entries lie at these places.
    pub(super) fn push(
        &mut self,
        row: Row,
        pieces: impl IntoIterator<Item = (AgentId, Range<usize>)>,
        received: Timestamp,
    ) {
        let at = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        for (agent, place) in pieces {
            // Rows are far below 4 GiB: SQLite takes none above 1 GB.
            let [from, to] = [place.start, place.end].map(|it| u32::try_from(it).unwrap_or(0));
            self.of(agent).push(Piece { row: at, from, to });
        }
        self.began.get_or_insert(received);
        self.bytes += row.bytes.len();
        self.rows.push(row);
    }

    /// The pieces of an agent. One without any is known as having entries in the rows all the same.
    fn of(&mut self, agent: AgentId) -> &mut Vec<Piece> {
        let order = &mut self.order;
        self.agents.entry(agent).or_insert_with(|| {
            order.push(agent);
            Vec::new()
        })
    }
}

impl Frozen {
    fn new(generation: Generation) -> Self {
        Self {
            generation,
            agents_done: 0,
            pieces_done: 0,
            bytes_done: 0,
            rows_done: 0,
        }
    }

    /// How much of the work is done, 0.0 to 1.0.
    #[allow(clippy::cast_precision_loss)] // a share
    pub(super) fn progress(&self) -> f64 {
        let share = |done: usize, all: usize| done as f64 / all.max(1) as f64;
        let sealed = share(self.bytes_done, self.generation.bytes);
        let removed = share(self.rows_done, self.generation.rows.len());
        sealed.min(1.0) * 0.8 + removed * 0.2
    }
}

impl Heads {
    /// Ends the current generation, which is then to be sealed; `false` while another one is.
    pub(super) fn freeze(&mut self) -> bool {
        if self.frozen.is_some() || self.current.is_empty() {
            return false;
        }
        let generation = std::mem::take(&mut self.current);
        self.frozen = Some(Frozen::new(generation));
        true
    }

    /// Whether no more should be added to the current generation.
    pub(super) fn is_full(&self, now: Timestamp) -> bool {
        let began = self.current.began;
        let age = began.map_or(0, |began| now.since(began).as_secs());
        self.fullness() >= 1.0 || age >= GENERATION_SECONDS
    }

    /// How full the current generation is, 1.0 for ready to be sealed.
    #[allow(clippy::cast_precision_loss)] // a share
    pub(super) fn fullness(&self) -> f64 {
        let bytes = self.current.bytes as f64 / self.generation_bytes as f64;
        bytes.max(self.current.rows.len() as f64 / GENERATION_ROWS as f64)
    }

    /// Whether the file's journal may have entries of the agent, sealed or not.
    pub(super) fn has_rows_of(&self, agent: AgentId) -> bool {
        let frozen = self.frozen.as_ref().map(|frozen| &frozen.generation);
        let mut generations = frozen.into_iter().chain([&self.current]);
        generations.any(|generation| generation.agents.contains_key(&agent))
    }

    /// The last row that is sealed for every agent.
    pub(super) fn sealed_row(&self) -> i64 {
        let frozen = self.frozen.as_ref().map(|frozen| &frozen.generation);
        let first = frozen.unwrap_or(&self.current).rows.first();
        first.map_or(self.last_row, |row| row.id - 1)
    }

    /// Rows and bytes in memory.
    pub(super) fn size(&self) -> (usize, usize) {
        let frozen = self.frozen.as_ref().map(|frozen| &frozen.generation);
        let all = frozen.into_iter().chain([&self.current]);
        all.fold((0, 0), |(rows, bytes), generation| {
            (rows + generation.rows.len(), bytes + generation.bytes)
        })
    }

    /// Reads the journal of the file back.
    pub(super) fn replay(
        connection: &Connection,
        generation_bytes: usize,
    ) -> rusqlite::Result<Self> {
        let mut heads = Self {
            current: Generation::default(),
            frozen: None,
            streams: Streams::default(),
            last_row: 0,
            generation_bytes: generation_bytes.max(1),
        };
        let sealed = sealed_rows(connection)?;
        let removed: i64 =
            connection.query_row("SELECT removed FROM journal_state", [], |row| row.get(0))?;
        let highest = sealed.values().copied().max().unwrap_or(0);
        heads.last_row = removed.max(highest);
        let mut select = connection.prepare("SELECT id, body FROM journal ORDER BY id")?;
        let mut rows = select.query([])?;
        while let Some(found) = rows.next()? {
            let row = Row {
                id: found.get(0)?,
                bytes: found.get(1)?,
            };
            heads.last_row = heads.last_row.max(row.id);
            heads.take_back(connection, row, &sealed)?;
        }
        Ok(heads)
    }

    fn take_back(
        &mut self,
        connection: &Connection,
        mut row: Row,
        sealed: &HashMap<AgentId, i64>,
    ) -> rusqlite::Result<()> {
        let mut entries: Vec<(AgentId, Label, Range<usize>)> = Vec::new();
        let read = row::read(&row.bytes, |agent, entry, place| {
            entries.push((agent, entry.label, place));
        });
        if let Err(damage) = read {
            entries.clear();
            row.bytes = Vec::new();
            let row = row.id;
            tracing::error!(row, %damage, "a row of the journal is damaged: the records of its commit are lost");
        }
        let (old, new): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|(agent, _, _)| sealed.get(agent).is_some_and(|last| row.id <= *last));
        let mut received = None;
        for (agent, label, _) in &new {
            let stream = self.streams.load(connection, (*agent, label.epoch))?;
            if label.is_record() {
                stream.arrived.insert(label.first, label.seq);
            }
            stream.last_row = row.id;
            received = Some(label.received);
        }
        let old: HashSet<AgentId> = old.into_iter().map(|(agent, _, _)| agent).collect();
        for agent in old {
            self.current.of(agent);
        }
        let pieces = new.into_iter().map(|(agent, _, place)| (agent, place));
        let began = received.unwrap_or(Timestamp::EPOCH);
        self.current.push(row, pieces, began);
        Ok(())
    }
}

/// The last row that is sealed, by agent.
fn sealed_rows(connection: &Connection) -> rusqlite::Result<HashMap<AgentId, i64>> {
    let mut select = connection.prepare("SELECT agent, sealed_row FROM agents")?;
    let rows = select.query_map(params![], |row| {
        let agent = row.get(0).map(u128::from_be_bytes)?;
        Ok((AgentId(agent), row.get(1)?))
    })?;
    rows.collect()
}
