//! The line that is typed on, else the row that is selected, else what keys do.

use ratatui_core::layout::{Position, Rect};

use super::super::app::App;
use super::super::filter_line::FilterLine;
use super::super::format::harmless;
use super::super::keys::Mode;
use super::super::label;
use super::super::theme::Theme;
use super::canvas::{Canvas, Chunk, draw_lines, elide, set, wrap};

/// Before what is typed.
const PROMPT: &str = "/";

const ON_ROWS: &[&str] = &[
    "q quit",
    "? help",
    "/ filter",
    "space pause",
    "1-5 view",
    "< > sort",
    "r reverse",
    "arrows select",
    "enter look into",
];
const ON_HELP: &[&str] = &["? or esc back", "q quit", "up, down scroll"];
const ON_FILTER: &[&str] = &[
    "enter keep",
    "esc revert",
    "such as: port 443 and not ip 10.0.0.0/8",
    "or: bytes > 1 MB and tcp",
];

/// Most lines of a message.
const MOST_LINES: usize = 3;

/// Lines that it wants. Those of a filter stay while it is typed, so that rows do not jump.
pub(super) fn height(app: &App, theme: &Theme, width: u16) -> u16 {
    let lines = match app.mode() {
        Mode::Filter => 2 + message(app.filter_line(), theme, width).len().max(1),
        Mode::Rows => selected(app, theme, width).len().max(1),
        Mode::Help => 1,
    };
    u16::try_from(lines).unwrap_or(u16::MAX)
}

/// What is wrong with what is typed.
fn message(line: &FilterLine, theme: &Theme, width: u16) -> Vec<Vec<Chunk>> {
    let error = line.error().map(|error| error.message.as_str());
    let mut lines = wrap(error.unwrap_or_default(), width, theme.warning);
    lines.truncate(MOST_LINES);
    lines
}

/// The selected row in full, however little of it there is room for in its line.
fn selected(app: &App, theme: &Theme, width: u16) -> Vec<Vec<Chunk>> {
    wrap(&selected_name(app), width, theme.strong)
}

fn selected_name(app: &App) -> String {
    let row = app
        .selected_index()
        .and_then(|index| app.rows().shown.get(index));
    row.map_or_else(String::new, |row| label::name(&row.key, app.model()))
}

/// Draws it, and answers with the place of the cursor where something is typed.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &App) -> Option<Position> {
    match app.mode() {
        Mode::Filter => Some(draw_filter(canvas, area, app.filter_line())),
        Mode::Help => {
            draw_hints(canvas, area, 0, ON_HELP, area.width);
            None
        }
        Mode::Rows => {
            draw_rows(canvas, area, app);
            None
        }
    }
}

fn draw_rows(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let place = place(app);
    let taken = u16::try_from(place.chars().count() + 2).unwrap_or(u16::MAX);
    let room = area.width.saturating_sub(taken);
    let selected = selected(app, canvas.theme, area.width);
    if let Some(notice) = app.notice() {
        canvas.text(area, 0, 0, notice, canvas.theme.warning);
    } else if selected.is_empty() {
        draw_hints(canvas, area, 0, ON_ROWS, room);
        canvas.text_at_end(area, 0, &place, canvas.theme.faint);
    } else if selected.len() > usize::from(area.height) {
        let ellipsis = canvas.theme.signs.ellipsis;
        let name = elide(&selected_name(app), usize::from(area.width), ellipsis);
        canvas.text(area, 0, 0, &name, canvas.theme.strong);
    } else {
        draw_lines(canvas, area, &selected);
        let has_room = selected_name(app).chars().count() <= usize::from(room);
        if has_room {
            canvas.text_at_end(area, 0, &place, canvas.theme.faint);
        }
    }
}

/// As many hints as fit whole.
fn draw_hints(canvas: &mut Canvas<'_>, area: Rect, line: u16, hints: &[&str], width: u16) {
    let chunks = hints
        .iter()
        .map(|hint| Chunk::new(*hint, canvas.theme.faint));
    let first = set(chunks.collect(), width).into_iter().next();
    let area = Rect {
        y: area.y.saturating_add(line),
        height: area.height.saturating_sub(line),
        width: area.width.min(width),
        ..area
    };
    draw_lines(canvas, area, &[first.unwrap_or_default()]);
}

/// Which rows are on the screen, of how many; and how many are left out.
fn place(app: &App) -> String {
    let rows = app.rows();
    if rows.shown.is_empty() {
        return String::new();
    }
    let first = app.offset() + 1;
    let last = (app.offset() + app.page()).min(rows.shown.len());
    if rows.count > rows.shown.len() {
        format!(
            "{first}-{last} of the first {} of {}",
            rows.shown.len(),
            rows.count
        )
    } else {
        format!("{first}-{last} of {}", rows.count)
    }
}

fn draw_filter(canvas: &mut Canvas<'_>, area: Rect, line: &FilterLine) -> Position {
    let text: Vec<char> = harmless(&line.text()).chars().collect();
    let room = usize::from(area.width).saturating_sub(PROMPT.len() + 1);
    // A long line is moved to the left so far that its cursor is seen.
    let hidden = line.cursor().saturating_sub(room);
    let shown: String = text.iter().skip(hidden).collect();
    let x = canvas.text(area, 0, 0, PROMPT, canvas.theme.strong);
    canvas.text(area, 0, x, &shown, canvas.theme.strong);
    match line.error() {
        None => {
            draw_hints(canvas, area, 2, ON_FILTER, area.width);
        }
        Some(error) => {
            let typed = line.text();
            let before = typed
                .get(..error.position)
                .unwrap_or(&typed)
                .chars()
                .count();
            let at = before.saturating_sub(hidden) + PROMPT.len();
            let at = u16::try_from(at).unwrap_or(u16::MAX);
            canvas.text(area, 1, at, "^", canvas.theme.warning);
            let below = Rect {
                y: area.y.saturating_add(2),
                height: area.height.saturating_sub(2),
                ..area
            };
            draw_lines(canvas, below, &message(line, canvas.theme, area.width));
        }
    }
    let cursor = (line.cursor() - hidden) + PROMPT.len();
    Position {
        x: area
            .x
            .saturating_add(u16::try_from(cursor).unwrap_or(u16::MAX)),
        y: area.y,
    }
}
