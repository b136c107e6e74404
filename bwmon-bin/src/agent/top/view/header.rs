//! Who, how, how much; and which view.

use ratatui_core::layout::Rect;
use ratatui_core::style::Style;

use super::super::app::App;
use super::super::columns::Tab;
use super::super::figures::both;
use super::super::format::{bytes, harmless, percent, short, span, with_unit};
use super::super::label;
use super::super::model::{Conservation, Overview};
use super::super::theme::Theme;
use super::canvas::{Canvas, Chunk, draw_lines, set, wrap};
use crate::agent::ladder::title;

/// Most lines of the note on what is missing.
const NOTE_LINES: usize = 3;

/// Below this width only the view that is shown is named.
const WIDTH_OF_TABS: u16 = 56;

/// Below these widths the header leaves out packets and totals.
const WIDTH_OF_PACKETS: u16 = 28;
const WIDTH_OF_TOTALS: u16 = 44;

/// Characters of the trend of all.
const TREND: usize = 24;

/// Lines that the header needs.
pub(super) fn height(app: &App, theme: &Theme, width: u16) -> u16 {
    u16::try_from(lines(app, theme, width).len()).unwrap_or(u16::MAX)
}

/// Draws the lines that matter most, as many as fit.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let mut lines = lines(app, canvas.theme, area.width);
    let mut ranks: Vec<u8> = lines.iter().map(|(rank, _)| *rank).collect();
    ranks.sort_unstable();
    if let Some(first_hidden) = ranks.get(usize::from(area.height)) {
        lines.retain(|(rank, _)| rank < first_hidden);
    }
    let lines: Vec<Vec<Chunk>> = lines.into_iter().map(|(_, line)| line).collect();
    draw_lines(canvas, area, &lines);
}

/// The lines from top to bottom, each with its rank, all different: 0 is the last to be left out.
fn lines(app: &App, theme: &Theme, width: u16) -> Vec<(u8, Vec<Chunk>)> {
    let overview = app.overview();
    let note = overview.status.note.as_deref().unwrap_or_default();
    let mut note = wrap(&harmless(note), width, theme.warning);
    note.truncate(NOTE_LINES);
    let parts = [
        (Part::Identity, set(identity(app, theme), width)),
        (Part::Rates, set(rates(overview, theme, width), width)),
        (
            Part::Conservation,
            set(conservation(overview, theme), width),
        ),
        (Part::Note, note),
        (Part::Tabs, set(tabs(app, theme, width), width)),
    ];
    let ranked = parts.into_iter().flat_map(|(part, lines)| {
        let ranks = (0..).map(move |line| rank(part, line));
        ranks.zip(lines)
    });
    ranked.collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Rates,
    Tabs,
    Identity,
    Note,
    Conservation,
}

/// What is left out last has rank 0. First the first lines, with both rates; then the rest of each.
fn rank(part: Part, line: u8) -> u8 {
    match (part, line) {
        (Part::Rates, 0) => 0,
        (Part::Tabs, 0) => 1,
        (Part::Identity, 0) => 2,
        (Part::Note, 0) => 3,
        (Part::Rates, 1) => 4,
        (Part::Conservation, 0) => 5,
        (part, line) => line.saturating_mul(8).saturating_add(part as u8),
    }
}

fn identity(app: &App, theme: &Theme) -> Vec<Chunk> {
    let overview = app.overview();
    let plain = Style::new();
    let mut chunks = Vec::new();
    if app.is_paused() {
        chunks.push(Chunk::new(" PAUSED ", theme.selected));
    }
    chunks.push(Chunk::new("bwmon top", theme.strong));
    if overview.refreshes == 0 {
        return chunks;
    }
    chunks.push(Chunk::new(harmless(&overview.host), theme.strong));
    let names = overview.status.interfaces.join(", ");
    if !names.is_empty() {
        chunks.push(Chunk::new("on ", theme.faint).and(harmless(&names), plain));
    }
    let method = title(overview.status.method);
    chunks.push(Chunk::new("through ", theme.faint).and(method, plain));
    chunks.push(Chunk::new("for ", theme.faint).and(span(overview.elapsed), plain));
    chunks
}

