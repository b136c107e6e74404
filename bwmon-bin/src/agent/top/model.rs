//! Everything that is known since the start, and what can be asked of it. Pure: it knows no clock
//! and no terminal.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bwmon_core::filter::{Filter, Named};
use bwmon_core::flow::{Flow, Place};
use bwmon_core::frame::{InterfaceId, PerDirection, Tally};
use bwmon_core::report::{CaptureStatus, InterfaceFacts, KernelCounters, Terms};

use super::book::{Book, Recent, Windows};
use super::columns::{Sort, Tab};
use super::figures::Figures;
use super::rows::{InterfaceRow, Row, RowKey, Rows};
use super::update::{InterfaceUpdate, Update};

/// What is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    windows: Windows,
    flows: Book,
    interfaces: BTreeMap<InterfaceId, Interface>,
    /// Of captured interfaces that are no longer there.
    gone: Option<(Conservation, PerDirection<Tally>)>,
    overflow: PerDirection<Tally>,
    status: CaptureStatus,
    host: String,
    elapsed: Duration,
    dropped: u64,
    dropped_lately: Recent,
    refreshes: u64,
}

#[derive(Debug, Clone, Default)]
struct Interface {
    facts: InterfaceFacts,
    recent: Recent,
    total: PerDirection<KernelCounters>,
    /// While it was captured.
    conservation: Option<Conservation>,
}

/// What the header says.
#[derive(Debug, Clone, Default)]
pub(super) struct Overview {
    /// Name of the host.
    pub(super) host: String,
    /// How flows are seen.
    pub(super) status: CaptureStatus,
    /// Time since the start.
    pub(super) elapsed: Duration,
    /// Number of refreshes so far.
    pub(super) refreshes: u64,
    /// Of the captured interfaces' kernel counters; of the flows where no frames are seen.
    pub(super) figures: Figures,
    /// Where the captured interfaces' bytes went.
    pub(super) conservation: Option<Conservation>,
    /// Packets that the kernel dropped because the capture was behind, since the start.
    pub(super) dropped: u64,
    /// The same, a second, in the last few seconds.
    pub(super) dropped_per_second: f64,
    /// Bytes of flows that had no room, since the start.
    pub(super) overflow_bytes: u64,
    /// Number of flows that are told apart.
    pub(super) flows: usize,
}

/// Where bytes went since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Conservation {
    /// What the kernel counted.
    pub(super) kernel_bytes: u64,
    /// What was captured, by class.
    pub(super) terms: Terms,
}

impl Conservation {
    /// Share of the kernel's counter that belongs to a flow; absent where it counted nothing.
    pub(super) fn attributed(&self) -> Option<f64> {
        self.share(self.terms.attributed.bytes)
    }

    fn add(&mut self, other: &Self) {
        self.kernel_bytes = self.kernel_bytes.saturating_add(other.kernel_bytes);
        self.terms.add(&other.terms);
    }

    /// Share of `bytes` in the kernel's counter.
    pub(super) fn share(&self, bytes: u64) -> Option<f64> {
        (self.kernel_bytes > 0).then(|| (bytes as f64 / self.kernel_bytes as f64).min(1.0))
    }

    /// Bytes that were not captured: dropped, or not shown to a capture.
    pub(super) fn unseen_bytes(&self) -> u64 {
        self.kernel_bytes
            .saturating_sub(self.terms.captured().bytes)
    }
}

impl Model {
    /// Takes what happened since the last update.
    pub(super) fn apply(&mut self, update: Update) {
        self.windows.advance(update.elapsed);
        self.elapsed += update.elapsed;
        self.refreshes += 1;
        self.dropped = self.dropped.saturating_add(update.dropped);
        let dropped = Tally {
            bytes: 0,
            packets: update.dropped,
        };
        self.dropped_lately.add(
            &self.windows,
            PerDirection {
                ingress: dropped,
                egress: Tally::default(),
            },
        );
        for traffic in update.overflow.values() {
            self.overflow.add(*traffic);
        }
        self.flows.add(&self.windows, update.flows.iter());
        self.follow_interfaces(update.interfaces);
        self.status = update.capture;
        self.host = update.host;
    }

    /// The interfaces that exist; those that are gone are forgotten.
    fn follow_interfaces(&mut self, now: BTreeMap<InterfaceId, InterfaceUpdate>) {
        for (_, gone) in self
            .interfaces
            .extract_if(.., |id, _| !now.contains_key(id))
        {
            if let Some(conservation) = gone.conservation {
                let (sum, total) = self.gone.get_or_insert_default();
                sum.add(&conservation);
                total.add(tallies(&gone.total));
            }
        }
        for (id, update) in now {
            let interface = self.interfaces.entry(id).or_default();
            interface.facts = update.facts;
            let kernel_bytes = update.kernel.map_or(0, |kernel| {
                interface.recent.add(&self.windows, tallies(&kernel));
                interface.total = PerDirection {
                    ingress: interface.total.ingress.plus(&kernel.ingress),
                    egress: interface.total.egress.plus(&kernel.egress),
                };
                tallies(&kernel).total_bytes()
            });
            if let Some(terms) = update.terms {
                let sum = interface.conservation.get_or_insert_default();
                sum.add(&Conservation {
                    kernel_bytes,
                    terms,
                });
            }
        }
    }

