//! Single requests to a collector, apart from the delivery of reports.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::config::CollectorUrl;
use crate::common::secret::Secret256;

/// Longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;
/// Longest part of a collector's own words that a message repeats, in characters.
const MAX_WORDS: usize = 300;

/// Asks one collector.
#[derive(Debug)]
pub(super) struct Client<'a> {
    http: Agent,
    url: &'a CollectorUrl,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    body: Vec<u8>,
}

impl<'a> Client<'a> {
    /// A client whose requests take at most `patience`.
    pub(super) fn new(url: &'a CollectorUrl, patience: Duration) -> Self {
        let http = Agent::config_builder()
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .build()
            .new_agent();
        Self { http, url }
    }

    /// GET, with a credential where one is given.
    pub(super) fn get(
        &self,
        path: &str,
        credential: Option<&Secret256>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = self.http.get(format!("{}{path}", self.url));
        if let Some(credential) = credential {
            request = request.header("authorization", format!("Bearer {}", credential.expose()));
        }
        Answer::read(request.call()?)
    }

    /// POST of a JSON document.
    pub(super) fn post(&self, path: &str, body: &[u8]) -> Result<Answer, ureq::Error> {
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/json");
        Answer::read(request.send(body)?)
    }
}

impl Answer {
    fn read(mut response: Response<Body>) -> Result<Self, ureq::Error> {
        let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES);
        Ok(Self {
            body: body.read_to_vec()?,
            status: response.status().as_u16(),
        })
    }

    /// The document that it holds, if it is one.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// What the collector says in words (RFC 9457), bounded and on one line.
    pub(super) fn words(&self) -> String {
        #[derive(Deserialize)]
        struct Problem {
            detail: String,
        }
        let words = self.json().map_or_else(
            || "it does not say why".to_owned(),
            |problem: Problem| problem.detail,
        );
        let printable = words.chars().filter(|c| !c.is_control());
        printable.take(MAX_WORDS).collect()
    }
}
