use foldhash::fast::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::key::FlowKey;
use super::snapshot::{Flow, Snapshot};
use crate::frame::{Direction, InterfaceId, PerDirection, Tally};
use crate::time::Timestamp;

/// What a flow amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Frames and wire bytes each way.
    pub traffic: PerDirection<Tally>,
    /// First frame.
    pub first: Timestamp,
    /// Last frame.
    pub last: Timestamp,
    /// TCP flags seen, as in byte 13 of the header.
    pub tcp_flags: u8,
}

impl Counters {
    /// Counters of traffic seen at one moment.
    pub const fn new(at: Timestamp, traffic: PerDirection<Tally>, tcp_flags: u8) -> Self {
        Self {
            traffic,
            first: at,
            last: at,
            tcp_flags,
        }
    }

    /// Adds other counters of the same flow. Associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        self.traffic.add(other.traffic);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.tcp_flags |= other.tcp_flags;
    }
}

/// Where a flow was seen: an interface, or nowhere in particular (sock_diag).
pub type Place = Option<InterfaceId>;

/// Flows by place and key, bounded in entries; one owner, no lock.
///
/// What does not fit goes to an overflow bucket per place, so that the totals stay exact:
/// bytes in = bytes of the rows + bytes of the buckets. The hash is seeded at random, so a sender
/// cannot choose keys that collide.
#[derive(Debug)]
pub struct FlowTable {
    rows: HashMap<(Place, FlowKey), Counters, RandomState>,
    overflow: Vec<(Place, PerDirection<Tally>)>,
    capacity: usize,
}

impl FlowTable {
    /// A table of at most `capacity` flows. Memory is taken as flows come, about 150 bytes each.
    pub fn new(capacity: usize) -> Self {
        Self {
            rows: HashMap::with_hasher(RandomState::default()),
            overflow: Vec::new(),
            capacity,
        }
    }

    /// Counts one frame of a flow.
    pub fn frame(
        &mut self,
        place: Place,
        key: FlowKey,
        direction: Direction,
        (at, wire_len, tcp_flags): (Timestamp, u32, u8),
    ) {
        let mut traffic = PerDirection::<Tally>::default();
        traffic.side(direction).count(wire_len);
        self.add(place, key, &Counters::new(at, traffic, tcp_flags));
    }

    /// Adds counters to a flow.
    pub fn add(&mut self, place: Place, key: FlowKey, delta: &Counters) {
        let is_full = self.rows.len() >= self.capacity;
        match self.rows.entry((place, key)) {
            Entry::Occupied(mut row) => row.get_mut().merge(delta),
            Entry::Vacant(row) if !is_full => {
                row.insert(*delta);
            }
            Entry::Vacant(_) => self.overflow(place, delta.traffic),
        }
    }

    /// Number of flows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no flow and no overflow was counted.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.overflow.is_empty()
    }

    /// Moves everything out and starts anew with an empty table, whose memory is kept unless far
    /// less of it was used than is reserved.
    pub fn rotate(&mut self) -> Snapshot {
        let used = self.rows.len();
        let flows = self
            .rows
            .drain()
            .map(|((place, key), counters)| Flow {
                place,
                key,
                counters,
            })
            .collect();
        if self.rows.capacity() > 8 * used.max(128) {
            self.rows.shrink_to(2 * used);
        }
        Snapshot::new(flows, std::mem::take(&mut self.overflow))
    }

    fn overflow(&mut self, place: Place, traffic: PerDirection<Tally>) {
        match self.overflow.iter_mut().find(|(at, _)| *at == place) {
            Some((_, bucket)) => bucket.add(traffic),
            None => self.overflow.push((place, traffic)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Endpoint;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn key(n: u8) -> FlowKey {
        let end = |address: [u8; 4], port| Endpoint {
            address: address.into(),
            port,
        };
        FlowKey {
            protocol: 6,
            local: end([10, 0, 0, 1], 443),
            remote: end([10, 0, 1, n], u16::from(n)),
        }
    }

    #[test]
    fn a_rotated_table_gives_its_memory_back_after_a_flood() {
        let mut table = FlowTable::new(100_000);
        for n in 0..20_000u16 {
            let mut flow = key(0);
            flow.remote.port = n;
            table.frame(None, flow, Direction::Ingress, (Timestamp::EPOCH, 60, 0));
        }
        table.rotate();
        table.frame(None, key(1), Direction::Ingress, (Timestamp::EPOCH, 60, 0));
        table.rotate();
        assert!(table.rows.capacity() < 2_000, "{}", table.rows.capacity());
    }

    proptest! {
        /// Against a naive model: nothing is lost, whatever the size of the table.
        #[test]
        fn rows_and_overflow_sum_to_what_came_in(
            frames in proptest::collection::vec((0u32..3, 0u8..20, any::<bool>(), 1u32..70_000), 0..300),
            capacity in 0usize..24,
        ) {
            let mut table = FlowTable::new(capacity);
            let mut model: BTreeMap<(u32, FlowKey), PerDirection<Tally>> = BTreeMap::new();
            let mut admitted = Vec::new();
            for &(interface, n, is_ingress, len) in &frames {
                let direction = if is_ingress { Direction::Ingress } else { Direction::Egress };
                table.frame(Some(InterfaceId(interface)), key(n), direction, (Timestamp::EPOCH, len, 0));
                if !admitted.contains(&(interface, n)) && admitted.len() < capacity {
                    admitted.push((interface, n));
                }
                model.entry((interface, key(n))).or_default().side(direction).count(len);
            }
            prop_assert_eq!(table.len(), admitted.len());
            let snapshot = table.rotate();
            for flow in &snapshot.flows {
                let expected = model.remove(&(flow.place.unwrap().0, flow.key)).unwrap();
                prop_assert_eq!(flow.counters.traffic, expected);
            }
            let mut beyond: BTreeMap<u32, PerDirection<Tally>> = BTreeMap::new();
            for ((interface, _), traffic) in model {
                beyond.entry(interface).or_default().add(traffic);
            }
            let overflow: BTreeMap<u32, _> =
                snapshot.overflow.iter().map(|(place, sum)| (place.unwrap().0, *sum)).collect();
            prop_assert_eq!(overflow, beyond);
            prop_assert!(table.is_empty());
        }
    }
}
