//! The first records that the receiver refused for good, kept for whoever wants to know why.

use std::io;

use bwmon_core::report::{Record, RecordBody};
use serde::Serialize;

use super::files::Files;

const FILE: &str = "quarantine.jsonl";
/// Most records that are kept.
const MOST: usize = 16;
/// Longest line; a longer record is kept without its flow rows, or by its number only.
const LINE_BYTES: usize = 64 << 10;
/// Longest file that is read.
const FILE_BYTES: usize = MOST * LINE_BYTES;

#[derive(Serialize)]
struct Line<'a> {
    reason: &'a str,
    epoch: String,
    seq: u64,
    record: Option<&'a Record>,
}

/// Keeps a record that was refused, if there is room.
pub(super) fn keep(files: &mut dyn Files, record: Record, reason: &str) -> io::Result<()> {
    let known = match files.read(FILE, 0, FILE_BYTES) {
        Ok(bytes) => bytes.iter().filter(|byte| **byte == b'\n').count(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            files.create(FILE)?;
            0
        }
        Err(error) => return Err(error),
    };
    if known >= MOST {
        return Ok(());
    }
    let written = files.append(FILE, &line(record, reason)?);
    files.release(FILE);
    written
}

fn line(mut record: Record, reason: &str) -> io::Result<Vec<u8>> {
    let reason = bwmon_core::report::bounds::clip(reason);
    let mut bytes = Line::of(&reason, &record).write()?;
    if bytes.len() >= LINE_BYTES {
        if let RecordBody::Report(interval) = &mut record.body {
            interval.flows.clear();
        }
        bytes = Line::of(&reason, &record).write()?;
    }
    if bytes.len() >= LINE_BYTES {
        let mut short = Line::of(&reason, &record);
        short.record = None;
        bytes = short.write()?;
    }
    Ok(bytes)
}

impl<'a> Line<'a> {
    fn of(reason: &'a str, record: &'a Record) -> Self {
        Self {
            reason,
            epoch: record.epoch.to_string(),
            seq: record.seq,
            record: Some(record),
        }
    }

    fn write(&self) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
