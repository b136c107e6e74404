//! `bwmon-agent top`: interfaces, peers and flows live in the terminal, without a collector.
//!
//! One thread captures (`capture`) and hands an update over at each refresh; it never waits for the
//! view (`outlet`). What is known (`model`), what is looked at (`app`) and what keys mean (`keys`)
//! are pure; `view` draws them into a buffer, and `screen` owns the terminal.

mod app;
mod arguments;
mod batch;
mod book;
mod capture;
mod columns;
mod figures;
mod filter_line;
mod format;
mod interactive;
mod keys;
mod label;
mod model;
mod outlet;
mod rows;
mod screen;
mod theme;
mod update;
mod view;

#[cfg(test)]
mod doubles;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use anyhow::bail;
use bwmon_core::flow::Limits;

use super::config::Config;
use super::host;
use super::ladder::Ladder;
use super::sources::Sources;
use capture::Capture;

pub(super) use arguments::TopArguments;

/// Shows what goes on until the user ends it, or prints as many refreshes as were asked for.
///
/// # Errors
/// When there is no terminal to show it on, flows cannot be seen in any way, or the terminal is lost.
pub(super) fn run(config: &Config, arguments: &TopArguments) -> anyhow::Result<ExitCode> {
    let batches = arguments.batches();
    if batches.is_none() && !io::stdout().is_terminal() {
        bail!(
            "standard output is no terminal; print plain text with --once or --batch COUNT instead"
        );
    }
    let capture = open(config, arguments)?;
    match batches {
        Some(count) => batch::run(capture, arguments, count),
        None => interactive::run(capture, arguments),
    }
}

fn open(config: &Config, arguments: &TopArguments) -> anyhow::Result<Capture<Sources>> {
    let wanted = if arguments.interfaces.is_empty() {
        config.capture.interfaces.clone()
    } else {
        arguments.interfaces.clone()
    };
    let host = host::open(config)?;
    let sources = Sources::new(config.capture.ring_bytes);
    let ladder = Ladder::new(sources, config.capture.method, &host::program());
    let limits = Limits::flows(config.max_flows.count());
    Capture::open(Box::new(host), ladder, wanted, limits)
}
