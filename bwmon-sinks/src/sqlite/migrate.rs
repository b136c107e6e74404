//! Bringing a file of version 1 up to date: its `records`, one row each in JSON, become chunks.
//!
//! All in one transaction: a death within it leaves version 1. A copy is kept beside the file before.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bwmon_core::report::{AgentId, Epoch, Record, RecordBody, wire};
use bwmon_core::time::Timestamp;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::chunk::ChunkWriter;
use super::connection::private_file;
use super::entry::{self, Label};
use super::error::OpenError;
use super::schema::{JOURNAL_LAYOUT, SCHEMA_VERSION};
use super::streams::{self, Streams};

/// Bytes of entries that are held at once.
const HELD_BYTES: usize = 4 << 20;
/// Longest body of version 1 after decompression: far above what the bounds of a report allow.
const BODY_BYTES: usize = 64 << 20;

/// Brings the file from version 1 to this one.
pub(super) fn up(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let copy = copy_path(path);
    tracing::info!(path = %path.display(), copy = %copy.display(), "the database's layout is of version 1: keeping a copy, then bringing it up to date");
    keep_copy(connection, &copy).map_err(|source| OpenError::Copy {
        path: path.to_owned(),
        copy: copy.clone(),
        source,
    })?;
    let moved = move_all(connection).map_err(|source| OpenError::sqlite(path, source))?;
    if moved.damaged > 0 {
        tracing::warn!(damaged = moved.damaged, copy = %copy.display(), "damaged records are left behind; the copy has them");
    }
    tracing::info!(records = moved.records, "the database is up to date");
    Ok(())
}

#[derive(Debug, Default)]
struct Moved {
    records: u64,
    damaged: u64,
}

fn copy_path(path: &Path) -> PathBuf {
    with_suffix(path, ".version-1")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Copies the database as it is, its log included; complete or not at all. One that is there is of an
/// earlier try, after which the file may have been written to.
fn keep_copy(connection: &Connection, copy: &Path) -> rusqlite::Result<()> {
    let io = |error: std::io::Error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    let draft = with_suffix(copy, ".draft");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let file = private_file(&draft).map_err(io)?;
    let name = draft.to_str().ok_or_else(|| {
        io(std::io::Error::other(
            "the path is not UTF-8; move the file to one that is",
        ))
    })?;
    let copied = connection
        .execute("VACUUM INTO ?1", [name])
        .and_then(|_| file.sync_all().map_err(io))
        .and_then(|()| fs::rename(&draft, copy).map_err(io))
        .and_then(|()| sync_folder(copy).map_err(io));
    if copied.is_err() {
        // The first error is the one that helps; the draft is removed by the next try.
        let _ = fs::remove_file(&draft);
    }
    copied
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn move_all(connection: &mut Connection) -> rusqlite::Result<Moved> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(&format!(
        "ALTER TABLE agents ADD COLUMN sealed_row INTEGER NOT NULL DEFAULT 0; {JOURNAL_LAYOUT}"
    ))?;
    let mut chunks = ChunkWriter::new()
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let mut moved = Moved::default();
    let agents = {
        let mut select = transaction.prepare("SELECT id, agent FROM agents ORDER BY id")?;
        let rows = select.query_map([], |row| {
            let agent = row.get(1).map(u128::from_be_bytes)?;
            Ok((row.get(0)?, AgentId(agent)))
        })?;
        rows.collect::<rusqlite::Result<Vec<(i64, AgentId)>>>()?
    };
    for (row, agent) in agents {
        move_agent(&transaction, row, agent, &mut chunks, &mut moved)?;
    }
    transaction.execute_batch(&format!(
        "DROP TABLE records; PRAGMA user_version = {SCHEMA_VERSION};"
    ))?;
    transaction.commit()?;
    Ok(moved)
}

/// Moves the records of one agent. What its streams say has arrived becomes exact: version 1 joined ranges
/// where there were many, and knew the numbers between them by their records.
fn move_agent(
    transaction: &Transaction<'_>,
    agent: i64,
    id: AgentId,
    chunks: &mut ChunkWriter,
    moved: &mut Moved,
) -> rusqlite::Result<()> {
    let mut known = Streams::default();
    let mut epochs: Vec<Epoch> = Vec::new();
    let mut held: Vec<(Label, Vec<u8>)> = Vec::new();
    let (mut bytes, mut records) = (0, 0_u64);
    let mut select = transaction.prepare_cached(
        "SELECT epoch, seq, received_us, body FROM records WHERE agent = ?1 ORDER BY end_us, id",
    )?;
    let mut rows = select.query([agent])?;
    while let Some(row) = rows.next()? {
        let Some((label, entry)) = converted(row)? else {
            moved.damaged += 1;
            continue;
        };
        let stream = known.load(transaction, (id, label.epoch))?;
        stream.arrived.insert(label.first, label.seq);
        if epochs.last() != Some(&label.epoch) && !epochs.contains(&label.epoch) {
            epochs.push(label.epoch);
        }
        records += 1;
        bytes += entry.len();
        held.push((label, entry));
        if bytes >= HELD_BYTES {
            store(transaction, agent, chunks, &mut held)?;
            bytes = 0;
        }
    }
    store(transaction, agent, chunks, &mut held)?;
    for epoch in epochs {
        if let Some(stream) = known.find(&(id, epoch)) {
            streams::store(transaction, agent, epoch, &stream.arrived, 0)?;
        }
    }
    transaction.execute(
        "UPDATE agents SET records = ?2 WHERE id = ?1",
        params![agent, records],
    )?;
    moved.records += records;
    Ok(())
}

fn store(
    transaction: &Transaction<'_>,
    agent: i64,
    chunks: &mut ChunkWriter,
    held: &mut Vec<(Label, Vec<u8>)>,
) -> rusqlite::Result<()> {
    let entries: Vec<(Label, &[u8])> = held
        .iter()
        .map(|(label, bytes)| (*label, bytes.as_slice()))
        .collect();
    chunks.store(transaction, agent, &entries)?;
    held.clear();
    Ok(())
}

/// A record of version 1 as an entry; `None` where it is damaged.
fn converted(row: &Row<'_>) -> rusqlite::Result<Option<(Label, Vec<u8>)>> {
    let (epoch, seq) = (Epoch(row.get(0).map(u128::from_be_bytes)?), row.get(1)?);
    let received = Timestamp::from_micros(row.get(2)?);
    let body: Vec<u8> = row.get(3)?;
    let body = zstd::bulk::decompress(&body, BODY_BYTES).ok();
    let body = body.and_then(|json| serde_json::from_slice::<RecordBody>(&json).ok());
    let Some(body) = body else {
        return Ok(None);
    };
    let record = Record { epoch, seq, body };
    let label = Label::of(&record, received);
    let mut bytes = Vec::new();
    entry::put(&mut bytes, &label, &wire::encode_records([&record]));
    Ok(Some((label, bytes)))
}
