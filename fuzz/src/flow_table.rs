//! Any sequence of operations on a flow table, beside a naive model without a bound.
//!
//! The bytes are a recipe: the table's limits, then frames, counters and rotations. Laws: a table with
//! room holds what the model holds; one without loses no byte, claims none, and keeps what has more than
//! its share; a rotation changes no total; it does not matter in which order snapshots are merged; what
//! is shown of a snapshot sums to it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bwmon_core::flow::{
    About, Counters, Endpoint, Flow, FlowKey, FlowTable, Limits, Place, Ports, Seen, Snapshot, View,
};
use bwmon_core::frame::{Direction, InterfaceId, PerDirection, Tally};
use bwmon_core::time::Timestamp;

use super::recipe::Recipe;

/// Bytes that a row over IPv4 costs, and one over IPv6, by the measure of the limits.
const COST: [usize; 2] = [120, 184];
const VIEWS: [View; 7] = [
    View::Flow,
    View::Pair,
    View::Host,
    View::Peer,
    View::Port,
    View::Protocol,
    View::Vlan,
];

type Model = HashMap<(Place, FlowKey), Counters>;
type PerPlace = BTreeMap<Place, PerDirection<Tally>>;

/// How many flows fit: at least the first number, at most the second.
type Room = (usize, usize);

/// A table and what it must hold.
struct Beside {
    table: FlowTable,
    room: Room,
    /// Since the last rotation.
    model: Model,
    snapshots: Vec<Snapshot>,
    /// Since the beginning.
    all: Model,
    /// Whether no flow ever lacked room.
    is_exact: bool,
}

pub fn check(bytes: &[u8]) {
    let mut recipe = Recipe::new(bytes);
    let (limits, room) = limits(&mut recipe);
    let mut beside = Beside {
        table: FlowTable::new(limits),
        room,
        model: Model::new(),
        snapshots: Vec::new(),
        all: Model::new(),
        is_exact: true,
    };
    while !recipe.is_at_end() {
        match recipe.below(16) {
            0 => beside.rotate(&mut recipe),
            1 => beside.add(&mut recipe),
            2 => beside.flood(&mut recipe),
            3 => beside.check_totals(),
            _ => beside.frame(&mut recipe),
        }
    }
    beside.check_totals();
    beside.rotate(&mut recipe);
    beside.check_merged();
}

fn limits(recipe: &mut Recipe<'_>) -> (Limits, Room) {
    let number = usize::from(recipe.byte());
    match recipe.below(3) {
        0 => (Limits::flows(number), (number, number)),
        1 => {
            let bytes = number * COST[1];
            let room = (number, bytes / COST[0]);
            (Limits::bytes(bytes), room)
        }
        _ => (Limits::default(), (65_536, 65_536)),
    }
}

impl Beside {
    /// One frame, by one of the ways that there are.
    fn frame(&mut self, recipe: &mut Recipe<'_>) {
        let key = key(recipe.byte().into());
        let seen = Seen {
            place: place(recipe),
            direction: recipe.choose(&[Direction::Ingress, Direction::Egress, Direction::Unknown]),
            at: Timestamp::from_nanos(recipe.number::<u16>().into()),
            wire_len: recipe.number(),
            tcp_flags: recipe.byte(),
        };
        let about = About {
            protocol: key.protocol,
            ports: Ports::new(key.local.port, key.remote.port),
            has_ports: key.has_ports,
            vlan: key.vlan,
        };
        match (key.local.address, key.remote.address) {
            (IpAddr::V4(local), IpAddr::V4(remote)) if recipe.flag() => {
                self.table.frame_v4([local, remote], &about, &seen);
            }
            (IpAddr::V6(local), IpAddr::V6(remote)) if recipe.flag() => {
                self.table.frame_v6([local, remote], &about, &seen);
            }
            _ => self.table.frame(&key, &seen),
        }
        self.count(&key, &seen);
    }

    /// A frame each of many flows: more than wait together, and more than have room.
    fn flood(&mut self, recipe: &mut Recipe<'_>) {
        let (first, step): (u16, u8) = (recipe.number(), recipe.byte());
        let seen = Seen {
            place: place(recipe),
            direction: Direction::Ingress,
            at: Timestamp::from_nanos(7),
            wire_len: u32::from(recipe.number::<u16>()),
            tcp_flags: 2,
        };
        for index in 0..u16::from(recipe.byte()) {
            let key = key(first.wrapping_add(index.wrapping_mul(u16::from(step))));
            self.table.frame(&key, &seen);
            self.count(&key, &seen);
        }
    }

