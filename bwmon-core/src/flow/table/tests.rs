use super::*;
use crate::flow::packed::Packed;
use crate::flow::{Endpoint, Flow};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

/// Over IPv4 and IPv6, with ports and without.
fn key(n: u8) -> FlowKey {
    let address = |n: u8| match n % 2 {
        0 => IpAddr::from([10, 0, 1, n]),
        _ => IpAddr::V6(Ipv6Addr::from_bits(u128::from(n) << 64)),
    };
    let end = |address, port| Endpoint { address, port };
    FlowKey {
        has_ports: !n.is_multiple_of(3),
        vlan: n.is_multiple_of(5).then_some(u16::from(n)),
        ..FlowKey::new(
            6,
            end(address(n % 2), 443),
            end(address(n), u16::from(n / 3)),
        )
    }
}

type Frame = (u32, u8, bool, u32, u64);
type Model = BTreeMap<(Place, FlowKey), Counters>;

fn frames(flows: u8, most: usize) -> impl Strategy<Value = Vec<Frame>> {
    let frame = (0u32..3, 0..flows, any::<bool>(), 1u32..70_000, 0u64..1_000);
    proptest::collection::vec(frame, 0..most)
}

fn direction(is_ingress: bool) -> Direction {
    if is_ingress {
        Direction::Ingress
    } else {
        Direction::Egress
    }
}

fn seen(place: Place, direction: Direction, at: Timestamp, wire_len: u32, tcp_flags: u8) -> Seen {
    Seen {
        place,
        direction,
        at,
        wire_len,
        tcp_flags,
    }
}

/// A small frame that came in.
fn small() -> Seen {
    seen(None, Direction::Ingress, Timestamp::EPOCH, 60, 0)
}

fn count(table: &mut FlowTable, model: &mut Model, &(place, n, is_ingress, len, at): &Frame) {
    let place = (place > 0).then_some(InterfaceId(place));
    let at = Timestamp::from_nanos(at);
    table.frame(&key(n), &seen(place, direction(is_ingress), at, len, n));
    let mut traffic = PerDirection::<Tally>::default();
    traffic.side(direction(is_ingress)).count(len);
    let counters = Counters::new(at, traffic, n);
    let entry = model.entry((place, key(n)));
    entry
        .and_modify(|known| known.merge(&counters))
        .or_insert(counters);
}

fn rows(snapshot: &Snapshot) -> Model {
    let rows: Vec<Flow> = snapshot.iter().collect();
    let model: Model = rows
        .iter()
        .map(|row| ((row.place, row.key), row.counters))
        .collect();
    assert_eq!(model.len(), rows.len(), "a flow has two rows");
    model
}

fn by_place<'a>(
    parts: impl Iterator<Item = (Place, &'a PerDirection<Tally>)>,
) -> BTreeMap<Place, PerDirection<Tally>> {
    let mut sums: BTreeMap<Place, PerDirection<Tally>> = BTreeMap::new();
    for (place, traffic) in parts {
        sums.entry(place).or_default().add(*traffic);
    }
    sums
}

fn held(snapshot: &Snapshot) -> BTreeMap<Place, PerDirection<Tally>> {
    let rows = rows(snapshot);
    let rows = rows.iter().map(|((place, _), row)| (*place, &row.traffic));
    by_place(rows.chain(snapshot.overflow().iter().map(|(place, sum)| (*place, sum))))
}

fn expected(model: &Model) -> BTreeMap<Place, PerDirection<Tally>> {
    by_place(model.iter().map(|((place, _), row)| (*place, &row.traffic)))
}

