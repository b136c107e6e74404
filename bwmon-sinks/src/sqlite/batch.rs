//! A batch on its way to the writer: judged and encoded by whoever brings it, so that the one thread that
//! writes does neither.

use std::ops::Range;

use bwmon_core::report::{AgentId, Batch, wire};
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
    pub(super) fn new(batch: &Batch, now: Timestamp) -> Self {
        let mut row = RowBuilder::with_capacity(batch.entries.len() * 256);
        let items = batch.entries.iter().map(|entry| {
            if let Some(reason) = fault::find(&entry.record, now) {
                return Item::Refused(reason);
            }
            let label = Label::of(&entry.record, now);
            let body = wire::encode_records([&entry.record]);
            let place = row.push(entry.agent, &label, &body);
            Item::Sound {
                agent: entry.agent,
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
