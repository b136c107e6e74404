//! Which columns fit, and how wide they are.

use super::super::columns::{Column, Tab};

/// Between two columns.
pub(super) const GAP: usize = 2;

/// From this on a column is left out rather than texts are cut short.
const BEFORE_TEXTS: u8 = 4;

/// From this on a column is left out rather than the own endpoint and more of texts.
const BEFORE_SUM: u8 = 2;

/// How far texts are cut before the last rate is left out.
const LEAST_TEXT: usize = 8;

/// How far texts are cut before rates are left out: an endpoint of this host keeps its port, a far
/// one enough to be told from others.
const FLOORS: [(Column, usize); 3] = [(Column::Local, 8), (Column::Remote, 21), (Column::Name, 21)];

/// A column and its width in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fitted {
    pub(super) column: Column,
    pub(super) width: usize,
}

/// The columns of `tab` that fit in `width`, where the widest text of a column is `widest`. Rates
/// stay longest, and texts are cut before rates go.
pub(super) fn fit(
    tab: Tab,
    has_places: bool,
    widest: impl Fn(Column) -> usize,
    width: usize,
) -> Vec<Fitted> {
    let mut columns: Vec<Fitted> = tab
        .columns()
        .iter()
        .filter(|column| **column != Column::Where || has_places)
        .map(|&column| Fitted {
            column,
            // A head of text has its mark behind it.
            width: column.width().unwrap_or_else(|| {
                let head = column.title(tab).chars().count() + 1;
                widest(column).max(head)
            }),
        })
        .collect();
    leave_out(&mut columns, width, BEFORE_TEXTS);
    for (column, floor) in FLOORS {
        cut(&mut columns, width, column, floor);
    }
    leave_out(&mut columns, width, BEFORE_SUM);
    if used(&columns) > width {
        columns.retain(|fitted| fitted.column != Column::Local);
    }
    for least in [LEAST_TEXT, 1] {
        for column in [Column::Remote, Column::Name] {
            cut(&mut columns, width, column, least);
        }
        leave_out(&mut columns, width, 1);
    }
    columns
}

/// Leaves columns out that are at least `least` expendable, the most expendable first, until the
/// others fit.
fn leave_out(columns: &mut Vec<Fitted>, width: usize, least: u8) {
    while used(columns) > width {
        let most = columns
            .iter()
            .map(|fitted| fitted.column.expendability())
            .max();
        let Some(most) = most.filter(|most| *most >= least) else {
            return;
        };
        columns.retain(|fitted| fitted.column.expendability() != most);
    }
}

/// Makes a column of text narrower, down to `floor`, until all fit.
fn cut(columns: &mut [Fitted], width: usize, column: Column, floor: usize) {
    let surplus = used(columns).saturating_sub(width);
    for fitted in columns.iter_mut().filter(|fitted| fitted.column == column) {
        let least = floor.min(fitted.width);
        fitted.width = fitted.width.saturating_sub(surplus).max(least);
    }
}

fn used(columns: &[Fitted]) -> usize {
    let widths: usize = columns.iter().map(|fitted| fitted.width).sum();
    widths + GAP * columns.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(tab: Tab, text: usize, width: usize) -> Vec<Fitted> {
        fit(tab, true, |_| text, width)
    }

    fn has(columns: &[Fitted], column: Column) -> bool {
        columns.iter().any(|fitted| fitted.column == column)
    }

    #[test]
    fn columns_never_exceed_the_width() {
        for tab in Tab::ALL {
            for text in [1, 15, 39, 47] {
                for width in 1..300 {
                    let columns = fitted(tab, text, width);
                    let fits = used(&columns) <= width || columns.len() == 1;
                    assert!(fits && !columns.is_empty(), "{tab:?} {text} {width}");
                }
            }
        }
    }

    #[test]
    fn on_a_wide_terminal_nothing_is_left_out() {
        for tab in Tab::ALL {
            assert_eq!(fitted(tab, 20, 300).len(), tab.columns().len());
        }
    }

    #[test]
    fn an_ipv6_peer_is_whole_on_80_columns_with_its_rates() {
        let columns = fitted(Tab::Peers, 39, 80);
        assert!(has(&columns, Column::Received) && has(&columns, Column::Sum));
        assert_eq!(columns[0].width, 39);
    }

    #[test]
    fn rates_stay_when_addresses_are_cut() {
        let columns = fitted(Tab::Flows, 47, 76);
        assert!(has(&columns, Column::Received) && has(&columns, Column::Sent));
        let local = columns.iter().find(|c| c.column == Column::Local).unwrap();
        assert_eq!(local.width, 8);
        let columns = fitted(Tab::Flows, 47, 20);
        assert!(has(&columns, Column::Remote) && has(&columns, Column::Sum));
        assert_eq!(columns.len(), 2);
        assert_eq!(fitted(Tab::Flows, 47, 10).len(), 1);
    }
}
