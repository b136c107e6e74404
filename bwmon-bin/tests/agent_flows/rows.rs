//! What is counted, by each view, and that nothing is left out of the sums.

use serde_json::{Value, json};

use crate::capture::{Capture, sample, udp};
use crate::run::document;

const PAIR: [&str; 6] = ["a", "b", "packets_ab", "bytes_ab", "packets_ba", "bytes_ba"];
const FLOW: [&str; 9] = [
    "protocol",
    "a",
    "a_port",
    "b",
    "b_port",
    "packets_ab",
    "bytes_ab",
    "packets_ba",
    "bytes_ba",
];
const SENT: [&str; 4] = [
    "packets_sent",
    "bytes_sent",
    "packets_received",
    "bytes_received",
];

/// The values of some fields of each row.
fn table(document: &Value, array: &str, fields: &[&str]) -> Value {
    let rows = document[array].as_array().unwrap();
    let row = |row: &Value| fields.iter().map(|field| row[field].clone()).collect();
    rows.iter().map(row).collect::<Vec<Value>>().into()
}

#[test]
fn pairs_have_every_frame_of_two_addresses_and_flows_those_with_ports() {
    let document = document(&sample(), &[]);
    assert_eq!(document["schema"], "bwmon-flows/1");
    assert!(
        document["file"]
            .as_str()
            .unwrap()
            .ends_with("/capture.pcap")
    );
    assert_eq!(document["complete"], true);
    assert_eq!(document["error"], Value::Null);
    assert_eq!(
        document["totals"],
        json!({
            "frames": 10, "bytes": 13_592,
            "ipv4_frames": 7, "ipv4_bytes": 13_312,
            "ipv6_frames": 1, "ipv6_bytes": 200,
            "non_ip_frames": 1, "non_ip_bytes": 60,
            "malformed_frames": 1, "malformed_bytes": 20,
        })
    );
    assert_eq!(
        table(&document, "pairs", &PAIR),
        json!([
            ["10.0.0.1", "192.0.2.10", 3, 2_098, 1, 9_000],
            ["10.0.0.3", "10.0.0.4", 2, 2_114, 0, 0],
            ["2001:db8::1", "2001:db8::2", 1, 200, 0, 0],
            ["10.0.0.1", "10.0.0.2", 0, 0, 1, 100],
        ])
    );
    assert_eq!(
        table(&document, "flows", &FLOW),
        json!([
            [
                "tcp",
                "10.0.0.1",
                50_000,
                "192.0.2.10",
                443,
                2,
                2_000,
                1,
                9_000
            ],
            ["udp", "10.0.0.3", 1_000, "10.0.0.4", 2_000, 1, 1_514, 0, 0],
            ["udp", "2001:db8::1", 4_000, "2001:db8::2", 53, 1, 200, 0, 0],
            ["udp", "10.0.0.1", 53, "10.0.0.2", 5_353, 0, 0, 1, 100],
        ])
    );
    assert_eq!(
        document["without_ports"],
        json!({"packets": 2, "bytes": 698})
    );
    assert_eq!(
        document["window"],
        json!({"start_us": 1_700_000_000_100_000_u64, "duration_us": 3_800_000})
    );
    let first_flow = &document["flows"][0];
    assert_eq!(first_flow["first_us"], 1_700_000_000_100_000_u64);
    assert_eq!(first_flow["last_us"], 1_700_000_001_100_000_u64);
}

#[test]
fn other_views_come_besides() {
    let by = |view| document(&sample(), &["--by", view]);
    let hosts = by("host");
    assert_eq!(
        table(&hosts, "hosts", &[["address"].as_slice(), &SENT].concat()),
        json!([
            ["10.0.0.1", 3, 2_098, 2, 9_100],
            ["192.0.2.10", 1, 9_000, 3, 2_098],
            ["10.0.0.3", 2, 2_114, 0, 0],
            ["10.0.0.4", 0, 0, 2, 2_114],
            ["2001:db8::1", 1, 200, 0, 0],
            ["2001:db8::2", 0, 0, 1, 200],
            ["10.0.0.2", 1, 100, 0, 0],
        ])
    );
    assert_eq!(
        table(
            &by("port"),
            "ports",
            &[["protocol", "port"].as_slice(), &SENT].concat()
        ),
        json!([
            ["tcp", 443, 1, 9_000, 2, 2_000],
            ["udp", 1_000, 1, 1_514, 0, 0],
            ["udp", null, 1, 600, 0, 0],
            ["udp", 53, 0, 0, 2, 300],
            ["icmp", null, 1, 98, 0, 0],
        ])
    );
    let each = ["packets", "bytes"].as_slice();
    assert_eq!(
        table(
            &by("protocol"),
            "protocols",
            &[["protocol", "number"].as_slice(), each].concat()
        ),
        json!([
            ["tcp", 6, 3, 11_000],
            ["udp", 17, 4, 2_414],
            ["icmp", 1, 1, 98]
        ])
    );
    assert_eq!(
        table(&by("vlan"), "vlans", &[["vlan"].as_slice(), each].concat()),
        json!([[null, 7, 13_412], [7, 1, 100]])
    );
    assert_eq!(hosts["pairs"].as_array().unwrap().len(), 4);
    assert!(by("pair")["hosts"].is_null());
}

