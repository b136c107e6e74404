//! Seeds of the wire model.

use std::net::IpAddr;

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::report::{
    CaptureMethod, CaptureStatus, Conservation, Document, DropReason, Dropped, Epoch, EpochStart,
    FlowRow, HostMetrics, InterfaceInterval, Interval, Record, RecordBody, SCHEMA,
};
use bwmon_core::time::{Timestamp, Window};

use super::files::{cut, kept, replay};
use super::oracles::report_json::check;

#[test]
fn report_seeds_are_in_git_and_mean_what_they_say() {
    for (name, bytes, is_readable) in report_seeds() {
        assert_eq!(kept("report_json", name, &bytes), bytes, "{name}");
        let read = serde_json::from_slice::<Document>(&bytes);
        assert_eq!(read.is_ok(), is_readable, "{name}: {read:?}");
    }
}

#[test]
fn every_report_of_the_corpus_keeps_the_laws() {
    let count = replay("report_json", check);
    assert!(count >= report_seeds().len());
}

fn report_seeds() -> Vec<(&'static str, Vec<u8>, bool)> {
    let full = document(vec![
        record(1, RecordBody::EpochStart(EpochStart::default())),
        record(2, RecordBody::Report(Box::new(interval()))),
        record(
            5,
            RecordBody::Dropped(Dropped {
                from_seq: 3,
                reports: 3,
                reason: DropReason::QueueFull,
            }),
        ),
    ]);
    let text = String::from_utf8(full.clone()).unwrap();
    let empty = document(Vec::new());
    let unknown = text.replace("\"seq\"", "\"colour\":{\"deep\":[1,2]},\"seq\"");
    let reason = text.replace("queue_full", "a_reason_from_a_newer_agent");
    let negative = text.replace("\"from_seq\":3", "\"from_seq\":-3");
    let port = text.replace("\"remote_port\":443", "\"remote_port\":65536");
    let name = text.replace("\"eth0\"", &format!("\"{}\"", "e".repeat(300)));
    let late = text.replace(
        "\"last_us\":1795000001000000",
        "\"last_us\":18446744073709551615",
    );
    assert_ne!(late, text);
    let cut_off = cut(&full, full.len() / 2);
    vec![
        ("three-records", full, true),
        ("no-records", empty, true),
        ("time-beyond-2554", late.into_bytes(), true),
        ("unknown-field", unknown.into_bytes(), true),
        ("unknown-reason", reason.into_bytes(), true),
        ("negative-sequence", negative.into_bytes(), false),
        ("port-out-of-range", port.into_bytes(), false),
        ("interface-name-too-long", name.into_bytes(), false),
        ("cut-off", cut_off, false),
        ("deep-nesting", b"[".repeat(200), false),
    ]
}

pub(super) fn interval() -> Interval {
    let tally = |bytes, packets| Tally { bytes, packets };
    let traffic = PerDirection {
        ingress: tally(1_500, 2),
        egress: tally(120, 1),
    };
    let mut interface = InterfaceInterval::default();
    interface.facts.name = "eth0".to_owned();
    interface.kernel = Some(PerDirection::default());
    interface.conservation = Some(PerDirection {
        ingress: Conservation {
            residual_bytes: Some(-60),
            ..Conservation::default()
        },
        egress: Conservation::default(),
    });
    Interval {
        window: Window {
            start: Timestamp::from_secs(1_795_000_000),
            duration_us: 2_000_000,
        },
        host: Some(HostMetrics::default()),
        interfaces: vec![interface],
        flows: vec![FlowRow {
            interface: Some("eth0".to_owned()),
            protocol: 6,
            local: IpAddr::from([10, 0, 0, 1]),
            local_port: 49_152,
            remote: IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7]),
            remote_port: 443,
            traffic,
            first: Timestamp::from_secs(1_795_000_000),
            last: Timestamp::from_secs(1_795_000_001),
            tcp_flags: 0x12,
        }],
        capture: CaptureStatus {
            method: CaptureMethod::AfPacket,
            ..CaptureStatus::default()
        },
        ..Interval::default()
    }
}

pub(super) fn record(seq: u64, body: RecordBody) -> Record {
    Record {
        epoch: Epoch(0x6f1d_0c3b_5a29_48e7_b1c4_d5e6_f7a8_b9c0),
        seq,
        body,
    }
}

fn document(records: Vec<Record>) -> Vec<u8> {
    let document = Document {
        schema: SCHEMA,
        records,
    };
    serde_json::to_vec(&document).unwrap()
}
