//! The compact encoding. Any bytes are refused or read without a panic and within the bounds, what was read
//! is written and read again as the same, and a document that a recipe makes says the same in JSON.

use std::net::IpAddr;

use bwmon_core::frame::{InterfaceId, PerDirection, Tally};
use bwmon_core::report::wire::{decode, decode_receipt, encode, encode_receipt};
use bwmon_core::report::{
    CaptureLoss, CaptureMethod, CaptureStatus, ClockReading, Conservation, CpuUsage, DiskCounters,
    DiskInterval, Document, DropReason, Dropped, Epoch, EpochStart, FlowRow, FlowsLost,
    HostMetrics, InterfaceInterval, InterfaceKind, Interval, KernelCounters, LoadAverage,
    MemoryUsage, MountUsage, NonIpCount, OperState, ProbeKind, ProbeResult, Record, RecordBody,
    SCHEMA, Terms, UnparsedCount, bounds,
};
use bwmon_core::time::{Timestamp, Window};

use super::recipe::Recipe;

/// Microseconds that a moment holds at most.
const LAST_MICROSECOND: u64 = u64::MAX / 1_000;

pub fn check(bytes: &[u8]) {
    read(bytes);
    receipt(bytes);
    both_encodings(&document(&mut Recipe::new(bytes)));
}

fn read(bytes: &[u8]) {
    let Ok(decoded) = decode(bytes) else { return };
    let document = decoded.document;
    assert!(decoded.memory_bytes <= bounds::DOCUMENT_MEMORY);
    assert!(document.records.len() <= bounds::RECORDS);
    for record in &document.records {
        if let RecordBody::Report(interval) = &record.body {
            assert!(interval.flows.len() <= bounds::FLOWS);
            assert!(interval.interfaces.len() <= bounds::PARTS);
        }
    }
    let written = encode(&document);
    let again = decode(&written).expect("what was written can be read");
    assert_eq!(again.unknown_fields, 0);
    // Times beyond the year 2554 are cut to it: once.
    assert_eq!(encode(&again.document), written);
    serde_json::to_vec(&document).expect("what was read can be written as JSON");
}

fn receipt(bytes: &[u8]) {
    if let Ok(receipt) = decode_receipt(bytes) {
        let written = encode_receipt(&receipt);
        let again = decode_receipt(&written).expect("what was written can be read");
        assert_eq!(encode_receipt(&again), written);
    }
}

fn both_encodings(document: &Document) {
    let decoded = decode(&encode(document)).expect("what was written can be read");
    assert_eq!((&decoded.document, decoded.unknown_fields), (document, 0));
    let json = serde_json::to_vec(document).expect("a document can be written as JSON");
    let from_json: Document = serde_json::from_slice(&json).expect("and be read");
    assert_eq!(from_json, decoded.document);
}

fn document(recipe: &mut Recipe<'_>) -> Document {
    let records = (0..recipe.below(4)).map(|_| Record {
        epoch: Epoch(recipe.number()),
        seq: recipe.number(),
        body: body(recipe),
    });
    Document {
        schema: SCHEMA,
        records: records.collect(),
    }
}

fn body(recipe: &mut Recipe<'_>) -> RecordBody {
    match recipe.below(4) {
        0 | 1 => RecordBody::Report(Box::new(interval(recipe))),
        2 => RecordBody::Dropped(Dropped {
            from_seq: recipe.number(),
            reports: recipe.number(),
            reason: drop_reason(recipe),
        }),
        _ => RecordBody::EpochStart(EpochStart {
            started: moment(recipe),
            previous: optional(recipe, |recipe| Epoch(recipe.number())),
        }),
    }
}