    /// The rows of `tab` that `filter` and every one of `focus` take.
    pub(super) fn rows(
        &self,
        tab: Tab,
        filter: Option<&Filter>,
        focus: &[RowKey],
        sort: Sort,
    ) -> Rows {
        let rows = match tab {
            Tab::Interfaces => self.interface_rows(),
            _ => self.flow_rows(tab, filter, focus),
        };
        Rows::new(rows, sort)
    }

    /// Name of the interface of a flow.
    pub(super) fn interface_name(&self, place: Place) -> Option<&str> {
        let interface = self.interfaces.get(&place?)?;
        Some(&interface.facts.name)
    }

    /// What the header says.
    pub(super) fn overview(&self) -> Overview {
        let mut overflow = self.overflow;
        overflow.add(self.flows.beyond());
        let mut lately = Figures::default();
        self.dropped_lately.add_to(&mut lately, &self.windows);
        Overview {
            host: self.host.clone(),
            status: self.status.clone(),
            elapsed: self.elapsed,
            refreshes: self.refreshes,
            figures: self.total(),
            conservation: self.conservation(),
            dropped: self.dropped,
            dropped_per_second: lately.packets_per_second().ingress,
            overflow_bytes: overflow.total_bytes(),
            flows: self.flows.len(),
        }
    }

    fn total(&self) -> Figures {
        let mut sum = Figures::default();
        if self.status.method.sees_frames() {
            let captured = |row: &Row| row.interface.as_ref().is_some_and(|i| i.is_captured);
            for row in self.interface_rows().iter().filter(|row| captured(row)) {
                sum.add(&row.figures);
            }
            if let Some((_, total)) = self.gone {
                sum.total.add(total);
            }
        } else {
            let add = |_: &Flow, figures: &Figures| sum.add(figures);
            self.flows.each(&self.windows, |_| true, add);
        }
        sum
    }

    fn conservation(&self) -> Option<Conservation> {
        let there = self.interfaces.values().filter_map(|i| i.conservation);
        let gone = self.gone.map(|(conservation, _)| conservation);
        there.chain(gone).reduce(|mut sum, more| {
            sum.add(&more);
            sum
        })
    }

    fn interface_rows(&self) -> Vec<Row> {
        self.interfaces
            .iter()
            .map(|(id, interface)| self.interface_row(*id, interface))
            .collect()
    }

    fn interface_row(&self, id: InterfaceId, interface: &Interface) -> Row {
        let mut figures = Figures {
            total: tallies(&interface.total),
            ..Figures::default()
        };
        interface.recent.add_to(&mut figures, &self.windows);
        let faults = |counters: &KernelCounters| counters.errors.saturating_add(counters.drops);
        let total = &interface.total;
        let attributed = interface.conservation.and_then(|c| c.attributed());
        let is_captured = self.status.method.sees_frames()
            && self.status.interfaces.contains(&interface.facts.name);
        Row {
            key: RowKey::Interface(id),
            figures,
            interface: Some(InterfaceRow {
                facts: interface.facts.clone(),
                is_captured,
                unattributed: attributed.map(|share| 1.0 - share),
                faults: faults(&total.ingress).saturating_add(faults(&total.egress)),
            }),
        }
    }

    fn flow_rows(&self, tab: Tab, filter: Option<&Filter>, focus: &[RowKey]) -> Vec<Row> {
        let keep = |flow: &Flow| {
            let is_focused = |key: &RowKey| RowKey::of(key.tab(), flow) == Some(*key);
            focus.iter().all(is_focused)
                && filter.is_none_or(|filter| {
                    filter.matches(&Named {
                        subject: flow,
                        host: Some(&self.host),
                        interface: self.interface_name(flow.place),
                    })
                })
        };
        let mut groups: HashMap<RowKey, Figures> = HashMap::new();
        self.flows.each(&self.windows, keep, |flow, figures| {
            if let Some(key) = RowKey::of(tab, flow) {
                groups.entry(key).or_default().add(figures);
            }
        });
        let row = |(key, figures)| Row {
            key,
            figures,
            interface: None,
        };
        groups.into_iter().map(row).collect()
    }
}

fn tallies(counters: &PerDirection<KernelCounters>) -> PerDirection<Tally> {
    counters.map(|counters| Tally {
        bytes: counters.bytes,
        packets: counters.packets,
    })
}

#[cfg(test)]
mod tests {
    use super::super::doubles::{flow, update};
    use super::*;
    use bwmon_core::report::CaptureMethod;

