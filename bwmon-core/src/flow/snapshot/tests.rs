use super::*;
use crate::flow::{Endpoint, FlowTable, Limits, Seen};
use crate::frame::{Direction, InterfaceId};
use crate::time::Timestamp;
use proptest::prelude::*;

type Frame = (u8, u8, u32, bool);

fn snapshot(frames: &[Frame], capacity: usize) -> Snapshot {
    let mut table = FlowTable::new(Limits::flows(capacity));
    for (at, &(interface, n, len, is_egress)) in frames.iter().enumerate() {
        let end = |n: u8| Endpoint {
            address: if n.is_multiple_of(3) {
                u128::from(n).to_be_bytes().into()
            } else {
                [10, 0, 0, n].into()
            },
            port: u16::from(n % 4),
        };
        let protocol = if n.is_multiple_of(5) { 6 } else { 17 };
        let key = FlowKey {
            vlan: n.is_multiple_of(2).then_some(7),
            ..FlowKey::new(protocol, end(n % 6), end(n % 7 / 2))
        };
        let direction = if is_egress {
            Direction::Egress
        } else {
            Direction::Ingress
        };
        let stamp = Timestamp::from_nanos(at as u64);
        let place = Some(InterfaceId(u32::from(interface)));
        let seen = Seen {
            place,
            direction,
            at: stamp,
            wire_len: len,
            tcp_flags: n,
        };
        table.frame(&key, &seen);
    }
    table.rotate()
}

fn total(flows: impl Iterator<Item = Flow>, overflow: &[(Place, PerDirection<Tally>)]) -> Tally {
    let mut sum = Tally::default();
    let flows = flows.map(|flow| flow.counters.traffic);
    for traffic in flows.chain(overflow.iter().map(|(_, bucket)| *bucket)) {
        sum.add(traffic.ingress);
        sum.add(traffic.egress);
    }
    sum
}

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    proptest::collection::vec((0u8..3, 0u8..24, 1u32..2_000, any::<bool>()), 0..80)
}

const VIEWS: [View; 7] = [
    View::Flow,
    View::Pair,
    View::Host,
    View::Peer,
    View::Port,
    View::Protocol,
    View::Vlan,
];

proptest! {
    #[test]
    fn merging_is_associative_and_commutative(
        a in frames(), b in frames(), c in frames(), capacity in 0usize..20,
    ) {
        let [a, b, c] = [a, b, c].map(|frames| snapshot(&frames, capacity));
        let left = a.clone().merge(b.clone()).merge(c.clone());
        let right = a.clone().merge(b.clone().merge(c.clone()));
        prop_assert_eq!(&left, &right);
        prop_assert_eq!(a.clone().merge(b.clone()), b.merge(a));
    }

    #[test]
    fn the_largest_and_the_overflow_keep_the_total(
        frames in frames(), limit in 0usize..16, capacity in 0usize..30,
    ) {
        let snapshot = snapshot(&frames, capacity);
        let (largest, overflow) = snapshot.largest(limit);
        let before = total(snapshot.iter(), snapshot.overflow());
        prop_assert_eq!(total(largest.iter().copied(), &overflow), before);
        let mut expected: Vec<Flow> = snapshot.iter().collect();
        expected.sort_by_key(Flow::rank);
        expected.truncate(limit);
        prop_assert_eq!(&largest, &expected);
        prop_assert_eq!(largest, snapshot.top(limit));
    }

    #[test]
    fn a_view_keeps_what_was_kept_to_the_byte(
        frames in frames(), protocol in proptest::option::of(prop_oneof![Just(6u8), Just(17)]),
    ) {
        let snapshot = snapshot(&frames, 1_000);
        let keep = |flow: &Flow| protocol.is_none_or(|protocol| flow.key.protocol == protocol);
        let kept = total(snapshot.iter().filter(keep), &[]);
        for view in VIEWS {
            let grouped = snapshot.by(view, keep);
            let mut sum = total(grouped.iter(), grouped.overflow());
            if view == View::Host {
                let within = |flow: &Flow| flow.key.local.address == flow.key.remote.address;
                sum.add(total(snapshot.iter().filter(keep).filter(within), &[]));
                prop_assert_eq!(sum.bytes, 2 * kept.bytes);
            } else {
                prop_assert_eq!(sum, kept, "{:?}", view);
            }
            if !matches!(view, View::Host | View::Port) {
                prop_assert_eq!(grouped.by(view, |_| true), grouped, "{:?}", view);
            }
        }
    }
}

