//! Documents that have something in every field.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::report::{
    AgentId, CaptureLoss, CaptureMethod, ClockReading, Document, DropReason, Dropped, Epoch,
    EpochStart, Fate, FlowRow, FlowsLost, Interval, NonIpCount, ProbeKind, ProbeResult, Receipt,
    Record, RecordBody, SCHEMA, StreamState, UnparsedCount,
};
use bwmon_core::testkit;
use bwmon_core::time::Timestamp;

pub(crate) const EPOCH: Epoch = Epoch(0x6f1d_0c3b_5a29_48e7_b1c4_d5e6_f7a8_b9c0);

/// One record of each kind, the report with every field filled.
pub(crate) fn full_document() -> Document {
    let record = |seq, body| Record {
        epoch: EPOCH,
        seq,
        body,
    };
    Document {
        schema: SCHEMA,
        records: vec![
            record(
                1,
                RecordBody::EpochStart(EpochStart {
                    started: testkit::SAMPLE_START,
                    previous: Some(Epoch(7)),
                }),
            ),
            record(2, RecordBody::Report(Box::new(full_interval()))),
            record(
                5,
                RecordBody::Dropped(Dropped {
                    from_seq: 3,
                    reports: 3,
                    reason: DropReason::QueueFull,
                }),
            ),
        ],
    }
}

pub(crate) fn full_interval() -> Interval {
    let mut interval = testkit::interval();
    let tally = |bytes, packets| Tally { bytes, packets };
    interval.overflow_without_interface = PerDirection {
        ingress: tally(1_000, 3),
        egress: tally(70, 1),
    };
    interval.capture.method = CaptureMethod::Libpcap;
    interval.capture.note = Some("the ring needs CAP_NET_RAW".to_owned());
    interval.merged_windows = 2;
    interval.clocks = Some(ClockReading {
        since_boot_us: 86_402_000_000,
        suspended_us: 28_800_000_000,
        process_started_us: 3_600_000_000,
        moved_us: -90_000_000,
    });
    interval.flows_lost = Some(FlowsLost {
        rows: 4_096,
        reason: DropReason::SpoolFull,
    });
    interval.losses.push(CaptureLoss {
        source: "libpcap".to_owned(),
        interface: Some("eth0".to_owned()),
        received: 1_000_000,
        dropped: 17,
    });
    interval.probes.push(ProbeResult {
        target: Ipv6Addr::LOCALHOST.into(),
        kind: ProbeKind::TcpConnect,
        sent: 3,
        lost: 3,
        min_us: None,
        mean_us: None,
        max_us: None,
    });
    let host = interval.host.as_mut().unwrap();
    host.facts.addresses.push(Ipv6Addr::LOCALHOST.into());
    let interface = &mut interval.interfaces[0];
    interface.facts.stacked_on = vec!["eth1".to_owned(), "eth2".to_owned()];
    interface.non_ip = vec![NonIpCount {
        ethertype: 0x0806,
        tally: tally(60, 1),
    }];
    interface.malformed = vec![UnparsedCount {
        layer: "ipv4".to_owned(),
        reason: "truncated".to_owned(),
        tally: tally(14, 1),
    }];
    let conservation = interface.conservation.as_mut().unwrap();
    conservation.ingress.residual_bytes = Some(-60);
    conservation.egress.terms.overflow = tally(5, 1);
    conservation.egress.terms.non_ip = tally(60, 1);
    conservation.egress.terms.malformed = tally(14, 1);
    interval.flows = flows(&interval.flows[0]);
    interval
}

/// Rows over IPv4 and IPv6, with and without an interface, some before the window and backwards.
fn flows(row: &FlowRow) -> Vec<FlowRow> {
    let early = row.first.minus(Duration::from_millis(3));
    vec![
        row.clone(),
        FlowRow {
            interface: None,
            remote: Ipv6Addr::LOCALHOST.into(),
            first: row.last,
            last: early,
            ..row.clone()
        },
        FlowRow {
            interface: Some("wg0".to_owned()),
            protocol: 17,
            local: row.remote,
            remote: Ipv4Addr::BROADCAST.into(),
            remote_port: 53,
            tcp_flags: 0,
            traffic: PerDirection::default(),
            ..row.clone()
        },
    ]
}

pub(crate) const DROP_REASONS: [DropReason; 8] = [
    DropReason::Other,
    DropReason::QueueFull,
    DropReason::Refused,
    DropReason::SpoolFull,
    DropReason::TooOld,
    DropReason::Damage,
    DropReason::NeverExisted,
    DropReason::Clock,
];

/// One loss for each reason, and a report that lost its flow rows.
pub(crate) fn losses() -> Document {
    let dropped = |reason| {
        RecordBody::Dropped(Dropped {
            from_seq: 3,
            reports: 3,
            reason,
        })
    };
    let mut interval = testkit::interval();
    let lost = FlowsLost {
        rows: 1,
        reason: DropReason::Damage,
    };
    interval.lose_flows(lost, PerDirection::default());
    let bodies = DROP_REASONS.map(dropped).into_iter();
    let bodies = bodies.chain([RecordBody::Report(Box::new(interval))]);
    Document {
        schema: SCHEMA,
        records: (5..)
            .zip(bodies)
            .map(|(seq, body)| Record {
                epoch: EPOCH,
                seq,
                body,
            })
            .collect(),
    }
}

pub(crate) fn full_receipt() -> Receipt {
    let mut receipt = Receipt::new(vec![
        Fate::Stored,
        Fate::Duplicate,
        Fate::Refused("the sequence number is zero".to_owned()),
    ]);
    receipt.streams = vec![StreamState {
        agent: AgentId(0xa1),
        epoch: EPOCH,
        through: 300,
        missing: vec![(302, 304), (400, 400)],
    }];
    receipt.credit = Some(64);
    receipt.server_time = Some(Timestamp::from_micros(1_795_000_000_123_456));
    receipt
}
