//! A commit: what of some batches is new becomes one row of the journal.

use std::ops::Range;

use bwmon_core::report::{AgentId, Fate, Receipt, StreamState};
use rusqlite::{Connection, params};

use super::batch::{Item, Prepared};
use super::entry::Label;
use super::heads::{Heads, Row};
use super::ranges::MAX_RANGES;
use super::row::RowBuilder;
use super::streams::StreamKey;
use super::writer::Parts;

/// Takes batches into the journal, within the caller's transaction; a receipt for each, in their order.
pub(super) fn commit(
    parts: &mut Parts<'_>,
    batches: Vec<Prepared>,
) -> rusqlite::Result<Vec<Receipt>> {
    let Some(first) = batches.first() else {
        return Ok(Vec::new());
    };
    let began = first.now;
    let mut taking = Taking {
        connection: parts.connection,
        row: parts.heads.last_row + 1,
        heads: parts.heads,
        new: RowBuilder::with_capacity(batches.iter().map(|batch| batch.row.len()).sum()),
        kept: Vec::with_capacity(batches.iter().map(|batch| batch.items.len()).sum()),
        records: 0,
    };
    let mut receipts = Vec::with_capacity(batches.len());
    for batch in batches {
        receipts.push(taking.take(batch)?);
    }
    let Taking {
        row,
        new,
        kept,
        records,
        ..
    } = taking;
    if new.is_empty() {
        return Ok(receipts);
    }
    let bytes = new.finish();
    parts
        .connection
        .prepare_cached("INSERT INTO journal (id, body) VALUES (?1, ?2)")?
        .execute(params![row, bytes])?;
    parts.counted.records += records;
    parts.counted.bytes += bytes.len() as u64;
    parts.heads.last_row = row;
    parts
        .heads
        .current
        .push(Row { id: row, bytes }, kept, began);
    Ok(receipts)
}

/// Batches that are being taken.
struct Taking<'a> {
    connection: &'a Connection,
    heads: &'a mut Heads,
    /// The row that they become.
    row: i64,
    new: RowBuilder,
    /// Where the entries of the new row lie.
    kept: Vec<(AgentId, Range<usize>)>,
    /// Records among them.
    records: u64,
}

impl Taking<'_> {
    fn take(&mut self, batch: Prepared) -> rusqlite::Result<Receipt> {
        let Prepared { now, items, row } = batch;
        let mut fates = Vec::with_capacity(items.len());
        let mut streams: Vec<StreamKey> = Vec::with_capacity(1);
        let mut repeated: Vec<StreamKey> = Vec::new();
        let mut places: Vec<(AgentId, Range<usize>)> = Vec::with_capacity(items.len());
        for item in items {
            let (agent, label, place) = match item {
                Item::Sound {
                    agent,
                    label,
                    place,
                } => (agent, label, place),
                Item::Refused(reason) => {
                    fates.push(Fate::Refused(reason));
                    continue;
                }
            };
            let key = (agent, label.epoch);
            if streams.last() != Some(&key) {
                streams.push(key);
            }
            let fate = self.judge(key, &label)?;
            match fate {
                Fate::Stored => places.push((agent, place)),
                Fate::Duplicate => repeated.push(key),
                _ => {}
            }
            fates.push(fate);
        }
        let is_whole = places.len() == fates.len();
        self.keep(&row, places, is_whole);
        repeated.sort_unstable();
        repeated.dedup();
        for (agent, epoch) in repeated {
            let place = self.new.push(agent, &Label::seen(epoch, now), &[]);
            self.kept.push((agent, place));
            self.heads.streams.touch(&(agent, epoch), self.row);
        }
        let mut receipt = Receipt::new(fates);
        receipt.streams = self.states(streams);
        receipt.server_time = Some(now);
        Ok(receipt)
    }

    fn judge(&mut self, key: StreamKey, label: &Label) -> rusqlite::Result<Fate> {
        let stream = self.heads.streams.load(self.connection, key)?;
        if stream.arrived.contains(label.seq) {
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
        Ok(Fate::Stored)
    }

    /// Adds what is new of a batch's row to the row of all.
    fn keep(&mut self, row: &RowBuilder, places: Vec<(AgentId, Range<usize>)>, is_whole: bool) {
        self.records += places.len() as u64;
        if is_whole {
            let shift = self.new.append(row);
            let moved = |place: Range<usize>| place.start + shift..place.end + shift;
            let places = places.into_iter();
            self.kept
                .extend(places.map(|(agent, place)| (agent, moved(place))));
            return;
        }
        for (agent, place) in places {
            let place = self.new.copy(row, place);
            self.kept.push((agent, place));
        }
    }

    fn states(&self, mut streams: Vec<StreamKey>) -> Vec<StreamState> {
        streams.sort_unstable();
        streams.dedup();
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
        streams.iter().filter_map(state).collect()
    }
}
