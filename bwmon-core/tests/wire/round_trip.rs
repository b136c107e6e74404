//! Any value of the model comes back as it was.

use std::net::IpAddr;

use bwmon_core::frame::{InterfaceId, PerDirection, Tally};
use bwmon_core::report::wire::{decode, decode_receipt, encode, encode_receipt, encode_records};
use bwmon_core::report::*;
use bwmon_core::time::{Timestamp, Window};
use proptest::array::uniform2;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::values::{DROP_REASONS, full_document, full_receipt};

#[test]
fn a_document_with_everything_comes_back() {
    let document = full_document();
    let bytes = encode(&document);
    assert_eq!(bytes, encode_records(&document.records));
    let decoded = decode(&bytes).unwrap();
    assert_eq!((decoded.document, decoded.unknown_fields), (document, 0));
    let receipt = full_receipt();
    assert_eq!(decode_receipt(&encode_receipt(&receipt)).unwrap(), receipt);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_document_comes_back(document in any_document()) {
        let decoded = decode(&encode(&document)).unwrap();
        prop_assert_eq!(decoded.unknown_fields, 0);
        prop_assert_eq!(&decoded.document, &document);
        // What the two encodings say is the same.
        prop_assert_eq!(
            serde_json::to_string(&decoded.document).unwrap(),
            serde_json::to_string(&document).unwrap()
        );
    }

    #[test]
    fn any_receipt_comes_back(receipt in any_receipt()) {
        prop_assert_eq!(decode_receipt(&encode_receipt(&receipt)).unwrap(), receipt);
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        let _ = decode_receipt(&bytes);
    }

    #[test]
    fn a_flipped_byte_is_refused_or_read(at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = encode(&full_document());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(decoded) = decode(&bytes) {
            let again = encode(&decoded.document);
            prop_assert_eq!(encode(&decode(&again).unwrap().document), again);
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    "[a-zé\\PC]{0,20}"
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (0..=u64::MAX / 1_000).prop_map(Timestamp::from_micros)
}

fn tally() -> impl Strategy<Value = Tally> {
    any::<[u64; 2]>().prop_map(|[bytes, packets]| Tally { bytes, packets })
}

fn both<T: std::fmt::Debug>(
    side: impl Strategy<Value = T>,
) -> impl Strategy<Value = PerDirection<T>> {
    uniform2(side).prop_map(|[ingress, egress]| PerDirection { ingress, egress })
}

fn window() -> impl Strategy<Value = Window> {
    (moment(), any::<u64>()).prop_map(|(start, duration_us)| Window { start, duration_us })
}

prop_compose! {
    fn flow()(
        interface in option::of(prop_oneof![Just("eth0".to_owned()), text()]),
        protocol: u8,
        // Few addresses, so that some come again.
        [local, remote] in uniform2(prop_oneof![any::<IpAddr>(), (0_u8..4).prop_map(|last| IpAddr::from([10, 0, 0, last]))]),
        [local_port, remote_port]: [u16; 2],
        traffic in both(tally()),
        [first, last] in uniform2(moment()),
        tcp_flags: u8,
    ) -> FlowRow {
        FlowRow { interface, protocol, local, local_port, remote, remote_port, traffic, first, last, tcp_flags }
    }
}

fn host() -> impl Strategy<Value = HostMetrics> {
    let facts =
        (uniform2(text()), vec(any::<IpAddr>(), 0..3)).prop_map(|([hostname, os], addresses)| {
            HostFacts {
                kernel: os.clone(),
                boot_id: hostname.clone(),
                agent_version: os.clone(),
                hostname,
                os,
                addresses,
            }
        });
    let finite = -1.0e30_f32..1.0e30;
    let cpu =
        (finite.clone(), vec(finite, 0..4)).prop_map(|(total_percent, cores_percent)| CpuUsage {
            total_percent,
            cores_percent,
        });
    let load = (0_f64..1.0e9).prop_map(|one| LoadAverage {
        one,
        five: one / 2.0,
        fifteen: 0.0,
    });
    let memory = any::<[u64; 5]>().prop_map(|n| MemoryUsage {
        total_bytes: n[0],
        used_bytes: n[1],
        available_bytes: n[2],
        swap_total_bytes: n[3],
        swap_used_bytes: n[4],
    });
    let mount = (text(), any::<[u64; 3]>()).prop_map(|(path, n)| MountUsage {
        device: path.clone(),
        filesystem: String::new(),
        path,
        total_bytes: n[0],
        used_bytes: n[1],
        available_bytes: n[2],
    });
    let counters = any::<[u64; 4]>().prop_map(|n| DiskCounters {
        read_bytes: n[0],
        written_bytes: n[1],
        reads: n[2],
        writes: n[3],
    });
    let disk =
        (text(), option::of(counters)).prop_map(|(name, delta)| DiskInterval { name, delta });
    (
        facts,
        any::<u64>(),
        option::of(cpu),
        option::of(load),
        (option::of(memory), option::of(0_f32..=100.0)),
        vec(mount, 0..3),
        vec(disk, 0..3),
    )
        .prop_map(
            |(facts, uptime_s, cpu, load, (memory, memory_percent), mounts, disks)| HostMetrics {
                facts,
                uptime_s,
                cpu,
                load,
                memory,
                memory_percent,
                mounts,
                disks,
            },
        )
}

fn interface_facts() -> impl Strategy<Value = InterfaceFacts> {
    use InterfaceKind::*;
    use OperState::*;
    let kind = prop::sample::select(vec![
        Physical, Wireless, Loopback, Bridge, Bond, Vlan, Veth, Tunnel, Other,
    ]);
    let state = prop::sample::select(vec![Up, Down, Dormant, LowerLayerDown, Unknown]);
    (
        any::<u32>(),
        text(),
        kind,
        state,
        any::<Option<u64>>(),
        any::<[bool; 2]>(),
        vec(text(), 0..3),
    )
        .prop_map(
            |(id, name, kind, state, speed_bps, [has_default_route, is_uplink], stacked_on)| {
                InterfaceFacts {
                    id: InterfaceId(id),
                    name,
                    kind,
                    state,
                    speed_bps,
                    stacked_on,
                    has_default_route,
                    is_uplink,
                }
            },
        )
}

fn interface() -> impl Strategy<Value = InterfaceInterval> {
    let kernel = any::<[u64; 4]>().prop_map(|n| KernelCounters {
        bytes: n[0],
        packets: n[1],
        errors: n[2],
        drops: n[3],
    });
    let terms = [tally(), tally(), tally(), tally()].prop_map(
        |[attributed, overflow, non_ip, malformed]| Terms {
            attributed,
            overflow,
            non_ip,
            malformed,
        },
    );
    let conservation =
        (terms, any::<Option<i64>>()).prop_map(|(terms, residual_bytes)| Conservation {
            terms,
            residual_bytes,
        });
    let non_ip =
        (any::<u16>(), tally()).prop_map(|(ethertype, tally)| NonIpCount { ethertype, tally });
    let malformed = (text(), text(), tally()).prop_map(|(layer, reason, tally)| UnparsedCount {
        layer,
        reason,
        tally,
    });
    (
        interface_facts(),
        option::of(both(kernel)),
        option::of(both(conservation)),
        vec(non_ip, 0..3),
        vec(malformed, 0..3),
    )
        .prop_map(
            |(facts, kernel, conservation, non_ip, malformed)| InterfaceInterval {
                facts,
                kernel,
                conservation,
                non_ip,
                malformed,
            },
        )
}

fn capture() -> impl Strategy<Value = CaptureStatus> {
    use CaptureMethod::*;
    let method = prop::sample::select(vec![AfPacket, Libpcap, SockDiag, HostPairs, Counters]);
    (method, option::of(text()), vec(text(), 0..3)).prop_map(|(method, note, interfaces)| {
        CaptureStatus {
            method,
            note,
            interfaces,
        }
    })
}

fn probe() -> impl Strategy<Value = ProbeResult> {
    let kind = prop::sample::select(vec![
        ProbeKind::Icmp,
        ProbeKind::TcpConnect,
        ProbeKind::Other,
    ]);
    (
        any::<IpAddr>(),
        kind,
        any::<[u32; 2]>(),
        any::<[Option<u32>; 3]>(),
    )
        .prop_map(
            |(target, kind, [sent, lost], [min_us, mean_us, max_us])| ProbeResult {
                target,
                kind,
                sent,
                lost,
                min_us,
                mean_us,
                max_us,
            },
        )
}

prop_compose! {
    fn interval()(
        window in window(),
        host in option::of(host()),
        interfaces in vec(interface(), 0..3),
        flows in vec(flow(), 0..8),
        overflow_without_interface in both(tally()),
        capture in capture(),
        losses in vec((text(), option::of(text()), any::<[u64; 2]>()), 0..3),
        probes in vec(probe(), 0..3),
        merged_windows: u32,
        clocks in option::of((any::<[u64; 3]>(), any::<i64>())),
        flows_lost in option::of((any::<u64>(), drop_reason())),
    ) -> Interval {
        let losses = losses.into_iter().map(|(source, interface, [received, dropped])| CaptureLoss {
            source, interface, received, dropped,
        });
        let clocks = clocks.map(|([since_boot_us, suspended_us, process_started_us], moved_us)| {
            ClockReading { since_boot_us, suspended_us, process_started_us, moved_us }
        });
        Interval {
            window, host, interfaces, flows, overflow_without_interface, capture,
            losses: losses.collect(), probes, merged_windows, clocks,
            flows_lost: flows_lost.map(|(rows, reason)| FlowsLost { rows, reason }),
        }
    }
}

fn drop_reason() -> impl Strategy<Value = DropReason> {
    prop::sample::select(DROP_REASONS.to_vec())
}

fn any_document() -> impl Strategy<Value = Document> {
    let dropped = (any::<[u64; 2]>(), drop_reason()).prop_map(|([from_seq, reports], reason)| {
        RecordBody::Dropped(Dropped {
            from_seq,
            reports,
            reason,
        })
    });
    let start = (moment(), any::<Option<u128>>()).prop_map(|(started, previous)| {
        RecordBody::EpochStart(EpochStart {
            started,
            previous: previous.map(Epoch),
        })
    });
    let body = prop_oneof![
        3 => interval().prop_map(|interval| RecordBody::Report(Box::new(interval))),
        1 => dropped,
        1 => start,
    ];
    let record = (any::<u128>(), any::<u64>(), body).prop_map(|(epoch, seq, body)| Record {
        epoch: Epoch(epoch),
        seq,
        body,
    });
    vec(record, 0..4).prop_map(|records| Document {
        schema: SCHEMA,
        records,
    })
}

fn any_receipt() -> impl Strategy<Value = Receipt> {
    let fate = prop_oneof![
        Just(Fate::Stored),
        Just(Fate::Duplicate),
        text().prop_map(Fate::Refused)
    ];
    let stream = (
        any::<[u128; 2]>(),
        any::<u64>(),
        vec(any::<(u64, u64)>(), 0..4),
    )
        .prop_map(|([agent, epoch], through, missing)| StreamState {
            agent: AgentId(agent),
            epoch: Epoch(epoch),
            through,
            missing,
        });
    (
        vec(fate, 0..5),
        vec(stream, 0..3),
        any::<Option<u32>>(),
        option::of(moment()),
    )
        .prop_map(|(fates, streams, credit, server_time)| {
            let mut receipt = Receipt::new(fates);
            (receipt.streams, receipt.credit, receipt.server_time) = (streams, credit, server_time);
            receipt
        })
}
