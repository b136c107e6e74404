//! Logs on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Starts logging to standard error. `filter` is a level (`info`) or directives
/// (`warn,bwmon_bin=debug`). Later calls in the same process change nothing.
///
/// # Errors
/// When `filter` does not parse.
pub fn start(filter: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(filter)?;
    let _already_started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // It would report them on standard error, which is what cannot be written, and panic.
        .log_internal_errors(false)
        .try_init();
    Ok(())
}
