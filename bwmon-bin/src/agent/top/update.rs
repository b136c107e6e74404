//! What the capture thread hands over at each refresh.

use std::collections::BTreeMap;
use std::time::Duration;

use bwmon_core::flow::{FlowTable, Limits, Place, Snapshot};
use bwmon_core::frame::{InterfaceId, PerDirection, Tally};
use bwmon_core::report::{CaptureStatus, InterfaceFacts, KernelCounters, Terms};

/// Most flows of an update that waits for a view that is behind; the smallest count as overflow.
const MOST_WAITING_FLOWS: usize = 65_536;

/// What happened within one refresh, or several that were merged.
#[derive(Debug, Clone, Default)]
pub(super) struct Update {
    /// How long it took, by a monotonic clock.
    pub(super) elapsed: Duration,
    /// Who talked to whom.
    pub(super) flows: Snapshot,
    /// What belongs to flows that had no room, by place.
    pub(super) overflow: BTreeMap<Place, PerDirection<Tally>>,
    /// Every interface that exists at the end.
    pub(super) interfaces: BTreeMap<InterfaceId, InterfaceUpdate>,
    /// How flows are seen at the end.
    pub(super) capture: CaptureStatus,
    /// Packets that the kernel dropped because the capture was behind.
    pub(super) dropped: u64,
    /// Name of the host.
    pub(super) host: String,
}

/// One interface within an update.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct InterfaceUpdate {
    /// What it is.
    pub(super) facts: InterfaceFacts,
    /// Change of the kernel's counters; absent where there is no earlier reading or one was reset.
    pub(super) kernel: Option<PerDirection<KernelCounters>>,
    /// Where the captured bytes of both directions went; absent where it is not captured.
    pub(super) terms: Option<Terms>,
}

impl Update {
    /// This and the update after it as one: resolution is lost, bytes are not.
    #[must_use]
    pub(super) fn merge(self, later: Self) -> Self {
        let mut overflow = self.overflow;
        for (place, traffic) in later.overflow {
            overflow.entry(place).or_default().add(traffic);
        }
        let flows = bounded(self.flows.merge(later.flows), &mut overflow);
        let mut before = self.interfaces;
        let mut interfaces = later.interfaces;
        for (id, now) in &mut interfaces {
            if let Some(before) = before.remove(id) {
                now.add(&before);
            }
        }
        Self {
            elapsed: self.elapsed + later.elapsed,
            flows,
            overflow,
            interfaces,
            capture: later.capture,
            dropped: self.dropped.saturating_add(later.dropped),
            host: later.host,
        }
    }
}

impl InterfaceUpdate {
    fn add(&mut self, before: &Self) {
        self.kernel = match (self.kernel, before.kernel) {
            (Some(now), Some(before)) => Some(PerDirection {
                ingress: now.ingress.plus(&before.ingress),
                egress: now.egress.plus(&before.egress),
            }),
            (now, before) => now.or(before),
        };
        if let Some(before) = &before.terms {
            self.terms.get_or_insert_default().add(before);
        }
    }
}

/// Keeps the largest flows of a snapshot that grew too large, and adds the others to `overflow`.
fn bounded(flows: Snapshot, overflow: &mut BTreeMap<Place, PerDirection<Tally>>) -> Snapshot {
    if flows.len() <= MOST_WAITING_FLOWS {
        return flows;
    }
    let mut table = FlowTable::new(Limits::flows(MOST_WAITING_FLOWS));
    for flow in flows.iter() {
        table.add(flow.place, &flow.key, &flow.counters);
    }
    let kept = table.rotate();
    for (place, traffic) in kept.overflow() {
        overflow.entry(*place).or_default().add(*traffic);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::doubles::{flow, snapshot, update};
    use super::*;

    fn bytes(update: &Update) -> u64 {
        let flows = update.flows.iter().map(|flow| flow.counters.traffic);
        flows
            .chain(update.overflow.values().copied())
            .map(|traffic| traffic.total_bytes())
            .sum()
    }

    #[test]
    fn merged_updates_lose_no_byte() {
        let first = update(&[flow(1, 443, 10, 20)]);
        let second = update(&[flow(1, 443, 1, 2), flow(2, 53, 4, 8)]);
        let merged = first.merge(second);
        assert_eq!(merged.elapsed, Duration::from_secs(2));
        assert_eq!((merged.flows.len(), bytes(&merged)), (2, 45));
        let interface = &merged.interfaces[&InterfaceId(2)];
        assert_eq!(interface.terms.unwrap().attributed.bytes, 45);
        let kernel = interface.kernel.unwrap();
        assert_eq!((kernel.ingress.bytes, kernel.egress.bytes), (15, 30));
    }

    #[test]
    fn what_waits_is_bounded_and_no_byte_is_lost() {
        let many = |from: u32| {
            let flows: Vec<_> = (from..from + 50_000)
                .map(|n| flow(n, 443, 1 + u64::from(n % 7), 2))
                .collect();
            Update {
                flows: snapshot(&flows),
                ..Update::default()
            }
        };
        let (first, second) = (many(0), many(50_000));
        let sum = bytes(&first) + bytes(&second);
        let merged = first.merge(second);
        assert!(merged.flows.len() <= MOST_WAITING_FLOWS);
        assert!(!merged.overflow.is_empty());
        assert_eq!(bytes(&merged), sum);
    }
}
