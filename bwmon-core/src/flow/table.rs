use std::net::{Ipv4Addr, Ipv6Addr};

use super::batch::{OneFrame, Waiting};
use super::key::{About, FlowKey};
use super::limits::Limits;
use super::packed::{Packed4, Packed6, PackedKey, Tail};
use super::snapshot::Snapshot;
use super::store::{InStore, Store};
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
    store: Store,
    v4: Waiting<Packed4, OneFrame>,
    v6: Waiting<Packed6, OneFrame>,
}

/// A key whose frames wait by themselves.
trait InTable: InStore {
    fn parts(table: &mut FlowTable) -> (&mut Store, &mut Waiting<Self, OneFrame>);
}

impl InTable for Packed4 {
    #[inline(always)]
    fn parts(table: &mut FlowTable) -> (&mut Store, &mut Waiting<Self, OneFrame>) {
        (&mut table.store, &mut table.v4)
    }
}

impl InTable for Packed6 {
    #[inline(always)]
    fn parts(table: &mut FlowTable) -> (&mut Store, &mut Waiting<Self, OneFrame>) {
        (&mut table.store, &mut table.v6)
    }
}

impl FlowTable {
    /// An empty table. Memory is taken as flows come.
    pub fn new(limits: Limits) -> Self {
        Self {
            store: Store::new(limits),
            v4: Waiting::default(),
            v6: Waiting::default(),
        }
    }

    /// Counts one frame between two IPv4 addresses, local and remote. Where the direction is unknown,
    /// those of the sender and the receiver: the smaller endpoint becomes `local`.
    #[inline(always)]
    pub fn frame_v4(&mut self, addresses: [Ipv4Addr; 2], about: &About, seen: &Seen) {
        self.frame_of::<Packed4>(addresses, about, seen);
    }

    /// Counts one frame between two IPv6 addresses, as [`Self::frame_v4`] does.
    #[inline(always)]
    pub fn frame_v6(&mut self, addresses: [Ipv6Addr; 2], about: &About, seen: &Seen) {
        self.frame_of::<Packed6>(addresses, about, seen);
    }

    /// Counts one frame of a flow, as [`Self::frame_v4`] does.
    pub fn frame(&mut self, key: &FlowKey, seen: &Seen) {
        match PackedKey::new(seen.place, key) {
            PackedKey::V4(key) => self.frame_packed(key, seen),
            PackedKey::V6(key) => self.frame_packed(key, seen),
        }
    }

    /// Adds counters to a flow.
    pub fn add(&mut self, place: Place, key: &FlowKey, delta: &Counters) {
        let store = &mut self.store;
        match PackedKey::new(place, key) {
            PackedKey::V4(key) => {
                let pending = store.pending(key, *delta);
                store.count(&pending);
            }
            PackedKey::V6(key) => {
                let pending = store.pending(key, *delta);
                store.count(&pending);
            }
        }
    }

    /// Number of flows.
    pub fn len(&mut self) -> usize {
        self.counted().rows()
    }

    /// Whether no flow and no overflow was counted.
    pub fn is_empty(&mut self) -> bool {
        self.counted().is_empty()
    }

    /// Everything counted over IPv4 and over IPv6, rows and overflow. Takes time in proportion to the
    /// flows.
    pub fn totals(&mut self) -> (Tally, Tally) {
        let store = self.counted();
        (store.v4.total(), store.v6.total())
    }

    /// When the first and the last frame was seen since the last rotation, in rows and overflow. Takes
    /// time in proportion to the flows.
    pub fn span(&mut self) -> Option<Span> {
        self.counted().span()
    }

    /// Bytes of memory that the rows and their index take.
    pub fn memory_bytes(&self) -> usize {
        self.store.memory_bytes()
    }

    /// Moves everything out, without copying it, and starts anew with an empty table.
    pub fn rotate(&mut self) -> Snapshot {
        self.counted().take()
    }

    #[inline(always)]
    fn frame_of<K: InTable>(&mut self, addresses: [K::Address; 2], about: &About, seen: &Seen) {
        let tail = Tail::new(seen.place, about);
        let (key, is_egress) = match seen.direction {
            Direction::Egress => (K::new(addresses, tail), true),
            Direction::Ingress => (K::new(addresses, tail), false),
            Direction::Unknown => {
                let (key, is_turned) = K::smaller_first(addresses, tail);
                (key, !is_turned)
            }
        };
        self.wait(key, is_egress, seen);
    }

    fn frame_packed<K: InTable>(&mut self, mut key: K, seen: &Seen) {
        let is_egress = match seen.direction {
            Direction::Egress => true,
            Direction::Ingress => false,
            Direction::Unknown => !key.put_smaller_first(),
        };
        self.wait(key, is_egress, seen);
    }

    #[inline(always)]
    fn wait<K: InTable>(&mut self, key: K, is_egress: bool, seen: &Seen) {
        let frame = OneFrame {
            wire_len: seen.wire_len,
            tcp_flags: seen.tcp_flags,
            is_egress,
            at: seen.at,
        };
        let (store, waiting) = K::parts(self);
        if waiting.push(store.pending(key, frame)) {
            self.count_waiting::<K>();
        }
    }

    #[inline(never)]
    fn count_waiting<K: InTable>(&mut self) {
        let (store, waiting) = K::parts(self);
        store.count_all(waiting);
    }

    /// The store with nothing left that waits.
    fn counted(&mut self) -> &mut Store {
        self.count_waiting::<Packed4>();
        self.count_waiting::<Packed6>();
        &mut self.store
    }
}

#[cfg(test)]
mod tests;
