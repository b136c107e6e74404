//! How much, how fast: the numbers of a row.

use bwmon_core::frame::{PerDirection, Tally};

use super::book::HISTORY;

/// Bytes and packets of a row, as this host received (ingress) and sent (egress) them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Figures {
    /// Within the last few seconds.
    pub(super) recent: PerDirection<Tally>,
    /// How long these seconds were.
    pub(super) seconds: f64,
    /// Since the start.
    pub(super) total: PerDirection<Tally>,
    /// Bytes per second in both directions of each of the last refreshes, newest first.
    pub(super) history: [f64; HISTORY],
    /// Number of flows.
    pub(super) flows: u64,
}

impl Figures {
    /// Adds the figures of another flow of the same time.
    pub(super) fn add(&mut self, other: &Self) {
        self.recent.add(other.recent);
        self.seconds = self.seconds.max(other.seconds);
        self.total.add(other.total);
        for (sum, more) in self.history.iter_mut().zip(&other.history) {
            *sum += more;
        }
        self.flows = self.flows.saturating_add(other.flows);
    }

    /// Bits per second (SI), a mean over the last few seconds.
    pub(super) fn bits_per_second(&self) -> PerDirection<f64> {
        self.per_second(|tally| tally.bytes as f64 * 8.0)
    }

    /// Packets per second, a mean over the last few seconds.
    pub(super) fn packets_per_second(&self) -> PerDirection<f64> {
        self.per_second(|tally| tally.packets as f64)
    }

    fn per_second(&self, of: impl Fn(&Tally) -> f64) -> PerDirection<f64> {
        self.recent.map(|tally| {
            if self.seconds > 0.0 {
                of(tally) / self.seconds
            } else {
                0.0
            }
        })
    }
}

/// Both directions together.
pub(super) fn both(value: PerDirection<f64>) -> f64 {
    value.ingress + value.egress
}
