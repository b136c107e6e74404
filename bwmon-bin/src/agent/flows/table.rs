//! For people: aligned columns, at most 80 characters wide over IPv4. Addresses are never cut.

use std::fmt::Write as _;
use std::io::{self, Write};

use bwmon_core::flow::Flow;
use bwmon_core::frame::Tally;
use bwmon_core::time::Window;

use super::cli::By;
use super::part::{Ending, Part, Source};
use super::query::{Query, Rest};
use super::units::{End, Grouped, Percent, Si, length, protocol, rate, short_moment};

/// Writes the rows of an interval under a line that says which.
pub(super) fn interval(out: &mut impl Write, query: &Query, part: &Part) -> io::Result<()> {
    let all = part.totals.all();
    write!(
        out,
        "{}: {} in {} frames",
        short_moment(part.window.start),
        Si::bytes(all.bytes),
        Grouped(all.packets)
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
        writeln!(out, "Lost while capturing: {} frames", Grouped(drops))?;
    }
    if part.late_frames > 0 {
        let late = Grouped(part.late_frames);
        writeln!(
            out,
            "Out of order: {late} frames count for an interval after their own"
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
    let columns = columns(query.by);
    if !found.shown.is_empty() {
        aligned(out, columns, &found.shown, &whole)?;
    }
    rest(out, query.by, &found.rest, &whole)?;
    if let Some(wanted) = &query.wanted {
        let left_out = wanted.left_out(flows);
        writeln!(
            out,
            "Left out by the filter: {} in {} frames, {} %",
            Si::bytes(left_out.bytes),
            Grouped(left_out.packets),
            whole.percent(left_out.bytes),
        )?;
    }
    if !part.overflow.is_empty() {
        let share = whole.percent(part.overflow.bytes);
        writeln!(
            out,
            "Flows without room: {} in {} frames, {share} %; raise --max-memory",
            Si::bytes(part.overflow.bytes),
            Grouped(part.overflow.packets),
        )?;
    }
    Ok(())
}

fn rest(out: &mut impl Write, by: By, rest: &Rest, whole: &Whole) -> io::Result<()> {
    if rest.rows == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "{} more {}: {} in {} frames, {} %; --top all shows them",
        Grouped(rest.rows),
        by.plural(),
        Si::bytes(rest.traffic.bytes),
        Grouped(rest.traffic.packets),
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

/// A column: its title, whether it stands to the left, and the text of a row.
struct Column {
    title: &'static str,
    is_left: bool,
    write: fn(&Flow, &Whole, &mut String) -> std::fmt::Result,
}

const fn left(
    title: &'static str,
    write: fn(&Flow, &Whole, &mut String) -> std::fmt::Result,
) -> Column {
    Column {
        title,
        is_left: true,
        write,
    }
}

const fn right(
    title: &'static str,
    write: fn(&Flow, &Whole, &mut String) -> std::fmt::Result,
) -> Column {
    Column {
        title,
        is_left: false,
        write,
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

const FLOW: &[Column] = &[
    PROTOCOL,
    left("A", |flow, _, text| {
        write!(text, "{}", End(flow.key.local, flow.key.has_ports))
    }),
    left("B", |flow, _, text| {
        write!(text, "{}", End(flow.key.remote, flow.key.has_ports))
    }),
    sent("A to B"),
    received("B to A"),
    FRAMES,
    SHARE,
];
const PAIR: &[Column] = &[
    left("A", |flow, _, text| {
        write!(text, "{}", flow.key.local.address)
    }),
    left("B", |flow, _, text| {
        write!(text, "{}", flow.key.remote.address)
    }),
    sent("A to B"),
    received("B to A"),
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

/// Writes the rows as wide as their widest cells, without keeping the text of all of them.
fn aligned(
    out: &mut impl Write,
    columns: &[Column],
    flows: &[Flow],
    whole: &Whole,
) -> io::Result<()> {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.title.len()).collect();
    let mut cell = String::new();
    for flow in flows {
        for (column, width) in columns.iter().zip(&mut widths) {
            fill(&mut cell, column, flow, whole);
            *width = cell.len().max(*width);
        }
    }
    let mut line = String::new();
    for (column, width) in columns.iter().zip(&widths) {
        append(&mut line, column, column.title, *width);
    }
    writeln!(out, "{}", line.trim_end())?;
    for flow in flows {
        line.clear();
        for (column, width) in columns.iter().zip(&widths) {
            fill(&mut cell, column, flow, whole);
            append(&mut line, column, &cell, *width);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn fill(cell: &mut String, column: &Column, flow: &Flow, whole: &Whole) {
    cell.clear();
    // Writing to a String does not fail.
    let _is_written = (column.write)(flow, whole, cell);
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
    use std::time::Duration;

    fn widest() -> Flow {
        let end = |last| Endpoint {
            address: [255, 255, 255, last].into(),
            port: u16::MAX,
        };
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
                ..FlowKey::new(17, end(254), end(255))
            },
            counters: Counters::new(Timestamp::EPOCH, traffic, 0),
        }
    }

    #[test]
    fn no_table_over_ipv4_is_wider_than_80_characters() {
        let whole = Whole {
            bytes: 10_000_000_000,
            window: Window::new(Timestamp::EPOCH, Duration::from_secs(7)),
        };
        for by in [
            By::Flow,
            By::Pair,
            By::Host,
            By::Port,
            By::Protocol,
            By::Vlan,
        ] {
            let mut text = Vec::new();
            aligned(&mut text, columns(by), &[widest()], &whole).unwrap();
            let text = String::from_utf8(text).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), 2, "{text}");
            assert!(lines.iter().all(|line| line.len() <= 80), "{text}");
            assert_eq!(lines[0].len(), lines[1].len(), "{text}");
            assert!(lines[1].contains("24.6"), "{text}");
        }
    }
}
