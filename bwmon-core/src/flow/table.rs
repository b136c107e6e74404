use std::net::{Ipv4Addr, Ipv6Addr};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::batch::{Amount, OneFrame, Pending, Waiting};
use super::key::{About, FlowKey};
use super::lane::{Eviction, Lane, tag};
use super::limits::Limits;
use super::packed::{Packed, Packed4, Packed6, PackedKey, Seed, Tail};
use super::snapshot::Snapshot;
use crate::frame::{Direction, InterfaceId, PerDirection, Tally};
use crate::time::{Span, Timestamp};

/// What a flow amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

/// One frame, as far as counting it goes.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Where.
    pub place: Place,
    /// Which way.
    pub direction: Direction,
    /// When.
    pub at: Timestamp,
    /// Its length on the wire in bytes.
    pub wire_len: u32,
    /// Byte 13 of a TCP header, else 0.
    pub tcp_flags: u8,
}

/// What belongs to flows without a row, by place.
pub(super) type Overflow = HashMap<Place, PerDirection<Tally>, RandomState>;

/// Flows by place and key, bounded in entries and bytes; one owner, no lock.
///
/// # What happens when it is full
///
/// The quarter of the flows with the least bytes goes to an overflow bucket per place, so that the
/// totals stay exact: bytes in = bytes of the rows + bytes of the buckets. Each such clean-up raises
/// a floor by the bytes of the largest flow that it took (Misra and Gries's algorithm, weighted, with
/// clean-ups in bulk). So whatever has more than 4/(3 n) of the bytes since the last
/// [`Self::rotate`], with n the number of flows that fit, has a row, and that row lacks at most as
/// many bytes. A flow that never lacked room has all of its bytes.
///
/// The hash is seeded by the system's randomness, so a sender cannot choose keys that collide.
///
/// # How it is fast
///
/// Frames wait in batches of 32 while the processor loads their rows; see `docs/performance.md`.
/// Everything that reads the table counts those first.
#[derive(Debug)]
pub struct FlowTable {
    v4: Lane<Packed4>,
    v6: Lane<Packed6>,
    overflow: Overflow,
    limits: Limits,
    floor: u64,
    seed: Seed,
}

/// A key whose rows are in one of the table's lanes.
pub(super) trait InTable: Packed {
    fn lane(table: &mut FlowTable) -> &mut Lane<Self>;
}

impl InTable for Packed4 {
    #[inline(always)]
    fn lane(table: &mut FlowTable) -> &mut Lane<Self> {
        &mut table.v4
    }
}

impl InTable for Packed6 {
    #[inline(always)]
    fn lane(table: &mut FlowTable) -> &mut Lane<Self> {
        &mut table.v6
    }
}

impl FlowTable {
    /// An empty table. Memory is taken as flows come.
    pub fn new(limits: Limits) -> Self {
        Self {
            v4: Lane::default(),
            v6: Lane::default(),
            overflow: Overflow::default(),
            limits,
            floor: 0,
            seed: Seed::random(),
        }
    }

    /// A table that goes on where a snapshot ended, without a bound.
    pub(super) fn resume(snapshot: Snapshot) -> Self {
        let seed = Seed::random();
        let Snapshot { v4, v6, overflow } = snapshot;
        Self {
            v4: Lane::of(v4, &seed),
            v6: Lane::of(v6, &seed),
            overflow: overflow.into_iter().collect(),
            limits: Limits::flows(usize::MAX),
            floor: 0,
            seed,
        }
    }

    /// Counts one frame between two IPv4 addresses, local and remote. Where the direction is unknown,
    /// those of the sender and the receiver: the smaller endpoint becomes `local`.
    #[inline(always)]
    pub fn frame_v4(&mut self, addresses: [Ipv4Addr; 2], about: &About, seen: &Seen) {
        let key = Packed4::new(addresses, Tail::new(seen.place, about));
        self.wait_oriented(key, seen);
    }

    /// Counts one frame between two IPv6 addresses, as [`Self::frame_v4`] does.
    #[inline(always)]
    pub fn frame_v6(&mut self, addresses: [Ipv6Addr; 2], about: &About, seen: &Seen) {
        let key = Packed6::new(addresses, Tail::new(seen.place, about));
        self.wait_oriented(key, seen);
    }

    /// Counts one frame of a flow, as [`Self::frame_v4`] does.
    pub fn frame(&mut self, key: &FlowKey, seen: &Seen) {
        match PackedKey::new(seen.place, key) {
            PackedKey::V4(key) => self.wait_oriented(key, seen),
            PackedKey::V6(key) => self.wait_oriented(key, seen),
        }
    }

    /// Adds counters to a flow.
    pub fn add(&mut self, place: Place, key: &FlowKey, delta: &Counters) {
        match PackedKey::new(place, key) {
            PackedKey::V4(key) => self.add_packed(key, *delta),
            PackedKey::V6(key) => self.add_packed(key, *delta),
        }
    }

    /// Adds to what belongs to flows without a row.
    pub(super) fn add_overflow(&mut self, place: Place, traffic: PerDirection<Tally>) {
        self.overflow.entry(place).or_default().add(traffic);
    }

    /// Number of flows.
    pub fn len(&mut self) -> usize {
        self.flush();
        self.rows()
    }

