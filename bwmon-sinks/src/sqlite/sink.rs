use std::fmt;
use std::path::PathBuf;
use std::thread;

use async_trait::async_trait;
use bwmon_core::Sink;
use bwmon_core::report::{Batch, Receipt};
use bwmon_core::sink::{SinkCapability, SinkError, SinkErrorKind};
use tokio::sync::{mpsc, oneshot};

use super::config::SqliteConfig;
use super::connection;
use super::error::OpenError;
use super::maintenance::SqliteMaintenance;
use super::writer::{Command, Writer};

/// Commands that may wait for the writer's thread.
const QUEUE: usize = 4;

/// Stores records in one SQLite file. See the [module's documentation](super).
pub struct SqliteSink {
    path: PathBuf,
    max_batch: usize,
    commands: mpsc::Sender<Command>,
}

impl SqliteSink {
    /// Opens the file, or makes it (mode 0600), and starts its writer's thread. Blocks for as long
    /// as the disk takes.
    ///
    /// # Errors
    /// When the file is not bwmon's, is from a newer version, or cannot be read, made or written.
    /// Nothing is overwritten then.
    pub fn open(config: SqliteConfig) -> Result<Self, OpenError> {
        let SqliteConfig {
            path,
            clock,
            max_batch,
        } = config;
        let connection = connection::open_writer(&path)?;
        let (commands, queue) = mpsc::channel(QUEUE);
        let writer = Writer::new(path.clone(), clock, connection);
        thread::Builder::new()
            .name("bwmon-sqlite".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(|error| OpenError::io("start the writer of", &path, error))?;
        Ok(Self {
            path,
            max_batch: max_batch.max(1),
            commands,
        })
    }

    /// Asks for house-keeping while the sink is in use elsewhere.
    pub fn maintenance(&self) -> SqliteMaintenance {
        SqliteMaintenance::new(self.commands.downgrade())
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
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(Command::Write(batch.clone(), reply))
            .await
            .map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    async fn close(self: Box<Self>) -> Result<(), SinkError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(Command::Close(reply))
            .await
            .map_err(|_| stopped())?;
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
