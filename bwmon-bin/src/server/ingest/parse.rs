use axum::http::StatusCode;
use bwmon_core::report::wire::{self, DecodeError, Reason};
use bwmon_core::report::{Document, Record, SCHEMA};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::server::extract::field_error;
use crate::server::problem::{ApiError, ApiResult};

/// A document that was read.
#[derive(Debug)]
pub struct Parsed {
    /// Its records, in order.
    pub records: Vec<Record>,
    /// Fields that this version does not know.
    pub unknown_fields: u64,
    /// Memory that the records take beyond the length of the body, in bytes.
    pub memory_bytes: usize,
}

/// Reads a document in JSON. The schema is looked at first, so that another version is named as such even
/// where the rest means nothing to this one.
///
/// # Errors
/// 415 for another schema, 400 with the path of the field for anything else.
pub(super) fn json(json: &[u8]) -> ApiResult<Parsed> {
    check_schema(json)?;
    let mut unknown_fields = 0;
    let mut track = serde_path_to_error::Track::new();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let result: Result<Document, _> = serde_ignored::deserialize(tracked, |_| unknown_fields += 1);
    let document = result.map_err(|error| field_error(&track.path().to_string(), &error))?;
    deserializer
        .end()
        .map_err(|error| field_error(".", &error))?;
    Ok(Parsed {
        records: document.records,
        unknown_fields,
        memory_bytes: 0,
    })
}

/// Reads a document in the compact encoding.
///
/// # Errors
/// 415 for another schema, 413 for too much at once, 400 with the path of the field for anything else.
pub(super) fn compact(bytes: &[u8]) -> ApiResult<Parsed> {
    let decoded = wire::decode(bytes).map_err(|error| compact_error(&error))?;
    Ok(Parsed {
        records: decoded.document.records,
        unknown_fields: decoded.unknown_fields,
        memory_bytes: decoded.memory_bytes,
    })
}

fn compact_error(error: &DecodeError) -> ApiError {
    let problem = match error.reason() {
        Reason::Schema { found } => other_schema(*found),
        Reason::TooMuch => ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
        _ if error.is_of_another_version() => {
            ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string())
        }
        _ => ApiError::bad_request(error.to_string()),
    };
    match error.path() {
        "" => problem,
        path => problem.at_field(path),
    }
}

fn other_schema(found: u64) -> ApiError {
    ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("document has schema {found}, this collector reads schema {SCHEMA}"),
    )
}

fn check_schema(json: &[u8]) -> ApiResult<()> {
    let mut found = None;
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    // Reading stops at the schema, with an error that means nothing.
    let _stopped = deserializer.deserialize_map(SchemaPeek(&mut found));
    match found {
        Some(schema) if schema != u64::from(SCHEMA) => Err(other_schema(schema)),
        _ => Ok(()),
    }
}

struct SchemaPeek<'a>(&'a mut Option<u64>);

impl<'de> Visitor<'de> for SchemaPeek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "snake_case")]
        enum Key {
            Schema,
            #[serde(other)]
            Other,
        }
        while let Some(key) = map.next_key()? {
            match key {
                Key::Schema => {
                    *self.0 = Some(map.next_value()?);
                    return Ok(());
                }
                Key::Other => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    fn problem(json: &str) -> (u16, String, Option<String>) {
        let response = super::json(json.as_bytes()).unwrap_err().into_response();
        let body = futures_body(response);
        let problem: crate::server::problem::Problem = serde_json::from_slice(&body).unwrap();
        (problem.status, problem.detail, problem.field)
    }

    fn futures_body(response: axum::response::Response) -> Vec<u8> {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(axum::body::to_bytes(response.into_body(), usize::MAX))
            .unwrap()
            .to_vec()
    }

    #[test]
    fn another_schema_is_named_even_if_the_rest_means_nothing() {
        for json in [
            r#"{"schema":2,"frames":"?"}"#,
            r#"{"frames":[{"a":1}],"schema":2,"records":7}"#,
            r#"{"schema":2, and then it breaks"#,
        ] {
            let (status, detail, _) = problem(json);
            assert_eq!(status, 415, "{json}");
            assert_eq!(
                detail,
                "document has schema 2, this collector reads schema 1"
            );
        }
    }

    #[test]
    fn a_wrong_field_is_named_by_its_path() {
        let flow = r#"{"protocol":6,"local":"nowhere","remote":"192.0.2.1","traffic":{},"first_us":1,"last_us":1}"#;
        let report = format!(r#"{{"window":{{"start_us":1,"duration_us":1}},"flows":[{flow}]}}"#);
        let json = format!(
            r#"{{"schema":1,"records":[{{"epoch":"{:032x}","seq":1,"body":{{"report":{report}}}}}]}}"#,
            7
        );
        let (status, detail, field) = problem(&json);
        assert_eq!(status, 400, "{detail}");
        assert_eq!(field.unwrap(), "records[0].body.report.flows[0].local");
    }

    #[test]
    fn what_is_no_document_is_a_bad_request() {
        let deep = format!(r#"{{"schema":1,"records":{}"#, "[".repeat(100_000));
        for json in [
            "",
            "{",
            "[]",
            "null",
            "{}",
            r#"{"schema":"x","records":[]}"#,
            &deep,
        ] {
            assert_eq!(problem(json).0, 400, "{}", &json[..json.len().min(40)]);
        }
        assert_eq!(problem(r#"{"schema":1,"records":[]} x"#).0, 400);
        assert_eq!(
            problem(r#"{"schema":"x","records":[]}"#).2.unwrap(),
            "schema"
        );
    }

    #[test]
    fn unknown_fields_are_skipped_and_counted() {
        let json = r#"{"schema":1,"colour":"red","records":[{"epoch":"00000000000000000000000000000007","seq":1,"mood":{"a":[1]},"body":{"epoch_start":{"started_us":1}}}]}"#;
        let parsed = super::json(json.as_bytes()).unwrap();
        assert_eq!((parsed.records.len(), parsed.unknown_fields), (1, 2));
    }
}
