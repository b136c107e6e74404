//! Refreshes as plain text, for scripts and terminals of paper: exact numbers, whole addresses.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::arguments::TopArguments;
use super::capture::Capture;
use super::columns::{Sort, Tab};
use super::figures::Figures;
use super::format::{harmless, percent, span};
use super::interactive::start_capture;
use super::label::{text_columns, texts};
use super::model::{Model, Overview};
use super::outlet::{Message, channel};
use super::rows::{Row, Rows};
use crate::agent::ladder::{Open, title};

/// What is printed where no view was asked for.
const USUAL: [Tab; 3] = [Tab::Interfaces, Tab::Peers, Tab::Flows];

/// Prints `count` refreshes.
///
/// # Errors
/// When the capture thread is lost, or standard output cannot be written.
pub(super) fn run<O: Open + 'static>(
    capture: Capture<O>,
    arguments: &TopArguments,
    count: u32,
) -> anyhow::Result<ExitCode> {
    let (sender, receiver) = channel();
    start_capture(capture, arguments, sender)?;
    let mut model = Model::default();
    let mut printed = 0;
    while printed < count {
        match receiver.recv() {
            Ok(Message::Update(update)) => model.apply(*update),
            Ok(Message::CaptureLost) | Err(_) => {
                bail!("the capture thread ended; what it said stands above")
            }
            Ok(_) => continue,
        }
        let text = render(&model, arguments).context("cannot print")?;
        if !print(&text)? {
            break;
        }
        printed += 1;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says whether anybody reads.
fn print(text: &str) -> anyhow::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot print"),
    }
}

fn render(model: &Model, arguments: &TopArguments) -> Result<String, fmt::Error> {
    let mut text = String::new();
    write_overview(&mut text, &model.overview())?;
    let chosen = arguments.view.as_ref().map(std::slice::from_ref);
    for tab in chosen.unwrap_or(&USUAL) {
        let filter = arguments.filter.as_ref().map(|accepted| &accepted.filter);
        let rows = model.rows(*tab, filter, &[], Sort::default());
        write_table(&mut text, model, *tab, &rows, arguments.rows)?;
    }
    text.push('\n');
    Ok(text)
}

fn write_overview(text: &mut String, overview: &Overview) -> fmt::Result {
    let status = &overview.status;
    let names = harmless(&status.interfaces.join(", "));
    let place = if names.is_empty() {
        String::new()
    } else {
        format!(" on {names}")
    };
    writeln!(
        text,
        "bwmon top: {}{place} through {}, refresh {}, {}",
        harmless(&overview.host),
        title(status.method),
        overview.refreshes,
        span(overview.elapsed)
    )?;
    if let Some(note) = &status.note {
        writeln!(text, "note: {}", harmless(note))?;
    }
    let figures = &overview.figures;
    let (bits, packets) = (figures.bits_per_second(), figures.packets_per_second());
    for (name, bits, packets, total) in [
        (
            "received",
            bits.ingress,
            packets.ingress,
            figures.total.ingress,
        ),
        ("sent", bits.egress, packets.egress, figures.total.egress),
    ] {
        writeln!(
            text,
            "{name}: {bits:.0} bit/s, {packets:.0} packets/s, {} bytes total",
            total.bytes
        )?;
    }
    if let Some(conservation) = overview.conservation
        && let Some(attributed) = conservation.attributed()
    {
        writeln!(
            text,
            "kernel counted: {} bytes, {} attributed, {} unattributed",
            conservation.kernel_bytes,
            percent(attributed),
            percent(1.0 - attributed)
        )?;
    }
    writeln!(
        text,
        "dropped: {} packets; overflow: {} bytes; flows: {}",
        overview.dropped, overview.overflow_bytes, overview.flows
    )
}

fn write_table(
    text: &mut String,
    model: &Model,
    tab: Tab,
    rows: &Rows,
    most: usize,
) -> fmt::Result {
    let mut lines = vec![heads(tab)];
    lines.extend(rows.shown.iter().take(most).map(|row| cells(row, model)));
    let widths: Vec<usize> = (0..heads(tab).len())
        .map(|column| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let texts = text_columns(tab).count();
    writeln!(text)?;
    for line in &lines {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let gap = if column == 0 { "" } else { "  " };
            if column < texts {
                write!(text, "{gap}{cell:<width$}")?;
            } else {
                write!(text, "{gap}{cell:>width$}")?;
            }
        }
        writeln!(text)?;
    }
    let left_out = rows.count.saturating_sub(most.min(rows.shown.len()));
    if left_out > 0 {
        writeln!(text, "and {left_out} more")?;
    }
    Ok(())
}

/// Of words without blanks, so that columns can be told apart by them.
fn heads(tab: Tab) -> Vec<String> {
    let texts = text_columns(tab).map(|column| column.title(tab).to_uppercase());
    let numbers = [
        "RX_BIT/S",
        "TX_BIT/S",
        "RX_PACKETS/S",
        "TX_PACKETS/S",
        "RX_BYTES",
        "TX_BYTES",
    ];
    let mut heads: Vec<String> = texts.chain(numbers.map(str::to_owned)).collect();
    if tab == Tab::Interfaces {
        heads.push("UNATTRIBUTED_%".to_owned());
        heads.push("ERRORS+DROPS".to_owned());
    }
    heads
}

fn cells(row: &Row, model: &Model) -> Vec<String> {
    let mut cells: Vec<String> = texts(row, model)
        .into_iter()
        .map(|text| text.replace(' ', "_"))
        .collect();
    cells.extend(numbers(&row.figures));
    if let Some(interface) = &row.interface {
        cells.push(
            interface
                .unattributed
                .map_or_else(|| "-".to_owned(), |share| format!("{:.3}", share * 100.0)),
        );
        cells.push(interface.faults.to_string());
    }
    cells
}

fn numbers(figures: &Figures) -> [String; 6] {
    let (bits, packets) = (figures.bits_per_second(), figures.packets_per_second());
    [
        format!("{:.0}", bits.ingress),
        format!("{:.0}", bits.egress),
        format!("{:.0}", packets.ingress),
        format!("{:.0}", packets.egress),
        figures.total.ingress.bytes.to_string(),
        figures.total.egress.bytes.to_string(),
    ]
}