    fn count(&mut self, key: &FlowKey, seen: &Seen) {
        let is_turned = seen.direction == Direction::Unknown && key.remote < key.local;
        let mut key = *key;
        if is_turned {
            (key.local, key.remote) = (key.remote, key.local);
        }
        let direction = match seen.direction {
            Direction::Unknown if is_turned => Direction::Ingress,
            Direction::Unknown => Direction::Egress,
            known => known,
        };
        let mut traffic = PerDirection::<Tally>::default();
        traffic.side(direction).count(seen.wire_len);
        self.expect(
            seen.place,
            key,
            &Counters::new(seen.at, traffic, seen.tcp_flags),
        );
    }

    fn add(&mut self, recipe: &mut Recipe<'_>) {
        let (key, place) = (key(recipe.byte().into()), place(recipe));
        let mut tally = || Tally {
            bytes: u64::from(recipe.number::<u32>()) << 10,
            packets: u64::from(recipe.byte()),
        };
        let traffic = PerDirection {
            ingress: tally(),
            egress: tally(),
        };
        let first: u16 = recipe.number();
        let delta = Counters {
            traffic,
            first: Timestamp::from_nanos(first.into()),
            last: Timestamp::from_nanos(u64::from(first) + u64::from(recipe.byte())),
            tcp_flags: recipe.byte(),
        };
        self.table.add(place, &key, &delta);
        self.expect(place, key, &delta);
    }

    fn expect(&mut self, place: Place, key: FlowKey, delta: &Counters) {
        for model in [&mut self.model, &mut self.all] {
            let row = model.entry((place, key));
            row.and_modify(|known| known.merge(delta)).or_insert(*delta);
        }
    }

    /// Totals are exact at any time, and nothing changes because somebody looks.
    fn check_totals(&mut self) {
        let mut expected = (Tally::default(), Tally::default());
        for ((_, key), counters) in &self.model {
            let both = |key: &FlowKey| key.local.address.is_ipv4() && key.remote.address.is_ipv4();
            let side = if both(key) {
                &mut expected.0
            } else {
                &mut expected.1
            };
            side.add(counters.traffic.ingress);
            side.add(counters.traffic.egress);
        }
        assert_eq!(self.table.totals(), expected, "totals");
        assert_eq!(self.table.is_empty(), self.model.is_empty());
        let (least, most) = self.room;
        assert!(self.table.len() <= most.min(self.model.len()));
        if self.model.len() <= least {
            assert_eq!(self.table.len(), self.model.len());
        }
    }

    fn rotate(&mut self, recipe: &mut Recipe<'_>) {
        let snapshot = self.table.rotate();
        assert!(self.table.is_empty(), "something stayed");
        let model = std::mem::take(&mut self.model);
        let rows = rows(&snapshot);
        assert_eq!(held(&snapshot), expected(&model), "totals");
        let (least, most) = self.room;
        assert!(rows.len() <= most);
        if model.len() <= least {
            assert!(snapshot.overflow().is_empty(), "overflow with room");
            assert_eq!(rows, model);
        } else {
            check_bounded(&rows, &model, least);
            self.is_exact = false;
        }
        check_shown(&snapshot, recipe);
        self.snapshots.push(snapshot);
    }

    /// Merged in one order, in the other, and in pairs.
    fn check_merged(&self) {
        let empty = Snapshot::default;
        let in_order = self
            .snapshots
            .iter()
            .cloned()
            .fold(empty(), Snapshot::merge);
        let reversed = self
            .snapshots
            .iter()
            .cloned()
            .rev()
            .fold(empty(), Snapshot::merge);
        let pair = |pair: &[Snapshot]| pair.iter().cloned().fold(empty(), Snapshot::merge);
        let in_pairs = self
            .snapshots
            .chunks(2)
            .map(pair)
            .rfold(empty(), Snapshot::merge);
        assert_eq!(in_order, reversed, "merged in the other order");
        assert_eq!(in_order, in_pairs, "merged in pairs");
        assert_eq!(
            held(&in_order),
            expected(&self.all),
            "totals of all rotations"
        );
        if self.is_exact {
            assert_eq!(rows(&in_order), self.all);
        }
    }
}

