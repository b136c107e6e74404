//! `--filter`: which flows are shown. What is counted does not depend on it.

use anyhow::anyhow;
use bwmon_core::filter::{Field, Fields, Filter, Subject};
use bwmon_core::flow::{Flow, Snapshot};
use bwmon_core::frame::Tally;

/// What is known of flows of a live capture.
const LIVE: Fields = Flow::FIELDS;

/// What is known of flows of a file: it does not say which end is the host's.
const FILE: Fields = LIVE
    .without(Field::LocalIp)
    .without(Field::RemoteIp)
    .without(Field::LocalPort)
    .without(Field::RemotePort)
    .without(Field::IngressBytes)
    .without(Field::EgressBytes)
    .without(Field::IngressPackets)
    .without(Field::EgressPackets);

/// A filter with the text that it was written as.
#[derive(Debug)]
pub(super) struct Wanted {
    /// As it was given.
    pub(super) text: String,
    /// Whether it asks for VLANs, so that flows must be counted by them.
    pub(super) asks_for_vlans: bool,
    filter: Filter,
}

impl Wanted {
    /// Reads `text`, for a live capture or for a file.
    ///
    /// # Errors
    /// What is wrong with it, with the place below it.
    pub(super) fn read(text: &str, is_live: bool) -> anyhow::Result<Self> {
        let fields = if is_live { LIVE } else { FILE };
        let filter = Filter::parse_for(text, fields)
            .map_err(|error| anyhow!("--filter: {}\n{}", error.message, error.excerpt(text)))?;
        Ok(Self {
            text: text.to_owned(),
            asks_for_vlans: Filter::parse_for(text, fields.without(Field::Vlan)).is_err(),
            filter,
        })
    }

    /// Whether the flow is to be shown.
    pub(super) fn takes(&self, flow: &Flow) -> bool {
        self.filter.matches(flow)
    }

    /// What is not shown.
    pub(super) fn left_out(&self, flows: &Snapshot) -> Tally {
        let mut sum = Tally::default();
        for flow in flows.iter().filter(|flow| !self.takes(flow)) {
            sum.add(flow.counters.traffic.total());
        }
        sum
    }
}
