//! `bwmon-agent flows`, as its users meet it: the built binary, captures, pipes, live interfaces.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod capture;
mod files;
mod formats;
mod live;
mod oracle;
mod rows;
mod run;
mod series;
#[allow(dead_code)]
#[path = "../terminal/mod.rs"]
mod terminal;
#[path = "../wait/mod.rs"]
mod wait;

use wait::wait_for;
