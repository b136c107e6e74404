//! What an agent of the original program posts. All is optional, unknown fields are skipped, and every
//! list and string has a bound.

use std::fmt;
use std::marker::PhantomData;

use bwmon_core::report::bounds;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// One report. Rates are per second over `interval_sec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Payload {
    pub(super) hostname: Option<Text>,
    pub(super) agent_ip: Option<Text>,
    /// End of the interval by the host's clock, as RFC 3339 has it.
    pub(super) timestamp_utc: Option<Text>,
    pub(super) interval_sec: Option<f64>,
    pub(super) cpu: Option<Share>,
    pub(super) memory: Option<Share>,
    pub(super) disk_usage: Option<Parts<DiskUsage>>,
    pub(super) network: Option<Network>,
    pub(super) disk_io: Option<Parts<DiskTraffic>>,
    /// By `SOURCE_to_DESTINATION`.
    pub(super) peer_traffic: Option<Entries<PeerTraffic, { bounds::FLOWS }>>,
    /// By address.
    pub(super) ping_results: Option<Parts<Ping>>,
}

/// A string of at most [`bounds::STRING_BYTES`].
#[derive(Debug, Clone)]
pub(super) struct Text(pub(super) String);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Share {
    pub(super) percent: Option<f64>,
}

/// In GiB, although it says GB.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DiskUsage {
    pub(super) percent: Option<f64>,
    pub(super) free_gb: Option<f64>,
    pub(super) total_gb: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Network {
    pub(super) interfaces: Option<Parts<Interface>>,
}

/// Traffic in units of 2^20 bits per second, although it says Mbps; the speed in 10^6.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Interface {
    pub(super) is_up: Option<bool>,
    pub(super) link_speed_mbps: Option<f64>,
    #[serde(rename = "sent_Mbps")]
    pub(super) sent: Option<f64>,
    #[serde(rename = "recv_Mbps")]
    pub(super) received: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DiskTraffic {
    #[serde(rename = "read_Bps")]
    pub(super) read: Option<f64>,
    #[serde(rename = "write_Bps")]
    pub(super) written: Option<f64>,
    pub(super) read_ops_ps: Option<f64>,
    pub(super) write_ops_ps: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PeerTraffic {
    pub(super) bytes: Option<f64>,
}

/// The last round of pings of one target, sent again and again until the next.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ping {
    pub(super) status: Option<Text>,
    pub(super) latency_ms: Option<f64>,
    /// When the round ended by the host's clock, in seconds since the Unix epoch.
    pub(super) timestamp: Option<f64>,
}

/// An object with at most `MOST` members, in their order.
#[derive(Debug)]
pub(super) struct Entries<T, const MOST: usize>(pub(super) Vec<(String, T)>);

pub(super) type Parts<T> = Entries<T, { bounds::PARTS }>;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        bounded::<D::Error>(&text)?;
        Ok(Self(text))
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Entries<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor::<T, MOST>(PhantomData))
    }
}

struct EntriesVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for EntriesVisitor<T, MOST> {
    type Value = Entries<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of at most {MOST} members")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, T>()? {
            bounded::<A::Error>(&name)?;
            if entries.len() == MOST {
                return Err(A::Error::custom(format_args!(
                    "more than {MOST} members, the most that are taken"
                )));
            }
            entries.push((name, value));
        }
        Ok(Entries(entries))
    }
}

fn bounded<E: Error>(text: &str) -> Result<(), E> {
    if text.len() > bounds::STRING_BYTES {
        return Err(E::custom(format_args!(
            "string of {} bytes, at most {} are taken",
            text.len(),
            bounds::STRING_BYTES
        )));
    }
    Ok(())
}