    /// Whether no flow and no overflow was counted.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0 && self.overflow.is_empty()
    }

    /// Everything counted over IPv4 and over IPv6, rows and overflow. Takes time in proportion to the
    /// flows.
    pub fn totals(&mut self) -> (Tally, Tally) {
        self.flush();
        (self.v4.total(), self.v6.total())
    }

    /// When the first and the last frame was seen since the last rotation, in rows and overflow. Takes
    /// time in proportion to the flows.
    pub fn span(&mut self) -> Option<Span> {
        self.flush();
        Span::hull(self.v4.span(), self.v6.span())
    }

    /// Bytes of memory that the rows and their index take.
    pub fn memory_bytes(&self) -> usize {
        self.v4.memory_bytes() + self.v6.memory_bytes()
    }

    /// Moves everything out, without copying it, and starts anew with an empty table.
    pub fn rotate(&mut self) -> Snapshot {
        self.flush();
        self.floor = 0;
        let overflow = self.overflow.drain().collect();
        Snapshot::new(self.v4.take(), self.v6.take(), overflow)
    }

    #[inline(always)]
    fn wait_oriented<K: InTable>(&mut self, mut key: K, seen: &Seen) {
        let is_egress = match seen.direction {
            Direction::Egress => true,
            Direction::Ingress => false,
            Direction::Unknown => !key.put_smaller_first(),
        };
        let frame = OneFrame {
            wire_len: seen.wire_len,
            tcp_flags: seen.tcp_flags,
            is_egress,
            at: seen.at,
        };
        let tag = tag(&key, &self.seed);
        let lane = K::lane(self);
        lane.index.prefetch(tag);
        if lane.waiting.push(Pending::new(key, tag, frame)) {
            self.count_waiting::<K>();
        }
    }

    #[inline(always)]
    pub(super) fn wait_in<K: InTable>(
        &mut self,
        waiting: &mut Waiting<K, Counters>,
        key: K,
        counters: Counters,
    ) {
        let tag = tag(&key, &self.seed);
        K::lane(self).index.prefetch(tag);
        if waiting.push(Pending::new(key, tag, counters)) {
            self.count_all(waiting);
        }
    }

    fn flush(&mut self) {
        self.count_waiting::<Packed4>();
        self.count_waiting::<Packed6>();
    }

    #[inline(never)]
    fn count_waiting<K: InTable>(&mut self) {
        let mut waiting = K::lane(self).waiting;
        self.count_all(&mut waiting);
        K::lane(self).waiting.clear();
    }

    #[inline(always)]
    pub(super) fn count_all<K: InTable, A: Amount>(&mut self, waiting: &mut Waiting<K, A>) {
        let lane = K::lane(self);
        for pending in waiting.pending_mut() {
            lane.foresee(pending);
        }
        for pending in waiting.pending() {
            if !K::lane(self).count(pending) {
                self.admit(pending);
            }
        }
        waiting.clear();
    }

    fn add_packed<K: InTable>(&mut self, key: K, delta: Counters) {
        let pending = Pending::new(key, tag(&key, &self.seed), delta);
        if !K::lane(self).count(&pending) {
            self.admit(&pending);
        }
    }

    /// Gives a row to a flow that has none, if there is room or room can be made.
    #[inline(never)]
    fn admit<K: InTable, A: Amount>(&mut self, pending: &Pending<K, A>) {
        // More than once where a row over IPv6 needs the room of rows over IPv4.
        while !self.has_room::<K>() && self.rows() > 0 {
            self.evict();
        }
        if self.has_room::<K>() {
            self.keep_within::<K>();
            let base = self.floor;
            K::lane(self).insert(pending, base);
        } else {
            let (place, _) = pending.key.unpack();
            let counters = pending.amount.counters();
            K::lane(self).gone.add(&counters);
            self.add_overflow(place, counters.traffic);
        }
    }

    fn rows(&self) -> usize {
        self.v4.rows.len() + self.v6.rows.len()
    }

    fn has_room<K: Packed>(&self) -> bool {
        /// The index numbers rows in 32 bits.
        const MOST: usize = u32::MAX as usize - 1;
        self.rows() < self.limits.flows.min(MOST) && self.cost_with::<K>() <= self.limits.bytes
    }

    fn cost_with<K: Packed>(&self) -> usize {
        let rows = self.v4.cost().saturating_add(self.v6.cost());
        rows.saturating_add(K::COST)
    }

    /// The memory that there is for one more row is not taken by an index that had more of them. Rare:
    /// an index has to spare only after a rotation or several clean-ups.
    fn keep_within<K: Packed>(&mut self) {
        let spare = self.v4.spare() + self.v6.spare();
        if spare > 0 && self.cost_with::<K>().saturating_add(spare) > self.limits.bytes {
            self.v4.give_back(&self.seed);
            self.v6.give_back(&self.seed);
        }
    }

    fn evict(&mut self) {
        let floor = self.floor;
        let mut weights: Vec<u64> = self.v4.weights(floor).collect();
        weights.extend(self.v6.weights(floor));
        if weights.is_empty() {
            return;
        }
        let quarter = weights.len() / 4;
        let (lighter, &mut mark, _) = weights.select_nth_unstable(quarter);
        let below = lighter.iter().filter(|weight| **weight < mark).count();
        let mut eviction = Eviction {
            floor,
            mark,
            of_mark: quarter + 1 - below,
        };
        drop(weights);
        self.floor = floor.saturating_add(mark);
        let overflow = &mut self.overflow;
        let mut gone = |place: Place, traffic| overflow.entry(place).or_default().add(traffic);
        self.v4.evict(&mut eviction, &self.seed, &mut gone);
        self.v6.evict(&mut eviction, &self.seed, &mut gone);
    }
}

#[cfg(test)]
mod tests;
