//! For people: aligned columns, at most 80 characters wide over IPv4. Addresses are never cut: where
//! the terminal is too narrow for two of IPv6, a row has two lines.

use std::fmt::Write as _;
use std::io::{self, Write};

use bwmon_core::flow::Flow;
use bwmon_core::frame::Tally;
use bwmon_core::time::Window;

use super::cli::By;
use super::part::{Ending, Part, Source};
use super::query::{Query, Rest};
use super::units::{End, Grouped, Percent, Si, counted, length, protocol, rate, short_moment};

/// Writes the rows of an interval under a line that says which.
pub(super) fn interval(out: &mut impl Write, query: &Query, part: &Part) -> io::Result<()> {
    let all = part.totals.all();
    write!(
        out,
        "{}: {} in {}",
        short_moment(part.window.start),
        Si::bytes(all.bytes),
        counted(all.packets, "frame")
    )?;
    if let Some(rate) = rate(&part.window, all.bytes, "bit/s") {
        write!(out, ", {rate}")?;
    }
    if part.merged_intervals > 0 {
        let all = Grouped(part.merged_intervals.saturating_add(1));
        write!(out, "; {all} intervals in one")?;
    }
    writeln!(out)?;
    rows(out, query, part)?;
    writeln!(out)
}

/// Writes the rows of all, where they were not written interval by interval, and the totals.
pub(super) fn end(
    out: &mut impl Write,
    query: &Query,
    source: &Source,
    part: &Part,
    ending: &Ending,
) -> io::Result<()> {
    rows(out, query, part)?;
    if part.flows.is_some() {
        writeln!(out)?;
    }
    totals(out, part)?;
    writeln!(out)?;
    write!(out, "{}: ", source.title())?;
    if part.totals.all().is_empty() {
        writeln!(out, "no frames")?;
    } else {
        let start = short_moment(part.window.start);
        writeln!(out, "{} from {start}", length(&part.window))?;
    }
    notes(out, part, ending)
}

fn notes(out: &mut impl Write, part: &Part, ending: &Ending) -> io::Result<()> {
    if let Some(drops) = ending.drops.filter(|drops| *drops > 0) {
        writeln!(out, "Lost while capturing: {}", counted(drops, "frame"))?;
    }
    if part.late_frames > 0 {
        let late = counted(part.late_frames, "frame");
        writeln!(
            out,
            "Out of order: {late} counted for an interval after their own"
        )?;
    }
    if part.merged_intervals > 0 {
        let merged = Grouped(part.merged_intervals);
        writeln!(
            out,
            "Read too slowly: {merged} of the intervals are merged into those before them"
        )?;
    }
    if let Some(error) = &ending.error {
        writeln!(out, "Incomplete: {error}")?;
    }
    Ok(())
}

fn rows(out: &mut impl Write, query: &Query, part: &Part) -> io::Result<()> {
    let Some(flows) = &part.flows else {
        return Ok(());
    };
    let found = query.rows(flows, query.by.view(), |_| true);
    let whole = Whole {
        bytes: part.totals.all().bytes,
        window: part.window,
    };
    if !found.shown.is_empty() {
        let (columns, widths) = layout(query, &found.shown, &whole);
        aligned(out, columns, &widths, &found.shown, &whole)?;
    }
    rest(out, query.by, &found.rest, &whole)?;
    if let Some(wanted) = &query.wanted {
        let left_out = wanted.left_out(flows);
        writeln!(
            out,
            "Left out by the filter: {} in {}, {} %",
            Si::bytes(left_out.bytes),
            counted(left_out.packets, "frame"),
            whole.percent(left_out.bytes),
        )?;
    }
    if !part.overflow.is_empty() {
        let share = whole.percent(part.overflow.bytes);
        writeln!(
            out,
            "Flows without room: {} in {}, {share} %; raise --max-memory",
            Si::bytes(part.overflow.bytes),
            counted(part.overflow.packets, "frame"),
        )?;
    }
    Ok(())
}