proptest! {
    #[test]
    fn a_table_with_room_is_the_naive_model(frames in frames(40, 400), extra in 0usize..3) {
        let mut model = Model::new();
        let mut table = FlowTable::new(Limits::default());
        for frame in &frames {
            count(&mut table, &mut model, frame);
        }
        let mut exact = FlowTable::new(Limits::flows(model.len() + extra));
        for frame in &frames {
            count(&mut exact, &mut Model::new(), frame);
        }
        prop_assert_eq!(table.len(), model.len());
        let snapshot = table.rotate();
        prop_assert!(snapshot.overflow().is_empty());
        prop_assert_eq!(&rows(&snapshot), &model);
        prop_assert_eq!(&exact.rotate(), &snapshot);
        prop_assert!(table.is_empty());
    }

    /// Whatever the size of the table, and whatever it held in the window before: no byte is lost, no
    /// row claims more than its flow had, what fits and what has more than its share has a row.
    #[test]
    fn a_full_table_keeps_the_totals_and_the_heavy_hitters(
        before in frames(90, 200), frames in frames(90, 600), capacity in 0usize..60, is_in_bytes: bool,
    ) {
        let limits = if is_in_bytes {
            Limits::bytes(capacity * Packed6::COST)
        } else {
            Limits::flows(capacity)
        };
        let mut table = FlowTable::new(limits);
        before.iter().for_each(|frame| count(&mut table, &mut Model::new(), frame));
        table.rotate();
        let mut model = Model::new();
        for frame in &frames {
            count(&mut table, &mut model, frame);
            let most = if is_in_bytes { capacity * 2 } else { capacity };
            prop_assert!(table.store.rows() <= most);
            prop_assert!(table.len() >= model.len().min(capacity) * 3 / 4);
            prop_assert!(model.len() > capacity || table.store.rows() == model.len());
        }
        let snapshot = table.rotate();
        prop_assert_eq!(held(&snapshot), expected(&model));
        let rows = rows(&snapshot);
        let total: u64 = model.values().map(|row| row.traffic.total_bytes()).sum();
        for (id, counted) in &model {
            let bytes = counted.traffic.total_bytes();
            let share = (4 * total).checked_div(3 * capacity as u64).unwrap_or(u64::MAX);
            match rows.get(id) {
                Some(row) => {
                    let has = row.traffic.total_bytes();
                    prop_assert!(has <= bytes && bytes - has <= share, "{has} of {bytes}");
                }
                None => prop_assert!(bytes <= share, "{bytes} of {total} is gone"),
            }
        }
    }

    #[test]
    fn a_rotation_at_any_point_changes_no_total(
        frames in frames(30, 200), at in 0usize..200, capacity in 0usize..40,
    ) {
        let mut model = Model::new();
        let mut table = FlowTable::new(Limits::flows(capacity));
        let at = at.min(frames.len());
        let (before, after) = frames.split_at(at);
        before.iter().for_each(|frame| count(&mut table, &mut model, frame));
        let first = table.rotate();
        after.iter().for_each(|frame| count(&mut table, &mut model, frame));
        let both = first.merge(table.rotate());
        prop_assert_eq!(held(&both), expected(&model));
        if capacity >= model.len() {
            prop_assert_eq!(rows(&both), model);
        }
    }

    #[test]
    fn adding_counters_is_counting_their_frames(frames in frames(30, 200)) {
        let mut model = Model::new();
        let mut counted = FlowTable::new(Limits::default());
        let mut added = FlowTable::new(Limits::default());
        for frame in &frames {
            let mut one = Model::new();
            count(&mut counted, &mut model, frame);
            count(&mut FlowTable::new(Limits::default()), &mut one, frame);
            one.iter().for_each(|((place, key), counters)| added.add(*place, key, counters));
        }
        prop_assert_eq!(counted.rotate(), added.rotate());
    }
}

#[test]
fn memory_stays_within_its_bound_and_is_given_back_after_a_flood() {
    const BOUND: usize = 4 << 20;
    const SLACK: usize = 128 << 10;
    let mut table = FlowTable::new(Limits::bytes(BOUND));
    let mut peak = 0;
    for n in 0..200_000_u32 {
        let remote = if n % 2 == 0 {
            IpAddr::V4(n.into())
        } else {
            IpAddr::V6(u128::from(n).into())
        };
        let end = |address| Endpoint { address, port: 9 };
        let flow = FlowKey::new(17, end(remote), end(remote));
        table.frame(&flow, &small());
        peak = peak.max(table.memory_bytes());
    }
    assert!(peak <= BOUND + SLACK, "{peak}");
    assert!(peak > BOUND / 2, "{peak}");
    table.rotate();
    table.frame(&key(1), &small());
    table.rotate();
    assert!(table.memory_bytes() < 10_000, "{}", table.memory_bytes());
}

