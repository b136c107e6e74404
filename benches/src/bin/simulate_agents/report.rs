//! What a host with some traffic says.

use std::net::IpAddr;
use std::time::Duration;

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::report::{
    CaptureMethod, CaptureStatus, Conservation, CpuUsage, FlowRow, HostFacts, HostMetrics,
    InterfaceFacts, InterfaceInterval, Interval, KernelCounters, LoadAverage, MemoryUsage,
    OperState, Terms,
};
use bwmon_core::time::{Timestamp, Window};

/// Ports of servers that hosts talk to.
const SERVICES: [u16; 6] = [443, 443, 80, 53, 5432, 22];
const UPLINK: &str = "eth0";

/// The report of host `number` of the window that ends at `end`.
pub(crate) fn interval(number: usize, end: Timestamp, length: Duration, flows: usize) -> Interval {
    let seed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ end.as_micros();
    let mut random = fastrand::Rng::with_seed(seed);
    let window = Window::new(end.minus(length), length);
    let local = address(10, number);
    let mut rows: Vec<FlowRow> = (0..flows)
        .map(|_| flow(&mut random, local, window))
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.traffic.total_bytes()));
    Interval {
        window,
        host: Some(health(&mut random, number, local)),
        interfaces: vec![uplink(&rows)],
        flows: rows,
        capture: CaptureStatus {
            method: CaptureMethod::AfPacket,
            note: None,
            interfaces: vec![UPLINK.to_owned()],
        },
        ..Interval::default()
    }
}

fn address(net: u8, number: usize) -> IpAddr {
    let [.., high, middle, low] = (number as u64).to_be_bytes();
    [net, high, middle, low].into()
}

/// Hosts talk to some of a thousand others, a few bytes or many.
fn flow(random: &mut fastrand::Rng, local: IpAddr, window: Window) -> FlowRow {
    let mut side = || {
        let bytes = 64 << random.u32(0..18);
        Tally {
            bytes: bytes + random.u64(0..bytes),
            packets: bytes / 900 + 1,
        }
    };
    FlowRow {
        interface: Some(UPLINK.to_owned()),
        protocol: 6,
        local,
        traffic: PerDirection {
            ingress: side(),
            egress: side(),
        },
        local_port: random.u16(32_768..60_999),
        remote: address(172, random.usize(0..1_000)),
        remote_port: *random.choice(&SERVICES).unwrap_or(&443),
        first: window.start,
        last: window.end(),
        tcp_flags: 0x1b,
    }
}

/// Everything that the kernel counted was attributed.
fn uplink(rows: &[FlowRow]) -> InterfaceInterval {
    let mut sum = PerDirection::<Tally>::default();
    for row in rows {
        sum.add(row.traffic);
    }
    let kernel = sum.map(|side| KernelCounters {
        bytes: side.bytes,
        packets: side.packets,
        ..KernelCounters::default()
    });
    let conservation = |attributed, kernel: &KernelCounters| {
        let terms = Terms {
            attributed,
            ..Terms::default()
        };
        Conservation::new(terms, Some(kernel))
    };
    InterfaceInterval {
        facts: InterfaceFacts {
            name: UPLINK.to_owned(),
            state: OperState::Up,
            speed_bps: Some(10_000_000_000),
            has_default_route: true,
            is_uplink: true,
            ..InterfaceFacts::default()
        },
        kernel: Some(kernel),
        conservation: Some(PerDirection {
            ingress: conservation(sum.ingress, &kernel.ingress),
            egress: conservation(sum.egress, &kernel.egress),
        }),
        ..InterfaceInterval::default()
    }
}

fn health(random: &mut fastrand::Rng, number: usize, local: IpAddr) -> HostMetrics {
    let total_bytes = 16 << 30;
    let used_bytes = random.u64(0..total_bytes);
    HostMetrics {
        facts: HostFacts {
            hostname: format!("host-{number}"),
            os: "Debian GNU/Linux 12".to_owned(),
            kernel: "6.1.0-18-amd64".to_owned(),
            boot_id: format!("00000000-0000-4000-8000-{number:012x}"),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            addresses: vec![local],
        },
        uptime_s: 86_400,
        cpu: Some(CpuUsage {
            total_percent: random.f32() * 100.0,
            cores_percent: (0..4).map(|_| random.f32() * 100.0).collect(),
        }),
        load: Some(LoadAverage {
            one: random.f64(),
            five: random.f64(),
            fifteen: random.f64(),
        }),
        memory: Some(MemoryUsage {
            total_bytes,
            used_bytes,
            available_bytes: total_bytes - used_bytes,
            ..MemoryUsage::default()
        }),
        ..HostMetrics::default()
    }
}
