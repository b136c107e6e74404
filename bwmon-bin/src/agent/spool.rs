//! `[spool]`: where undelivered reports wait.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use bwmon_core::report::{AgentId, Epoch};
use bwmon_sinks::Clock;
use bwmon_sinks::driver::{SpoolQueue, Tap};
use bwmon_sinks::spool::{Folder, Spool, SpoolConfig};
use serde::{Deserialize, Deserializer};

use super::clock::wall_clock;
use super::config::{ValueError, in_bounds};
use super::identity::draw_epoch;
use crate::common::duration::HumanDuration;

/// The folder within the data folder.
const FOLDER: &str = "spool";

/// `[spool]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SpoolSettings {
    pub(super) enabled: bool,
    pub(super) folder: Option<PathBuf>,
    core_bytes: Budget<64>,
    flow_bytes: Budget<192>,
    age: Age,
}

impl Default for SpoolSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            folder: None,
            core_bytes: Budget::default(),
            flow_bytes: Budget::default(),
            age: Age::default(),
        }
    }
}

impl SpoolSettings {
    /// Where it is, for an agent with its data in `data`.
    pub(super) fn folder(&self, data: &Path) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| data.join(FOLDER))
    }

    /// Starts the spool. `tap` hears of each record as it is numbered.
    pub(super) fn start(
        &self,
        agent: AgentId,
        data: &Path,
        tap: Option<Tap>,
    ) -> anyhow::Result<SpoolQueue> {
        let mut config = SpoolConfig::default();
        config.core_bytes = self.core_bytes.0;
        config.flow_bytes = self.flow_bytes.0;
        config.age = self.age.0.0;
        let files = Box::new(Folder::new(self.folder(data)));
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
}

/// Most bytes of one lane, 8 MiB to 1 TiB; by default so many MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Budget<const MIB: u64>(u64);

impl<const MIB: u64> Default for Budget<MIB> {
    fn default() -> Self {
        Self(MIB << 20)
    }
}

impl<'de, const MIB: u64> Deserialize<'de> for Budget<MIB> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = u64::deserialize(deserializer)?;
        in_bounds(bytes, 8 << 20, 1 << 40, "a budget", "bytes")
            .map(|_| Self(bytes))
            .map_err(serde::de::Error::custom)
    }
}

/// How long reports wait at most, 1 h to 30 d.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Age(HumanDuration);

impl Default for Age {
    fn default() -> Self {
        Self(HumanDuration::from_secs(72 * 3_600))
    }
}

impl TryFrom<HumanDuration> for Age {
    type Error = ValueError;

    fn try_from(told: HumanDuration) -> Result<Self, ValueError> {
        const LEAST: Duration = Duration::from_secs(3_600);
        const MOST: Duration = Duration::from_secs(30 * 86_400);
        if (LEAST..=MOST).contains(&told.0) {
            Ok(Self(told))
        } else {
            Err(ValueError::new(format!(
                "an age of {told} is out of bounds: 1h to 30d"
            )))
        }
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let told = HumanDuration::deserialize(deserializer)?;
        told.try_into().map_err(serde::de::Error::custom)
    }
}
