//! What the binaries are made of; `bwmon-agent` and `bwmon-collector` only call it.
//!
//! - [`agent`] is a host's side: it measures, captures and reports.
//! - [`common`] is what both need: configuration layers and logs.
//! - [`server`] is the collector's side: ingest, store, queries, live events and the page.
#![deny(missing_docs)]

pub mod agent;
pub mod common;
pub mod server;
