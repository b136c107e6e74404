use std::path::PathBuf;

use crate::Clock;

/// Where a [`SqliteSink`](super::SqliteSink) stores, and by which clock.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// The database file. Its folder must exist and be writable: SQLite keeps `-wal` and `-shm`
    /// beside it.
    pub path: PathBuf,
    /// Tells when a record was received. The system's clock unless a test says otherwise.
    pub clock: Clock,
    /// Most records that one batch may have.
    pub max_batch: usize,
    /// Most batches that wait for the writer.
    pub queue: usize,
    /// Bytes of the journal after which it becomes chunks. While it does, as many more may come, and all
    /// of them are held in memory.
    pub journal_bytes: usize,
}

impl SqliteConfig {
    /// The file at `path`, the system's clock, at most 1,024 records in a batch, 4,096 batches that
    /// wait, and 16 MiB of journal.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            clock: Clock::default(),
            max_batch: bwmon_core::report::bounds::RECORDS,
            queue: 4_096,
            journal_bytes: 16 << 20,
        }
    }
}
