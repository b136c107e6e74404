//! A batch on its way to the writer: judged and encoded by whoever brings it, so that the one thread that
//! writes does neither.

use std::ops::Range;

use bwmon_core::report::{AgentId, Record, wire};
use bwmon_core::time::Timestamp;

use super::entry::Label;
use super::fault;
use super::row::RowBuilder;

/// A batch as the writer takes it.
#[derive(Debug)]
pub(super) struct Prepared {
    /// When it was received.
    pub(super) now: Timestamp,
    /// One for each record, in order.
    pub(super) items: Vec<Item>,
    /// The row that it becomes if every record that is not refused is new.
    pub(super) row: RowBuilder,
}

/// One record of a batch.
#[derive(Debug)]
pub(super) enum Item {
    /// Will never be taken, for this reason.
    Refused(String),
    /// Lies at this place of the row.
    Sound {
        agent: AgentId,
        label: Label,
        place: Range<usize>,
    },
}

impl Prepared {
    /// Its records, or one where it has none, and its bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.items.len().max(1), self.row.len())
    }

    pub(super) fn new<'a>(
        records: impl ExactSizeIterator<Item = (AgentId, &'a Record)>,
        now: Timestamp,
    ) -> Self {
        let mut row = RowBuilder::with_capacity(records.len() * 256);
        let items = records.map(|(agent, record)| {
            if let Some(reason) = fault::find(record, now) {
                return Item::Refused(reason);
            }
            let label = Label::of(record, now);
            let body = wire::encode_records([record]);
            let place = row.push(agent, &label, &body);
            Item::Sound {
                agent,
                label,
                place,
            }
        });
        Self {
            now,
            items: items.collect(),
            row,
        }
    }
}
