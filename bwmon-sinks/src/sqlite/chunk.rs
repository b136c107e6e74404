//! Chunks: entries of one agent, of one class and one hour, in the order of time, compressed.

use std::ops::Range;

use rusqlite::{Connection, params};

use super::entry::{self, Entry, Kind, Label};

/// `chunks.class` of reports.
pub(super) const REPORTS: u8 = 1;
/// `chunks.class` of what is no report.
pub(super) const NOTICES: u8 = 2;

const ZSTD_LEVEL: i32 = 1;
/// Span of time that a chunk stays within, in microseconds: for how much longer a record may be kept
/// than was asked for.
pub(super) const SPAN_US: u64 = 3_600_000_000;
/// Bytes of entries after which a chunk ends.
const CHUNK_BYTES: usize = 1 << 20;
/// Longest content of a chunk that is read: one entry may be longer than a chunk should be.
const MOST_BYTES: usize = 64 << 20;

/// Where an entry belongs: class, number of the hour, and when it ended, in microseconds.
type Place = (u8, u64, u64);

/// The class of the chunks that hold such entries; `None` for what is in none.
pub(super) const fn class(kind: Kind) -> Option<u8> {
    match kind {
        Kind::Report => Some(REPORTS),
        Kind::Dropped | Kind::EpochStart => Some(NOTICES),
        Kind::Seen => None,
    }
}

/// Writes chunks, with a compressor that is kept.
pub(super) struct ChunkWriter {
    compressor: zstd::bulk::Compressor<'static>,
    raw: Vec<u8>,
}

impl ChunkWriter {
    pub(super) fn new() -> std::io::Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Self {
            compressor,
            raw: Vec::new(),
        })
    }

    /// Stores entries of the agent with this row; `entries` has their labels and bytes, in the order of
    /// arrival. Says how many chunks they became.
    pub(super) fn store(
        &mut self,
        connection: &Connection,
        agent: i64,
        entries: &[(Label, &[u8])],
    ) -> rusqlite::Result<u64> {
        let place = |label: &Label| {
            let end = label.end.as_micros();
            class(label.kind).map(|class| (class, end / SPAN_US, end))
        };
        let mut sorted: Vec<_> = entries
            .iter()
            .filter_map(|(label, bytes)| Some((place(label)?, *bytes)))
            .collect();
        sorted.sort_by_key(|(place, _)| *place);
        let mut chunks = 0;
        let mut rest = sorted.as_slice();
        while let Some(((class, span, _), _)) = rest.first() {
            let mut bytes = 0;
            let length = rest
                .iter()
                .take_while(|(place, entry)| {
                    let has_room = bytes < CHUNK_BYTES;
                    bytes += entry.len();
                    has_room && (place.0, place.1) == (*class, *span)
                })
                .count();
            let (chunk, others) = rest.split_at(length);
            self.insert(connection, agent, *class, chunk)?;
            chunks += 1;
            rest = others;
        }
        Ok(chunks)
    }

    fn insert(
        &mut self,
        connection: &Connection,
        agent: i64,
        class: u8,
        chunk: &[(Place, &[u8])],
    ) -> rusqlite::Result<()> {
        self.raw.clear();
        for (_, bytes) in chunk {
            self.raw.extend_from_slice(bytes);
        }
        let body = self
            .compressor
            .compress(&self.raw)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let end = |at: Option<&(Place, &[u8])>| at.map_or(0, |((_, _, end), _)| *end);
        connection
            .prepare_cached(
                "INSERT INTO chunks (agent, class, first_end_us, last_end_us, records, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                agent,
                class,
                end(chunk.first()),
                end(chunk.last()),
                chunk.len() as u64,
                body
            ])?;
        Ok(())
    }
}

/// A chunk that was read.
pub(super) struct Chunk(Vec<u8>);

impl Chunk {
    /// `None` where it is damaged.
    pub(super) fn open(body: &[u8]) -> Option<Self> {
        zstd::bulk::decompress(body, MOST_BYTES).ok().map(Self)
    }

    /// Its entries and where they lie, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Entry<'_>, Range<usize>)> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let from = self.0.len() - rest.len();
            let entry = entry::take(&mut rest)?;
            Some((entry, from..self.0.len() - rest.len()))
        })
    }

    /// The entry at a place.
    pub(super) fn at(&self, place: Range<usize>) -> Option<Entry<'_>> {
        entry::take(&mut self.0.get(place)?)
    }
}
