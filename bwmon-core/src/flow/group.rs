//! Adds the rows of snapshots to a table, many at a time.

use super::batch::Waiting;
use super::limits::Limits;
use super::packed::{Packed4, Packed6};
use super::snapshot::Snapshot;
use super::table::{Counters, FlowTable, InTable};
use super::view::{Facing, Share, View};

/// A table without bounds, and the rows that wait for it.
#[derive(Debug)]
pub(super) struct Group {
    table: FlowTable,
    v4: Waiting<Packed4, Counters>,
    v6: Waiting<Packed6, Counters>,
}

/// A key whose rows wait by themselves.
pub(super) trait InGroup: InTable {
    fn parts(group: &mut Group) -> (&mut FlowTable, &mut Waiting<Self, Counters>);
}

impl InGroup for Packed4 {
    #[inline(always)]
    fn parts(group: &mut Group) -> (&mut FlowTable, &mut Waiting<Self, Counters>) {
        (&mut group.table, &mut group.v4)
    }
}

impl InGroup for Packed6 {
    #[inline(always)]
    fn parts(group: &mut Group) -> (&mut FlowTable, &mut Waiting<Self, Counters>) {
        (&mut group.table, &mut group.v6)
    }
}

impl Group {
    pub(super) fn new() -> Self {
        Self::of(FlowTable::new(Limits::flows(usize::MAX)))
    }

    /// Goes on with the rows of a snapshot.
    pub(super) fn of(table: FlowTable) -> Self {
        Self {
            table,
            v4: Waiting::default(),
            v6: Waiting::default(),
        }
    }

    #[inline(always)]
    pub(super) fn add<K: InGroup>(&mut self, key: K, counters: Counters) {
        let (table, waiting) = K::parts(self);
        table.wait_in(waiting, key, counters);
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
        self.table.count_all(&mut self.v4);
        self.table.count_all(&mut self.v6);
        self.table.rotate()
    }
}
