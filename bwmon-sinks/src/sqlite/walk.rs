//! The records of one agent in the order of time, from its chunks and from the journal.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::{ControlFlow, Range};

use bwmon_core::report::AgentId;
use bwmon_core::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::chunk::{self, Chunk};
use super::entry::{Entry, Label};
use super::reader::{ReadCount, StoredRecord};
use super::tail::{Held, Tail};

/// What a transaction sees of one agent.
pub(super) struct View<'a> {
    pub(super) connection: &'a Connection,
    /// Its row, where it has chunks.
    row: Option<i64>,
    /// What is not in chunks yet, in the order of arrival.
    held: Vec<Held>,
}

/// A chunk that may have something of the range.
struct Place {
    id: i64,
    first_end_us: u64,
    records: u64,
}

/// Entries in the order of time.
enum Source {
    Chunk(i64, Chunk, VecDeque<(u64, Range<usize>)>),
    Journal(VecDeque<Held>),
}

impl Source {
    /// Its chunk; the journal comes after all of them.
    fn id(&self) -> i64 {
        match self {
            Self::Chunk(id, _, _) => *id,
            Self::Journal(_) => i64::MAX,
        }
    }

    fn next_end(&self) -> Option<u64> {
        match self {
            Self::Chunk(_, _, places) => places.front().map(|(end, _)| *end),
            Self::Journal(held) => held.front().map(|held| held.end.as_micros()),
        }
    }

    /// Hands over the next entry, if it can be read.
    fn next<T>(&mut self, with: impl FnOnce(Option<Entry<'_>>) -> T) -> T {
        match self {
            Self::Chunk(_, chunk, places) => {
                let place = places.pop_front();
                with(place.and_then(|(_, place)| chunk.at(place)))
            }
            Self::Journal(held) => {
                let next = held.pop_front();
                with(next.as_ref().and_then(Held::entry))
            }
        }
    }
}

impl<'a> View<'a> {
    /// What `connection`'s transaction sees; `tail` is as of the same.
    pub(super) fn of(
        connection: &'a Connection,
        tail: &Tail,
        agent: AgentId,
    ) -> rusqlite::Result<Self> {
        let known = connection
            .prepare_cached("SELECT id, sealed_row FROM agents WHERE agent = ?1")?
            .query_row([agent.0.to_be_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let sealed = known.map_or(0, |(_, sealed)| sealed);
        Ok(Self {
            connection,
            row: known.map(|(row, _)| row),
            held: tail.of(agent, sealed).cloned().collect(),
        })
    }

    /// The labels of all records, in no order.
    pub(super) fn labels(&self, mut each: impl FnMut(Label)) -> rusqlite::Result<()> {
        let mut select = self
            .connection
            .prepare_cached("SELECT body FROM chunks WHERE agent = ?1")?;
        let mut rows = select.query([self.row])?;
        while let Some(row) = rows.next()? {
            let chunk = Chunk::open(row.get_ref(0)?.as_blob()?);
            for (entry, _) in chunk.iter().flat_map(Chunk::entries) {
                each(entry.label);
            }
        }
        let held = self.held.iter().filter_map(Held::entry);
        held.map(|entry| entry.label)
            .filter(Label::is_record)
            .for_each(each);
        Ok(())
    }

    /// The record of a class that ended last, of those that can be read.
    pub(super) fn latest(&self, class: u8) -> rusqlite::Result<Option<StoredRecord>> {
        let of_class = |held: &&Held| chunk::class(held.kind) == Some(class);
        let held = self.held.iter().filter(of_class);
        let newest = held.max_by_key(|held| held.end);
        let newest = newest
            .and_then(Held::entry)
            .and_then(|entry| stored(&entry));
        let end = newest.as_ref().map_or(0, |(end, _)| end.as_micros());
        let mut select = self.connection.prepare_cached(
            "SELECT body FROM chunks WHERE agent = ?1 AND class = ?2 AND last_end_us > ?3
             ORDER BY last_end_us DESC, id DESC",
        )?;
        let mut rows = select.query(params![self.row, class, end])?;
        while let Some(row) = rows.next()? {
            let chunk = Chunk::open(row.get_ref(0)?.as_blob()?);
            let last = chunk.as_ref().and_then(|chunk| chunk.entries().last());
            if let Some((_, record)) = last.and_then(|(entry, _)| stored(&entry)) {
                return Ok(Some(record));
            }
        }
        Ok(newest.map(|(_, record)| record))
    }

    /// Hands over the records of a class that ended after `from` and not after `to`, oldest first, at most
    /// `limit`, until `each` breaks.
    pub(super) fn walk(
        self,
        class: u8,
        (from, to): (Timestamp, Timestamp),
        limit: usize,
        mut each: impl FnMut(StoredRecord) -> ControlFlow<()>,
    ) -> rusqlite::Result<ReadCount> {
        let mut walk = Walk::new(self, class, from.as_micros(), to.as_micros())?;
        let mut count = ReadCount::default();
        loop {
            count.damaged += walk.open_chunks()?;
            let Some(Reverse((_, _, at))) = walk.heap.pop() else {
                return Ok(count);
            };
            if count.records == limit as u64 {
                count.is_truncated = true;
                return Ok(count);
            }
            match walk.take(at) {
                None => count.damaged += 1,
                Some(record) => {
                    count.records += 1;
                    if each(record).is_break() {
                        return Ok(count);
                    }
                }
            }
        }
    }
}

/// A walk over a range of time.
struct Walk<'a> {
    connection: &'a Connection,
    from_us: u64,
    to_us: u64,
    /// Chunks that are not opened yet, by the end of their first record.
    chunks: VecDeque<Place>,
    sources: Vec<Source>,
    /// The next entry of each source: when it ended, which chunk it is of, and where the source is.
    heap: BinaryHeap<Reverse<(u64, i64, usize)>>,
}

impl<'a> Walk<'a> {
    fn new(view: View<'a>, class: u8, from_us: u64, to_us: u64) -> rusqlite::Result<Self> {
        let mut select = view.connection.prepare_cached(
            "SELECT id, first_end_us, records FROM chunks
             WHERE agent = ?1 AND class = ?2 AND last_end_us > ?3 AND first_end_us <= ?4
             ORDER BY first_end_us, id",
        )?;
        let places = select.query_map(params![view.row, class, from_us, to_us], |row| {
            Ok(Place {
                id: row.get(0)?,
                first_end_us: row.get(1)?,
                records: row.get(2)?,
            })
        })?;
        let is_wanted = |held: &Held| {
            let end = held.end.as_micros();
            chunk::class(held.kind) == Some(class) && end > from_us && end <= to_us
        };
        let mut held: Vec<Held> = view.held.into_iter().filter(is_wanted).collect();
        held.sort_by_key(|held| held.end);
        let mut walk = Self {
            connection: view.connection,
            from_us,
            to_us,
            chunks: places.collect::<rusqlite::Result<_>>()?,
            sources: Vec::new(),
            heap: BinaryHeap::new(),
        };
        walk.add(Source::Journal(held.into()));
        Ok(walk)
    }

