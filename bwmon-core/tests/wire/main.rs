//! The compact encoding: round trips of any value, recorded bytes of each version, fields from the
//! future, bytes decoded by `bwmon.proto`, sizes, and bodies that mean harm.

// Reads files, which nothing in the crate itself may do.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

mod by_proto;
mod documented;
mod future;
mod hostile;
mod recorded;
mod round_trip;
mod sizes;
mod values;
