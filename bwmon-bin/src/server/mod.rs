//! The collector: takes reports in, stores them, answers questions and serves the page.
//!
//! A delivery is read within its limits ([`ingest`]), committed by one writer together with others
//! that wait, shown to the hosts in memory ([`live`]), and only then acknowledged. Answers about now
//! come from memory, about the past from the store ([`store`], [`series`]). Agents of the original
//! program come in by a door of their own ([`legacy`]).

pub mod assets;
pub mod auth;
pub mod cli;
pub mod clocks;
pub mod commands;
pub mod config;
pub mod counters;
pub mod extract;
pub mod files;
pub mod guard;
pub mod ingest;
pub mod legacy;
pub mod listener;
pub mod live;
pub mod model;
pub mod openapi;
pub mod peers;
pub mod problem;
pub mod registry;
pub mod routes;
pub mod run;
pub mod series;
pub mod state;
pub mod stop;
pub mod store;

pub use run::{Server, StartError};
