//! Capture through libpcap, in builds without it.

use std::time::Duration;

use bwmon_core::collector::{CollectError, CollectErrorKind};

use super::ladder::Source;

/// Whether this build has it.
pub(super) const IS_COMPILED_IN: bool = false;

/// Refuses, and says how to get it.
pub(super) fn open(
    _names: &[String],
    _buffer_bytes: usize,
    _pace: Duration,
) -> Result<Source, CollectError> {
    Err(CollectError::new(
        CollectErrorKind::NotFound,
        "libpcap is not compiled in; build bwmon-agent with --features pcap",
    ))
}
