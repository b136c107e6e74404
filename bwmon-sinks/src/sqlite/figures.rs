//! What the engine counts, for whoever watches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counters and sizes of a [`SqliteSink`](super::SqliteSink); cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Figures(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    journal_rows: AtomicU64,
    journal_bytes: AtomicU64,
    commits: AtomicU64,
    commits_failed: AtomicU64,
    commit_nanos: AtomicU64,
    committed_records: AtomicU64,
    committed_bytes: AtomicU64,
    generations: AtomicU64,
    sealed_records: AtomicU64,
    chunks: AtomicU64,
    wal_pages: AtomicU64,
    checkpoints: AtomicU64,
    replays: AtomicU64,
}

/// What was counted since the sink was opened, and sizes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct JournalFigures {
    /// Rows of the journal that are not removed yet.
    pub journal_rows: u64,
    /// Their size in bytes.
    pub journal_bytes: u64,
    /// Groups of batches that are durable.
    pub commits: u64,
    /// Groups of batches of which nothing can be promised.
    pub commits_failed: u64,
    /// How long both took together.
    pub commit_time: Duration,
    /// Records that commits brought.
    pub committed_records: u64,
    /// Bytes of the rows that they wrote.
    pub committed_bytes: u64,
    /// Generations that were sealed and removed from the journal.
    pub generations: u64,
    /// Records that became part of chunks.
    pub sealed_records: u64,
    /// Chunks that were written.
    pub chunks: u64,
    /// Size in bytes of what the write-ahead log held after the last commit.
    pub wal_bytes: u64,
    /// Checkpoints that copied the log into the database.
    pub checkpoints: u64,
    /// How often the journal was read back: at the start, and after an error in doubt.
    pub replays: u64,
}

/// What one transaction does.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// New records, and the bytes of the row that they became.
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// Records that became part of chunks, and chunks.
    pub(super) sealed_records: u64,
    pub(super) chunks: u64,
    /// Generations that were sealed to their end.
    pub(super) generations: u64,
}

impl Figures {
    /// What was counted.
    pub fn read(&self) -> JournalFigures {
        let numbers = &self.0;
        JournalFigures {
            journal_rows: numbers.journal_rows.load(Relaxed),
            journal_bytes: numbers.journal_bytes.load(Relaxed),
            commits: numbers.commits.load(Relaxed),
            commits_failed: numbers.commits_failed.load(Relaxed),
            commit_time: Duration::from_nanos(numbers.commit_nanos.load(Relaxed)),
            committed_records: numbers.committed_records.load(Relaxed),
            committed_bytes: numbers.committed_bytes.load(Relaxed),
            generations: numbers.generations.load(Relaxed),
            sealed_records: numbers.sealed_records.load(Relaxed),
            chunks: numbers.chunks.load(Relaxed),
            wal_bytes: numbers
                .wal_pages
                .load(Relaxed)
                .saturating_mul(super::schema::PAGE_BYTES.into()),
            checkpoints: numbers.checkpoints.load(Relaxed),
            replays: numbers.replays.load(Relaxed),
        }
    }

    pub(super) fn journal(&self, (rows, bytes): (usize, usize)) {
        self.0.journal_rows.store(rows as u64, Relaxed);
        self.0.journal_bytes.store(bytes as u64, Relaxed);
    }

    /// Adds what a transaction did, once it is committed.
    pub(super) fn add(&self, counted: &Counted) {
        let numbers = &self.0;
        for (sum, more) in [
            (&numbers.committed_records, counted.records),
            (&numbers.committed_bytes, counted.bytes),
            (&numbers.sealed_records, counted.sealed_records),
            (&numbers.chunks, counted.chunks),
            (&numbers.generations, counted.generations),
        ] {
            sum.fetch_add(more, Relaxed);
        }
    }

    pub(super) fn written(&self, took: Duration, is_done: bool) {
        let numbers = &self.0;
        let counter = if is_done {
            &numbers.commits
        } else {
            &numbers.commits_failed
        };
        counter.fetch_add(1, Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        numbers.commit_nanos.fetch_add(nanos, Relaxed);
    }

    pub(super) fn wal_pages(&self) -> u64 {
        self.0.wal_pages.load(Relaxed)
    }

    pub(super) fn set_wal_pages(&self, pages: u64) {
        self.0.wal_pages.store(pages, Relaxed);
    }

    pub(super) fn checkpointed(&self) {
        self.0.checkpoints.fetch_add(1, Relaxed);
    }

    pub(super) fn replayed(&self) {
        self.0.replays.fetch_add(1, Relaxed);
    }
}
