//! The worked example of docs/wire.md is what is written.

use std::net::IpAddr;
use std::time::Duration;

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::report::wire::{decode, encode};
use bwmon_core::report::{CaptureMethod, Document, FlowRow, Interval, Record, RecordBody, SCHEMA};
use bwmon_core::time::{Timestamp, Window};

use super::values::EPOCH;

#[test]
fn the_worked_example_is_what_is_written_byte_by_byte() {
    let page = include_str!("../../../docs/wire.md");
    let (_, rest) = page.split_once("```text\n08 01 ").unwrap();
    let (lines, _) = rest.split_once("```").unwrap();
    let lines = format!("08 01 {lines}");
    let hex = lines.lines().map(|line| line.split_once("  ").unwrap().0);
    let bytes: Vec<u8> = hex
        .flat_map(str::split_ascii_whitespace)
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    assert_eq!(decode(&bytes).unwrap().document, example());
    let written = encode(&example());
    assert_eq!(bytes, written, "{written:02x?}");
    let length = format!("{} bytes", bytes.len());
    assert!(page.contains(&length), "{length}");
    let json = serde_json::to_vec(&example()).unwrap();
    let length = format!("{} bytes", json.len());
    assert!(page.contains(&length), "{length}");
}

/// Two connections to one server, from one address, within two seconds.
fn example() -> Document {
    let start = Timestamp::from_secs(1_795_000_000);
    let row = |local_port, bytes| FlowRow {
        interface: Some("eth0".to_owned()),
        protocol: 6,
        local: IpAddr::from([192, 0, 2, 10]),
        local_port,
        remote: IpAddr::from([198, 51, 100, 7]),
        remote_port: 443,
        traffic: PerDirection {
            ingress: Tally { bytes, packets: 2 },
            egress: Tally::default(),
        },
        first: start,
        last: start.plus(Duration::from_micros(100)),
        tcp_flags: 0x18,
    };
    let mut interval = Interval {
        window: Window::new(start, Duration::from_secs(2)),
        flows: vec![row(50_000, 1_500), row(50_001, 300)],
        ..Interval::default()
    };
    interval.capture.method = CaptureMethod::AfPacket;
    Document {
        schema: SCHEMA,
        records: vec![Record {
            epoch: EPOCH,
            seq: 42,
            body: RecordBody::Report(Box::new(interval)),
        }],
    }
}
