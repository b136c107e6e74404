//! Capture through libpcap, in builds that have it (feature `pcap`).

use std::time::Duration;

use bwmon_core::collector::CollectError;
use bwmon_core::collectors::pcap::{LivePcap, LivePcapConfig};
use bwmon_core::frame::InterfaceId;

use super::ladder::{Source, Tap};

/// Whether this build has it.
pub(super) const IS_COMPILED_IN: bool = true;

/// Opens the interfaces called `names`, which share `buffer_bytes` among their directions.
pub(super) fn open(
    names: &[String],
    buffer_bytes: usize,
    pace: Duration,
) -> Result<Source, CollectError> {
    let mut config = LivePcapConfig::new(names.to_vec());
    config.buffer_bytes = buffer_bytes / (2 * names.len().max(1));
    let capture = LivePcap::open(&config)?;
    let drain = capture.retire_timeout();
    Ok(Source {
        tap: Box::new(capture),
        drain,
        pace,
    })
}

impl Tap for LivePcap {
    fn interfaces(&self) -> Vec<(InterfaceId, String)> {
        Self::interfaces(self)
    }
}