fn rates(overview: &Overview, theme: &Theme, width: u16) -> Vec<Chunk> {
    let figures = &overview.figures;
    let bits = figures.bits_per_second();
    let packets = figures.packets_per_second();
    let direction = |name: &str, bits: f64, packets: f64, total: u64, style: Style| {
        let faint = theme.faint;
        let rate = with_unit(bits, "bit/s");
        let mut chunk = Chunk::new(format!("{name} "), style)
            .and(format!("{rate:>11}"), style.patch(theme.strong));
        if width >= WIDTH_OF_PACKETS {
            chunk = chunk.and(format!("  {:>6} pkt/s", short(packets)), Style::new());
        }
        if width >= WIDTH_OF_TOTALS {
            chunk = chunk.and(format!("  {} total", bytes(total)), faint);
        }
        chunk
    };
    let total = &figures.total;
    let mut chunks = vec![
        direction(
            "Rx",
            bits.ingress,
            packets.ingress,
            total.ingress.bytes,
            theme.received,
        ),
        direction(
            "Tx",
            bits.egress,
            packets.egress,
            total.egress.bytes,
            theme.sent,
        ),
    ];
    let trend = theme.signs.trend(&figures.history, TREND);
    if both(bits) > 0.0 {
        chunks.push(Chunk::new("trend ", theme.faint).and(trend, Style::new()));
    }
    chunks
}

/// Where the kernel's bytes went, and what was lost.
fn conservation(overview: &Overview, theme: &Theme) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    if overview.refreshes == 0 {
        return chunks;
    }
    if let Some(conservation) = &overview.conservation {
        chunks.extend(shares(conservation, theme));
    }
    let lost = |count: u64| {
        if count > 0 {
            theme.warning
        } else {
            theme.faint
        }
    };
    let dropped = if overview.dropped_per_second > 0.0 {
        let lately = short(overview.dropped_per_second);
        format!("drops {} ({lately}/s)", overview.dropped)
    } else {
        format!("drops {}", overview.dropped)
    };
    chunks.push(Chunk::new(dropped, lost(overview.dropped)));
    chunks.push(Chunk::new(
        format!("overflow {}", bytes(overview.overflow_bytes)),
        lost(overview.overflow_bytes),
    ));
    chunks.push(Chunk::new(format!("flows {}", overview.flows), theme.faint));
    chunks
}

fn shares(conservation: &Conservation, theme: &Theme) -> Vec<Chunk> {
    let Some(attributed) = conservation.attributed() else {
        return vec![Chunk::new("the kernel counted no byte yet", theme.faint)];
    };
    let terms = &conservation.terms;
    let parts = [
        ("non-IP", terms.non_ip.bytes),
        ("malformed", terms.malformed.bytes),
        ("overflow", terms.overflow.bytes),
        ("not seen", conservation.unseen_bytes()),
    ];
    let told: Vec<String> = parts
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .filter_map(|(name, bytes)| Some((name, conservation.share(bytes)?)))
        .map(|(name, share)| format!("{name} {}", percent(share)))
        .collect();
    let details = if told.is_empty() {
        String::new()
    } else {
        format!(" ({})", told.join(", "))
    };
    vec![
        Chunk::new("kernel's bytes ", theme.faint)
            .and(percent(attributed), theme.strong)
            .and(" attributed", Style::new()),
        Chunk::new(percent(1.0 - attributed), theme.strong)
            .and(" unattributed", Style::new())
            .and(details, theme.faint),
    ]
}

fn tabs(app: &App, theme: &Theme, width: u16) -> Vec<Chunk> {
    let name = |tab: Tab| {
        let text = format!(" {} {} ", tab.index() + 1, tab.title());
        let style = if tab == app.tab() {
            theme.selected
        } else {
            Style::new()
        };
        (text, style)
    };
    let shown: Vec<(String, Style)> = Tab::ALL
        .into_iter()
        .filter(|tab| width >= WIDTH_OF_TABS || *tab == app.tab())
        .map(name)
        .collect();
    let mut chunks = vec![Chunk(shown)];
    let into = theme.signs.into;
    let path: Vec<String> = app
        .focus()
        .iter()
        .map(|key| label::name(key, app.model()))
        .collect();
    if !path.is_empty() {
        let path = path.join(&format!(" {into} "));
        chunks.push(Chunk::new("in ", theme.faint).and(path, theme.strong));
    }
    if let Some(accepted) = app.filter_line().accepted() {
        let text = harmless(&accepted.text);
        chunks.push(Chunk::new("filter ", theme.faint).and(text, theme.strong));
        if app.tab() == Tab::Interfaces {
            chunks.push(Chunk::new("(not for interfaces)", theme.faint));
        }
    }
    if chunks.len() > 1 && app.tab() != Tab::Interfaces {
        let bits = app.rows().sum.bits_per_second();
        let received = format!("Rx {} ", with_unit(bits.ingress, "bit/s"));
        let sent = format!("Tx {}", with_unit(bits.egress, "bit/s"));
        chunks.push(Chunk::new(received, theme.received).and(sent, theme.sent));
    }
    chunks
}
