//! The views and their columns.

use clap::ValueEnum;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(in crate::agent) enum Tab {
    /// Network interfaces, by the kernel's own counters
    Interfaces,
    /// Far addresses
    Peers,
    /// Connections and other exchanges between two endpoints
    Flows,
    /// Services, by the lower one of both ports
    Ports,
    /// IP protocols
    Protocols,
}

impl Tab {
    /// All, in the order of their keys 1 to 5.
    pub(super) const ALL: [Self; 5] = [
        Self::Interfaces,
        Self::Peers,
        Self::Flows,
        Self::Ports,
        Self::Protocols,
    ];

    /// What people call it.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Interfaces => "Interfaces",
            Self::Peers => "Peers",
            Self::Flows => "Flows",
            Self::Ports => "Ports",
            Self::Protocols => "Protocols",
        }
    }

    /// Its place in [`Self::ALL`].
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Interfaces => 0,
            Self::Peers => 1,
            Self::Flows => 2,
            Self::Ports => 3,
            Self::Protocols => 4,
        }
    }

    /// The one `steps` further, around the end.
    pub(super) fn further(self, steps: usize) -> Self {
        let at = (self.index() + steps) % Self::ALL.len();
        Self::ALL.get(at).copied().unwrap_or(self)
    }

    /// Its columns, from left to right.
    pub(super) const fn columns(self) -> &'static [Column] {
        use Column::{
            Faults, Flows, Link, Local, Name, Received, ReceivedPackets, ReceivedTotal, Remote,
            Sent, SentPackets, SentTotal, Service, Share, State, Sum, Trend, Unattributed, Where,
        };
        match self {
            Self::Interfaces => &[
                Name,
                State,
                Received,
                Sent,
                Sum,
                Link,
                Trend,
                ReceivedTotal,
                SentTotal,
                Unattributed,
                Faults,
                ReceivedPackets,
                SentPackets,
            ],
            Self::Peers => &[
                Name,
                Received,
                Sent,
                Sum,
                Share,
                Trend,
                ReceivedTotal,
                SentTotal,
                Flows,
                ReceivedPackets,
                SentPackets,
            ],
            Self::Flows => &[
                Service,
                Local,
                Remote,
                Received,
                Sent,
                Sum,
                Share,
                Trend,
                ReceivedTotal,
                SentTotal,
                Where,
                ReceivedPackets,
                SentPackets,
            ],
            Self::Ports | Self::Protocols => &[
                Name,
                Received,
                Sent,
                Sum,
                Share,
                Trend,
                ReceivedTotal,
                SentTotal,
                Flows,
                ReceivedPackets,
                SentPackets,
            ],
        }
    }
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// What the row is.
    Name,
    /// Operational state of an interface, and whether it is captured.
    State,
    /// Protocol of a flow.
    Service,
    /// Endpoint on this host's side.
    Local,
    /// Far endpoint.
    Remote,
    /// Bits per second received by this host.
    Received,
    /// Bits per second sent by this host.
    Sent,
    /// Both.
    Sum,
    /// Share of the table's bits per second.
    Share,
    /// Use of the link's speed, of the direction that uses more.
    Link,
    /// The last refreshes.
    Trend,
    /// Bytes received since the start.
    ReceivedTotal,
    /// Bytes sent since the start.
    SentTotal,
    /// Share of the kernel's counter that belongs to no flow, since the start.
    Unattributed,
    /// Errors and drops that the interface counts, since the start.
    Faults,
    /// Number of flows.
    Flows,
    /// Interface of a flow.
    Where,
    /// Packets per second received.
    ReceivedPackets,
    /// Packets per second sent.
    SentPackets,
}

