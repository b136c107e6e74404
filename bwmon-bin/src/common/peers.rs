//! Whom the collector has an agent ping.

use std::net::IpAddr;

use bwmon_core::report::AgentId;
use serde::{Deserialize, Serialize};

/// Where an agent asks.
pub const PEERS_PATH: &str = "/api/v1/agent/peers";
/// Most peers that an agent is told at a time.
pub const MAX_PEERS: usize = 32;

/// Other agents' hosts for the next round. Where there are more than [`MAX_PEERS`], they take turns from
/// minute to minute, so that every pair is covered, in both directions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PeerList {
    /// At most [`MAX_PEERS`].
    pub peers: Vec<Peer>,
}

/// Another agent's host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Peer {
    /// Which agent.
    #[schema(value_type = String)]
    pub agent: AgentId,
    /// Its host's name.
    pub name: String,
    /// Where it is pinged.
    #[schema(value_type = String)]
    pub address: IpAddr,
}
