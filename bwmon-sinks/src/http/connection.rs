//! The blocking client and its thread.

use std::time::Duration;

use bwmon_core::report::{Receipt, Sent, wire};
use bwmon_core::sink::{SinkError, SinkErrorKind};
use tokio::sync::{mpsc, oneshot};
use ureq::http::{HeaderMap, HeaderValue};
use ureq::unversioned::transport::DefaultConnector;

use super::body::Body;
use super::config::{Encoding, HttpConfig, Stamp};
use super::error::{HttpConfigError, Refusal, transport_error};
use super::resolver::RememberingResolver;

/// Longest receipt.
const RECEIPT_BYTES: u64 = 1 << 20;
/// Longest answer of another kind that is looked at.
const PROBLEM_BYTES: u64 = 64 << 10;
/// How long an unused connection is kept. A collector that closes it earlier is noticed.
const IDLE: Duration = Duration::from_secs(300);

/// Content type of the encoding that every collector reads.
const JSON: &str = "application/json";

type Response = ureq::http::Response<ureq::Body>;

/// One delivery.
pub(super) struct Job {
    pub(super) body: Body,
    pub(super) records: usize,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// What became of it.
pub(super) struct Answer {
    pub(super) receipt: Result<Receipt, SinkError>,
    /// Whether the collector does not read what it was sent (415).
    pub(super) is_unsupported: bool,
    /// Whether it says that it reads the compact encoding.
    pub(super) reads_compact: bool,
}

pub(super) struct Connection {
    agent: ureq::Agent,
    resolver: RememberingResolver,
    url: String,
    authorization: String,
    stamp: Option<Stamp>,
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
            stamp: config.stamp.clone(),
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

    fn deliver(&self, job: &Job) -> Answer {
        let (status, reads_compact, receipt) = match self.post(&job.body) {
            Ok(mut answer) => (
                answer.status().as_u16(),
                reads_compact(answer.headers()),
                self.read(&mut answer, job.records),
            ),
            Err(error) => (0, false, Err(self.failed(error))),
        };
        Answer {
            receipt,
            is_unsupported: status == 415,
            reads_compact,
        }
    }

    fn post(&self, body: &Body) -> Result<Response, ureq::Error> {
        let content_type = match body.encoding {
            Encoding::Compact => wire::CONTENT_TYPE,
            Encoding::Json => JSON,
        };
        let mut request = self
            .agent
            .post(&self.url)
            .header("content-type", content_type)
            .header("accept", content_type)
            .header("authorization", &self.authorization);
        if body.is_compressed {
            request = request.header("content-encoding", "zstd");
        }
        if let Some(sent) = self.stamp.as_ref().and_then(Stamp::read) {
            request = request.header(Sent::HEADER, sent.to_string());
        }
        request.send(&body.bytes)
    }

    fn read(&self, answer: &mut Response, records: usize) -> Result<Receipt, SinkError> {
        let status = answer.status().as_u16();
        let limit = if status == 200 {
            RECEIPT_BYTES
        } else {
            PROBLEM_BYTES
        };
        let body = answer.body_mut().with_config().limit(limit).read_to_vec();
        if status == 200 {
            let body = body.map_err(|error| self.failed(error))?;
            let is_compact = names_compact(answer.headers().get("content-type"));
            return self.receipt(&body, is_compact, records);
        }
        let retry_after = answer.headers().get("retry-after");
        let refusal = Refusal {
            url: &self.url,
            status,
            retry_after: retry_after.and_then(|value| value.to_str().ok()),
            body: &body.unwrap_or_default(),
            records,
        };
        Err(refusal.into_error())
    }

    /// The server may have moved: the next request looks its name up anew.
    fn failed(&self, error: ureq::Error) -> SinkError {
        self.resolver.forget();
        transport_error(&self.url, error)
    }

    fn receipt(&self, body: &[u8], is_compact: bool, records: usize) -> Result<Receipt, SinkError> {
        let url = &self.url;
        let wrong = |what: String| {
            let message = format!("{url} answered 200 {what}: is the url that of a collector?");
            SinkError::new(SinkErrorKind::Incompatible, message)
        };
        let none = || wrong("without a receipt".to_owned());
        let receipt = if is_compact {
            wire::decode_receipt(body).map_err(|error| none().caused_by(error))?
        } else {
            serde_json::from_slice(body).map_err(|error| none().caused_by(error))?
        };
        let fates = receipt.fates.len();
        if fates != records {
            return Err(wrong(format!("with {fates} fates for {records} records")));
        }
        Ok(receipt)
    }
}

/// Whether the answer lists the compact encoding, in the version that is written here, among what can be
/// posted (`Accept-Post`, W3C Linked Data Platform 1.0, section 7.1).
fn reads_compact(headers: &HeaderMap) -> bool {
    headers
        .get_all("accept-post")
        .iter()
        .any(|value| names_compact(Some(value)))
}

fn names_compact(value: Option<&HeaderValue>) -> bool {
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or("");
    text.split(',')
        .any(|kind| kind.trim().eq_ignore_ascii_case(wire::CONTENT_TYPE))
}
