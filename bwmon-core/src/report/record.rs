use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bounds;
use super::interval::Interval;
use crate::time::Timestamp;

/// Version of the wire model that this crate writes, and the only one so far that it reads.
pub const SCHEMA: u32 = 1;

/// An [`AgentId`] or [`Epoch`] that is not 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 hexadecimal digits, found {found} characters that are not")]
pub struct IdError {
    found: usize,
}

macro_rules! id128 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = IdError { found: text.chars().count() };
                if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(error);
                }
                u128::from_str_radix(text, 16).map(Self).map_err(|_| error)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id128!(
    /// Identifies an agent for as long as its enrolment lasts; the collector draws it, and knows the
    /// agent by its credential. 32 hexadecimal digits as text.
    AgentId
);
id128!(
    /// Identifies one run of sequence numbers: a new one is drawn at random when a spool starts
    /// without an earlier one, or an outbox in memory starts. 32 hexadecimal digits as text.
    Epoch
);

/// What makes a record unique within its agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The run of sequence numbers.
    pub epoch: Epoch,
    /// Position within it, from 1, without holes.
    pub seq: u64,
}

/// A numbered statement of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Record {
    /// The run of sequence numbers.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "6f1d0c3b5a2948e7b1c4d5e6f7a8b9c0"))]
    pub epoch: Epoch,
    /// Position within it, from 1, without holes.
    pub seq: u64,
    /// What is said.
    pub body: RecordBody,
}

impl Record {
    /// What makes it unique within its agent.
    pub const fn key(&self) -> RecordKey {
        RecordKey {
            epoch: self.epoch,
            seq: self.seq,
        }
    }
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RecordBody {
    /// One interval of the host.
    Report(Box<Interval>),
    /// Records that will never come, and why.
    Dropped(Dropped),
    /// The first record of an epoch.
    EpochStart(EpochStart),
}

/// Says that the records `from_seq` to the record's own `seq` will never come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dropped {
    /// First record that is gone.
    pub from_seq: u64,
    /// How many reports are gone; fewer than the numbers covered where some were never used.
    pub reports: u64,
    /// Why.
    pub reason: DropReason,
}

/// What the reason of a [`Fate::Refused`] begins with where the sender's clock is wrong.
pub const CLOCK_REFUSAL: &str = "clock:";

/// Why records are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// The queue before a sink was full, oldest first.
    QueueFull,
    /// The agent's spool was full, oldest first.
    SpoolFull,
    /// They waited longer than the agent keeps what it could not deliver.
    TooOld,
    /// What the agent had on its disk was damaged.
    Damage,
    /// The receiver refused them for good.
    Refused,
    /// The receiver refused them because the sender's clock was wrong.
    Clock,
    /// The numbers were set aside, and no record of them is known: an agent that ended without
    /// warning skips what it may have used.
    NeverExisted,
    /// Several reasons, or one from a newer agent.
    #[default]
    #[serde(other)]
    Other,
}

/// The first record of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EpochStart {
    /// When it began.
    #[serde(rename = "started_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub started: Timestamp,
    /// The agent's epoch before this one, where it knows.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub previous: Option<Epoch>,
}

/// A record and whose it is. The agent's identity comes from how it was received, never from a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The speaker.
    pub agent: AgentId,
    /// What it says.
    pub record: Record,
}

/// What a sink is given at once; may mix agents.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// In the order of arrival.
    pub entries: Vec<Envelope>,
}

/// What travels in the body of one delivery: records of one agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Document {
    /// Version of the model, [`SCHEMA`].
    pub schema: u32,
    /// The records, at most [`bounds::RECORDS`].
    #[serde(deserialize_with = "bounds::records")]
    pub records: Vec<Record>,
}

/// What became of one record of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fate {
    /// As durable as the sink promises.
    Stored,
    /// Was there already; as good as stored.
    Duplicate,
    /// Will never be taken, for this reason.
    Refused(String),
}

/// What a receiver has of one epoch of one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StreamState {
    /// Whose.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub agent: AgentId,
    /// Which run of sequence numbers.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub epoch: Epoch,
    /// Every record up to and including this one has arrived.
    pub through: u64,
    /// Inclusive ranges after `through` that have not arrived although later ones have, oldest first.
    pub missing: Vec<(u64, u64)>,
}

/// A sink's answer to a batch that it took.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Receipt {
    /// One per record, in the batch's order.
    pub fates: Vec<Fate>,
    /// What the receiver has of each stream that the batch touched; empty where it keeps no state.
    #[serde(default)]
    pub streams: Vec<StreamState>,
    /// Records that the receiver is ready to take at once; absent where it does not say.
    #[serde(default)]
    pub credit: Option<u32>,
    /// The receiver's clock.
    #[serde(default, rename = "server_time_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub server_time: Option<Timestamp>,
}

impl Receipt {
    /// A receipt with one fate per record.
    pub fn new(fates: Vec<Fate>) -> Self {
        Self {
            fates,
            ..Self::default()
        }
    }

    /// A receipt that says stored, `count` times.
    pub fn all_stored(count: usize) -> Self {
        Self::new(vec![Fate::Stored; count])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_32_hexadecimal_digits() {
        let id = AgentId(0xab);
        assert_eq!(id.to_string(), "000000000000000000000000000000ab");
        assert_eq!(id.to_string().parse::<AgentId>().unwrap(), id);
        for bad in [
            "",
            "ab",
            "+00000000000000000000000000000ab",
            &"g".repeat(32),
            &"é".repeat(16),
        ] {
            assert!(bad.parse::<AgentId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_document_survives_json_and_skips_what_it_does_not_know() {
        let document = Document {
            schema: SCHEMA,
            records: vec![Record {
                epoch: Epoch(7),
                seq: 1,
                body: RecordBody::Report(Box::default()),
            }],
        };
        let json = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<Document>(&json).unwrap(), document);
        let newer = json.replacen("\"seq\"", "\"colour\":\"red\",\"seq\"", 1);
        assert_eq!(serde_json::from_str::<Document>(&newer).unwrap(), document);
    }
}
