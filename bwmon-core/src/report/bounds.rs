//! Bounds of what a reader of reports takes in, enforced while it is read, so that a hostile body
//! cannot grow past them and the error names the field.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Longest string, in bytes.
pub const STRING_BYTES: usize = 256;
/// Most interfaces, mounts, disks, cores, losses or probes in one interval.
pub const PARTS: usize = 1_024;
/// Most flow rows in one interval; the agent folds the rest into the overflow bucket.
pub const FLOWS: usize = 4_096;
/// Most classes of one interface's non-IP or malformed frames that are told apart.
pub const CLASSES: usize = 64;
/// Most records in one document or batch.
pub const RECORDS: usize = 1_024;
/// Most ranges of missing numbers in the state of one stream.
pub const RANGES: usize = 1_024;
/// Most memory that a document in the compact encoding may take when it is read, in bytes. Its rows
/// share what they have in common, so the length of the bytes alone bounds nothing.
pub const DOCUMENT_MEMORY: usize = 32 << 20;

/// Cuts `text` to [`STRING_BYTES`] at a character boundary. For writers: a name that a host gives
/// itself must not make its report unreadable.
pub fn clip(text: &str) -> String {
    let mut end = text.len().min(STRING_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

pub(crate) fn string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() > STRING_BYTES {
        return Err(D::Error::custom(format_args!(
            "string of {} bytes, at most {STRING_BYTES} are taken",
            text.len()
        )));
    }
    Ok(text)
}

pub(crate) fn optional_string<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    struct Bounded(#[serde(deserialize_with = "string")] String);
    Ok(Option::<Bounded>::deserialize(deserializer)?.map(|text| text.0))
}

pub(crate) fn strings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    struct Bounded(#[serde(deserialize_with = "string")] String);
    Ok(parts::<Bounded, D>(deserializer)?
        .into_iter()
        .map(|text| text.0)
        .collect())
}

macro_rules! bounded_list {
    ($name:ident, $limit:expr) => {
        pub(crate) fn $name<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
        where
            T: Deserialize<'de>,
            D: Deserializer<'de>,
        {
            deserializer.deserialize_seq(Bounded::<T>($limit, PhantomData))
        }
    };
}

bounded_list!(parts, PARTS);
bounded_list!(flows, FLOWS);
bounded_list!(classes, CLASSES);
bounded_list!(records, RECORDS);

struct Bounded<T>(usize, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {} elements", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(self.0));
        while let Some(element) = seq.next_element()? {
            if list.len() == self.0 {
                return Err(A::Error::custom(format_args!(
                    "more than {} elements, the most that are taken",
                    self.0
                )));
            }
            list.push(element);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[serde(default, deserialize_with = "string")]
        name: String,
        #[serde(default, deserialize_with = "classes")]
        list: Vec<u8>,
        #[serde(default, deserialize_with = "strings")]
        names: Vec<String>,
    }

    #[test]
    fn over_long_strings_are_refused_with_their_length() {
        let body = format!(r#"{{"name":"{}"}}"#, "x".repeat(STRING_BYTES + 1));
        let error = serde_json::from_str::<Sample>(&body)
            .unwrap_err()
            .to_string();
        assert!(error.contains("257 bytes, at most 256"), "{error}");
        let body = format!(r#"{{"names":["{}"]}}"#, "x".repeat(STRING_BYTES + 1));
        assert!(serde_json::from_str::<Sample>(&body).is_err());
    }

    #[test]
    fn over_long_lists_are_refused_while_they_are_read() {
        let at_limit = format!(r#"{{"list":[{}]}}"#, vec!["1"; CLASSES].join(","));
        let sample = serde_json::from_str::<Sample>(&at_limit).unwrap();
        assert_eq!(
            (sample.list.len(), sample.name.len(), sample.names.len()),
            (CLASSES, 0, 0)
        );
        let over = format!(r#"{{"list":[{}]}}"#, vec!["1"; CLASSES + 1].join(","));
        let error = serde_json::from_str::<Sample>(&over)
            .unwrap_err()
            .to_string();
        assert!(error.contains("more than 64 elements"), "{error}");
    }

    #[test]
    fn clip_keeps_whole_characters() {
        let text = "é".repeat(200);
        assert_eq!(clip(&text).len(), STRING_BYTES);
        assert_eq!(clip(&format!("a{text}")).len(), STRING_BYTES - 1);
        assert_eq!(clip("eth0"), "eth0");
    }
}
