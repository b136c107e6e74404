//! A capture file, from its first frame to its last.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use bwmon_core::collector::{CollectError, CollectErrorKind};
use bwmon_core::collectors::capture_file::CaptureFile;
use bwmon_core::flow::Limits;
use bwmon_core::monitor::AccountConfig;
use signal_hook::consts::SIGINT;

use super::cli::{Arguments, Span};
use super::input::{Input, is_standard_input, title};
use super::meter::{Meter, Series, Whole};
use super::output::unless_unwanted;
use super::part::{Ending, Source};
use super::progress::Progress;
use super::query::Query;
use super::signals::Signalled;
use crate::common::errors::told;

/// The exit code for a damaged capture.
const DAMAGED: u8 = 2;

/// Reads the file at `path` and prints what is in it.
///
/// # Errors
/// When it cannot be read, is no capture, or the result cannot be written.
pub(super) fn run(path: &Path, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if is_standard_input(path) {
        // Ctrl-C goes to everybody in the pipe: it ends who captures, and what that wrote is read.
        Signalled::by(&[SIGINT]).context("cannot watch for Ctrl-C")?;
    }
    let query = Query::new(arguments)?;
    let input = Input::open(path)?;
    let source = Source::File(path.to_string_lossy().into_owned());
    let config = AccountConfig::new(Limits::bytes(arguments.max_memory()), query.detail());
    let output = super::output(arguments, query, source);
    match arguments.interval {
        None => read(path, input, Whole::new(config, output)),
        Some(Span(length)) => read(path, input, Series::new(config, length, output)),
    }
}

fn read<M: Meter>(path: &Path, input: Input, mut meter: M) -> anyhow::Result<ExitCode> {
    let mut progress = Progress::of(&input, M::PRINTS_MEANWHILE);
    let is_compressed = input.is_compressed;
    let result = match CaptureFile::open(input.reader) {
        Ok(mut capture) => frames(&mut capture, &mut meter, &mut progress),
        Err(error) if is_damage(&error, is_compressed) => Err(error),
        Err(error) => return Err(error).with_context(|| title(path)),
    };
    progress.clear();
    let (error, code) = match result {
        Ok(()) => (None, ExitCode::SUCCESS),
        Err(error) => {
            let is_damage = is_damage(&error, is_compressed);
            let code = if is_damage { DAMAGED } else { 1 };
            (Some(told(&error.into())), ExitCode::from(code))
        }
    };
    if let Some(error) = &error {
        // Nothing is left to do where standard error is closed.
        let _is_written = writeln!(io::stderr(), "bwmon-agent: {}: {error}", title(path));
    }
    let ending = Ending {
        error,
        ..Ending::default()
    };
    unless_unwanted(meter.finish(None, ending)).context("cannot print")?;
    Ok(code)
}

/// Whether the capture is to blame. What a decompressor refuses is damage too, and reaches the reader
/// as an error of reading.
fn is_damage(error: &CollectError, is_compressed: bool) -> bool {
    match error.kind() {
        CollectErrorKind::Damaged => true,
        CollectErrorKind::Other => is_compressed,
        _ => false,
    }
}

/// Counts every frame that there is, or until the result is no longer wanted.
fn frames<R: Read + Send>(
    capture: &mut CaptureFile<R>,
    meter: &mut impl Meter,
    progress: &mut Progress,
) -> Result<(), CollectError> {
    loop {
        let count = meter.read(capture)?;
        if count == 0 || meter.is_broken() {
            return Ok(());
        }
        progress.advance(count as u64);
    }
}