fn interval(recipe: &mut Recipe<'_>) -> Interval {
    let method = recipe.choose(&[
        CaptureMethod::AfPacket,
        CaptureMethod::Libpcap,
        CaptureMethod::SockDiag,
        CaptureMethod::HostPairs,
        CaptureMethod::Counters,
    ]);
    Interval {
        window: Window {
            start: moment(recipe),
            duration_us: recipe.number(),
        },
        host: optional(recipe, host),
        interfaces: list(recipe, 3, interface),
        flows: list(recipe, 9, flow),
        overflow_without_interface: both(recipe, tally),
        capture: CaptureStatus {
            method,
            note: optional(recipe, text),
            interfaces: list(recipe, 3, text),
        },
        losses: list(recipe, 3, |recipe| CaptureLoss {
            source: text(recipe),
            interface: optional(recipe, text),
            received: recipe.number(),
            dropped: recipe.number(),
        }),
        probes: list(recipe, 3, |recipe| ProbeResult {
            target: address(recipe),
            kind: recipe.choose(&[ProbeKind::Icmp, ProbeKind::TcpConnect, ProbeKind::Other]),
            sent: recipe.number(),
            lost: recipe.number(),
            min_us: optional(recipe, |recipe| recipe.number()),
            mean_us: optional(recipe, |recipe| recipe.number()),
            max_us: optional(recipe, |recipe| recipe.number()),
        }),
        merged_windows: recipe.number(),
        clocks: optional(recipe, |recipe| ClockReading {
            since_boot_us: recipe.number(),
            suspended_us: recipe.number(),
            process_started_us: recipe.number(),
            moved_us: i64::from(recipe.byte()) - 128,
        }),
        flows_lost: optional(recipe, |recipe| FlowsLost {
            rows: recipe.number(),
            reason: drop_reason(recipe),
        }),
    }
}

fn drop_reason(recipe: &mut Recipe<'_>) -> DropReason {
    recipe.choose(&[
        DropReason::QueueFull,
        DropReason::Refused,
        DropReason::SpoolFull,
        DropReason::TooOld,
        DropReason::Damage,
        DropReason::NeverExisted,
        DropReason::Clock,
        DropReason::Other,
    ])
}

fn host(recipe: &mut Recipe<'_>) -> HostMetrics {
    let mut host = HostMetrics {
        uptime_s: recipe.number(),
        cpu: optional(recipe, |recipe| CpuUsage {
            total_percent: f32::from(recipe.byte()) / 4.0,
            cores_percent: list(recipe, 5, |recipe| f32::from(recipe.byte()) / 4.0),
        }),
        load: optional(recipe, |recipe| LoadAverage {
            one: f64::from(recipe.byte()) / 8.0,
            five: f64::from(recipe.byte()) / 8.0,
            fifteen: 0.0,
        }),
        memory: optional(recipe, |recipe| MemoryUsage {
            total_bytes: recipe.number(),
            used_bytes: recipe.number(),
            available_bytes: recipe.number(),
            swap_total_bytes: recipe.number(),
            swap_used_bytes: recipe.number(),
        }),
        memory_percent: optional(recipe, |recipe| f32::from(recipe.byte()) / 4.0),
        mounts: list(recipe, 3, |recipe| MountUsage {
            path: text(recipe),
            device: text(recipe),
            filesystem: text(recipe),
            total_bytes: recipe.number(),
            used_bytes: recipe.number(),
            available_bytes: recipe.number(),
        }),
        disks: list(recipe, 3, |recipe| DiskInterval {
            name: text(recipe),
            delta: optional(recipe, |recipe| DiskCounters {
                read_bytes: recipe.number(),
                written_bytes: recipe.number(),
                reads: recipe.number(),
                writes: recipe.number(),
            }),
        }),
        ..HostMetrics::default()
    };
    host.facts.hostname = text(recipe);
    host.facts.os = text(recipe);
    host.facts.kernel = text(recipe);
    host.facts.boot_id = text(recipe);
    host.facts.agent_version = text(recipe);
    host.facts.addresses = list(recipe, 3, address);
    host
}

