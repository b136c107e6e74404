//! What keys do, and what figures mean.

use ratatui_core::layout::Rect;
use ratatui_core::style::Style;

use super::canvas::Canvas;

const LINES: &[(&str, &str)] = &[
    ("q, Ctrl-C", "quit"),
    ("Esc", "one step back; quit where there is none"),
    (
        "1 to 5, Tab",
        "view: interfaces, peers, flows, ports, protocols",
    ),
    (
        "< >, left right, s",
        "sort by the column before, the next one",
    ),
    ("r", "turn the order around"),
    ("/", "filter, in the language of docs/filter.md"),
    ("space", "pause what is shown; counting goes on"),
    (
        "up down, j k",
        "select a row; also PgUp, PgDn, Home, End, g, G",
    ),
    (
        "Enter",
        "look into the row: peers of an interface, flows of a peer",
    ),
    ("Backspace", "back out of it"),
    ("Ctrl-L", "paint anew"),
    ("Ctrl-Z", "suspend"),
    ("?, h, F1", "this help"),
    ("", ""),
    ("Rx, Tx", "received and sent, seen from this host"),
    ("bit/s", "mean of the last 3 s; SI: 1 k is 1,000"),
    ("total", "bytes on the wire since the start"),
    ("Share", "of the bit/s of all rows of the table"),
    ("Trend", "the last refreshes, up to the row's own highest"),
    (
        "attributed",
        "bytes of the captured interfaces' own counters that belong to a flow",
    ),
    (
        "unattributed",
        "the others: no IP, malformed, overflow, not seen",
    ),
    ("drops", "packets that the kernel could not hand over"),
    ("overflow", "bytes of flows beyond the bound of the table"),
    ("Port", "the lower one of both ports, which usually serves"),
    (
        "*",
        "in a flow: the ports of many connections of one service",
    ),
];

/// Draws the help from line `offset` on, and answers with how many lines may be scrolled.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, offset: usize) -> usize {
    let most = LINES.len().saturating_sub(usize::from(area.height));
    for (line, (key, what)) in (0..area.height).zip(LINES.iter().skip(offset.min(most))) {
        canvas.text(area, line, 1, key, canvas.theme.strong);
        canvas.text(area, line, 21, what, Style::new());
    }
    most
}