    fn add(&mut self, source: Source) {
        if let Some(end) = source.next_end() {
            let at = self.sources.len();
            self.heap.push(Reverse((end, source.id(), at)));
            self.sources.push(source);
        }
    }

    /// Opens every chunk that may have the next entry; says how many records are damaged.
    fn open_chunks(&mut self) -> rusqlite::Result<u64> {
        let mut damaged = 0;
        while let Some(place) = self.chunks.front() {
            let next = self.heap.peek().map(|Reverse((end, _, _))| *end);
            if next.is_some_and(|end| end < place.first_end_us) {
                break;
            }
            let (id, records) = (place.id, place.records);
            self.chunks.pop_front();
            let chunk = self
                .connection
                .prepare_cached("SELECT body FROM chunks WHERE id = ?1")?
                .query_row([id], |row| Ok(Chunk::open(row.get_ref(0)?.as_blob()?)))?;
            let Some(chunk) = chunk else {
                damaged += records;
                continue;
            };
            let ends = chunk.entries().map(|(entry, at)| (entry.label.end, at));
            let wanted = ends
                .map(|(end, at)| (end.as_micros(), at))
                .filter(|(end, _)| *end > self.from_us && *end <= self.to_us)
                .collect();
            self.add(Source::Chunk(id, chunk, wanted));
        }
        Ok(damaged)
    }

    /// Takes the next entry of a source; `None` where it is damaged.
    fn take(&mut self, at: usize) -> Option<StoredRecord> {
        let source = self.sources.get_mut(at)?;
        let record = source.next(|entry| stored(&entry?));
        if let Some(end) = source.next_end() {
            self.heap.push(Reverse((end, source.id(), at)));
        } else {
            // What was read to its end takes no more memory.
            *source = Source::Journal(VecDeque::new());
        }
        record.map(|(_, record)| record)
    }
}

fn stored(entry: &Entry<'_>) -> Option<(Timestamp, StoredRecord)> {
    let record = StoredRecord {
        key: entry.label.key(),
        received: entry.label.received,
        body: entry.decode()?,
    };
    Some((entry.label.end, record))
}
