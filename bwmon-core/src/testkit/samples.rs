use std::net::Ipv4Addr;
use std::time::Duration;

use crate::frame::{InterfaceId, PerDirection, Tally};
use crate::report::{
    AgentId, CaptureLoss, CaptureMethod, CaptureStatus, ClockReading, Conservation, CpuUsage,
    DiskCounters, DiskInterval, Envelope, Epoch, EpochStart, FlowRow, HostFacts, HostMetrics,
    InterfaceFacts, InterfaceInterval, InterfaceKind, Interval, KernelCounters, LoadAverage,
    MemoryUsage, MountUsage, OperState, ProbeKind, ProbeResult, Record, RecordBody, Terms,
};
use crate::time::{Timestamp, Window};

/// Start of the window of the first sample, in the past for any real clock.
pub const SAMPLE_START: Timestamp = Timestamp::from_secs(1_700_000_000);
const LENGTH: Duration = Duration::from_secs(2);

/// A report in which every part is filled and the identity of bytes holds, 2 s long.
pub fn interval() -> Interval {
    interval_at(0)
}

/// A report, numbered; the windows of consecutive numbers follow each other.
pub fn record(seq: u64) -> Record {
    Record {
        epoch: Epoch(1),
        seq,
        body: RecordBody::Report(Box::new(interval_at(seq))),
    }
}

/// The same with its agent and its epoch.
pub fn envelope(agent: AgentId, epoch: Epoch, seq: u64) -> Envelope {
    let record = Record {
        epoch,
        ..record(seq)
    };
    Envelope { agent, record }
}

/// The first record of an epoch.
pub fn epoch_start(agent: AgentId, epoch: Epoch) -> Envelope {
    let body = RecordBody::EpochStart(EpochStart {
        started: SAMPLE_START,
        previous: Some(Epoch(epoch.0.wrapping_sub(1))),
    });
    let record = Record {
        epoch,
        seq: 1,
        body,
    };
    Envelope { agent, record }
}

fn interval_at(number: u64) -> Interval {
    let start = SAMPLE_START.plus(LENGTH.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX)));
    Interval {
        window: Window::new(start, LENGTH),
        host: Some(host()),
        interfaces: vec![interface()],
        flows: vec![flow(start)],
        overflow_without_interface: PerDirection::default(),
        capture: CaptureStatus {
            method: CaptureMethod::AfPacket,
            note: None,
            interfaces: vec!["eth0".to_owned()],
        },
        losses: vec![CaptureLoss {
            source: "af_packet".to_owned(),
            interface: None,
            received: 30,
            dropped: 0,
        }],
        probes: vec![ProbeResult {
            target: Ipv4Addr::new(192, 0, 2, 1).into(),
            kind: ProbeKind::Icmp,
            sent: 1,
            lost: 0,
            min_us: Some(310),
            mean_us: Some(310),
            max_us: Some(310),
        }],
        merged_windows: 0,
        clocks: Some(ClockReading {
            since_boot_us: 86_400_000_000 + number.saturating_mul(2_000_000),
            suspended_us: 0,
            process_started_us: 3_600_000_000,
            moved_us: 0,
        }),
        flows_lost: None,
    }
}

fn host() -> HostMetrics {
    HostMetrics {
        facts: HostFacts {
            hostname: "host-1".to_owned(),
            os: "Debian GNU/Linux 12".to_owned(),
            kernel: "6.1.0-18-amd64".to_owned(),
            boot_id: "0f9d3c1e-0000-4000-8000-000000000001".to_owned(),
            agent_version: "0.1.0".to_owned(),
            addresses: vec![Ipv4Addr::new(192, 0, 2, 10).into()],
        },
        uptime_s: 86_400,
        cpu: Some(CpuUsage {
            total_percent: 12.5,
            cores_percent: vec![20.0, 5.0],
        }),
        load: Some(LoadAverage {
            one: 0.5,
            five: 0.25,
            fifteen: 0.125,
        }),
        memory: Some(MemoryUsage {
            total_bytes: 8 << 30,
            used_bytes: 2 << 30,
            available_bytes: 6 << 30,
            swap_total_bytes: 0,
            swap_used_bytes: 0,
        }),
        memory_percent: None,
        mounts: vec![MountUsage {
            path: "/".to_owned(),
            device: "/dev/vda1".to_owned(),
            filesystem: "ext4".to_owned(),
            total_bytes: 100 << 30,
            used_bytes: 40 << 30,
            available_bytes: 60 << 30,
        }],
        disks: vec![DiskInterval {
            name: "vda".to_owned(),
            delta: Some(DiskCounters {
                read_bytes: 4_096,
                written_bytes: 8_192,
                reads: 1,
                writes: 2,
            }),
        }],
    }
}

fn interface() -> InterfaceInterval {
    let kernel = |bytes, packets| KernelCounters {
        bytes,
        packets,
        errors: 0,
        drops: 0,
    };
    let kernel = PerDirection {
        ingress: kernel(12_000, 12),
        egress: kernel(3_060, 9),
    };
    let terms = |traffic: Tally| Terms {
        attributed: traffic,
        ..Terms::default()
    };
    let captured = traffic().map(|tally| terms(*tally));
    InterfaceInterval {
        facts: InterfaceFacts {
            id: InterfaceId(2),
            name: "eth0".to_owned(),
            kind: InterfaceKind::Physical,
            state: OperState::Up,
            speed_bps: Some(1_000_000_000),
            stacked_on: Vec::new(),
            has_default_route: true,
            is_uplink: true,
        },
        kernel: Some(kernel),
        conservation: Some(PerDirection {
            ingress: Conservation::new(captured.ingress, Some(&kernel.ingress)),
            egress: Conservation::new(captured.egress, Some(&kernel.egress)),
        }),
        ..InterfaceInterval::default()
    }
}

fn traffic() -> PerDirection<Tally> {
    let tally = |bytes, packets| Tally { bytes, packets };
    PerDirection {
        ingress: tally(12_000, 12),
        egress: tally(3_000, 8),
    }
}

fn flow(start: Timestamp) -> FlowRow {
    FlowRow {
        interface: Some("eth0".to_owned()),
        protocol: 6,
        local: Ipv4Addr::new(192, 0, 2, 10).into(),
        local_port: 50_000,
        remote: Ipv4Addr::new(198, 51, 100, 7).into(),
        remote_port: 443,
        traffic: traffic(),
        first: start,
        last: start.plus(Duration::from_secs(1)),
        tcp_flags: 0x1b,
    }
}
