//! Agents of the original program, which show no credential: what they send becomes reports of hosts
//! that are marked as unauthenticated ([`identity`]) and cannot take the name of an enrolled one.
//!
//! They have a listener of their own that only listed addresses may use ([`Legacy::lets_in`]). What
//! they send is read within bounds ([`Payload`]), mapped onto an interval ([`map`]) and numbered here
//! ([`Legacy::store`]), so that storing and deduplication work as for everybody else.

mod counters;
pub mod identity;
mod mapping;
mod payload;
mod streams;

use std::net::{IpAddr, SocketAddr};

use bwmon_core::report::AgentId;
use ipnet::IpNet;

use super::config::LegacyConfig;
pub use counters::{LegacyCounters, Outcome};
pub use mapping::{MapError, Mapped, map};
pub use payload::Payload;
use streams::Streams;
pub use streams::{Failure, Stored};

/// Agents of the original program, as this collector takes them.
#[derive(Debug)]
pub struct Legacy {
    address: Option<SocketAddr>,
    allow: Vec<IpNet>,
    streams: Streams,
    counters: LegacyCounters,
}

impl Legacy {
    /// Takes them at `address`, or not at all where there is none. `known` are the hosts that the
    /// store has of them.
    pub fn new(
        config: &LegacyConfig,
        address: Option<SocketAddr>,
        known: impl IntoIterator<Item = AgentId>,
    ) -> Self {
        Self {
            address,
            allow: config.allow.clone(),
            streams: Streams::new(config.max_hosts, known),
            counters: LegacyCounters::default(),
        }
    }

    /// Where they report; absent where they are not taken.
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Whether an address is on the list.
    pub fn lets_in(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.allow.iter().any(|network| network.contains(&peer))
    }

    /// What was counted.
    pub const fn counters(&self) -> &LegacyCounters {
        &self.counters
    }

    /// Hosts that are known, and how many may be.
    pub fn hosts(&self) -> (usize, usize) {
        self.streams.hosts()
    }
}
