//! What `docs/filter.md` says is what happens.

use std::net::IpAddr;

use bwmon_core::filter::{Field, Fields, Filter, Subject, Vlan};
use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::protocol;

const PAGE: &str = include_str!("../../../docs/filter.md");

/// A row of the table of flows, its cells as they stand there.
struct Row {
    cells: Vec<String>,
}

impl Row {
    fn cell(&self, at: usize) -> &str {
        &self.cells[at]
    }

    fn end(&self, at: usize) -> (IpAddr, Option<u16>) {
        let (address, port) = match self.cell(at).split_once(" port ") {
            Some((address, port)) => (address, Some(port.parse().expect("a port"))),
            None => (self.cell(at), None),
        };
        (address.parse().expect("an address"), port)
    }

    fn tally(&self, at: usize) -> Tally {
        let cell = self.cell(at);
        let (bytes, packets) = cell.split_once(" in ").expect("bytes in packets");
        let packets = packets.strip_suffix(" packets").expect("packets");
        Tally {
            bytes: amount(bytes),
            packets: amount(packets),
        }
    }
}

impl Subject for Row {
    const FIELDS: Fields = Fields::ALL;

    fn host(&self) -> Option<&str> {
        Some(self.cell(1))
    }

    fn interface(&self) -> Option<&str> {
        Some(self.cell(2))
    }

    fn local(&self) -> Option<IpAddr> {
        Some(self.end(4).0)
    }

    fn remote(&self) -> Option<IpAddr> {
        Some(self.end(5).0)
    }

    fn local_port(&self) -> Option<u16> {
        self.end(4).1
    }

    fn remote_port(&self) -> Option<u16> {
        self.end(5).1
    }

    fn protocol(&self) -> Option<u8> {
        Some(protocol::number(self.cell(3)).expect("a protocol"))
    }

    fn vlan(&self) -> Option<Vlan> {
        match self.cell(6) {
            "not known" => None,
            "none" => Some(Vlan::Untagged),
            number => Some(Vlan::Tagged(number.parse().expect("a VLAN"))),
        }
    }

    fn traffic(&self) -> Option<PerDirection<Tally>> {
        Some(PerDirection {
            ingress: self.tally(7),
            egress: self.tally(8),
        })
    }
}

#[test]
fn each_example_finds_the_flows_that_it_says() {
    let flows: Vec<Row> = table("| flow |")
        .into_iter()
        .map(|cells| Row { cells })
        .collect();
    assert_eq!(flows.len(), 5);
    let examples = table("| filter |");
    assert!(examples.len() > 20, "the table of examples was not found");
    for example in examples {
        let text = code(&example[0]).expect("a filter in backquotes");
        let filter: Filter = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let found: Vec<&str> = flows
            .iter()
            .filter(|flow| filter.matches(*flow))
            .map(|flow| flow.cell(0))
            .collect();
        assert_eq!(found.join(", "), example[1], "{text}");
    }
}

#[test]
fn the_table_of_fields_is_the_list_of_fields() {
    let told: Vec<(String, Vec<String>, bool)> = table("| field |")
        .iter()
        .map(|cells| {
            let names = cells[1]
                .split_whitespace()
                .filter_map(code)
                .map(str::to_owned);
            let has_order = cells[3].contains("`<`");
            (
                code(&cells[0]).expect("a name").to_owned(),
                names.collect(),
                has_order,
            )
        })
        .collect();
    let known: Vec<(String, Vec<String>, bool)> = Field::ALL
        .iter()
        .map(|field| {
            let names = field
                .aliases()
                .iter()
                .map(|name| (*name).to_owned())
                .collect();
            let has_order = format!("{field} < 1").parse::<Filter>().is_ok();
            (field.name().to_owned(), names, has_order)
        })
        .collect();
    assert_eq!(told, known);
}

#[test]
fn the_mistake_is_shown_as_the_page_shows_it() {
    let shown = PAGE
        .split("```text\n")
        .filter_map(|block| block.split_once("\n```"))
        .map(|(block, _)| block.lines().collect::<Vec<_>>())
        .filter(|lines| lines.len() == 3);
    let mut count = 0;
    for lines in shown {
        let error = lines[0].parse::<Filter>().expect_err("a mistake");
        assert_eq!(error.excerpt(lines[0]), lines[..2].join("\n"));
        assert_eq!(error.message, lines[2]);
        count += 1;
    }
    assert_eq!(count, 1);
}

/// What the page says in prose of tcpdump's habits.
#[test]
fn what_differs_from_tcpdump_is_as_told() {
    for (text, is_filter) in [
        ("tcp port 443 and not ip 10.0.0.0/8", true),
        ("src 192.0.2.7", false),
        ("host 192.0.2.7", false),
        ("port 80 or 443", false),
        ("ip", false),
        ("ip6", false),
        ("protocol = ipv6", true),
        ("vlan", false),
    ] {
        assert_eq!(text.parse::<Filter>().is_ok(), is_filter, "{text}");
    }
}

/// The rows of the table whose head starts so, as cells.
fn table(head: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    PAGE.lines()
        .skip_while(|line| !line.starts_with(head))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .collect()
}

fn code(text: &str) -> Option<&str> {
    text.strip_prefix('`')?.strip_suffix('`')
}

/// A number with the units that the table of flows uses.
fn amount(text: &str) -> u64 {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let scale = match unit {
        "" | "B" => 1.0,
        "k" | "kB" => 1e3,
        "M" | "MB" => 1e6,
        "GB" => 1e9,
        other => panic!("no such unit: {other}"),
    };
    let number: f64 = number.parse().expect("a number");
    format!("{}", number * scale)
        .parse()
        .expect("a whole number")
}