fn rest(out: &mut impl Write, by: By, rest: &Rest, whole: &Whole) -> io::Result<()> {
    if rest.rows == 0 {
        return Ok(());
    }
    let (name, them) = if rest.rows == 1 {
        (by.singular(), "it")
    } else {
        (by.plural(), "them")
    };
    writeln!(
        out,
        "{} more {name}: {} in {}, {} %; --top all shows {them}",
        Grouped(rest.rows),
        Si::bytes(rest.traffic.bytes),
        counted(rest.traffic.packets, "frame"),
        whole.percent(rest.traffic.bytes),
    )
}

/// What rows are compared with.
struct Whole {
    bytes: u64,
    window: Window,
}

impl Whole {
    const fn percent(&self, part: u64) -> Percent {
        Percent {
            part,
            whole: self.bytes,
        }
    }
}

/// Writes what a row has in a column.
type Cell = fn(&Flow, &Whole, &mut String) -> std::fmt::Result;

/// A column: its title, whether it stands to the left, and the text of a row, which may have a second
/// line.
struct Column {
    title: &'static str,
    is_left: bool,
    write: Cell,
    below: Option<Cell>,
}

impl Column {
    /// The column with what `other` has in the line below.
    const fn above(self, other: &Self) -> Self {
        Self {
            below: Some(other.write),
            ..self
        }
    }
}

const fn left(title: &'static str, write: Cell) -> Column {
    Column {
        title,
        is_left: true,
        write,
        below: None,
    }
}

const fn right(title: &'static str, write: Cell) -> Column {
    Column {
        title,
        is_left: false,
        write,
        below: None,
    }
}

const PROTOCOL: Column = left("Prot", |flow, _, text| {
    write!(text, "{}", protocol(flow.key.protocol))
});
const FRAMES: Column = right("Frames", |flow, _, text| {
    write!(text, "{}", Si::count(flow.counters.traffic.total().packets))
});
const SHARE: Column = right("%", |flow, whole, text| {
    write!(
        text,
        "{}",
        whole.percent(flow.counters.traffic.total_bytes())
    )
});
const RATE: Column = right("bit/s", |flow, whole, text| {
    let bytes = flow.counters.traffic.total_bytes();
    match rate(&whole.window, bytes, "") {
        Some(rate) => write!(text, "{rate}"),
        None => Ok(()),
    }
});
const BYTES: Column = right("Bytes", |flow, _, text| {
    write!(text, "{}", Si::bytes(flow.counters.traffic.total_bytes()))
});

const fn sent(title: &'static str) -> Column {
    right(title, |flow, _, text| {
        write!(text, "{}", Si::bytes(flow.counters.traffic.egress.bytes))
    })
}

const fn received(title: &'static str) -> Column {
    right(title, |flow, _, text| {
        write!(text, "{}", Si::bytes(flow.counters.traffic.ingress.bytes))
    })
}

const fn end_a(title: &'static str) -> Column {
    left(title, |flow, _, text| {
        write!(text, "{}", End(flow.key.local, flow.key.has_ports))
    })
}

const fn address_a(title: &'static str) -> Column {
    left(title, |flow, _, text| {
        write!(text, "{}", flow.key.local.address)
    })
}

const END_B: Column = left("B", |flow, _, text| {
    write!(text, "{}", End(flow.key.remote, flow.key.has_ports))
});
const ADDRESS_B: Column = left("B", |flow, _, text| {
    write!(text, "{}", flow.key.remote.address)
});
const RECEIVED: Column = received("B to A");

