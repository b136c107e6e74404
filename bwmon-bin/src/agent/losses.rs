//! Losses stay cumulative when one source takes over from another.

use bwmon_core::collector::Losses;
use bwmon_core::report::bounds;

/// What sources that are no longer in use lost.
#[derive(Debug, Default)]
pub(super) struct LossLedger {
    retired: Losses,
}

impl LossLedger {
    /// What was lost since the start, where `now` is what the source in use says.
    pub(super) fn total(&self, now: &Losses) -> Losses {
        let mut total = self.retired.clone();
        add(&mut total, now);
        total
    }

    /// Keeps the last word of a source that goes out of use.
    pub(super) fn retire(&mut self, last: &Losses) {
        add(&mut self.retired, last);
    }
}

fn add(sum: &mut Losses, more: &Losses) {
    for loss in &more.sources {
        let mut known = sum.sources.iter_mut();
        if let Some(known) = known.find(|known| known.is_same_source(loss)) {
            known.absorb(loss);
        } else if sum.sources.len() < bounds::PARTS {
            sum.sources.push(loss.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use bwmon_core::report::CaptureLoss;

    use super::*;

    fn lost(received: u64, dropped: u64) -> Losses {
        let loss = CaptureLoss {
            source: "ring".to_owned(),
            interface: None,
            received,
            dropped,
        };
        Losses {
            sources: vec![loss],
        }
    }

    #[test]
    fn a_new_source_counts_on_from_the_old_one() {
        let mut ledger = LossLedger::default();
        ledger.retire(&lost(100, 7));
        assert_eq!(ledger.total(&lost(5, 1)), lost(105, 8));
        assert_eq!(ledger.total(&lost(6, 1)), lost(106, 8));
    }
}
