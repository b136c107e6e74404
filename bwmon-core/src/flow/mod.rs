//! Who talks to whom: flows and their bounded table.

mod key;
mod snapshot;
mod table;

pub use key::{Endpoint, FlowKey};
pub use snapshot::{Flow, Snapshot};
pub use table::{Counters, FlowTable, Place};
