//! Adds the rows of snapshots to a store, many at a time.

use super::batch::Waiting;
use super::limits::Limits;
use super::packed::{Packed4, Packed6};
use super::snapshot::Snapshot;
use super::store::{InStore, Store};
use super::table::Counters;
use super::view::{Facing, Share, View};

/// A store without bounds, and the rows that wait for it.
#[derive(Debug)]
pub(super) struct Group {
    store: Store,
    v4: Waiting<Packed4, Counters>,
    v6: Waiting<Packed6, Counters>,
}

/// A key whose rows wait by themselves.
pub(super) trait InGroup: InStore {
    fn parts(group: &mut Group) -> (&mut Store, &mut Waiting<Self, Counters>);
}

impl InGroup for Packed4 {
    #[inline(always)]
    fn parts(group: &mut Group) -> (&mut Store, &mut Waiting<Self, Counters>) {
        (&mut group.store, &mut group.v4)
    }
}

impl InGroup for Packed6 {
    #[inline(always)]
    fn parts(group: &mut Group) -> (&mut Store, &mut Waiting<Self, Counters>) {
        (&mut group.store, &mut group.v6)
    }
}

impl Group {
    pub(super) fn new() -> Self {
        Self::of(Store::new(Limits::flows(usize::MAX)))
    }

    /// Goes on with the rows of a snapshot.
    pub(super) fn of(store: Store) -> Self {
        Self {
            store,
            v4: Waiting::default(),
            v6: Waiting::default(),
        }
    }

    #[inline(always)]
    pub(super) fn add<K: InGroup>(&mut self, key: K, counters: Counters) {
        let (store, waiting) = K::parts(self);
        if waiting.push(store.pending(key, counters)) {
            store.count_all(waiting);
        }
    }

    /// Adds what a row counts for in a view.
    #[inline(always)]
    pub(super) fn add_share<K: InGroup>(&mut self, view: View, key: K, counters: &Counters) {
        match view.share(key) {
            Share::One(key, facing) => self.add(key, facing.counters(counters)),
            Share::Common(key, facing) => self.add(key, facing.counters(counters)),
            Share::Each([first, second]) => {
                self.add(first, *counters);
                self.add(second, Facing::Turned.counters(counters));
            }
        }
    }

    pub(super) fn finish(mut self) -> Snapshot {
        self.store.count_all(&mut self.v4);
        self.store.count_all(&mut self.v6);
        self.store.take()
    }
}
