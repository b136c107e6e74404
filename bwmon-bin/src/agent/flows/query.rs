//! What of the counts is shown: grouped, filtered, the largest rows.

use std::io::{self, IsTerminal};

use bwmon_core::flow::{Flow, Ranking, Snapshot, View};
use bwmon_core::frame::Tally;
use bwmon_core::monitor::Detail;
use ratatui_crossterm::crossterm::terminal;

use super::cli::{Arguments, By, Format, Top};
use super::filter::Wanted;

/// Rows of a table on a terminal where nobody said how many.
const TERMINAL_ROWS: usize = 20;

/// Columns of a terminal that does not say how many it has.
const TERMINAL_COLUMNS: usize = 80;

/// What is to be shown.
#[derive(Debug)]
pub(super) struct Query {
    /// What a row stands for.
    pub(super) by: By,
    /// Which flows.
    pub(super) wanted: Option<Wanted>,
    /// Columns of the terminal that a table goes to; without end elsewhere.
    pub(super) columns: usize,
    /// Most rows.
    pub(super) top: usize,
}

/// The rows of a view, largest first, and what they leave out.
#[derive(Debug)]
pub(super) struct Rows {
    /// Shown.
    pub(super) shown: Vec<Flow>,
    /// Not shown: they are beyond the number of rows that was asked for.
    pub(super) rest: Rest,
}

impl Rows {
    /// What all rows, shown and not shown, sum to in both directions.
    pub(super) fn total(&self) -> Tally {
        let mut sum = self.rest.traffic;
        for flow in &self.shown {
            sum.add(flow.counters.traffic.total());
        }
        sum
    }
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
            columns: columns(),
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
        let Ranking {
            rows: shown,
            other_rows: rows,
            others: traffic,
            ..
        } = match &self.wanted {
            None => flows.ranking(view, self.top, belongs),
            Some(wanted) => {
                flows.ranking(view, self.top, |flow| belongs(flow) && wanted.takes(flow))
            }
        };
        Rows {
            shown,
            rest: Rest { rows, traffic },
        }
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

    /// What one row is called.
    pub(super) const fn singular(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Pair => "pair",
            Self::Host => "host",
            Self::Port => "port",
            Self::Protocol => "protocol",
            Self::Vlan => "vlan",
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

/// Columns of the terminal that is standard output.
fn columns() -> usize {
    if !io::stdout().is_terminal() {
        return usize::MAX;
    }
    match terminal::size() {
        Ok((columns @ 1.., _)) => columns.into(),
        _ => TERMINAL_COLUMNS,
    }
}
