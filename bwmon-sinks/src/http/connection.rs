//! The blocking client and its thread.

use std::time::Duration;

use bwmon_core::report::Receipt;
use bwmon_core::sink::{SinkError, SinkErrorKind};
use tokio::sync::{mpsc, oneshot};
use ureq::unversioned::transport::DefaultConnector;

use super::config::HttpConfig;
use super::error::{HttpConfigError, Refusal, transport_error};
use super::resolver::RememberingResolver;

/// Longest receipt.
const RECEIPT_BYTES: u64 = 1 << 20;
/// Longest answer of another kind that is looked at.
const PROBLEM_BYTES: u64 = 64 << 10;
/// How long an unused connection is kept. A collector that closes it earlier is noticed.
const IDLE: Duration = Duration::from_secs(300);

/// One delivery.
pub(super) struct Job {
    pub(super) body: Vec<u8>,
    pub(super) is_compressed: bool,
    pub(super) records: usize,
    pub(super) reply: oneshot::Sender<Result<Receipt, SinkError>>,
}

pub(super) struct Connection {
    agent: ureq::Agent,
    resolver: RememberingResolver,
    url: String,
    authorization: String,
}

impl Connection {
    pub(super) fn new(config: &HttpConfig) -> Result<Self, HttpConfigError> {
        let client = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("bwmon/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(config.connect_timeout))
            .timeout_global(Some(config.timeout))
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(IDLE)
            .build();
        let resolver = RememberingResolver::default();
        let connector = DefaultConnector::default();
        Ok(Self {
            agent: ureq::Agent::with_parts(client, connector, resolver.clone()),
            resolver,
            url: config.ingest_url()?,
            authorization: config.authorization()?,
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Serves until the sink is gone.
    pub(super) fn run(&self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.blocking_recv() {
            if !job.reply.is_closed() {
                let answer = self.deliver(&job);
                let _ = job.reply.send(answer);
            }
        }
    }

    fn deliver(&self, job: &Job) -> Result<Receipt, SinkError> {
        let mut request = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("authorization", &self.authorization);
        if job.is_compressed {
            request = request.header("content-encoding", "zstd");
        }
        let answer = request.send(&job.body);
        let mut answer = answer.map_err(|error| self.failed(error))?;
        let status = answer.status().as_u16();
        let limit = if status == 200 {
            RECEIPT_BYTES
        } else {
            PROBLEM_BYTES
        };
        let body = answer.body_mut().with_config().limit(limit).read_to_vec();
        if status == 200 {
            let body = body.map_err(|error| self.failed(error))?;
            return self.receipt(&body, job.records);
        }
        let retry_after = answer.headers().get("retry-after");
        let refusal = Refusal {
            url: &self.url,
            status,
            retry_after: retry_after.and_then(|value| value.to_str().ok()),
            body: &body.unwrap_or_default(),
            records: job.records,
        };
        Err(refusal.into_error())
    }

    /// The server may have moved: the next request looks its name up anew.
    fn failed(&self, error: ureq::Error) -> SinkError {
        self.resolver.forget();
        transport_error(&self.url, error)
    }

    fn receipt(&self, body: &[u8], records: usize) -> Result<Receipt, SinkError> {
        let url = &self.url;
        let wrong = |what: String| {
            let message = format!("{url} answered 200 {what}: is the url that of a collector?");
            SinkError::new(SinkErrorKind::Incompatible, message)
        };
        let receipt: Receipt = serde_json::from_slice(body)
            .map_err(|error| wrong("without a receipt".to_owned()).caused_by(error))?;
        let fates = receipt.fates.len();
        if fates != records {
            return Err(wrong(format!("with {fates} fates for {records} records")));
        }
        Ok(receipt)
    }
}
