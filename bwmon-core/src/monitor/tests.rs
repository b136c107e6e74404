use std::net::IpAddr;

use etherparse::PacketBuilder;

use super::*;
use crate::frame::{Direction, LinkType};
use crate::report::{InterfaceFacts, KernelCounters};

const ETH0: InterfaceId = InterfaceId(2);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

fn sample(ingress: u64, egress: u64) -> HostSample {
    let bytes = |bytes| KernelCounters {
        bytes,
        ..KernelCounters::default()
    };
    HostSample {
        interfaces: vec![InterfaceSample {
            facts: InterfaceFacts {
                id: ETH0,
                name: "eth0".to_owned(),
                ..InterfaceFacts::default()
            },
            counters: PerDirection {
                ingress: bytes(ingress),
                egress: bytes(egress),
            },
        }],
        ..HostSample::default()
    }
}

fn udp(source: [u8; 4], destination: [u8; 4], ports: (u16, u16)) -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4(source, destination, 64)
        .udp(ports.0, ports.1)
        .write(&mut bytes, b"")
        .unwrap();
    bytes
}

fn frame(at: Timestamp, direction: Direction, wire_len: u32, bytes: &[u8]) -> Frame<'_> {
    Frame {
        at,
        interface: ETH0,
        direction,
        link: LinkType::Ethernet,
        stripped_vlan: None,
        wire_len,
        bytes,
    }
}

fn started(config: MonitorConfig) -> Monitor {
    let mut monitor = Monitor::new(config);
    let status = CaptureStatus {
        interfaces: vec!["eth0".to_owned()],
        ..CaptureStatus::default()
    };
    monitor.set_capture(status, vec![ETH0]);
    monitor.sample(at(0), sample(1_000, 1_000));
    monitor.rotate(at(0), Duration::ZERO);
    monitor
}

fn eth0(interval: &Interval) -> PerDirection<Conservation> {
    interval.interfaces[0].conservation.unwrap()
}

#[test]
fn both_directions_of_a_conversation_share_a_row() {
    let mut monitor = started(MonitorConfig::default());
    let out = udp([10, 0, 0, 1], [10, 0, 0, 2], (5000, 53));
    let back = udp([10, 0, 0, 2], [10, 0, 0, 1], (53, 5000));
    monitor.frame(frame(at(1), Direction::Egress, 100, &out));
    monitor.frame(frame(at(2), Direction::Ingress, 900, &back));
    monitor.sample(at(2_000), sample(1_900, 1_100));
    let interval = monitor.rotate(at(2_000), Duration::from_secs(2));

    assert_eq!(interval.flows.len(), 1);
    let row = &interval.flows[0];
    assert_eq!(
        (row.local, row.local_port),
        (IpAddr::from([10, 0, 0, 1]), 5000)
    );
    assert_eq!(
        (row.remote, row.remote_port),
        (IpAddr::from([10, 0, 0, 2]), 53)
    );
    assert_eq!(
        (row.traffic.egress.bytes, row.traffic.ingress.bytes),
        (100, 900)
    );
    assert_eq!(row.interface.as_deref(), Some("eth0"));
    assert_eq!(eth0(&interval).ingress.residual_bytes, Some(0));
    assert_eq!(eth0(&interval).egress.residual_bytes, Some(0));
    assert_eq!(interval.window, Window::new(at(0), Duration::from_secs(2)));
}

#[test]
fn every_term_closes_the_identity() {
    let config = MonitorConfig {
        max_flows: 1,
        ..MonitorConfig::default()
    };
    let mut monitor = started(config);
    let first = udp([10, 0, 0, 1], [10, 0, 0, 2], (1, 2));
    let second = udp([10, 0, 0, 1], [10, 0, 0, 3], (1, 2));
    let mut arp = vec![0; 60];
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    monitor.frame(frame(at(1), Direction::Egress, 70, &first));
    monitor.frame(frame(at(1), Direction::Egress, 80, &second));
    monitor.frame(frame(at(1), Direction::Egress, 60, &arp));
    monitor.frame(frame(at(1), Direction::Egress, 64, &first[..20]));
    monitor.sample(at(2_000), sample(1_000, 1_000 + 70 + 80 + 60 + 64 + 5));
    let interval = monitor.rotate(at(2_000), Duration::from_secs(2));

    let egress = eth0(&interval).egress;
    let bytes = [
        egress.terms.attributed.bytes,
        egress.terms.overflow.bytes,
        egress.terms.non_ip.bytes,
        egress.terms.malformed.bytes,
    ];
    assert_eq!(bytes, [80, 70, 60, 64]);
    assert_eq!(egress.residual_bytes, Some(5));
    assert_eq!(interval.interfaces[0].non_ip[0].ethertype, 0x0806);
    assert_eq!(interval.interfaces[0].malformed[0].layer, "ipv4");
}

