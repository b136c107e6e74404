//! Where undelivered reports wait.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bwmon_core::report::{AgentId, Epoch};
use bwmon_sinks::Clock;
use bwmon_sinks::driver::{SpoolQueue, Tap};
use bwmon_sinks::spool::{Folder, Spool, SpoolConfig};

use super::clock::wall_clock;
use super::config::SpoolSettings;
use super::identity::draw_epoch;

/// The folder within the data folder.
const FOLDER: &str = "spool";

/// Where it is, for an agent with its data in `data`.
pub(super) fn folder(settings: &SpoolSettings, data: &Path) -> PathBuf {
    let told = settings.folder.clone();
    told.unwrap_or_else(|| data.join(FOLDER))
}

/// Starts the spool. `tap` hears of each record as it is numbered.
pub(super) fn start(
    settings: &SpoolSettings,
    agent: AgentId,
    data: &Path,
    tap: Option<Tap>,
) -> anyhow::Result<SpoolQueue> {
    let mut config = SpoolConfig::default();
    config.core_bytes = settings.core_bytes.bytes();
    config.flow_bytes = settings.flow_bytes.bytes();
    config.age = settings.age.duration();
    let files = Box::new(Folder::new(folder(settings, data)));
    let first = draw_epoch()?;
    // The system gave random numbers before; where it no longer does, the time makes it another.
    let draw = move || {
        let other = || Epoch(first.0 ^ u128::from(wall_clock().as_nanos()));
        draw_epoch().unwrap_or_else(|_| other())
    };
    let open = move |now| Spool::open(files, config, draw, now);
    SpoolQueue::start(agent, Clock::default(), open, tap)
        .context("cannot start the thread of the spool")
}
