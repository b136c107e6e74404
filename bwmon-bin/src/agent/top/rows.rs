//! The rows of a view, and their order.

use std::cmp::Ordering;
use std::net::IpAddr;

use bwmon_core::flow::{Flow, FlowKey, Place};
use bwmon_core::frame::InterfaceId;
use bwmon_core::report::{InterfaceFacts, OperState};

use super::columns::{Column, Sort, Tab};
use super::figures::{Figures, both};

/// Most rows that a view holds.
pub(super) const MOST_ROWS: usize = 1_000;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum RowKey {
    /// An interface.
    Interface(InterfaceId),
    /// A far address.
    Peer(IpAddr),
    /// A flow on an interface.
    Flow(Place, FlowKey),
    /// A protocol and the lower one of both ports; no port where there is none.
    Port(u8, Option<u16>),
    /// A protocol.
    Protocol(u8),
}

impl RowKey {
    /// The row of `tab` that `flow` belongs to; of no interface where the source knows none.
    pub(super) fn of(tab: Tab, flow: &Flow) -> Option<Self> {
        let key = &flow.key;
        Some(match tab {
            Tab::Interfaces => Self::Interface(flow.place?),
            Tab::Peers => Self::Peer(key.remote.address),
            Tab::Flows => Self::Flow(flow.place, *key),
            Tab::Ports => Self::Port(key.protocol, service_port(key)),
            Tab::Protocols => Self::Protocol(key.protocol),
        })
    }

    /// The view that it is a row of.
    pub(super) const fn tab(&self) -> Tab {
        match self {
            Self::Interface(_) => Tab::Interfaces,
            Self::Peer(_) => Tab::Peers,
            Self::Flow(..) => Tab::Flows,
            Self::Port(..) => Tab::Ports,
            Self::Protocol(_) => Tab::Protocols,
        }
    }
}

/// The lower port, which usually serves. Flows that gave up their client's port have only the other.
fn service_port(key: &FlowKey) -> Option<u16> {
    let (local, remote) = (key.local.port, key.remote.port);
    let port = match (local, remote) {
        (0, port) | (port, 0) => port,
        (local, remote) => local.min(remote),
    };
    (key.has_ports && port != 0).then_some(port)
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// What it is.
    pub(super) key: RowKey,
    /// How much.
    pub(super) figures: Figures,
    /// More, of an interface.
    pub(super) interface: Option<InterfaceRow>,
}

/// What rows of interfaces say besides.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct InterfaceRow {
    /// What it is.
    pub(super) facts: InterfaceFacts,
    /// Whether its frames are captured.
    pub(super) is_captured: bool,
    /// Share of the kernel's bytes since the start that belong to no flow; where it is captured.
    pub(super) unattributed: Option<f64>,
    /// Errors and drops since the start.
    pub(super) faults: u64,
}

impl InterfaceRow {
    /// Used share of the link's speed, of the direction that uses more; where the speed is known.
    pub(super) fn link_use(&self, figures: &Figures) -> Option<f64> {
        let speed_bps = self.facts.speed_bps.filter(|speed| *speed > 0)?;
        let rate = figures.bits_per_second();
        Some(rate.ingress.max(rate.egress) / speed_bps as f64)
    }
}

/// The rows of a view, largest share first or as sorted.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// At most [`MOST_ROWS`].
    pub(super) shown: Vec<Row>,
    /// How many there are, those that are left out included.
    pub(super) count: usize,
    /// Sum of all, those that are left out included.
    pub(super) sum: Figures,
}

impl Rows {
    /// Sorts and bounds.
    pub(super) fn new(mut rows: Vec<Row>, sort: Sort) -> Self {
        let mut sum = Figures::default();
        for row in &rows {
            sum.add(&row.figures);
        }
        let count = rows.len();
        rows.sort_unstable_by(|a, b| order(a, b, sort));
        rows.truncate(MOST_ROWS);
        Self {
            shown: rows,
            count,
            sum,
        }
    }
}

/// By the column; ties by what moved since the start, then by name, so that no two rows are equal.
fn order(a: &Row, b: &Row, sort: Sort) -> Ordering {
    let natural = by_column(a, b, sort.column);
    let sorted = if sort.is_descending() {
        natural.reverse()
    } else {
        natural
    };
    let total = |row: &Row| row.figures.total.total_bytes();
    sorted
        .then_with(|| total(b).cmp(&total(a)))
        .then_with(|| a.key.cmp(&b.key))
}

fn by_column(a: &Row, b: &Row, column: Column) -> Ordering {
    if column.is_text() {
        return by_text(a, b, column);
    }
    let number = |row: &Row| number(row, column);
    number(a).total_cmp(&number(b))
}

