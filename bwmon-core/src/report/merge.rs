use std::collections::HashMap;

use super::bounds;
use super::interface::{Conservation, InterfaceInterval, KernelCounters};
use super::interval::{CaptureLoss, FlowRow, FlowsLost, Interval};
use crate::frame::{PerDirection, Tally};

impl Interval {
    /// Merges the interval that follows into this one: counters are summed, gauges and facts are
    /// those of the later one, the window covers both. Resolution is lost, bytes are not.
    ///
    /// Flows beyond [`bounds::FLOWS`] are folded into the overflow of their interface.
    pub fn absorb(&mut self, later: Self) {
        self.window = self.window.hull(&later.window);
        self.merged_windows = self
            .merged_windows
            .saturating_add(later.merged_windows)
            .saturating_add(1);
        self.overflow_without_interface
            .add(later.overflow_without_interface);
        self.flows_lost = match (self.flows_lost, later.flows_lost) {
            (Some(earlier), Some(later)) => Some(earlier.plus(later)),
            (one, other) => one.or(other),
        };
        self.capture = later.capture;
        self.clocks = later.clocks;
        self.probes.extend(later.probes);
        self.probes.truncate(bounds::PARTS);
        self.absorb_host(later.host);
        self.absorb_losses(later.losses);
        self.absorb_interfaces(later.interfaces);
        self.absorb_flows(later.flows);
    }

    /// Says that flow rows of it are gone: what was attributed counts as overflow, so that bytes
    /// stay exact. `without_interface` is the traffic of lost rows that name no interface.
    pub fn lose_flows(&mut self, lost: FlowsLost, without_interface: PerDirection<Tally>) {
        self.flows.clear();
        for interface in &mut self.interfaces {
            if let Some(conservation) = &mut interface.conservation {
                for direction in [&mut conservation.ingress, &mut conservation.egress] {
                    let attributed = std::mem::take(&mut direction.terms.attributed);
                    direction.terms.overflow.add(attributed);
                }
            }
        }
        self.overflow_without_interface.add(without_interface);
        self.flows_lost = Some(self.flows_lost.map_or(lost, |known| known.plus(lost)));
    }

    fn absorb_host(&mut self, later: Option<super::HostMetrics>) {
        let Some(mut later) = later else { return };
        let earlier = self.host.take().map(|host| host.disks).unwrap_or_default();
        for disk in &mut later.disks {
            let before = earlier.iter().find(|known| known.name == disk.name);
            if let Some((sum, before)) = disk.delta.as_mut().zip(before.and_then(|d| d.delta)) {
                *sum = sum.plus(&before);
            }
        }
        self.host = Some(later);
    }

    fn absorb_losses(&mut self, later: Vec<CaptureLoss>) {
        unite(
            &mut self.losses,
            later,
            CaptureLoss::is_same_source,
            |known, loss| known.absorb(&loss),
        );
        self.losses.truncate(bounds::PARTS);
    }

    fn absorb_interfaces(&mut self, later: Vec<InterfaceInterval>) {
        let is_same = |a: &InterfaceInterval, b: &InterfaceInterval| a.facts.id == b.facts.id;
        unite(
            &mut self.interfaces,
            later,
            is_same,
            InterfaceInterval::absorb,
        );
        self.interfaces.truncate(bounds::PARTS);
    }

    fn absorb_flows(&mut self, later: Vec<FlowRow>) {
        let index: HashMap<_, _> = self
            .flows
            .iter()
            .enumerate()
            .map(|(at, row)| (row.identity().into_owned(), at))
            .collect();
        let mut new = Vec::new();
        for row in later {
            match index
                .get(&row.identity())
                .and_then(|at| self.flows.get_mut(*at))
            {
                Some(known) => known.absorb(&row),
                None => new.push(row),
            }
        }
        self.flows.append(&mut new);
        self.flows
            .sort_by_key(|row| std::cmp::Reverse(row.traffic.total_bytes()));
        if self.flows.len() > bounds::FLOWS {
            for row in self.flows.split_off(bounds::FLOWS) {
                self.fold(&row);
            }
        }
    }

    fn fold(&mut self, row: &FlowRow) {
        let interface = row
            .interface
            .as_ref()
            .and_then(|name| self.interfaces.iter_mut().find(|i| i.facts.name == *name));
        match interface.and_then(|interface| interface.conservation.as_mut()) {
            Some(conservation) => {
                fold_direction(&mut conservation.ingress, row.traffic.ingress);
                fold_direction(&mut conservation.egress, row.traffic.egress);
            }
            None => self.overflow_without_interface.add(row.traffic),
        }
    }
}

impl InterfaceInterval {
    fn absorb(&mut self, later: Self) {
        self.facts = later.facts;
        self.kernel = self.kernel.zip(later.kernel).map(|(a, b)| PerDirection {
            ingress: a.ingress.plus(&b.ingress),
            egress: a.egress.plus(&b.egress),
        });
        self.conservation = match (self.conservation, later.conservation) {
            (Some(a), Some(b)) => Some(PerDirection {
                ingress: sum(
                    a.ingress,
                    b.ingress,
                    self.kernel.as_ref().map(|k| &k.ingress),
                ),
                egress: sum(a.egress, b.egress, self.kernel.as_ref().map(|k| &k.egress)),
            }),
            (one, other) => one
                .or(other)
                .map(|known| known.map(|c| without_residual(*c))),
        };
        unite(
            &mut self.non_ip,
            later.non_ip,
            |a, b| a.ethertype == b.ethertype,
            |known, count| known.tally.add(count.tally),
        );
        unite(
            &mut self.malformed,
            later.malformed,
            |a, b| a.layer == b.layer && a.reason == b.reason,
            |known, count| known.tally.add(count.tally),
        );
        self.non_ip.truncate(bounds::CLASSES);
        self.malformed.truncate(bounds::CLASSES);
    }
}