/// No row has more than its flow had, and none lacks more than its share: 4/(3 n) of the bytes.
fn check_bounded(rows: &Model, model: &Model, room: usize) {
    let total: u64 = model.values().map(|row| row.traffic.total_bytes()).sum();
    let share = (4 * total).checked_div(3 * room as u64).unwrap_or(u64::MAX);
    for (id, had) in model {
        let bytes = had.traffic.total_bytes();
        let Some(row) = rows.get(id) else {
            assert!(bytes <= share, "{bytes} of {total} have no row of {room}");
            continue;
        };
        let has = row.traffic.total_bytes();
        assert!(
            has <= bytes && bytes - has <= share,
            "{has} of {bytes}, {room} fit"
        );
        assert!(row.traffic.ingress.packets <= had.traffic.ingress.packets);
        assert!(row.first >= had.first && row.last <= had.last);
        assert_eq!(row.tcp_flags & !had.tcp_flags, 0);
    }
    assert!(
        rows.keys().all(|id| model.contains_key(id)),
        "a flow that was not"
    );
}

/// The largest, and each view, show all of a snapshot.
fn check_shown(snapshot: &Snapshot, recipe: &mut Recipe<'_>) {
    let limit = usize::from(recipe.byte());
    let mut sorted: Vec<Flow> = snapshot.iter().collect();
    sorted.sort_by_key(|flow| {
        (
            Reverse(flow.counters.traffic.total_bytes()),
            flow.place,
            flow.key,
        )
    });
    let top = snapshot.top(limit);
    assert_eq!(top, sorted[..limit.min(sorted.len())]);
    let (largest, overflow) = snapshot.largest(limit);
    assert_eq!(largest, top);
    let parts = largest
        .iter()
        .map(|flow| (flow.place, flow.counters.traffic));
    assert_eq!(
        sum(parts.chain(overflow)),
        held(snapshot),
        "largest and overflow"
    );
    let view = recipe.choose(&VIEWS);
    let keep = recipe.byte();
    let is_kept = |flow: &Flow| flow.key.protocol & keep != 0;
    let shown = snapshot.by(view, is_kept);
    let bytes = |flow: &Flow| flow.counters.traffic.total_bytes();
    let times = |flow: &Flow| match view {
        View::Host if flow.key.local.address != flow.key.remote.address => 2,
        _ => 1,
    };
    let kept = snapshot.iter().filter(is_kept);
    let expected: u64 = kept.map(|flow| bytes(&flow) * times(&flow)).sum();
    assert_eq!(
        shown.iter().map(|flow| bytes(&flow)).sum::<u64>(),
        expected,
        "{view:?}"
    );
    assert_eq!(rows(&shown).len(), shown.len());
}

fn rows(snapshot: &Snapshot) -> Model {
    let rows: Model = snapshot
        .iter()
        .map(|row| ((row.place, row.key), row.counters))
        .collect();
    assert_eq!(rows.len(), snapshot.len(), "a flow has two rows");
    rows
}

fn held(snapshot: &Snapshot) -> PerPlace {
    let rows = snapshot.iter().map(|row| (row.place, row.counters.traffic));
    sum(rows.chain(snapshot.overflow().iter().copied()))
}

fn expected(model: &Model) -> PerPlace {
    sum(model.iter().map(|((place, _), row)| (*place, row.traffic)))
}

fn sum(parts: impl Iterator<Item = (Place, PerDirection<Tally>)>) -> PerPlace {
    let mut sums = PerPlace::new();
    for (place, traffic) in parts {
        sums.entry(place).or_default().add(traffic);
    }
    sums
}

fn place(recipe: &mut Recipe<'_>) -> Place {
    recipe.choose(&[
        None,
        Some(InterfaceId(0)),
        Some(InterfaceId(1)),
        Some(InterfaceId(u32::MAX)),
    ])
}

/// Flows over IPv4, over IPv6 and, as only a caller may say, over both; with and without ports and tags.
fn key(number: u16) -> FlowKey {
    let [high, low] = number.to_be_bytes();
    let v4 = |host| IpAddr::V4(Ipv4Addr::new(10, 0, high, host));
    let v6 = |host: u8| IpAddr::V6(Ipv6Addr::from(u128::from(high) << 64 | u128::from(host)));
    let (local, remote) = match low % 5 {
        0 => (v4(100), v4(low)),
        1 => (v4(low), v4(100)),
        2 => (v6(100), v6(low)),
        3 => (v6(low), v6(100)),
        _ => (v4(low), v6(low)),
    };
    let end = |address, port| Endpoint { address, port };
    FlowKey {
        has_ports: !low.is_multiple_of(3),
        vlan: low.is_multiple_of(7).then_some(u16::from(high) << 4 | 1),
        ..FlowKey::new(1 + low % 3, end(local, 443), end(remote, number % 3))
    }
}
