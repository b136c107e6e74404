//! The journal as a reader sees it: rows are read once and kept until they are removed from the file, so
//! that a question costs what was committed since the one before.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bwmon_core::report::AgentId;
use bwmon_core::time::Timestamp;
use rusqlite::Connection;

use super::entry::{Entry, Kind};
use super::row;

/// The rows that are in the journal, by agent.
#[derive(Default)]
pub(super) struct Tail {
    /// The last row that was read.
    through: i64,
    agents: HashMap<AgentId, VecDeque<Held>>,
}

/// An entry of the journal. Cheap to clone.
#[derive(Clone)]
pub(super) struct Held {
    row: Arc<Row>,
    from: u32,
    to: u32,
    pub(super) kind: Kind,
    pub(super) received: Timestamp,
    pub(super) end: Timestamp,
}

struct Row {
    id: i64,
    bytes: Vec<u8>,
}

impl Held {
    pub(super) fn entry(&self) -> Option<Entry<'_>> {
        row::at(&self.row.bytes, self.from as usize..self.to as usize)
    }

    pub(super) fn is_record(&self) -> bool {
        self.kind != Kind::Seen
    }

    /// Where it lies among all entries of the journal.
    pub(super) fn place(&self) -> (i64, u32) {
        (self.row.id, self.from)
    }
}

impl Tail {
    /// Takes in what was committed since, and lets go of what was removed. To be called at the start of a
    /// transaction, of which each sees a later state than the one before.
    pub(super) fn refresh(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let removed: i64 = connection
            .prepare_cached("SELECT removed FROM journal_state")?
            .query_row([], |row| row.get(0))?;
        self.agents.retain(|_, entries| {
            let is_removed = |held: &Held| held.row.id <= removed;
            while entries.front().is_some_and(is_removed) {
                entries.pop_front();
            }
            !entries.is_empty()
        });
        let mut select =
            connection.prepare_cached("SELECT id, body FROM journal WHERE id > ?1 ORDER BY id")?;
        let mut rows = select.query([self.through])?;
        while let Some(found) = rows.next()? {
            let row = Row {
                id: found.get(0)?,
                bytes: found.get(1)?,
            };
            self.through = row.id;
            self.take(&Arc::new(row));
        }
        Ok(())
    }

    fn take(&mut self, row: &Arc<Row>) {
        let agents = &mut self.agents;
        let read = row::read(&row.bytes, |agent, entry, Range { start, end }| {
            // Rows are far below 4 GiB: SQLite takes none above 1 GB.
            let [from, to] = [start, end].map(|at| u32::try_from(at).unwrap_or(0));
            agents.entry(agent).or_default().push_back(Held {
                row: Arc::clone(row),
                from,
                to,
                kind: entry.label.kind,
                received: entry.label.received,
                end: entry.label.end,
            });
        });
        if let Err(damage) = read {
            tracing::error!(row = row.id, %damage, "a row of the journal is damaged: the records of its commit are lost");
        }
    }

    /// The agent's entries in rows after `sealed`, in the order of arrival.
    pub(super) fn of(&self, agent: AgentId, sealed: i64) -> impl Iterator<Item = &Held> {
        let entries = self.agents.get(&agent).into_iter().flatten();
        entries.filter(move |held| held.row.id > sealed)
    }

    /// The agents that have entries.
    pub(super) fn agents(&self) -> impl Iterator<Item = AgentId> {
        self.agents.keys().copied()
    }
}
