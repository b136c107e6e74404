use std::fmt;
use std::io::{self, Write};
use std::thread;

use async_trait::async_trait;
use bwmon_core::Sink;
use bwmon_core::report::{Batch, Receipt, Record, SCHEMA};
use bwmon_core::sink::{SinkCapability, SinkError, SinkErrorKind};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::config::HttpConfig;
use super::connection::{Connection, Job};
use super::error::HttpConfigError;

/// Most records in one delivery.
pub const MAX_BATCH: usize = 64;
/// Largest body as it travels.
pub const MAX_BODY_BYTES: usize = 1 << 20;
/// Largest body before compression.
pub const MAX_DECODED_BYTES: usize = 8 << 20;

/// Bodies above this size are compressed.
const COMPRESS_ABOVE_BYTES: usize = 1 << 10;
const ZSTD_LEVEL: i32 = 1;

/// Reports to a collector. See the [module's documentation](super).
pub struct HttpSink {
    url: String,
    jobs: mpsc::Sender<Job>,
    /// Closes when the client's thread has ended.
    ended: oneshot::Receiver<()>,
}

impl HttpSink {
    /// Starts the client's thread; the connection is made by the first delivery.
    ///
    /// # Errors
    /// When the url or the credential cannot be used, or no thread is to be had.
    pub fn new(config: &HttpConfig) -> Result<Self, HttpConfigError> {
        let connection = Connection::new(config)?;
        let url = connection.url().to_owned();
        let (jobs, queue) = mpsc::channel(1);
        let (alive, ended) = oneshot::channel();
        thread::Builder::new()
            .name("bwmon-http".to_owned())
            .spawn(move || {
                connection.run(queue);
                drop(alive);
            })
            .map_err(|error| HttpConfigError::Thread(error.to_string()))?;
        Ok(Self { url, jobs, ended })
    }

    fn encode(&self, batch: &Batch) -> Result<(Vec<u8>, bool), SinkError> {
        let document = DocumentRef {
            schema: SCHEMA,
            records: batch.entries.iter().map(|entry| &entry.record).collect(),
        };
        let mut json = Bounded(Vec::new());
        serde_json::to_writer(&mut json, &document)
            .map_err(|error| too_long(batch, MAX_DECODED_BYTES, "").caused_by(error))?;
        let json = json.0;
        if json.len() <= COMPRESS_ABOVE_BYTES {
            return Ok((json, false));
        }
        let body = zstd::bulk::compress(&json, ZSTD_LEVEL).map_err(|error| {
            SinkError::new(SinkErrorKind::Busy, "no memory to compress a batch").caused_by(error)
        })?;
        if body.len() > MAX_BODY_BYTES {
            return Err(too_long(batch, MAX_BODY_BYTES, " after compression"));
        }
        Ok((body, true))
    }
}

#[async_trait]
impl Sink for HttpSink {
    fn name(&self) -> &'static str {
        "http"
    }

    /// What a collector promises by its receipt.
    fn capability(&self) -> SinkCapability {
        SinkCapability::with_max_batch(MAX_BATCH)
            .deduplicating()
            .durable()
    }

    async fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError> {
        let records = batch.entries.len();
        if records > MAX_BATCH {
            return Err(SinkError::too_large(records, MAX_BATCH));
        }
        if records == 0 {
            return Ok(Receipt::default());
        }
        if let Some(message) = mixed(batch) {
            return Err(SinkError::new(SinkErrorKind::Refused, message));
        }
        let (body, is_compressed) = self.encode(batch)?;
        let (reply, answer) = oneshot::channel();
        let job = Job {
            body,
            is_compressed,
            records,
            reply,
        };
        self.jobs.send(job).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    async fn close(self: Box<Self>) -> Result<(), SinkError> {
        let Self { jobs, ended, .. } = *self;
        drop(jobs);
        // It ends by closing, never by a value.
        let _ = ended.await;
        Ok(())
    }
}

impl fmt::Debug for HttpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSink")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// [`Document`](bwmon_core::report::Document) by reference.
#[derive(Serialize)]
struct DocumentRef<'a> {
    schema: u32,
    records: Vec<&'a Record>,
}

/// Takes [`MAX_DECODED_BYTES`] and fails beyond.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_DECODED_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why a batch cannot be sent under one credential, if it cannot.
fn mixed(batch: &Batch) -> Option<String> {
    let first = batch.entries.first()?.agent;
    let other = batch.entries.iter().find(|entry| entry.agent != first)?;
    Some(format!(
        "records of the agents {first} and {}, and a credential speaks for one",
        other.agent
    ))
}

/// Several records may fit one by one; a single one never will.
fn too_long(batch: &Batch, limit: usize, when: &str) -> SinkError {
    let records = batch.entries.len();
    let kind = match records {
        1 => SinkErrorKind::Refused,
        _ => SinkErrorKind::TooLarge,
    };
    SinkError::new(
        kind,
        format!("{records} records are more than {limit} bytes{when}"),
    )
}

fn stopped() -> SinkError {
    SinkError::new(
        SinkErrorKind::Broken,
        "the HTTP client has stopped; restart the program",
    )
}
