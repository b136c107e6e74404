//! The rows.

use ratatui_core::layout::Rect;
use ratatui_core::style::Style;

use super::super::app::App;
use super::super::columns::{Column, Tab};
use super::super::figures::both;
use super::super::format::{bytes, percent, short};
use super::super::label::text_columns;
use super::super::rows::Row;
use super::canvas::{Canvas, elide};
use super::layout::{Fitted, GAP, fit};

/// Characters of the bar of a share, of the column's width.
const BAR: usize = 7;

/// Draws heads and rows, or why there are none.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let columns = fitted(app, usize::from(area.width));
    draw_heads(canvas, area, app, &columns);
    let rows = app.rows();
    if rows.shown.is_empty() {
        canvas.text(area, 1, 0, why_empty(app), canvas.theme.faint);
        return;
    }
    let selected = app.selected_index();
    let lines = 1..area.height;
    for (line, (index, row)) in lines.zip(rows.shown.iter().enumerate().skip(app.offset())) {
        draw_row(canvas, area, line, (index, row), app, &columns);
        if selected == Some(index) {
            canvas.style_line(area, line, canvas.theme.selected);
        }
    }
}

fn fitted(app: &App, width: usize) -> Vec<Fitted> {
    let has_places = app.overview().status.interfaces.len() > 1;
    let widest = |column| text_index(app.tab(), column).map_or(0, |at| app.labels().width(at));
    fit(app.tab(), has_places, widest, width)
}

/// Which of the columns of text it is.
fn text_index(tab: Tab, column: Column) -> Option<usize> {
    text_columns(tab).position(|other| other == column)
}

fn why_empty(app: &App) -> &'static str {
    if app.overview().refreshes == 0 {
        "waiting for the first refresh"
    } else if app.filter_line().accepted().is_some() {
        "nothing matches the filter"
    } else if app.tab() == Tab::Interfaces {
        "there is no interface"
    } else {
        "no traffic so far"
    }
}

fn draw_heads(canvas: &mut Canvas<'_>, area: Rect, app: &App, columns: &[Fitted]) {
    let sort = app.current_sort();
    let signs = canvas.theme.signs;
    let mark = if sort.is_descending() {
        signs.descending
    } else {
        signs.ascending
    };
    let mut x = 0;
    for fitted in columns {
        let title = fitted.column.title(app.tab());
        let is_sorted = fitted.column == sort.column;
        let style = if is_sorted {
            canvas.theme.strong.patch(canvas.theme.head)
        } else {
            canvas.theme.head
        };
        let text = match (is_sorted, fitted.column.is_text()) {
            (true, true) => format!("{title}{mark}"),
            (true, false) => format!("{mark}{title}"),
            (false, _) => title.to_owned(),
        };
        // The mark of a number's column stands in the gap before it.
        let lead = usize::from(is_sorted && !fitted.column.is_text()).min(x);
        let width = fitted.width + lead;
        let text = aligned(&elide(&text, width, signs.ellipsis), width, fitted.column);
        canvas.text(area, 0, column_at(x - lead), &text, style);
        x += fitted.width + GAP;
    }
}

fn draw_row(
    canvas: &mut Canvas<'_>,
    area: Rect,
    line: u16,
    (index, row): (usize, &Row),
    app: &App,
    columns: &[Fitted],
) {
    let ellipsis = canvas.theme.signs.ellipsis;
    let is_idle = both(row.figures.bits_per_second()) <= 0.0;
    let mut x = 0;
    for fitted in columns {
        let text = match text_index(app.tab(), fitted.column) {
            Some(at) => elide(app.labels().text(index, at), fitted.width, ellipsis),
            None => elide(
                &number(canvas, row, fitted.column, app),
                fitted.width,
                ellipsis,
            ),
        };
        let style = if is_idle {
            canvas.theme.faint
        } else {
            style(canvas, fitted.column)
        };
        let text = aligned(&text, fitted.width, fitted.column);
        canvas.text(area, line, column_at(x), &text, style);
        x += fitted.width + GAP;
    }
}

fn column_at(x: usize) -> u16 {
    u16::try_from(x).unwrap_or(u16::MAX)
}

fn aligned(text: &str, width: usize, column: Column) -> String {
    let is_left = column.is_text() || matches!(column, Column::Share | Column::Link);
    if is_left {
        format!("{text:<width$}")
    } else {
        format!("{text:>width$}")
    }
}

fn style(canvas: &Canvas<'_>, column: Column) -> Style {
    match column {
        Column::Received | Column::ReceivedTotal | Column::ReceivedPackets => canvas.theme.received,
        Column::Sent | Column::SentTotal | Column::SentPackets => canvas.theme.sent,
        Column::Sum | Column::Name | Column::Remote => canvas.theme.strong,
        _ => Style::new(),
    }
}

fn number(canvas: &Canvas<'_>, row: &Row, column: Column, app: &App) -> String {
    let signs = canvas.theme.signs;
    let figures = &row.figures;
    let interface = row.interface.as_ref();
    let unknown = || "-".to_owned();
    let share = |share: f64| {
        let bar = signs.bar(share, BAR);
        format!("{bar:<BAR$} {:>5}", whole_percent(share))
    };
    match column {
        Column::Received => short(figures.bits_per_second().ingress),
        Column::Sent => short(figures.bits_per_second().egress),
        Column::ReceivedPackets => short(figures.packets_per_second().ingress),
        Column::SentPackets => short(figures.packets_per_second().egress),
        Column::ReceivedTotal => bytes(figures.total.ingress.bytes),
        Column::SentTotal => bytes(figures.total.egress.bytes),
        Column::Flows => short(figures.flows as f64),
        Column::Share => {
            let all = both(app.rows().sum.bits_per_second());
            let own = both(figures.bits_per_second());
            share(if all > 0.0 { own / all } else { 0.0 })
        }
        Column::Link => interface
            .and_then(|interface| interface.link_use(figures))
            .map_or_else(unknown, share),
        Column::Trend => signs.trend(&figures.history, column.width().unwrap_or(0)),
        Column::Unattributed => interface
            .and_then(|interface| interface.unattributed)
            .map_or_else(unknown, percent),
        Column::Faults => {
            interface.map_or_else(unknown, |interface| short(interface.faults as f64))
        }
        _ => short(both(figures.bits_per_second())),
    }
}

/// A share in whole percent: `63 %`, `<1 %`, `0 %`.
fn whole_percent(share: f64) -> String {
    if share > 0.0 && share < 0.01 {
        "<1 %".to_owned()
    } else {
        format!("{:.0} %", share * 100.0)
    }
}
