//! Logs on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging to standard error. `filter` is a level (`info`) or directives
/// (`warn,bwmon_bin=debug`). Later calls in the same process change nothing.
///
/// # Errors
/// When `filter` does not parse.
pub fn start(filter: &str) -> Result<(), ParseError> {
    // Not `EnvFilter`: its regular expressions would cost an agent a third of a megabyte.
    let targets: Targets = filter.parse()?;
    let lines = layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // It would report them on standard error, which is what cannot be written, and panic.
        .log_internal_errors(false);
    let _already_started = tracing_subscriber::registry()
        .with(lines)
        .with(targets)
        .try_init();
    Ok(())
}
