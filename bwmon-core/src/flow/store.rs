//! The rows of both address families within their bounds, and the overflow.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::batch::{Amount, Pending, Waiting};
use super::lane::{Eviction, Lane, tag};
use super::limits::Limits;
use super::packed::{Packed, Packed4, Packed6, Seed};
use super::snapshot::Snapshot;
use super::table::Place;
use crate::frame::{PerDirection, Tally};
use crate::time::Span;

/// What belongs to flows without a row, by place.
type Overflow = HashMap<Place, PerDirection<Tally>, RandomState>;

/// What a [`FlowTable`](super::FlowTable) holds besides the frames that wait.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) v4: Lane<Packed4>,
    pub(super) v6: Lane<Packed6>,
    overflow: Overflow,
    limits: Limits,
    floor: u64,
    seed: Seed,
}

/// A key whose rows are in one of the store's lanes.
pub(super) trait InStore: Packed {
    fn lane(store: &mut Store) -> &mut Lane<Self>;
}

impl InStore for Packed4 {
    #[inline(always)]
    fn lane(store: &mut Store) -> &mut Lane<Self> {
        &mut store.v4
    }
}

impl InStore for Packed6 {
    #[inline(always)]
    fn lane(store: &mut Store) -> &mut Lane<Self> {
        &mut store.v6
    }
}

impl Store {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            v4: Lane::default(),
            v6: Lane::default(),
            overflow: Overflow::default(),
            limits,
            floor: 0,
            seed: Seed::random(),
        }
    }

    /// A store that goes on where a snapshot ended, without a bound.
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

    pub(super) fn is_empty(&self) -> bool {
        self.rows() == 0 && self.overflow.is_empty()
    }

    pub(super) fn rows(&self) -> usize {
        self.v4.rows.len() + self.v6.rows.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.v4.memory_bytes() + self.v6.memory_bytes()
    }

    pub(super) fn span(&self) -> Option<Span> {
        Span::hull(self.v4.span(), self.v6.span())
    }

    /// Adds to what belongs to flows without a row.
    pub(super) fn add_overflow(&mut self, place: Place, traffic: PerDirection<Tally>) {
        self.overflow.entry(place).or_default().add(traffic);
    }

    /// Moves everything out.
    pub(super) fn take(&mut self) -> Snapshot {
        self.floor = 0;
        let overflow = self.overflow.drain().collect();
        Snapshot::new(self.v4.take(), self.v6.take(), overflow)
    }

    /// An amount on its way to its row, and where the search for that begins in the cache soon.
    #[inline(always)]
    pub(super) fn pending<K: InStore, A: Amount>(&mut self, key: K, amount: A) -> Pending<K, A> {
        let tag = tag(&key, &self.seed);
        K::lane(self).index.prefetch(tag);
        Pending::new(key, tag, amount)
    }

    /// Adds everything that waits to its rows.
    #[inline(always)]
    pub(super) fn count_all<K: InStore, A: Amount>(&mut self, waiting: &mut Waiting<K, A>) {
        let lane = K::lane(self);
        for pending in waiting.pending_mut() {
            lane.foresee(pending);
        }
        for pending in waiting.pending() {
            self.count(pending);
        }
        waiting.clear();
    }

    #[inline(always)]
    pub(super) fn count<K: InStore, A: Amount>(&mut self, pending: &Pending<K, A>) {
        if !K::lane(self).count(pending) {
            self.admit(pending);
        }
    }

    /// Gives a row to a flow that has none, if there is room or room can be made.
    #[inline(never)]
    fn admit<K: InStore, A: Amount>(&mut self, pending: &Pending<K, A>) {
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

    fn has_room<K: Packed>(&self) -> bool {
        /// The index numbers rows in 32 bits.
        const MOST: usize = u32::MAX as usize - 1;
        self.rows() < self.limits.flows.min(MOST) && self.cost_with::<K>() <= self.limits.bytes
    }

    fn cost_with<K: Packed>(&self) -> usize {
        let rows = self.v4.cost().saturating_add(self.v6.cost());
        rows.saturating_add(K::COST)
    }

    /// Sees to it that the memory that there is for one more row is not taken by an index that had more
    /// of them. Rare: an index has to spare only after a rotation or several clean-ups.
    fn keep_within<K: Packed>(&mut self) {
        let index = self.v4.index.memory_bytes() + self.v6.index.memory_bytes();
        if self.cost_with::<K>().saturating_add(index) > self.limits.bytes {
            self.give_back::<K>();
        }
    }

    #[cold]
    fn give_back<K: Packed>(&mut self) {
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