impl Column {
    /// Its head, with the unit.
    pub(super) const fn title(self, tab: Tab) -> &'static str {
        match self {
            Self::Name => match tab {
                Tab::Interfaces | Tab::Flows => "Interface",
                Tab::Peers => "Peer",
                Tab::Ports => "Port",
                Tab::Protocols => "Protocol",
            },
            Self::State => "State",
            Self::Service => "Proto",
            Self::Local => "Local",
            Self::Remote => "Remote",
            Self::Received => "Rx bit/s",
            Self::Sent => "Tx bit/s",
            Self::Sum => "Sum bit/s",
            Self::Share => "Share",
            Self::Link => "Link",
            Self::Trend => "Trend",
            Self::ReceivedTotal => "Rx total",
            Self::SentTotal => "Tx total",
            Self::Unattributed => "Unattrib.",
            Self::Faults => "Err+drop",
            Self::Flows => "Flows",
            Self::Where => "Interface",
            Self::ReceivedPackets => "Rx pkt/s",
            Self::SentPackets => "Tx pkt/s",
        }
    }

    /// Characters that its values take; absent where that depends on them.
    pub(super) const fn width(self) -> Option<usize> {
        match self {
            Self::Name | Self::State | Self::Service | Self::Local | Self::Remote | Self::Where => {
                None
            }
            Self::Flows => Some(6),
            Self::Sum | Self::Unattributed => Some(9),
            Self::Share | Self::Link => Some(13),
            Self::Trend => Some(12),
            Self::Received
            | Self::Sent
            | Self::ReceivedTotal
            | Self::SentTotal
            | Self::Faults
            | Self::ReceivedPackets
            | Self::SentPackets => Some(8),
        }
    }

    /// Whether its values start at the left.
    pub(super) const fn is_text(self) -> bool {
        matches!(
            self,
            Self::Name | Self::Local | Self::Remote | Self::Where | Self::State | Self::Service
        )
    }

    /// Whether rows can be sorted by it.
    pub(super) const fn is_sortable(self) -> bool {
        !matches!(self, Self::Share | Self::Trend)
    }

    /// What is left out first on a narrow terminal: the higher, the sooner; 0 stays.
    pub(super) const fn expendability(self) -> u8 {
        match self {
            Self::Name | Self::Local | Self::Remote => 0,
            Self::Sum => 1,
            Self::Received | Self::Sent => 2,
            Self::Service => 3,
            Self::ReceivedTotal | Self::SentTotal => 4,
            Self::Unattributed => 5,
            Self::Share | Self::Link => 6,
            Self::State => 7,
            Self::Trend => 8,
            Self::Flows => 9,
            Self::Faults => 10,
            Self::Where => 11,
            Self::ReceivedPackets | Self::SentPackets => 12,
        }
    }
}

/// By which column rows are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sort {
    /// The column.
    pub(super) column: Column,
    /// Whether the other way than is natural: small numbers or late names first.
    pub(super) is_reversed: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self {
            column: Column::Sum,
            is_reversed: false,
        }
    }
}

impl Sort {
    /// The column `steps` further among those of `tab` that rows can be sorted by, around the end.
    #[must_use]
    pub(super) fn further(self, tab: Tab, steps: usize) -> Self {
        let sortable = || tab.columns().iter().filter(|column| column.is_sortable());
        let count = sortable().count().max(1);
        let at = sortable().position(|column| *column == self.column);
        let column = sortable().nth((at.unwrap_or(0) + steps) % count);
        Self {
            column: column.copied().unwrap_or(self.column),
            is_reversed: false,
        }
    }

    /// The column before.
    #[must_use]
    pub(super) fn back(self, tab: Tab) -> Self {
        let count = tab.columns().iter().filter(|c| c.is_sortable()).count();
        self.further(tab, count.saturating_sub(1))
    }

    /// Whether the largest stand first.
    pub(super) const fn is_descending(self) -> bool {
        self.column.is_text() == self.is_reversed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_that_can_be_sorted_by_is_reached() {
        for tab in Tab::ALL {
            let start = Sort::default();
            assert!(tab.columns().contains(&start.column));
            let sortable = tab.columns().iter().filter(|c| c.is_sortable()).count();
            let mut seen = vec![start.column];
            let mut sort = start.further(tab, 1);
            while sort.column != start.column {
                assert_eq!(sort.back(tab).column, *seen.last().unwrap());
                seen.push(sort.column);
                sort = sort.further(tab, 1);
            }
            assert_eq!(seen.len(), sortable);
        }
    }

    #[test]
    fn names_ascend_and_numbers_descend_by_nature() {
        let by = |column, is_reversed| Sort {
            column,
            is_reversed,
        };
        assert!(!by(Column::Name, false).is_descending());
        assert!(by(Column::Name, true).is_descending());
        assert!(by(Column::Sum, false).is_descending());
        assert!(!by(Column::Sum, true).is_descending());
    }
}