#[test]
fn of_flows_that_weigh_the_same_a_quarter_makes_room() {
    let mut table = FlowTable::new(Limits::flows(1_000));
    for n in 0..10_000_u32 {
        let end = |n: u32| Endpoint {
            address: IpAddr::V4(n.into()),
            port: 1,
        };
        table.frame(&FlowKey::new(17, end(n), end(n)), &small());
        table.len();
        let fewest = 1_000.min(n as usize) * 3 / 4;
        assert!(
            (fewest..=1_000).contains(&table.store.rows()),
            "{}",
            table.store.rows()
        );
    }
}

/// The index of one family is left behind when the next window has flows of the other.
#[test]
fn memory_stays_within_its_bound_when_the_next_window_is_of_the_other_family() {
    const BOUND: usize = 8 << 20;
    const SLACK: usize = 128 << 10;
    let end = |address| Endpoint { address, port: 9 };
    let mut table = FlowTable::new(Limits::bytes(BOUND));
    for round in 0..4_u32 {
        for n in 0..100_000_u32 {
            let address = if round % 2 == 0 {
                IpAddr::V4(n.into())
            } else {
                IpAddr::V6(u128::from(n).into())
            };
            table.frame(&FlowKey::new(17, end(address), end(address)), &small());
            assert!(
                table.memory_bytes() <= BOUND + SLACK,
                "{}",
                table.memory_bytes()
            );
        }
        assert!(table.len() > 20_000, "{}", table.len());
        table.rotate();
    }
}

/// A million flows of one frame each, none of which the sender repeats, and ten that matter.
#[test]
fn a_flood_of_random_flows_leaves_the_heavy_hitters_right() {
    const HEAVY: u32 = 10;
    const FLOOD: u32 = 1_000_000;
    let end = |address: u32, port| Endpoint {
        address: IpAddr::V4(address.into()),
        port,
    };
    let heavy = |n: u32| FlowKey::new(6, end(1, 443), end(n, 50_000));
    let mut random = 1_u32;
    let mut table = FlowTable::new(Limits::flows(4_096));
    for n in 0..FLOOD {
        random = random.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let noise = FlowKey::new(17, end(random, 53), end(n | 1 << 31, 53));
        let at = Timestamp::from_nanos(u64::from(n));
        table.frame(&noise, &Seen { at, ..small() });
        if n % 100 == 0 {
            let flow = heavy(100 + n / 100 % HEAVY);
            table.frame(&flow, &seen(None, Direction::Egress, at, 1_500, 0x10));
        }
        assert!(table.store.rows() <= 4_096);
        let is_full = n > 6_000;
        assert!(
            !is_full || table.store.rows() >= 3_000,
            "{}",
            table.store.rows()
        );
    }
    let snapshot = table.rotate();
    let top = snapshot.top(HEAVY as usize);
    let mut found: Vec<FlowKey> = top.iter().map(|flow| flow.key).collect();
    found.sort();
    let mut expected: Vec<FlowKey> = (100..100 + HEAVY).map(heavy).collect();
    expected.sort();
    assert_eq!(found, expected);
    for flow in &top {
        let packets = u64::from(FLOOD / 100 / HEAVY);
        assert_eq!(flow.counters.traffic.egress.packets, packets);
    }
    let total: u64 = held(&snapshot)
        .values()
        .map(PerDirection::total_bytes)
        .sum();
    assert_eq!(
        total,
        u64::from(FLOOD) * 60 + u64::from(FLOOD / 100) * 1_500
    );
}

/// Keys that collide in any fixed hash of their low bits do not collide here.
#[test]
fn keys_chosen_against_the_index_do_not_make_it_slow() {
    let mut table = FlowTable::new(Limits::default());
    for n in 0..50_000_u32 {
        let end = |address: u32| Endpoint {
            address: IpAddr::V4(address.into()),
            port: 0,
        };
        let flow = FlowKey::new(17, end(n << 16), end(n << 16));
        table.frame(&flow, &small());
    }
    table.len();
    let longest = table.store.v4.index.longest_search();
    assert!(longest < 200, "{longest}");
}
