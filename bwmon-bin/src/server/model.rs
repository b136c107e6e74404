//! What the API says beyond the report and query types of `bwmon-core`.

use bwmon_core::query::HostSummary;
use bwmon_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How the collector is. A caller who has not shown a token that is needed gets `status`, `version`
/// and `auth_required`, and null for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    pub status: String,
    /// Version of the collector.
    pub version: String,
    /// Whether a token is needed for everything else.
    pub auth_required: bool,
    /// Version of the wire model that is read.
    pub schema: Option<u32>,
    /// Hosts that have reported and are still stored.
    pub hosts: Option<u64>,
    /// The collector's clock, in microseconds since the Unix epoch.
    #[serde(rename = "server_time_us")]
    #[schema(value_type = Option<u64>)]
    pub server_time: Option<Timestamp>,
    /// Size of the database.
    pub database_bytes: Option<u64>,
    /// What was counted since the start.
    pub counters: Option<HealthCounters>,
}

/// What the collector counted since its start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HealthCounters {
    /// Records that the store was asked to take: stored, duplicate, refused, or handed back.
    pub records_received: u64,
    /// Records of which nothing can be promised, because the queue was full or the store has trouble:
    /// they come again.
    pub records_handed_back: u64,
    /// Records stored.
    pub records_stored: u64,
    /// Records that had come before.
    pub records_duplicate: u64,
    /// Records refused for good.
    pub records_refused: u64,
    /// Deliveries turned away to come again, because the queue was full or the store had trouble.
    pub deliveries_turned_away: u64,
    /// Deliveries without the credential of an agent that may report.
    pub deliveries_unauthorised: u64,
    /// Deliveries that could not be read.
    pub deliveries_malformed: u64,
    /// Fields that this version does not know and skipped.
    pub unknown_fields: u64,
    /// Reports whose times were moved because the clock of their host is wrong.
    pub reports_moved: u64,
    /// Reports of the last minute that memory let go early because its bound was reached.
    pub live_reports_evicted: u64,
    /// Connections open now.
    pub connections: u64,
    /// Event streams open now.
    pub event_streams: u64,
}

/// Every host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostList {
    /// By name, then id.
    pub hosts: Vec<HostSummary>,
    /// Seconds without a report after which a host counts as stale; at least three of its intervals.
    pub stale_after_s: u64,
    /// The collector's clock.
    #[serde(rename = "server_time_us")]
    #[schema(value_type = u64)]
    pub server_time: Timestamp,
}

/// What opens a session.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The shared token.
    pub token: String,
}

impl std::fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionRequest").finish_non_exhaustive()
    }
}
