use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bwmon_core::report::{Receipt, wire};

use super::parse::{self, Parsed};
use crate::server::extract::is_json;
use crate::server::problem::{ApiError, ApiResult};

/// Header of every answer that says what can be posted, so that an agent which has fallen back to
/// JSON learns of an upgrade.
pub const ACCEPT_POST: (HeaderName, HeaderValue) = (
    HeaderName::from_static("accept-post"),
    HeaderValue::from_static("application/json, application/vnd.bwmon.batch+protobuf; v=1"),
);

/// How a document or a receipt is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// The compact encoding, protobuf.
    Compact,
}

impl Format {
    /// The format that a body is sent in.
    ///
    /// # Errors
    /// 415 for any other than those that are read; it names them.
    pub fn of(headers: &HeaderMap) -> ApiResult<Self> {
        if is_json(headers) {
            return Ok(Self::Json);
        }
        let text = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        match text.and_then(compact_version) {
            Some(wire::VERSION) => Ok(Self::Compact),
            Some(version) => Err(unsupported(format!(
                "the compact encoding has version {}, this collector reads version {}",
                version.escape_debug(),
                wire::VERSION
            ))),
            None => Err(unsupported(format!(
                "send the document as application/json or {}",
                wire::CONTENT_TYPE
            ))),
        }
    }

    /// The format that a receipt is asked for in: the compact one where it is named, else JSON.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let names_compact = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|range| compact_version(range) == Some(wire::VERSION));
        if names_compact {
            Self::Compact
        } else {
            Self::Json
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// 415 for another schema, 413 for too much at once, 400 with the path of the field for anything
    /// else.
    pub fn parse(self, body: &[u8]) -> ApiResult<Parsed> {
        match self {
            Self::Json => parse::json(body),
            Self::Compact => parse::compact(body),
        }
    }

    /// Writes a receipt, and says as what.
    ///
    /// # Errors
    /// 500 where it cannot be written.
    pub fn receipt(self, receipt: &Receipt) -> ApiResult<(HeaderValue, Vec<u8>)> {
        match self {
            Self::Json => {
                let json = serde_json::to_vec(receipt)
                    .map_err(|error| ApiError::internal("writing the receipt failed", &error))?;
                Ok((HeaderValue::from_static("application/json"), json))
            }
            Self::Compact => {
                let kind = HeaderValue::from_static(wire::CONTENT_TYPE);
                Ok((kind, wire::encode_receipt(receipt)))
            }
        }
    }
}

/// The version of the compact encoding that a media type names, 1 where it says none; `None` for
/// another type.
fn compact_version(media_type: &str) -> Option<&str> {
    let mut parts = media_type.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(wire::MEDIA_TYPE) {
        return None;
    }
    let version = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("v")
            .then(|| value.trim().trim_matches('"'))
    });
    Some(version.unwrap_or(wire::VERSION))
}

fn unsupported(detail: String) -> ApiError {
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_content_type_names_the_format_and_its_version() {
        for (value, expected) in [
            ("application/json", Some(Format::Json)),
            ("application/json; charset=utf-8", Some(Format::Json)),
            (wire::CONTENT_TYPE, Some(Format::Compact)),
            (
                "Application/Vnd.Bwmon.Batch+Protobuf;V=\"1\"",
                Some(Format::Compact),
            ),
            (wire::MEDIA_TYPE, Some(Format::Compact)),
            ("application/vnd.bwmon.batch+protobuf; v=2", None),
            ("application/protobuf", None),
        ] {
            let format = Format::of(&headers(CONTENT_TYPE, value));
            assert_eq!(format.as_ref().ok(), expected.as_ref(), "{value}");
            if let Err(error) = format {
                assert_eq!(error.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
            }
        }
    }

    #[test]
    fn a_receipt_is_compact_only_where_that_is_asked_for() {
        for (value, expected) in [
            ("*/*", Format::Json),
            ("application/json", Format::Json),
            (
                "application/json, application/vnd.bwmon.batch+protobuf; v=1",
                Format::Compact,
            ),
            ("application/vnd.bwmon.batch+protobuf; v=2", Format::Json),
        ] {
            assert_eq!(
                Format::accepted(&headers(ACCEPT, value)),
                expected,
                "{value}"
            );
        }
        assert_eq!(Format::accepted(&HeaderMap::new()), Format::Json);
    }

    #[test]
    fn what_can_be_posted_names_both_formats() {
        let listed = ACCEPT_POST.1.to_str().unwrap().to_owned();
        assert_eq!(listed, format!("application/json, {}", wire::CONTENT_TYPE));
    }
}