    fn rows(model: &Model, tab: Tab, filter: &str, focus: &[RowKey]) -> Rows {
        let filter: Option<Filter> = (!filter.is_empty()).then(|| filter.parse().unwrap());
        model.rows(tab, filter.as_ref(), focus, Sort::default())
    }

    fn model() -> Model {
        let mut model = Model::default();
        model.apply(update(&[
            flow(1, 443, 1_000, 100),
            flow(2, 443, 3_000, 300),
            flow(2, 53, 30, 10),
        ]));
        model
    }

    #[test]
    fn flows_are_grouped_and_their_bytes_sum_to_the_total() {
        let model = model();
        for (tab, count) in [
            (Tab::Peers, 2),
            (Tab::Flows, 3),
            (Tab::Ports, 2),
            (Tab::Protocols, 1),
        ] {
            let rows = rows(&model, tab, "", &[]);
            assert_eq!(rows.count, count, "{tab:?}");
            let total = rows.sum.total;
            assert_eq!((total.ingress.bytes, total.egress.bytes), (4_030, 410));
        }
        let peers = rows(&model, Tab::Peers, "", &[]);
        assert_eq!(peers.shown[0].key, RowKey::Peer([192, 0, 2, 2].into()));
        assert_eq!(peers.shown[0].figures.flows, 2);
        assert_eq!(
            peers.shown[0].figures.bits_per_second().ingress,
            3_030.0 * 8.0
        );
    }

    #[test]
    fn filter_and_focus_both_count_and_change_no_total() {
        let model = model();
        let filtered = rows(&model, Tab::Peers, "port 53", &[]);
        assert_eq!(filtered.count, 1);
        let focus = [RowKey::Peer([192, 0, 2, 2].into())];
        assert_eq!(rows(&model, Tab::Flows, "", &focus).count, 2);
        assert_eq!(rows(&model, Tab::Flows, "port 443", &focus).count, 1);
        let by_name = rows(&model, Tab::Flows, "interface eth0 and host web-1", &[]);
        assert_eq!(by_name.count, 3);
        assert_eq!(rows(&model, Tab::Flows, "interface eth1", &[]).count, 0);
        assert_eq!(model.overview().figures.total.total_bytes(), 4_440);
    }

    #[test]
    fn totals_stay_when_traffic_ends_and_rates_fall() {
        let mut model = model();
        for _ in 0..3 {
            model.apply(update(&[]));
        }
        let peers = rows(&model, Tab::Peers, "", &[]);
        assert_eq!(peers.count, 2);
        let figures = &peers.shown[0].figures;
        assert_eq!(figures.bits_per_second().ingress, 0.0);
        assert_eq!(figures.total.ingress.bytes, 3_030);
    }

    #[test]
    fn the_conservation_share_names_what_is_not_attributed() {
        let mut model = Model::default();
        let mut update = update(&[flow(1, 443, 600, 0)]);
        let interface = update.interfaces.get_mut(&InterfaceId(2)).unwrap();
        interface.kernel.as_mut().unwrap().ingress.bytes = 1_000;
        let terms = interface.terms.as_mut().unwrap();
        terms.non_ip.bytes = 300;
        update.dropped = 7;
        model.apply(update);
        let overview = model.overview();
        let conservation = overview.conservation.unwrap();
        assert_eq!(conservation.attributed(), Some(0.6));
        assert_eq!(conservation.unseen_bytes(), 100);
        assert_eq!((overview.dropped, overview.dropped_per_second), (7, 7.0));
        let interfaces = rows(&model, Tab::Interfaces, "", &[]);
        let row = interfaces.shown[0].interface.as_ref().unwrap();
        assert!(row.is_captured && row.unattributed == Some(0.4));
    }

    #[test]
    fn without_frames_the_total_is_that_of_the_flows_and_nothing_is_claimed() {
        let mut model = Model::default();
        let mut update = update(&[flow(1, 443, 600, 60)]);
        update.capture.method = CaptureMethod::SockDiag;
        update.capture.interfaces.clear();
        for interface in update.interfaces.values_mut() {
            interface.terms = None;
        }
        model.apply(update);
        let overview = model.overview();
        assert_eq!(overview.figures.total.total_bytes(), 660);
        assert_eq!(overview.conservation, None);
    }

    #[test]
    fn an_interface_that_is_gone_is_no_row_and_its_bytes_stay() {
        let mut model = model();
        let mut next = update(&[]);
        next.interfaces.clear();
        model.apply(next);
        let overview = model.overview();
        assert_eq!(overview.figures.total.total_bytes(), 4_440);
        assert_eq!(overview.conservation.unwrap().kernel_bytes, 4_440);
        assert_eq!(rows(&model, Tab::Interfaces, "", &[]).count, 0);
        assert_eq!(rows(&model, Tab::Peers, "", &[]).count, 2);
    }
}
