//! A commit: what of a batch is new becomes one row of the journal.

use std::ops::Range;

use bwmon_core::report::{AgentId, Fate, Receipt, StreamState};
use bwmon_core::time::Timestamp;
use rusqlite::{Connection, params};

use super::batch::{Item, Prepared};
use super::entry::Label;
use super::figures::Figures;
use super::heads::{Heads, Row};
use super::ranges::MAX_RANGES;
use super::row::RowBuilder;
use super::streams::StreamKey;

/// Takes a batch into the journal, within the caller's transaction.
pub(super) fn commit(
    connection: &Connection,
    heads: &mut Heads,
    figures: &Figures,
    prepared: Prepared,
) -> rusqlite::Result<Receipt> {
    let now = prepared.now;
    let row = heads.last_row + 1;
    let mut taking = Taking {
        connection,
        heads,
        row,
        streams: Vec::with_capacity(prepared.items.len()),
        repeated: Vec::new(),
        kept: Vec::with_capacity(prepared.items.len()),
    };
    let mut fates = Vec::with_capacity(prepared.items.len());
    for item in prepared.items {
        fates.push(match item {
            Item::Refused(reason) => Fate::Refused(reason),
            Item::Sound {
                agent,
                label,
                place,
            } => taking.take(agent, &label, place)?,
        });
    }
    let records = taking.kept.len() as u64;
    let bytes = taking.write(prepared.row, now)?;
    figures.committed(records, bytes);
    let streams = taking.states();
    let mut receipt = Receipt::new(fates);
    receipt.streams = streams;
    receipt.server_time = Some(now);
    Ok(receipt)
}

/// A batch that is being taken.
struct Taking<'a> {
    connection: &'a Connection,
    heads: &'a mut Heads,
    /// The row that it becomes.
    row: i64,
    /// Streams that it touched, some of them several times.
    streams: Vec<StreamKey>,
    /// Streams of which something came again.
    repeated: Vec<StreamKey>,
    /// What is new, and where it lies in the prepared row.
    kept: Vec<(AgentId, Range<usize>)>,
}

impl Taking<'_> {
    fn take(
        &mut self,
        agent: AgentId,
        label: &Label,
        place: Range<usize>,
    ) -> rusqlite::Result<Fate> {
        let key = (agent, label.epoch);
        let stream = self.heads.streams.load(self.connection, key)?;
        self.streams.push(key);
        if stream.arrived.contains(label.seq) {
            self.repeated.push(key);
            return Ok(Fate::Duplicate);
        }
        if !stream.arrived.has_room_for(label.first, label.seq) {
            return Ok(Fate::Refused(format!(
                "{MAX_RANGES} ranges of numbers before it are missing, the most that are told \
                 apart; send the older records first"
            )));
        }
        stream.arrived.insert(label.first, label.seq);
        stream.last_row = self.row;
        self.kept.push((agent, place));
        Ok(Fate::Stored)
    }

    /// Writes the row, unless there is nothing to say; its bytes.
    fn write(&mut self, prepared: RowBuilder, now: Timestamp) -> rusqlite::Result<u64> {
        let is_whole = self.kept.len() == self.streams.len();
        let mut row = prepared;
        if !is_whole {
            let mut part = RowBuilder::with_capacity(row.len());
            for (_, place) in &mut self.kept {
                *place = part.copy(&row, place.clone());
            }
            self.note_repeated(&mut part, now);
            row = part;
        }
        if row.is_empty() {
            return Ok(0);
        }
        let bytes = row.finish();
        self.connection
            .prepare_cached("INSERT INTO journal (id, body) VALUES (?1, ?2)")?
            .execute(params![self.row, bytes])?;
        self.heads.last_row = self.row;
        let length = bytes.len() as u64;
        let row = Row {
            id: self.row,
            bytes,
        };
        self.heads.current.push(row, self.kept.drain(..), now);
        Ok(length)
    }

    /// Notes streams of which nothing is new: their agents were heard of all the same.
    fn note_repeated(&mut self, row: &mut RowBuilder, now: Timestamp) {
        self.repeated.sort_unstable();
        self.repeated.dedup();
        for key in std::mem::take(&mut self.repeated) {
            let (agent, epoch) = key;
            let place = row.push(agent, &Label::seen(epoch, now), &[]);
            self.kept.push((agent, place));
            self.heads.streams.touch(&key, self.row);
        }
    }

    fn states(mut self) -> Vec<StreamState> {
        self.streams.sort_unstable();
        self.streams.dedup();
        let state = |key: &StreamKey| {
            let arrived = &self.heads.streams.find(key)?.arrived;
            let missing = arrived.missing().iter().take(MAX_RANGES);
            Some(StreamState {
                agent: key.0,
                epoch: key.1,
                through: arrived.through(),
                missing: missing.copied().collect(),
            })
        };
        self.streams.iter().filter_map(state).collect()
    }
}