const FLOW: &[Column] = &[
    PROTOCOL,
    end_a("A"),
    END_B,
    sent("A to B"),
    RECEIVED,
    FRAMES,
    SHARE,
];
/// In two lines a row: what an address sent stands beside it.
const NARROW_FLOW: &[Column] = &[
    PROTOCOL,
    end_a("A, B below").above(&END_B),
    sent("Sent").above(&RECEIVED),
    FRAMES,
    SHARE,
];
const PAIR: &[Column] = &[
    address_a("A"),
    ADDRESS_B,
    sent("A to B"),
    RECEIVED,
    FRAMES,
    RATE,
    SHARE,
];
const NARROW_PAIR: &[Column] = &[
    address_a("A, B below").above(&ADDRESS_B),
    sent("Sent").above(&RECEIVED),
    FRAMES,
    RATE,
    SHARE,
];
const HOST: &[Column] = &[
    left("Host", |flow, _, text| {
        write!(text, "{}", flow.key.local.address)
    }),
    sent("Sent"),
    received("Received"),
    FRAMES,
    RATE,
    SHARE,
];
const PORT: &[Column] = &[
    left("Port", |flow, _, text| {
        write!(text, "{}", protocol(flow.key.protocol))?;
        if flow.key.has_ports {
            write!(text, "/{}", flow.key.local.port)?;
        }
        Ok(())
    }),
    sent("Sent"),
    received("Received"),
    FRAMES,
    RATE,
    SHARE,
];
const PROTOCOLS: &[Column] = &[
    left("Protocol", |flow, _, text| {
        write!(text, "{}", protocol(flow.key.protocol))
    }),
    BYTES,
    FRAMES,
    RATE,
    SHARE,
];
const VLAN: &[Column] = &[
    left("VLAN", |flow, _, text| match flow.key.vlan {
        Some(id) => write!(text, "{id}"),
        None => text.write_str("none"),
    }),
    BYTES,
    FRAMES,
    RATE,
    SHARE,
];

const fn columns(by: By) -> &'static [Column] {
    match by {
        By::Flow => FLOW,
        By::Pair => PAIR,
        By::Host => HOST,
        By::Port => PORT,
        By::Protocol => PROTOCOLS,
        By::Vlan => VLAN,
    }
}

/// The columns for a terminal that is too narrow for a row in one line.
const fn narrow_columns(by: By) -> &'static [Column] {
    match by {
        By::Flow => NARROW_FLOW,
        By::Pair => NARROW_PAIR,
        other => columns(other),
    }
}

/// The columns that fit the terminal, and their widths.
fn layout(query: &Query, flows: &[Flow], whole: &Whole) -> (&'static [Column], Vec<usize>) {
    let wide = columns(query.by);
    let widths = widths(wide, flows, whole);
    if line_width(wide, &widths) <= query.columns {
        return (wide, widths);
    }
    let narrow = narrow_columns(query.by);
    (narrow, self::widths(narrow, flows, whole))
}

/// The widths of the widest cells.
fn widths(columns: &[Column], flows: &[Flow], whole: &Whole) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.title.len()).collect();
    let mut cell = String::new();
    for flow in flows {
        for (column, width) in columns.iter().zip(&mut widths) {
            for write in [Some(column.write), column.below].into_iter().flatten() {
                fill(&mut cell, write, flow, whole);
                *width = cell.len().max(*width);
            }
        }
    }
    widths
}

fn line_width(columns: &[Column], widths: &[usize]) -> usize {
    let gap = |column: &Column| if column.is_left { 2 } else { 1 };
    let gaps: usize = columns.iter().map(gap).sum();
    let last = columns.last().map_or(0, gap);
    widths.iter().sum::<usize>() + gaps - last
}

