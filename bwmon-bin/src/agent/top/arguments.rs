//! What `bwmon-agent top` is told.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::columns::Tab;
use super::filter_line::Accepted;
use crate::common::duration::HumanDuration;

/// The flags of `top`.
#[derive(Debug, Clone, Args)]
pub(in crate::agent) struct TopArguments {
    /// Interface to watch, a name or a glob; may be given several times [default: those that `run`
    /// captures on]
    #[arg(short, long = "interface", value_name = "NAME")]
    pub(super) interfaces: Vec<String>,
    /// Time between two refreshes, 200ms to 1m
    #[arg(long, value_name = "DURATION", default_value_t)]
    pub(super) refresh: Refresh,
    /// Show only what matches, such as 'port 443 and not ip 10.0.0.0/8'
    #[arg(long, value_name = "FILTER")]
    pub(super) filter: Option<Accepted>,
    /// What to show first; with --batch the only thing to print [default: peers; with --batch
    /// interfaces, peers and flows]
    #[arg(long, value_enum, value_name = "VIEW")]
    pub(super) view: Option<Tab>,
    /// Print this many refreshes as plain text and end; needs no terminal
    #[arg(long, value_name = "COUNT")]
    pub(super) batch: Option<NonZeroU32>,
    /// The same as --batch 1
    #[arg(long, conflicts_with = "batch")]
    pub(super) once: bool,
    /// Most rows of each table that --batch and --once print
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub(super) rows: usize,
}

impl TopArguments {
    /// How many refreshes to print, where no terminal is wanted.
    pub(super) fn batches(&self) -> Option<u32> {
        self.batch
            .map(NonZeroU32::get)
            .or_else(|| self.once.then_some(1))
    }

    /// Whether it runs in a terminal.
    pub(in crate::agent) fn is_interactive(&self) -> bool {
        self.batches().is_none()
    }
}

/// Time between two refreshes, 200 ms to 1 min.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refresh(HumanDuration);

/// A time between refreshes that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; 200ms to 1m make sense")]
pub(super) struct RefreshError(String);

impl Refresh {
    const LEAST: Duration = Duration::from_millis(200);
    const MOST: Duration = Duration::from_secs(60);

    pub(super) const fn duration(self) -> Duration {
        self.0.0
    }
}

impl Default for Refresh {
    fn default() -> Self {
        Self(HumanDuration::from_secs(1))
    }
}

impl FromStr for Refresh {
    type Err = RefreshError;

    fn from_str(text: &str) -> Result<Self, RefreshError> {
        let told: HumanDuration = text
            .parse()
            .map_err(|error| RefreshError(format!("{error}")))?;
        if (Self::LEAST..=Self::MOST).contains(&told.0) {
            Ok(Self(told))
        } else {
            Err(RefreshError(format!("{told} is out of bounds")))
        }
    }
}

impl fmt::Display for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refreshes_have_bounds() {
        for good in ["200ms", "1s", "1m"] {
            assert_eq!(good.parse::<Refresh>().unwrap().to_string(), good);
        }
        for bad in ["0s", "199ms", "61s", "soon"] {
            let message = bad.parse::<Refresh>().unwrap_err().to_string();
            assert!(message.ends_with("200ms to 1m make sense"), "{message}");
        }
    }
}
