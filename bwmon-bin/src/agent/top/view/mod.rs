//! What is on the screen. Draws into a buffer of any size, down to a single cell.

mod canvas;
mod footer;
mod header;
mod help;
mod layout;
mod table;

use ratatui_core::layout::{Position, Rect};
use ratatui_core::terminal::Frame;

use super::app::App;
use super::keys::Mode;
use super::theme::Theme;
use canvas::Canvas;

/// Lines of the screen that are left to rows at least, before the header may have more.
const LEAST_ROWS: u16 = 3;

/// Draws `app`, and tells it how many rows fit.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App, theme: &Theme) {
    let area = frame.area();
    let parts = parts(area, app, theme);
    // The head of the table is no row.
    app.set_page(usize::from(parts.body.height.saturating_sub(1)));
    let mut canvas = Canvas::new(frame.buffer_mut(), theme);
    header::draw(&mut canvas, parts.header, app);
    if app.mode() == Mode::Help {
        let hidden = help::draw(&mut canvas, parts.body, app.help_offset());
        app.bound_help(hidden);
    } else {
        table::draw(&mut canvas, parts.body, app);
    }
    let cursor = footer::draw(&mut canvas, parts.footer, app);
    if let Some(cursor) = cursor.filter(|at| area.contains(*at)) {
        frame.set_cursor_position::<Position>(cursor);
    }
}

struct Parts {
    header: Rect,
    body: Rect,
    footer: Rect,
}

/// Who gets which lines: the header what it needs up to two fifths, the footer what is left over the
/// rows.
fn parts(area: Rect, app: &App, theme: &Theme) -> Parts {
    let wanted = header::height(app, theme, area.width);
    let header = wanted.min((area.height * 2 / 5).max(1)).min(area.height);
    let wanted = footer::height(app, theme, area.width).min(most_of_footer(app, area.height));
    let footer = wanted.min((area.height - header).saturating_sub(LEAST_ROWS));
    let body = area.height - header - footer;
    let lines = |y: u16, height: u16| Rect {
        y: area.y + y,
        height,
        ..area
    };
    Parts {
        header: lines(0, header),
        body: lines(header, body),
        footer: lines(header + body, footer),
    }
}

/// What is typed comes before rows; the name of a row does not.
fn most_of_footer(app: &App, height: u16) -> u16 {
    match app.mode() {
        Mode::Filter => height,
        Mode::Rows | Mode::Help => (height / 5).max(1),
    }
}

#[cfg(test)]
mod tests;