/// Writes the rows as wide as their widest cells, without keeping the text of all of them.
fn aligned(
    out: &mut impl Write,
    columns: &[Column],
    widths: &[usize],
    flows: &[Flow],
    whole: &Whole,
) -> io::Result<()> {
    let has_second_line = columns.iter().any(|column| column.below.is_some());
    let mut cell = String::new();
    let mut line = String::new();
    for (column, width) in columns.iter().zip(widths) {
        append(&mut line, column, column.title, *width);
    }
    writeln!(out, "{}", line.trim_end())?;
    for flow in flows {
        line.clear();
        for (column, width) in columns.iter().zip(widths) {
            fill(&mut cell, column.write, flow, whole);
            append(&mut line, column, &cell, *width);
        }
        writeln!(out, "{}", line.trim_end())?;
        if !has_second_line {
            continue;
        }
        line.clear();
        for (column, width) in columns.iter().zip(widths) {
            cell.clear();
            if let Some(write) = column.below {
                fill(&mut cell, write, flow, whole);
            }
            append(&mut line, column, &cell, *width);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn fill(cell: &mut String, write: Cell, flow: &Flow, whole: &Whole) {
    cell.clear();
    // Writing to a String does not fail.
    let _is_written = write(flow, whole, cell);
}

fn append(line: &mut String, column: &Column, cell: &str, width: usize) {
    let _is_written = if column.is_left {
        write!(line, "{cell:<width$}  ")
    } else {
        write!(line, "{cell:>width$} ")
    };
}

fn totals(out: &mut impl Write, part: &Part) -> io::Result<()> {
    let totals = &part.totals;
    let all = totals.all();
    let width = Grouped(all.packets).to_string().len().max("Frames".len());
    writeln!(
        out,
        "{:<9}  {:>width$} {:>8} {:>12} {:>4}",
        "", "Frames", "Bytes", "Rate", "%"
    )?;
    for (name, tally) in [
        ("IPv4", totals.ipv4),
        ("IPv6", totals.ipv6),
        ("Non-IP", totals.non_ip),
        ("Malformed", totals.malformed),
        ("All", all),
    ] {
        let Tally { bytes, packets } = tally;
        let rate =
            rate(&part.window, bytes, "bit/s").map_or_else(String::new, |rate| rate.to_string());
        let percent = Percent {
            part: bytes,
            whole: all.bytes,
        }
        .to_string();
        let (bytes, packets) = (Si::bytes(bytes).to_string(), Grouped(packets));
        writeln!(
            out,
            "{name:<9}  {packets:>width$} {bytes:>8} {rate:>12} {percent:>4}"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bwmon_core::flow::{Counters, Endpoint, FlowKey};
    use bwmon_core::frame::PerDirection;
    use bwmon_core::time::Timestamp;
    use clap::ValueEnum;
    use std::net::IpAddr;
    use std::time::Duration;

    fn widest(addresses: [IpAddr; 2]) -> Flow {
        let [local, remote] = addresses.map(|address| Endpoint {
            address,
            port: u16::MAX,
        });
        let tally = Tally {
            bytes: 1_230_000_000,
            packets: 1_230_000,
        };
        let traffic = PerDirection {
            ingress: tally,
            egress: tally,
        };
        Flow {
            place: None,
            key: FlowKey {
                vlan: Some(4_094),
                ..FlowKey::new(17, local, remote)
            },
            counters: Counters::new(Timestamp::EPOCH, traffic, 0),
        }
    }

    fn rendered(by: By, flow: Flow) -> Vec<String> {
        let whole = Whole {
            bytes: 10_000_000_000,
            window: Window::new(Timestamp::EPOCH, Duration::from_secs(7)),
        };
        let mut text = Vec::new();
        let query = Query {
            by,
            wanted: None,
            columns: 80,
            top: 1,
        };
        let (columns, widths) = layout(&query, &[flow], &whole);
        aligned(&mut text, columns, &widths, &[flow], &whole).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert!(lines.iter().all(|line| line.len() <= 80), "{text}");
        assert_eq!(lines[0].len(), lines[1].len(), "{text}");
        assert!(lines[1].contains("24.6"), "{text}");
        lines
    }

    #[test]
    fn no_table_over_ipv4_is_wider_than_80_characters_or_has_rows_of_two_lines() {
        let addresses = [254, 255].map(|last| [255, 255, 255, last].into());
        for by in By::value_variants() {
            assert_eq!(rendered(*by, widest(addresses)).len(), 2);
        }
    }

    #[test]
    fn rows_of_two_long_addresses_have_two_lines_on_a_narrow_terminal() {
        let addresses = [0xfffe, 0xffff]
            .map(|last| [0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, last].into());
        for by in By::value_variants() {
            let lines = rendered(*by, widest(addresses));
            let has_two = matches!(by, By::Flow | By::Pair);
            assert_eq!(lines.len(), if has_two { 3 } else { 2 }, "{lines:?}");
            if has_two {
                for (line, address) in lines.iter().skip(1).zip(addresses) {
                    assert!(line.contains(&address.to_string()), "{lines:?}");
                    assert!(line.contains(" 1.23 GB"), "{lines:?}");
                }
            }
        }
    }
}
