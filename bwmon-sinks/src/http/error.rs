use std::time::Duration;

use bwmon_core::sink::{SinkError, SinkErrorKind};
use serde::Deserialize;

/// Longest part of a collector's own words that a message repeats, in characters.
const DETAIL_CHARS: usize = 300;
/// Longest time that a `Retry-After` is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// Why an [`HttpConfig`](super::HttpConfig) cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpConfigError {
    /// Not an absolute URL.
    #[error("the collector's url is not of the form http://host:port")]
    NotAUrl,
    /// A scheme that this build does not speak.
    #[error("the collector's url starts with `{scheme}:`, this build speaks http only")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// A URL with a user name or password.
    #[error("the collector's url holds credentials; take them out and set `credential` instead")]
    CredentialsInUrl,
    /// A URL with a query.
    #[error("the collector's url has a query (`?...`); leave it out")]
    Query,
    /// A credential that no header can carry.
    #[error("the credential is empty or holds characters other than visible ASCII")]
    Credential,
    /// The system gives no thread.
    #[error("cannot start the thread of the HTTP client: {0}")]
    Thread(String),
}

/// An answer that is not a receipt.
pub(super) struct Refusal<'a> {
    pub(super) url: &'a str,
    pub(super) status: u16,
    pub(super) retry_after: Option<&'a str>,
    pub(super) body: &'a [u8],
    /// How many records the batch had.
    pub(super) records: usize,
}

impl Refusal<'_> {
    pub(super) fn into_error(self) -> SinkError {
        let (kind, advice) = kind_and_advice(self.status, self.records);
        let detail = detail(self.body).map_or(String::new(), |detail| format!(" ({detail})"));
        let Self { url, status, .. } = self;
        let error = SinkError::new(kind, format!("{url} answered {status}{detail}{advice}"));
        match self.retry_after.and_then(seconds) {
            Some(delay) => error.retry_after(delay),
            None => error,
        }
    }
}

/// Data is given up for 400, 413 and 422 only: everything else may be a proxy, a wrong address or
/// another version, and is held.
fn kind_and_advice(status: u16, records: usize) -> (SinkErrorKind, &'static str) {
    match status {
        413 if records > 1 => (SinkErrorKind::TooLarge, ""),
        400 | 413 | 422 => (SinkErrorKind::Refused, ""),
        401 | 403 => (SinkErrorKind::Unauthorised, ": the agent must enrol again"),
        408 => (SinkErrorKind::Unavailable, ""),
        415 => (
            SinkErrorKind::Incompatible,
            ": bring agent and collector to the same version",
        ),
        429 | 503 => (SinkErrorKind::Busy, ""),
        500..=599 => (SinkErrorKind::Unavailable, ""),
        300..=399 => (
            SinkErrorKind::Incompatible,
            ": set the url to where it redirects to",
        ),
        _ => (
            SinkErrorKind::Incompatible,
            ": is the url that of a collector?",
        ),
    }
}

/// The delivery came to nothing.
pub(super) fn transport_error(url: &str, error: ureq::Error) -> SinkError {
    SinkError::new(
        SinkErrorKind::Unavailable,
        format!("cannot reach {url}: {error}"),
    )
    .caused_by(error)
}

/// What the collector says in words (RFC 9457), bounded and on one line.
fn detail(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Problem {
        detail: Option<String>,
        title: Option<String>,
    }
    let problem: Problem = serde_json::from_slice(body).ok()?;
    let words = problem.detail.or(problem.title)?;
    let printable = words.chars().filter(|c| !c.is_control());
    Some(printable.take(DETAIL_CHARS).collect())
}

/// `Retry-After` in its form as a number of seconds (RFC 9110, section 10.2.3); a date is not
/// believed, because it needs two clocks that agree.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, retry_after: Option<&str>, body: &str, records: usize) -> SinkError {
        let refusal = Refusal {
            url: "http://c/api/v1/ingest",
            status,
            retry_after,
            body: body.as_bytes(),
            records,
        };
        refusal.into_error()
    }

    #[test]
    fn only_three_statuses_give_data_up() {
        for status in 100..600 {
            let error = error(status, None, "", 1);
            assert_eq!(
                error.is_retryable(),
                ![400, 413, 422].contains(&status),
                "{status}"
            );
        }
        assert_eq!(error(413, None, "", 2).kind(), SinkErrorKind::TooLarge);
        assert_eq!(error(401, None, "", 1).kind(), SinkErrorKind::Unauthorised);
        assert_eq!(error(415, None, "", 1).kind(), SinkErrorKind::Incompatible);
    }

    #[test]
    fn the_collectors_words_are_bounded_and_on_one_line() {
        let body = format!(r#"{{"detail":"bad\nseq {}"}}"#, "x".repeat(5_000));
        let text = error(400, None, &body, 1).to_string();
        assert!(
            text.starts_with("http://c/api/v1/ingest answered 400 (badseq xxx"),
            "{text}"
        );
        assert!(text.len() < 400 && !text.contains('\n'));
        assert_eq!(
            error(400, None, "<html>", 1).to_string(),
            "http://c/api/v1/ingest answered 400"
        );
    }

    #[test]
    fn retry_after_is_seconds_up_to_an_hour() {
        let delay = |text| error(503, Some(text), "", 1).delay();
        assert_eq!(delay(" 7"), Some(Duration::from_secs(7)));
        assert_eq!(delay("99999999999"), Some(MAX_RETRY_AFTER));
        assert_eq!(delay("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(delay("-1"), None);
    }
}