#[test]
fn rows_beyond_what_is_reported_count_as_overflow() {
    let config = MonitorConfig {
        max_reported_flows: 1,
        ..MonitorConfig::default()
    };
    let mut monitor = started(config);
    for (peer, len) in [(2, 100), (3, 900), (4, 50)] {
        let bytes = udp([10, 0, 0, 1], [10, 0, 0, peer], (1, 2));
        monitor.frame(frame(at(1), Direction::Egress, len, &bytes));
    }
    monitor.sample(at(2_000), sample(1_000, 2_050));
    let interval = monitor.rotate(at(2_000), Duration::from_secs(2));
    assert_eq!(interval.flows.len(), 1);
    assert_eq!(interval.flows[0].remote, IpAddr::from([10, 0, 0, 3]));
    let egress = eth0(&interval).egress;
    assert_eq!(
        (egress.terms.attributed.bytes, egress.terms.overflow.bytes),
        (900, 150)
    );
    assert_eq!(egress.residual_bytes, Some(0));
}

#[test]
fn frames_after_the_cut_belong_to_the_next_window() {
    let mut monitor = started(MonitorConfig::default());
    let bytes = udp([10, 0, 0, 1], [10, 0, 0, 2], (1, 2));
    monitor.sample(at(2_000), sample(1_000, 1_100));
    monitor.cut(at(2_000));
    monitor.frame(frame(at(1_999), Direction::Egress, 100, &bytes));
    monitor.frame(frame(at(2_000), Direction::Egress, 40, &bytes));
    let first = monitor.rotate(at(2_000), Duration::from_secs(2));
    assert_eq!(eth0(&first).egress.residual_bytes, Some(0));
    monitor.sample(at(4_000), sample(1_000, 1_140));
    let second = monitor.rotate(at(4_000), Duration::from_secs(2));
    assert_eq!(second.flows[0].traffic.egress.bytes, 40);
    assert_eq!(eth0(&second).egress.residual_bytes, Some(0));
}

#[test]
fn the_discarded_first_window_leaves_what_the_next_one_is_compared_with() {
    let mut monitor = Monitor::new(MonitorConfig::default());
    monitor.set_capture(CaptureStatus::default(), vec![ETH0]);
    let bytes = udp([10, 0, 0, 1], [10, 0, 0, 2], (1, 2));
    monitor.frame(frame(at(0), Direction::Egress, 100, &bytes));
    monitor.sample(at(1), sample(1_000, 5_000));
    monitor.cut(at(1));
    monitor.frame(frame(at(1), Direction::Egress, 40, &bytes));
    let discarded = monitor.rotate(at(1), Duration::ZERO);
    assert_eq!(discarded.interfaces[0].kernel, None);
    monitor.sample(at(2_000), sample(1_000, 5_040));
    let first = monitor.rotate(at(2_000), Duration::from_secs(2));
    assert_eq!(first.flows[0].traffic.egress.bytes, 40);
    assert_eq!(eth0(&first).egress.residual_bytes, Some(0));
}

#[test]
fn a_counter_reset_is_a_gap_and_not_a_spike() {
    let mut monitor = started(MonitorConfig::default());
    monitor.sample(at(2_000), sample(5, 2_000));
    let interval = monitor.rotate(at(2_000), Duration::from_secs(2));
    assert_eq!(interval.interfaces[0].kernel, None);
    assert_eq!(eth0(&interval).egress.residual_bytes, None);
    monitor.sample(at(4_000), sample(105, 2_050));
    let interval = monitor.rotate(at(4_000), Duration::from_secs(2));
    assert_eq!(interval.interfaces[0].kernel.unwrap().ingress.bytes, 100);
}

#[test]
fn losses_are_reported_as_changes() {
    let loss = |received, dropped| Losses {
        sources: vec![CaptureLoss {
            source: "ring".to_owned(),
            interface: None,
            received,
            dropped,
        }],
    };
    let mut monitor = Monitor::new(MonitorConfig::default());
    monitor.set_losses(&loss(10, 1));
    monitor.rotate(at(0), Duration::ZERO);
    monitor.set_losses(&loss(30, 4));
    let interval = monitor.rotate(at(2_000), Duration::from_secs(2));
    assert_eq!(interval.losses, loss(20, 3).sources);
    let quiet = monitor.rotate(at(4_000), Duration::from_secs(2));
    assert_eq!(quiet.losses, loss(0, 0).sources);
}