#[test]
fn each_view_tells_apart_what_it_says() {
    let end = |n: u8, port| Endpoint {
        address: [10, 0, 0, n].into(),
        port,
    };
    let mut table = FlowTable::new(Limits::default());
    let key = FlowKey {
        vlan: Some(7),
        ..FlowKey::new(6, end(2, 50_000), end(1, 443))
    };
    let mut count = |key: &FlowKey, direction, len| {
        let seen = Seen {
            place: Some(InterfaceId(1)),
            direction,
            at: Timestamp::EPOCH,
            wire_len: len,
            tcp_flags: 0x10,
        };
        table.frame(key, &seen);
    };
    count(&key, Direction::Egress, 100);
    count(&key, Direction::Ingress, 1_000);
    count(&FlowKey { vlan: None, ..key }, Direction::Egress, 50);
    let snapshot = table.rotate();
    let rows = |view| {
        let rows = snapshot.by(view, |_| true).top(10);
        let row = |flow: &Flow| {
            let traffic = flow.counters.traffic;
            (flow.key, traffic.egress.bytes, traffic.ingress.bytes)
        };
        assert!(rows.iter().all(|row| row.place.is_none()));
        rows.iter().map(row).collect::<Vec<_>>()
    };
    let none = |local, remote| FlowKey {
        has_ports: false,
        ..FlowKey::new(0, local, remote)
    };
    let any = Endpoint {
        address: [0, 0, 0, 0].into(),
        port: 0,
    };
    let flow = FlowKey::new(6, end(1, 443), end(2, 50_000));
    assert_eq!(rows(View::Flow), [(flow, 1_000, 150)]);
    assert_eq!(rows(View::Pair), [(none(end(1, 0), end(2, 0)), 1_000, 150)]);
    assert_eq!(
        rows(View::Host),
        [
            (none(end(1, 0), any), 1_000, 150),
            (none(end(2, 0), any), 150, 1_000)
        ]
    );
    assert_eq!(rows(View::Peer), [(none(any, end(1, 0)), 150, 1_000)]);
    let port = Endpoint { port: 443, ..any };
    assert_eq!(rows(View::Port), [(FlowKey::new(6, port, any), 1_000, 150)]);
    let protocol = FlowKey {
        protocol: 6,
        ..none(any, any)
    };
    assert_eq!(rows(View::Protocol), [(protocol, 150, 1_000)]);
    let tagged = FlowKey {
        vlan: Some(7),
        ..none(any, any)
    };
    assert_eq!(
        rows(View::Vlan),
        [(tagged, 100, 1_000), (none(any, any), 50, 0)]
    );
}

#[test]
fn what_an_address_sends_to_itself_is_sent_and_not_received() {
    let end = |port| Endpoint {
        address: [127, 0, 0, 1].into(),
        port,
    };
    let mut table = FlowTable::new(Limits::default());
    let key = FlowKey::new(6, end(443), end(50_000));
    for (direction, len) in [(Direction::Egress, 100), (Direction::Ingress, 1_000)] {
        let seen = Seen {
            place: None,
            direction,
            at: Timestamp::EPOCH,
            wire_len: len,
            tcp_flags: 0,
        };
        table.frame(&key, &seen);
    }
    let rows = table.rotate().by(View::Pair, |_| true).top(10);
    let traffic = |row: &Flow| {
        row.counters
            .traffic
            .map(|tally| (tally.bytes, tally.packets))
    };
    let expected = PerDirection {
        ingress: (0, 0),
        egress: (1_100, 2),
    };
    assert_eq!(rows.iter().map(traffic).collect::<Vec<_>>(), [expected]);
}

/// What an address sends to itself it sent, whichever of its ports is the smaller one.
#[test]
fn what_an_address_sends_to_itself_is_sent_also_by_host() {
    let end = |port| Endpoint {
        address: [10, 0, 0, 1].into(),
        port,
    };
    let mut table = FlowTable::new(Limits::default());
    for (from, to) in [(443, 80), (80, 443), (443, 80)] {
        let seen = Seen {
            place: None,
            direction: Direction::Unknown,
            at: Timestamp::EPOCH,
            wire_len: 60,
            tcp_flags: 0,
        };
        table.frame(&FlowKey::new(17, end(from), end(to)), &seen);
    }
    let snapshot = table.rotate();
    for view in [View::Host, View::Pair] {
        let rows: Vec<Flow> = snapshot.by(view, |_| true).iter().collect();
        let traffic = rows.iter().map(|row| row.counters.traffic);
        let bytes: Vec<_> = traffic.map(|t| (t.egress.bytes, t.ingress.bytes)).collect();
        assert_eq!(bytes, [(180, 0)], "{view:?}");
    }
}
