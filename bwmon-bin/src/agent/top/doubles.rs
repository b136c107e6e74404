//! Updates for tests.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bwmon_core::flow::{Counters, Endpoint, Flow, FlowKey, FlowTable, Limits, Snapshot};
use bwmon_core::frame::{InterfaceId, PerDirection, Tally};
use bwmon_core::report::{
    CaptureMethod, CaptureStatus, InterfaceFacts, KernelCounters, OperState, Terms,
};
use bwmon_core::time::Timestamp;

use super::figures::Figures;
use super::rows::{Row, RowKey};
use super::update::{InterfaceUpdate, Update};

/// The interface that every flow is seen on.
const ETH0: InterfaceId = InterfaceId(2);

fn traffic(received: u64, sent: u64) -> PerDirection<Tally> {
    let tally = |bytes| Tally {
        bytes,
        packets: u64::from(bytes > 0),
    };
    PerDirection {
        ingress: tally(received),
        egress: tally(sent),
    }
}

/// A flow with the TCP service at `port` of the peer number `n` (192.0.2.1 is the first), on eth0.
pub(super) fn flow(n: u32, port: u16, received: u64, sent: u64) -> Flow {
    let first = u32::from(Ipv4Addr::new(192, 0, 2, 0));
    let peer = IpAddr::V4(Ipv4Addr::from(first.wrapping_add(n)));
    flow_with(peer, port, received, sent)
}

/// The same with any peer.
pub(super) fn flow_with(peer: IpAddr, port: u16, received: u64, sent: u64) -> Flow {
    let here: IpAddr = if peer.is_ipv4() {
        [10, 0, 0, 5].into()
    } else {
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 5].into()
    };
    let local = Endpoint {
        address: here,
        port: 50_000,
    };
    let remote = Endpoint {
        address: peer,
        port,
    };
    Flow {
        place: Some(ETH0),
        key: FlowKey::new(6, local, remote),
        counters: Counters::new(Timestamp::from_secs(1), traffic(received, sent), 0),
    }
}

pub(super) fn snapshot(flows: &[Flow]) -> Snapshot {
    let mut table = FlowTable::new(Limits::flows(1_000_000));
    for flow in flows {
        table.add(flow.place, &flow.key, &flow.counters);
    }
    table.rotate()
}

/// One second in which `flows` were all there was on eth0, captured through a packet ring.
pub(super) fn update(flows: &[Flow]) -> Update {
    let mut sum = PerDirection::<Tally>::default();
    flows.iter().for_each(|flow| sum.add(flow.counters.traffic));
    let mut attributed = sum.ingress;
    attributed.add(sum.egress);
    let kernel = sum.map(|tally| KernelCounters {
        bytes: tally.bytes,
        packets: tally.packets,
        ..KernelCounters::default()
    });
    let interface = InterfaceUpdate {
        facts: InterfaceFacts {
            id: ETH0,
            name: "eth0".to_owned(),
            state: OperState::Up,
            speed_bps: Some(1_000_000_000),
            ..InterfaceFacts::default()
        },
        kernel: Some(kernel),
        terms: Some(Terms {
            attributed,
            ..Terms::default()
        }),
    };
    Update {
        elapsed: Duration::from_secs(1),
        flows: snapshot(flows),
        interfaces: [(ETH0, interface)].into(),
        capture: CaptureStatus {
            method: CaptureMethod::AfPacket,
            note: None,
            interfaces: vec!["eth0".to_owned()],
        },
        host: "web-1".to_owned(),
        ..Update::default()
    }
}

/// A row of the peer 10.0.0.`n` that received `lately` bytes a second, and `total` since the start.
pub(super) fn peer_row(n: u8, lately: u64, total: u64) -> Row {
    Row {
        key: RowKey::Peer([10, 0, 0, n].into()),
        figures: Figures {
            recent: traffic(lately, 0),
            seconds: 1.0,
            total: traffic(total, 0),
            flows: 1,
            ..Figures::default()
        },
        interface: None,
    }
}