/// What the rows of an array and their rest sum to, in packets and bytes.
fn sum(document: &Value, array: &str) -> (u64, u64) {
    let of = |row: &Value, unit: &str| -> u64 {
        let fields = row.as_object().unwrap().iter();
        fields
            .filter(|(name, _)| name.starts_with(unit))
            .map(|(_, value)| value.as_u64().unwrap())
            .sum()
    };
    let rows = document[array].as_array().unwrap();
    let rows = rows.iter().chain([&document["rest"][array]]);
    rows.fold((0, 0), |(packets, bytes), row| {
        (packets + of(row, "packets"), bytes + of(row, "bytes"))
    })
}

#[test]
fn rows_and_rest_sum_to_the_totals_however_few_are_shown() {
    for top in ["0", "1", "2", "3", "4", "100", "all"] {
        for (view, array, times) in [
            ("pair", "pairs", 1),
            ("host", "hosts", 2),
            ("port", "ports", 1),
            ("protocol", "protocols", 1),
            ("vlan", "vlans", 1),
        ] {
            let document = document(&sample(), &["--top", top, "--by", view]);
            assert_eq!(
                sum(&document, array),
                (8 * times, 13_512 * times),
                "{array} {top}"
            );
            let (packets, bytes) = sum(&document, "flows");
            assert_eq!((packets + 2, bytes + 698), (8, 13_512), "flows {top}");
            let most: usize = top.parse().unwrap_or(usize::MAX);
            let rows = document[array].as_array().unwrap().len();
            let rest = document["rest"][array]["rows"].as_u64().unwrap();
            assert!(rows <= most, "{array} {top}");
            assert!(rest == 0 || rows == most, "{array} {top}");
            assert_eq!(document["totals"]["bytes"], 13_592);
        }
    }
}

#[test]
fn a_full_table_is_told_and_the_sums_hold() {
    let mut capture = Capture::new();
    for n in 0..40_000_u64 {
        let (host, port) = (n / 60_000, n % 60_000 + 1);
        let frame = udp(&format!("10.1.0.{host}:{port}"), "10.0.0.1:53");
        capture = capture.frame(n, 100, &frame);
    }
    let few = ["--max-memory", "1MiB", "--top", "3"];
    let document = document(&capture, &few);
    let overflow = document["overflow_bytes"].as_u64().unwrap();
    assert!(overflow > 0, "{document}");
    let (packets, bytes) = sum(&document, "flows");
    assert_eq!(bytes + overflow, 4_000_000);
    assert_eq!(
        packets + document["overflow_frames"].as_u64().unwrap(),
        40_000
    );
    assert_eq!(document["totals"]["ipv4_bytes"], 4_000_000);

    let table = crate::run::printed(&capture, &few);
    assert!(table.contains("\nFlows without room: "), "{table}");
    let folder = crate::run::folder_with(capture.bytes());
    let path = folder.path().join("capture.pcap");
    let csv = crate::run::over(&path, &[few.as_slice(), &["--format", "csv"]].concat());
    let errors = crate::run::text(&csv.stderr);
    assert!(errors.contains("raise --max-memory"), "{errors}");
}

#[test]
fn a_filter_leaves_out_rows_and_no_byte() {
    for (filter, pairs, flows) in [
        ("tcp", 11_000, 11_000),
        ("udp port 53", 300, 300),
        ("vlan = 7", 100, 100),
        ("vlan = none and ip 10.0.0.0/8", 13_212, 12_514),
        ("icmp or version 6", 298, 200),
        ("bytes >= 1514 and not tcp", 1_514, 1_514),
        ("port >= 0", 12_814, 12_814),
        ("ip = 203.0.113.1", 0, 0),
    ] {
        for top in ["1", "all"] {
            let document = document(&sample(), &["--filter", filter, "--top", top]);
            assert_eq!(document["totals"]["bytes"], 13_592, "{filter}");
            assert_eq!(document["filter"]["text"], filter);
            assert_eq!(sum(&document, "pairs").1, pairs, "{filter}");
            assert_eq!(sum(&document, "flows").1, flows, "{filter}");
            assert_eq!(
                document["without_ports"]["bytes"],
                pairs - flows,
                "{filter}"
            );
            assert_eq!(
                document["filter"]["left_out"]["bytes"],
                13_512 - pairs,
                "{filter}"
            );
        }
    }
}

#[test]
fn the_table_says_what_the_filter_leaves_out() {
    let table = crate::run::printed(&sample(), &["--filter", "icmp"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].starts_with("icmp  10.0.0.1 "), "{table}");
    assert_eq!(
        lines[2],
        "Left out by the filter: 13.4 kB in 7 frames, 98.7 %"
    );
    assert!(table.contains("\nAll            10  13.6 kB "), "{table}");
}

#[test]
fn a_wrong_filter_is_shown_with_the_place() {
    let folder = crate::run::folder_with(sample().bytes());
    let path = folder.path().join("capture.pcap");
    for (filter, message) in [
        ("tcp and prot 443", "`prot` is no field"),
        // A file does not say which end is the host's.
        ("tcp and local.port 443", "local.port"),
    ] {
        let output = crate::run::over(&path, &["--filter", filter]);
        assert_eq!(output.status.code(), Some(1));
        let errors = crate::run::text(&output.stderr);
        let place = format!("{filter}\n        ^^^^");
        assert!(
            errors.contains(message) && errors.contains(&place),
            "{errors}"
        );
    }
}