/// Adds each of `later` to the one of `known` that it is the same as, or to the list.
fn unite<T>(
    known: &mut Vec<T>,
    later: Vec<T>,
    is_same: impl Fn(&T, &T) -> bool,
    add: impl Fn(&mut T, T),
) {
    for item in later {
        match known.iter_mut().find(|known| is_same(known, &item)) {
            Some(known) => add(known, item),
            None => known.push(item),
        }
    }
}

fn sum(a: Conservation, b: Conservation, kernel: Option<&KernelCounters>) -> Conservation {
    let mut terms = a.terms;
    terms.add(&b.terms);
    Conservation::new(terms, kernel)
}

/// Captured in only one of the merged windows, so the kernel's change of both cannot be compared.
fn without_residual(conservation: Conservation) -> Conservation {
    Conservation {
        residual_bytes: None,
        ..conservation
    }
}

fn fold_direction(conservation: &mut Conservation, traffic: Tally) {
    let attributed = &mut conservation.terms.attributed;
    attributed.bytes = attributed.bytes.saturating_sub(traffic.bytes);
    attributed.packets = attributed.packets.saturating_sub(traffic.packets);
    conservation.terms.overflow.add(traffic);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{DropReason, InterfaceFacts, Terms};
    use crate::time::{Timestamp, Window};
    use std::time::Duration;

    fn interval(start_s: u64, flows: &[(u16, u64)]) -> Interval {
        let tally = |bytes| Tally { bytes, packets: 1 };
        let row = |&(port, bytes): &(u16, u64)| FlowRow {
            interface: Some("eth0".to_owned()),
            protocol: 6,
            local: [10, 0, 0, 1].into(),
            local_port: port,
            remote: [10, 0, 0, 2].into(),
            remote_port: 443,
            traffic: PerDirection {
                ingress: tally(0),
                egress: tally(bytes),
            },
            first: Timestamp::from_secs(start_s),
            last: Timestamp::from_secs(start_s),
            tcp_flags: 0,
        };
        let bytes: u64 = flows.iter().map(|(_, bytes)| bytes).sum();
        let kernel = KernelCounters {
            bytes: bytes + 7,
            ..KernelCounters::default()
        };
        let terms = Terms {
            attributed: tally(bytes),
            ..Terms::default()
        };
        Interval {
            window: Window::new(Timestamp::from_secs(start_s), Duration::from_secs(2)),
            interfaces: vec![InterfaceInterval {
                facts: InterfaceFacts {
                    name: "eth0".to_owned(),
                    ..InterfaceFacts::default()
                },
                kernel: Some(PerDirection {
                    ingress: KernelCounters::default(),
                    egress: kernel,
                }),
                conservation: Some(PerDirection {
                    ingress: Conservation::new(Terms::default(), Some(&KernelCounters::default())),
                    egress: Conservation::new(terms, Some(&kernel)),
                }),
                ..InterfaceInterval::default()
            }],
            flows: flows.iter().map(row).collect(),
            ..Interval::default()
        }
    }

    #[test]
    fn bytes_survive_a_merge() {
        let mut merged = interval(10, &[(1, 100), (2, 50)]);
        merged.absorb(interval(12, &[(2, 500), (3, 1)]));
        let rows: Vec<_> = merged
            .flows
            .iter()
            .map(|row| (row.local_port, row.traffic.egress.bytes))
            .collect();
        assert_eq!(rows, [(2, 550), (1, 100), (3, 1)]);
        let egress = merged.interfaces[0].conservation.unwrap().egress;
        assert_eq!(egress.terms.attributed.bytes, 651);
        assert_eq!(egress.residual_bytes, Some(14));
        assert_eq!(
            merged.window,
            Window::new(Timestamp::from_secs(10), Duration::from_secs(4))
        );
        assert_eq!(merged.merged_windows, 1);
    }

    #[test]
    fn bytes_survive_the_loss_of_flow_rows() {
        let mut report = interval(10, &[(1, 100), (2, 50)]);
        let lost = FlowsLost {
            rows: 2,
            reason: DropReason::SpoolFull,
        };
        report.lose_flows(lost, PerDirection::default());
        let egress = report.interfaces[0].conservation.unwrap().egress;
        assert_eq!(egress.terms.attributed, Tally::default());
        assert_eq!(egress.terms.overflow.bytes, 150);
        assert_eq!(egress.residual_bytes, Some(7));
        let damaged = FlowsLost {
            rows: 3,
            reason: DropReason::Damage,
        };
        let mut later = interval(12, &[]);
        later.lose_flows(damaged, PerDirection::default());
        report.absorb(later);
        let sum = report.flows_lost.unwrap();
        assert_eq!((sum.rows, sum.reason), (5, DropReason::Other));
    }

    #[test]
    fn a_merge_stays_within_the_bounds() {
        let many = |from: u16| {
            (0..3_000)
                .map(|n| (from + n, u64::from(n) + 1))
                .collect::<Vec<_>>()
        };
        let mut merged = interval(10, &many(0));
        let total: u64 = 2 * many(0).iter().map(|(_, bytes)| bytes).sum::<u64>();
        merged.absorb(interval(12, &many(10_000)));
        assert_eq!(merged.flows.len(), bounds::FLOWS);
        let terms = merged.interfaces[0].conservation.unwrap().egress.terms;
        assert_eq!(terms.attributed.bytes + terms.overflow.bytes, total);
        let rows: u64 = merged
            .flows
            .iter()
            .map(|row| row.traffic.egress.bytes)
            .sum();
        assert_eq!(rows, terms.attributed.bytes);
    }
}
