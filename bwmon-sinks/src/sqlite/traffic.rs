use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::query::{FlowUsage, InterfaceSum, TrafficSum};
use bwmon_core::report::{
    Conservation, FlowIdentity, FlowRow, InterfaceInterval, Interval, Terms, bounds,
};
use bwmon_core::time::Window;

/// Most flows that are told apart; beyond it the smaller half counts as beyond the limit.
const MAX_FLOWS: usize = 65_536;

/// Sums reports: interfaces by name, flows by interface, protocol and both ends.
///
/// The totals are exact. Where there are more than 65,536 flows, those that were small when the
/// bound was reached count in [`TrafficSum::flows_beyond_limit`].
#[derive(Debug, Default)]
pub struct TrafficSummer {
    window: Option<Window>,
    reports: u64,
    interfaces: BTreeMap<String, InterfaceSum>,
    flows: HashMap<FlowIdentity<'static>, FlowRow>,
    beyond: PerDirection<Tally>,
}

impl TrafficSummer {
    /// A sum of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a report.
    pub fn add(&mut self, interval: Interval) {
        let hull = |window: Window| window.hull(&interval.window);
        self.window = Some(self.window.map_or(interval.window, hull));
        self.reports += 1;
        self.beyond.add(interval.overflow_without_interface);
        for interface in interval.interfaces {
            self.add_interface(interface);
        }
        for row in interval.flows {
            self.add_flow(row);
        }
    }

    /// The sum, with at most `limit` flows.
    pub fn finish(self, limit: usize) -> TrafficSum {
        let window = self.window.unwrap_or_default();
        let mut beyond = self.beyond;
        let mut rows: Vec<FlowRow> = self.flows.into_values().collect();
        rows.sort_unstable_by(|a, b| {
            let by_bytes = b.traffic.total_bytes().cmp(&a.traffic.total_bytes());
            by_bytes.then_with(|| a.identity().cmp(&b.identity()))
        });
        for row in rows.drain(limit.min(rows.len())..) {
            beyond.add(row.traffic);
        }
        let flows = rows.into_iter().map(|flow| FlowUsage {
            rate_bps: flow
                .traffic
                .map(|tally| window.bits_per_second(tally.bytes).unwrap_or_default()),
            flow,
        });
        TrafficSum {
            window,
            reports: self.reports,
            interfaces: self.interfaces.into_values().collect(),
            flows: flows.collect(),
            flows_beyond_limit: beyond,
        }
    }

    fn add_interface(&mut self, interface: InterfaceInterval) {
        let InterfaceInterval {
            facts,
            kernel,
            conservation,
            ..
        } = interface;
        if !self.interfaces.contains_key(&facts.name) && self.interfaces.len() == bounds::PARTS {
            return;
        }
        let sum = self
            .interfaces
            .entry(facts.name)
            .or_insert_with_key(|name| empty(name));
        sum.is_uplink = facts.is_uplink;
        match kernel {
            Some(kernel) => sum.kernel.add(kernel.map(|counters| Tally {
                bytes: counters.bytes,
                packets: counters.packets,
            })),
            None => sum.intervals_without_kernel = sum.intervals_without_kernel.saturating_add(1),
        }
        if let Some(conservation) = conservation {
            add_captured(sum, &conservation);
        }
    }

    fn add_flow(&mut self, row: FlowRow) {
        if self.flows.len() == MAX_FLOWS && !self.flows.contains_key(&row.identity()) {
            self.fold_smaller_half();
        }
        match self.flows.entry(row.identity().into_owned()) {
            Entry::Occupied(mut known) => known.get_mut().absorb(&row),
            Entry::Vacant(place) => {
                place.insert(row);
            }
        }
    }

    fn fold_smaller_half(&mut self) {
        let mut sizes: Vec<u64> = self
            .flows
            .values()
            .map(|row| row.traffic.total_bytes())
            .collect();
        let (_, median, _) = sizes.select_nth_unstable(MAX_FLOWS / 2);
        let median = *median;
        let mut room = MAX_FLOWS / 2;
        let beyond = &mut self.beyond;
        self.flows.retain(|_, row| {
            let is_kept = row.traffic.total_bytes() >= median && room > 0;
            if is_kept {
                room -= 1;
            } else {
                beyond.add(row.traffic);
            }
            is_kept
        });
    }
}

fn empty(name: &str) -> InterfaceSum {
    InterfaceSum {
        name: name.to_owned(),
        is_uplink: false,
        kernel: PerDirection::default(),
        captured: None,
        residual_bytes: None,
        intervals_without_kernel: 0,
    }
}

fn add_captured(sum: &mut InterfaceSum, conservation: &PerDirection<Conservation>) {
    let captured = sum
        .captured
        .get_or_insert_with(PerDirection::<Terms>::default);
    captured.ingress.add(&conservation.ingress.terms);
    captured.egress.add(&conservation.egress.terms);
    let residuals = conservation
        .ingress
        .residual_bytes
        .zip(conservation.egress.residual_bytes);
    if let Some((ingress, egress)) = residuals {
        let residual = sum.residual_bytes.get_or_insert_with(PerDirection::default);
        residual.ingress = residual.ingress.saturating_add(ingress);
        residual.egress = residual.egress.saturating_add(egress);
    }
}