fn by_text(a: &Row, b: &Row, column: Column) -> Ordering {
    if let (Some(a), Some(b)) = (&a.interface, &b.interface) {
        return match column {
            Column::State => state(&a.facts).cmp(state(&b.facts)),
            _ => a.facts.name.cmp(&b.facts.name),
        };
    }
    match (column, a.key, b.key) {
        (_, RowKey::Flow(a_place, a), RowKey::Flow(b_place, b)) => match column {
            Column::Service => a.protocol.cmp(&b.protocol),
            Column::Local => a.local.cmp(&b.local),
            Column::Where => a_place.cmp(&b_place),
            _ => a.remote.cmp(&b.remote),
        },
        (_, a, b) => a.cmp(&b),
    }
}

/// How people call an interface's state.
pub(super) const fn state(facts: &InterfaceFacts) -> &'static str {
    match facts.state {
        OperState::Up => "up",
        OperState::Down => "down",
        OperState::Dormant => "dormant",
        OperState::LowerLayerDown => "no link",
        OperState::Unknown => "-",
    }
}

fn number(row: &Row, column: Column) -> f64 {
    let figures = &row.figures;
    match column {
        Column::Received => figures.bits_per_second().ingress,
        Column::Sent => figures.bits_per_second().egress,
        Column::ReceivedPackets => figures.packets_per_second().ingress,
        Column::SentPackets => figures.packets_per_second().egress,
        Column::ReceivedTotal => figures.total.ingress.bytes as f64,
        Column::SentTotal => figures.total.egress.bytes as f64,
        Column::Flows => figures.flows as f64,
        Column::Link => of_interface(row, |interface| interface.link_use(figures)),
        Column::Unattributed => of_interface(row, |interface| interface.unattributed),
        Column::Faults => of_interface(row, |interface| Some(interface.faults as f64)),
        _ => both(figures.bits_per_second()),
    }
}

/// What is not known stands below 0.
fn of_interface(row: &Row, value: impl Fn(&InterfaceRow) -> Option<f64>) -> f64 {
    row.interface.as_ref().and_then(value).unwrap_or(-1.0)
}

#[cfg(test)]
mod tests {
    use super::super::doubles::{flow, peer_row};
    use super::*;

    fn keys(rows: &Rows) -> Vec<RowKey> {
        rows.shown.iter().map(|row| row.key).collect()
    }

    fn peer(n: u8) -> RowKey {
        RowKey::Peer([10, 0, 0, n].into())
    }

    #[test]
    fn ties_are_stable_whichever_way_they_come() {
        let rows = [peer_row(3, 50, 5), peer_row(1, 50, 5), peer_row(2, 50, 9)];
        let mut turned = rows.clone();
        turned.reverse();
        for rows in [rows, turned] {
            let rows = Rows::new(rows.to_vec(), Sort::default());
            assert_eq!(keys(&rows), [peer(2), peer(1), peer(3)]);
        }
    }

    #[test]
    fn any_column_sorts_and_turns_around() {
        let rows = vec![peer_row(1, 10, 900), peer_row(2, 20, 100)];
        for (column, first) in [
            (Column::Name, 1),
            (Column::Sum, 2),
            (Column::Received, 2),
            (Column::ReceivedTotal, 1),
        ] {
            let sort = |is_reversed| Sort {
                column,
                is_reversed,
            };
            let natural = Rows::new(rows.clone(), sort(false));
            assert_eq!(natural.shown[0].key, peer(first), "{column:?}");
            let reversed = Rows::new(rows.clone(), sort(true));
            assert_eq!(reversed.shown[1].key, peer(first), "{column:?} reversed");
        }
    }

    #[test]
    fn rows_are_bounded_and_the_sum_is_of_all() {
        let rows = (0..3_000_u32).map(|n| Row {
            key: RowKey::Peer(n.into_ip()),
            ..peer_row(0, 8, 8)
        });
        let rows = Rows::new(rows.collect(), Sort::default());
        assert_eq!((rows.shown.len(), rows.count), (MOST_ROWS, 3_000));
        assert_eq!(rows.sum.total.ingress.bytes, 24_000);
    }

    trait IntoIp {
        fn into_ip(self) -> IpAddr;
    }

    impl IntoIp for u32 {
        fn into_ip(self) -> IpAddr {
            std::net::Ipv4Addr::from(self).into()
        }
    }

    #[test]
    fn services_have_the_lower_port() {
        let mut flow = flow(9, 443, 1, 1);
        let port = |flow: &Flow| RowKey::of(Tab::Ports, flow);
        assert_eq!(port(&flow), Some(RowKey::Port(6, Some(443))));
        flow.key.local.port = 0;
        assert_eq!(port(&flow), Some(RowKey::Port(6, Some(443))));
        flow.key.remote.port = 0;
        flow.key.has_ports = false;
        assert_eq!(port(&flow), Some(RowKey::Port(6, None)));
        flow.place = None;
        assert_eq!(RowKey::of(Tab::Interfaces, &flow), None);
    }
}
