//! For people and for programs.

use std::fmt::Write;

use bwmon_core::report::MountUsage;
use serde::Serialize;

use super::super::cli::Format;
use super::{Check, Interface, Report, Status};

impl Report {
    /// The report as text that ends with a line break.
    pub(in crate::agent) fn render(&self, format: Format) -> serde_json::Result<String> {
        match format {
            Format::Table => Ok(self.table()),
            Format::Json => serde_json::to_string_pretty(self).map(|text| text + "\n"),
        }
    }

    fn table(&self) -> String {
        let mut text = format!("bwmon-agent {}\n\n", self.agent_version);
        let width = self
            .checks
            .iter()
            .map(|check| check.name.len())
            .max()
            .unwrap_or(0);
        for check in &self.checks {
            text.push_str(&line(check, width));
        }
        text.push_str("\nInterfaces\n");
        let header = ["NAME", "KIND", "STATE", "SPEED", "UPLINK", "CHOSEN"].map(str::to_owned);
        text.push_str(&columns(&header, self.interfaces.iter().map(interface)));
        text.push_str("\nMount points\n");
        let header = ["PATH", "FILESYSTEM", "SIZE", "AVAILABLE", "USED"].map(str::to_owned);
        text.push_str(&columns(&header, self.mounts.iter().map(mount)));
        text.push_str(match self.can_report {
            true => "\nThis host can report.\n",
            false => "\nThis host cannot report: see FAILED above.\n",
        });
        text
    }
}

fn line(check: &Check, width: usize) -> String {
    let status = match check.status {
        Status::Ok => "ok",
        Status::Warning => "warning",
        Status::Failed => "FAILED",
    };
    let mut text = format!("{status:<8} {:<width$}  {}\n", check.name, check.found);
    if let Some(advice) = &check.advice {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<8} {:<width$}  -> {advice}", "", "");
    }
    text
}

fn interface(interface: &Interface) -> [String; 6] {
    let facts = &interface.facts;
    let yes = |is: bool| if is { "yes" } else { "" }.to_owned();
    [
        facts.name.clone(),
        word(&facts.kind),
        word(&facts.state),
        facts
            .speed_bps
            .map_or_else(|| "unknown".to_owned(), |bps| si(bps, "bit/s")),
        yes(facts.is_uplink),
        yes(interface.is_chosen),
    ]
}

fn mount(mount: &MountUsage) -> [String; 5] {
    [
        mount.path.clone(),
        mount.filesystem.clone(),
        si(mount.total_bytes, "B"),
        si(mount.available_bytes, "B"),
        mount
            .used_percent()
            .map_or_else(String::new, |percent| format!("{percent:.0} %")),
    ]
}

/// How a value is called on the wire.
fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

/// A value with an SI prefix, such as `2.5 Gbit/s`.
fn si(value: u64, unit: &str) -> String {
    let prefixes = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let value = value as f64;
    match prefixes.iter().find(|(factor, _)| value >= *factor) {
        Some((factor, prefix)) => {
            let number = format!("{:.1}", value / factor);
            format!("{} {prefix}{unit}", number.trim_end_matches(".0"))
        }
        None => format!("{value} {unit}"),
    }
}

fn columns<const N: usize>(
    header: &[String; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let rows: Vec<[String; N]> = rows.collect();
    let all = || std::iter::once(header).chain(&rows);
    let widths: Vec<usize> = (0..N)
        .map(|at| {
            all()
                .filter_map(|row| row.get(at))
                .map(|cell| cell.chars().count())
                .max()
        })
        .map(Option::unwrap_or_default)
        .collect();
    let mut text = String::new();
    for row in all() {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_in_si() {
        for (value, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (2_500_000_000, "2.5 GB"),
            (1_000_000, "1 MB"),
        ] {
            assert_eq!(si(value, "B"), expected);
        }
    }

    #[test]
    fn columns_line_up() {
        let header = ["A".to_owned(), "B".to_owned()];
        let rows = [
            ["long".to_owned(), "x".to_owned()],
            ["é".to_owned(), String::new()],
        ];
        assert_eq!(
            columns(&header, rows.into_iter()),
            "  A     B\n  long  x\n  é\n"
        );
    }
}
