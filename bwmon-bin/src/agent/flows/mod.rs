//! `bwmon-agent flows`: who talks to whom in a capture file, or live on an interface.
//!
//! A source of frames (`file`, `live`) feeds a meter (`meter`), which hands what it counted (`part`)
//! to the printer (`output`): as a table, JSON or CSV. A live series is printed by a thread of its own
//! (`sink`), so that capturing never waits for who reads. No async runtime, no configuration and no log
//! are started on this path, and frames meet no dynamic call on their way from a file.

mod cli;
mod csv;
mod file;
mod filter;
mod input;
mod json;
mod live;
mod meter;
mod output;
mod part;
mod progress;
mod query;
mod signals;
mod sink;
mod table;
mod units;

use std::process::ExitCode;

pub(super) use cli::Arguments;
use output::Output;
use part::Source;
use query::Query;

/// Counts, prints, and says by its exit code how it went: 0 all was read, 2 the capture is damaged.
///
/// # Errors
/// Where nothing could be read: no such file or interface, no capture, no right to capture; and
/// where the result cannot be written.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.file {
        Some(path) => file::run(path, arguments),
        None => live::run(arguments),
    }
}

fn output(arguments: &Arguments, query: Query, source: Source) -> Output {
    Output::new(arguments.format, query, source)
}