fn interface(recipe: &mut Recipe<'_>) -> InterfaceInterval {
    let mut interface = InterfaceInterval {
        kernel: optional(recipe, |recipe| {
            both(recipe, |recipe| KernelCounters {
                bytes: recipe.number(),
                packets: recipe.number(),
                errors: recipe.number(),
                drops: recipe.number(),
            })
        }),
        conservation: optional(recipe, |recipe| {
            both(recipe, |recipe| Conservation {
                terms: Terms {
                    attributed: tally(recipe),
                    overflow: tally(recipe),
                    non_ip: tally(recipe),
                    malformed: tally(recipe),
                },
                residual_bytes: optional(recipe, |recipe| recipe.number()),
            })
        }),
        non_ip: list(recipe, 3, |recipe| NonIpCount {
            ethertype: recipe.number(),
            tally: tally(recipe),
        }),
        malformed: list(recipe, 3, |recipe| UnparsedCount {
            layer: text(recipe),
            reason: text(recipe),
            tally: tally(recipe),
        }),
        ..InterfaceInterval::default()
    };
    let facts = &mut interface.facts;
    facts.id = InterfaceId(recipe.number());
    facts.name = text(recipe);
    facts.kind = recipe.choose(&[
        InterfaceKind::Other,
        InterfaceKind::Physical,
        InterfaceKind::Wireless,
        InterfaceKind::Loopback,
        InterfaceKind::Bridge,
        InterfaceKind::Bond,
        InterfaceKind::Vlan,
        InterfaceKind::Veth,
        InterfaceKind::Tunnel,
    ]);
    facts.state = recipe.choose(&[
        OperState::Unknown,
        OperState::Up,
        OperState::Down,
        OperState::Dormant,
        OperState::LowerLayerDown,
    ]);
    facts.speed_bps = optional(recipe, |recipe| recipe.number());
    facts.stacked_on = list(recipe, 3, text);
    facts.has_default_route = recipe.flag();
    facts.is_uplink = recipe.flag();
    interface
}

fn flow(recipe: &mut Recipe<'_>) -> FlowRow {
    FlowRow {
        interface: optional(recipe, text),
        protocol: recipe.byte(),
        local: address(recipe),
        local_port: recipe.number(),
        remote: address(recipe),
        remote_port: recipe.number(),
        traffic: both(recipe, tally),
        first: moment(recipe),
        last: moment(recipe),
        tcp_flags: recipe.byte(),
    }
}

fn address(recipe: &mut Recipe<'_>) -> IpAddr {
    match recipe.below(3) {
        // Few, so that some come again.
        0 => IpAddr::from([10, 0, 0, recipe.below(4)]),
        1 => IpAddr::from(recipe.bytes::<4>()),
        _ => IpAddr::from(recipe.bytes::<16>()),
    }
}

fn tally(recipe: &mut Recipe<'_>) -> Tally {
    Tally {
        bytes: recipe.number(),
        packets: recipe.number(),
    }
}

fn moment(recipe: &mut Recipe<'_>) -> Timestamp {
    Timestamp::from_micros(recipe.number::<u64>() % (LAST_MICROSECOND + 1))
}

fn text(recipe: &mut Recipe<'_>) -> String {
    let length = recipe.below(5);
    (0..length).map(|_| char::from(recipe.byte())).collect()
}

fn both<T>(recipe: &mut Recipe<'_>, side: impl Fn(&mut Recipe<'_>) -> T) -> PerDirection<T> {
    PerDirection {
        ingress: side(recipe),
        egress: side(recipe),
    }
}

fn optional<T>(recipe: &mut Recipe<'_>, value: impl Fn(&mut Recipe<'_>) -> T) -> Option<T> {
    recipe.flag().then(|| value(recipe))
}

fn list<T>(recipe: &mut Recipe<'_>, below: u8, element: impl Fn(&mut Recipe<'_>) -> T) -> Vec<T> {
    (0..recipe.below(below)).map(|_| element(recipe)).collect()
}
