//! Who talks to whom: flows, and the bounded table that tells them apart.
//!
//! A [`FlowTable`] counts frames by [`FlowKey`]; [`FlowTable::rotate`] moves what it counted out as a
//! [`Snapshot`], which can be merged, grouped by a [`View`] and asked for its largest rows.
//!
//! # Cost
//!
//! Memory: 120 bytes for a flow over IPv4, 184 over IPv6, the index included. Time, measured and
//! dated, is in `docs/performance.md`. Nothing is allocated per frame: rows are added in blocks of
//! 512, and the index doubles now and then.
//!
//! A table that is full takes a moment now and then to make room: a clean-up visits every flow, some
//! 20 ns each, and is worth a quarter of the table. Choose [`Limits`] for a live capture so that the
//! ring lasts longer than that.
//!
//! # Panics
//!
//! None, on any input.

mod batch;
mod group;
mod index;
mod key;
mod lane;
mod limits;
mod packed;
mod prefetch;
mod rows;
mod snapshot;
mod store;
mod table;
mod view;

pub use key::{About, Endpoint, FlowKey, Ports};
pub use limits::Limits;
pub use snapshot::{Flow, Ranking, Snapshot};
pub use table::{Counters, FlowTable, Place, Seen};
pub use view::View;
