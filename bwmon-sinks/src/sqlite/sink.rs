use std::fmt;
use std::path::PathBuf;
use std::thread;

use async_trait::async_trait;
use bwmon_core::Sink;
use bwmon_core::report::{Batch, Receipt};
use bwmon_core::sink::{SinkCapability, SinkError, SinkErrorKind};
use tokio::sync::oneshot;

use super::append::SqliteAppender;
use super::batch::Prepared;
use super::checkpoint::Checkpointer;
use super::chunk::ChunkWriter;
use super::config::SqliteConfig;
use super::error::OpenError;
use super::figures::Figures;
use super::maintenance::SqliteMaintenance;
use super::queue::{Queue, queue};
use super::writer::{Command, Store, Writer};
use crate::Clock;

/// Stores records in one SQLite file. See the [module's documentation](super).
pub struct SqliteSink {
    path: PathBuf,
    max_batch: usize,
    clock: Clock,
    figures: Figures,
    commands: Queue,
}

impl SqliteSink {
    /// Opens the file, or makes it (mode 0600), reads its journal back, and starts its writer's thread.
    /// A file of an older layout is brought up to date, after a copy of it was made beside it. Blocks for
    /// as long as the disk takes.
    ///
    /// # Errors
    /// When the file is not bwmon's, is from a newer version, or cannot be read, made or written.
    /// Nothing is overwritten then.
    pub fn open(config: SqliteConfig) -> Result<Self, OpenError> {
        let SqliteConfig {
            path,
            clock,
            max_batch,
            queue: places,
            journal_bytes,
        } = config;
        let figures = Figures::default();
        let store = Store::open(&path, journal_bytes, &figures)?;
        let start = |error| OpenError::io("start the writer of", &path, error);
        let chunks = ChunkWriter::new().map_err(start)?;
        let checkpointer = Checkpointer::spawn(&path, &figures).map_err(start)?;
        let (commands, queued) = queue(places.max(1));
        let writer = Writer::new(path.clone(), store, chunks, checkpointer, figures.clone());
        thread::Builder::new()
            .name("bwmon-sqlite".to_owned())
            .spawn(move || writer.run(&queued))
            .map_err(start)?;
        Ok(Self {
            path,
            max_batch: max_batch.max(1),
            clock,
            figures,
            commands,
        })
    }

    /// Asks for house-keeping while the sink is in use elsewhere.
    pub fn maintenance(&self) -> SqliteMaintenance {
        SqliteMaintenance::new(self.commands.downgrade())
    }

    /// Writes into the same file, many at a time, until the sink is closed.
    pub fn appender(&self) -> SqliteAppender {
        SqliteAppender::new(self.commands.clone(), self.clock.clone(), self.max_batch)
    }

    /// What it counts, also while the sink is in use elsewhere.
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }
}

#[async_trait]
impl Sink for SqliteSink {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn capability(&self) -> SinkCapability {
        SinkCapability::with_max_batch(self.max_batch)
            .deduplicating()
            .durable()
            .readable()
    }

    async fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError> {
        let len = batch.entries.len();
        if len > self.max_batch {
            return Err(SinkError::too_large(len, self.max_batch));
        }
        let records = batch.entries.iter();
        let records = records.map(|entry| (entry.agent, &entry.record));
        let prepared = Prepared::new(records, self.clock.now());
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Write(prepared, reply)).await?;
        answer.await.map_err(|_| stopped())?
    }

    async fn close(self: Box<Self>) -> Result<(), SinkError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Close(reply)).await?;
        answer.await.map_err(|_| stopped())?
    }
}

impl fmt::Debug for SqliteSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSink")
            .field("path", &self.path)
            .field("max_batch", &self.max_batch)
            .finish_non_exhaustive()
    }
}

pub(super) fn stopped() -> SinkError {
    SinkError::new(
        SinkErrorKind::Broken,
        "the database's writer has stopped; restart the program",
    )
}
