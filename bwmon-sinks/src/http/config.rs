use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bwmon_core::report::Sent;
use ureq::http::Uri;

use super::error::HttpConfigError;
use crate::Secret;

/// How documents are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// [Compact](bwmon_core::report::wire), and JSON where the collector does not read that.
    #[default]
    Compact,
    /// JSON, which people can read on the way.
    Json,
}

/// What tells the agent's clocks when something is sent: see [`Sent`].
#[derive(Clone)]
pub struct Stamp(Arc<dyn Fn() -> Option<Sent> + Send + Sync>);

impl Stamp {
    /// Asks `read` at each delivery.
    pub fn new(read: impl Fn() -> Option<Sent> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(super) fn read(&self) -> Option<Sent> {
        (self.0)()
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stamp")
    }
}

/// Which collector an [`HttpSink`](super::HttpSink) reports to, and what tells it as whom.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpConfig {
    /// Where the collector is, such as `http://collector.example:8420`. Without credentials.
    pub url: String,
    /// What the agent drew when it enrolled (`POST /api/v1/enrol` of a collector); sent as `Authorization: Bearer`. The collector knows by
    /// it, and by nothing else, whose records these are.
    pub credential: Secret,
    /// How documents are encoded.
    pub encoding: Encoding,
    /// Longest time until a connection stands.
    pub connect_timeout: Duration,
    /// Longest time for one delivery, from connecting to the end of the answer.
    pub timeout: Duration,
    /// Tells the clocks at each delivery, so that the collector can tell when something was measured
    /// although the wall clock is wrong. Absent where there are no such clocks.
    pub stamp: Option<Stamp>,
}

impl HttpConfig {
    /// The compact encoding, 10 s to connect, 30 s for a delivery.
    pub fn new(url: impl Into<String>, credential: Secret) -> Self {
        Self {
            url: url.into(),
            credential,
            encoding: Encoding::default(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            stamp: None,
        }
    }

    /// The address that records are posted to.
    pub(super) fn ingest_url(&self) -> Result<String, HttpConfigError> {
        let uri: Uri = self.url.parse().map_err(|_| HttpConfigError::NotAUrl)?;
        let authority = uri.authority().ok_or(HttpConfigError::NotAUrl)?;
        if authority.as_str().contains('@') {
            return Err(HttpConfigError::CredentialsInUrl);
        }
        match uri.scheme_str() {
            Some("http") => {}
            None => return Err(HttpConfigError::NotAUrl),
            Some(scheme) => {
                return Err(HttpConfigError::Scheme {
                    scheme: scheme.to_owned(),
                });
            }
        }
        if uri.query().is_some() {
            return Err(HttpConfigError::Query);
        }
        let path = uri.path().trim_end_matches('/');
        Ok(format!("http://{authority}{path}/api/v1/ingest"))
    }

    pub(super) fn authorization(&self) -> Result<String, HttpConfigError> {
        let text = self.credential.expose();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HttpConfigError::Credential);
        }
        Ok(format!("Bearer {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ingest_url(url: &str) -> Result<String, String> {
        let config = HttpConfig::new(url, Secret::new("x"));
        config.ingest_url().map_err(|error| error.to_string())
    }

    #[test]
    fn the_path_of_a_proxy_is_kept() {
        for (url, expected) in [
            ("http://[::1]:8420", "http://[::1]:8420/api/v1/ingest"),
            ("http://host/bwmon/", "http://host/bwmon/api/v1/ingest"),
        ] {
            assert_eq!(ingest_url(url).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_credentials_are_not_shown() {
        for (url, word) in [
            ("collector", "http://host:port"),
            ("https://host", "https"),
            ("ftp://host", "ftp"),
            ("http://host/?a=b", "query"),
            ("http://joe:hunter2@host/", "credential"),
        ] {
            let error = ingest_url(url).unwrap_err();
            assert!(error.contains(word), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_credential_that_breaks_the_header_is_refused() {
        let config = HttpConfig::new("http://host", Secret::new("a\r\nX-Evil: 1"));
        let error = config.authorization().unwrap_err().to_string();
        assert!(!error.contains("Evil"), "{error}");
        assert!(!format!("{config:?}").contains("Evil"));
    }
}
