//! What of the counts is shown: grouped, filtered, the largest rows.

use std::io::{self, IsTerminal};

use bwmon_core::flow::{Flow, Snapshot, View};
use bwmon_core::frame::Tally;
use bwmon_core::monitor::Detail;

use super::cli::{Arguments, By, Format, Top};
use super::filter::Wanted;
use super::part::both;

/// Rows of a table on a terminal where nobody said how many.
const TERMINAL_ROWS: usize = 20;

/// What is to be shown.
#[derive(Debug)]
pub(super) struct Query {
    /// What a row stands for.
    pub(super) by: By,
    /// Which flows.
    pub(super) wanted: Option<Wanted>,
    top: usize,
}

/// The rows of a view, largest first, and what they leave out.
#[derive(Debug)]
pub(super) struct Rows {
    /// Shown.
    pub(super) shown: Vec<Flow>,
    /// Not shown: they are beyond the number of rows that was asked for.
    pub(super) rest: Rest,
}

/// Rows that are not shown.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// How many.
    pub(super) rows: u64,
    /// What they sum to.
    pub(super) traffic: Tally,
}

impl Query {
    /// What `arguments` ask for.
    ///
    /// # Errors
    /// What is wrong with the filter, and where.
    pub(super) fn new(arguments: &Arguments) -> anyhow::Result<Self> {
        let is_live = arguments.file.is_none();
        let filter = arguments.filter.as_deref();
        let wanted = filter.map(|text| Wanted::read(text, is_live)).transpose()?;
        let top = arguments.top.unwrap_or_else(|| {
            if arguments.format == Format::Table && io::stdout().is_terminal() {
                Top(TERMINAL_ROWS)
            } else {
                Top::ALL
            }
        });
        Ok(Self {
            by: arguments.by,
            wanted,
            top: top.0,
        })
    }

    /// Groups the flows that the filter and `belongs` take by `view`.
    pub(super) fn rows(
        &self,
        flows: &Snapshot,
        view: View,
        belongs: impl Fn(&Flow) -> bool,
    ) -> Rows {
        let grouped = match &self.wanted {
            None => flows.by(view, belongs),
            Some(wanted) => flows.by(view, |flow| belongs(flow) && wanted.takes(flow)),
        };
        let shown = grouped.top(self.top);
        let rest = Rest {
            rows: (grouped.len() - shown.len()) as u64,
            traffic: minus(grouped.total(), sum(shown.iter().copied())),
        };
        Rows { shown, rest }
    }

    /// What flows are told apart by.
    pub(super) fn detail(&self) -> Detail {
        let filter_asks = |wanted: &Wanted| wanted.asks_for_vlans;
        if self.by == By::Vlan || self.wanted.as_ref().is_some_and(filter_asks) {
            Detail::Full
        } else {
            Detail::Ports
        }
    }

    /// Whether the filter takes a flow; without one, every flow.
    pub(super) fn takes(&self, flow: &Flow) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.takes(flow))
    }
}

impl By {
    /// The grouping that it stands for.
    pub(super) const fn view(self) -> View {
        match self {
            Self::Flow => View::Flow,
            Self::Pair => View::Pair,
            Self::Host => View::Host,
            Self::Port => View::Port,
            Self::Protocol => View::Protocol,
            Self::Vlan => View::Vlan,
        }
    }

    /// What several rows are called, as in the JSON document.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Flow => "flows",
            Self::Pair => "pairs",
            Self::Host => "hosts",
            Self::Port => "ports",
            Self::Protocol => "protocols",
            Self::Vlan => "vlans",
        }
    }
}

/// What some flows amount to in both directions.
pub(super) fn sum(flows: impl Iterator<Item = Flow>) -> Tally {
    let mut sum = Tally::default();
    for flow in flows {
        sum.add(both(&flow.counters.traffic));
    }
    sum
}

fn minus(all: Tally, part: Tally) -> Tally {
    Tally {
        bytes: all.bytes.saturating_sub(part.bytes),
        packets: all.packets.saturating_sub(part.packets),
    }
}
