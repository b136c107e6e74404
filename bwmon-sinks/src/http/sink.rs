use std::fmt;
use std::thread;

use async_trait::async_trait;
use bwmon_core::Sink;
use bwmon_core::report::{Batch, Receipt};
use bwmon_core::sink::{SinkCapability, SinkError, SinkErrorKind};
use tokio::sync::{mpsc, oneshot};

use super::body::Body;
use super::config::{Encoding, HttpConfig};
use super::connection::{Answer, Connection, Job};
use super::error::HttpConfigError;

/// Most records in one delivery.
pub const MAX_BATCH: usize = 64;
/// Reports to a collector. See the [module's documentation](super).
pub struct HttpSink {
    url: String,
    /// The encoding that was asked for.
    wanted: Encoding,
    /// The one in use: JSON as long as the collector reads nothing else.
    used: Encoding,
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
        Ok(Self {
            url,
            wanted: config.encoding,
            used: config.encoding,
            jobs,
            ended,
        })
    }

    /// Sends a batch in one encoding.
    async fn deliver(&self, batch: &Batch, encoding: Encoding) -> Result<Answer, SinkError> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            body: Body::of(batch, encoding)?,
            records: batch.entries.len(),
            reply,
        };
        self.jobs.send(job).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())
    }

    /// What to use next, by what the collector says that it reads.
    fn learn(&mut self, reads_compact: bool) {
        if self.wanted == Encoding::Compact && reads_compact {
            self.used = Encoding::Compact;
        }
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
        let mut answer = self.deliver(batch, self.used).await?;
        // Where it reads the encoding, it is the content that it does not read: JSON says no more.
        if self.used == Encoding::Compact && answer.is_unsupported && !answer.reads_compact {
            let as_json = self.deliver(batch, Encoding::Json).await?;
            if as_json.receipt.is_ok() {
                self.used = Encoding::Json;
            }
            answer = as_json;
        }
        self.learn(answer.reads_compact);
        answer.receipt
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
            .field("encoding", &self.used)
            .finish_non_exhaustive()
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

fn stopped() -> SinkError {
    SinkError::new(
        SinkErrorKind::Broken,
        "the HTTP client has stopped; restart the program",
    )
}
