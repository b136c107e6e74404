//! Standard output, in the format that was asked for.

use std::fmt;
use std::io::{self, BufWriter, Stdout, Write};

use super::cli::Format;
use super::part::{Ending, Part, Source};
use super::query::Query;
use super::units::{Grouped, Si, counted};
use super::{csv, json, table};

/// Bytes that are written at a time.
const BUFFER: usize = 64 * 1024;

/// Where results go.
pub(super) struct Output {
    out: BufWriter<Stdout>,
    format: Format,
    query: Query,
    source: Source,
    has_header: bool,
}

impl Output {
    /// Standard output as it is.
    pub(super) fn new(format: Format, query: Query, source: Source) -> Self {
        Self {
            out: BufWriter::with_capacity(BUFFER, io::stdout()),
            format,
            query,
            source,
            has_header: false,
        }
    }

    /// Prints an interval that is over, at once.
    pub(super) fn interval(&mut self, part: &Part) -> io::Result<()> {
        let out = &mut self.out;
        match self.format {
            Format::Table => table::interval(out, &self.query, part)?,
            Format::Json => json::interval(out, &self.query, &self.source, part)?,
            Format::Csv => {
                csv::header(out, &self.query, true, &mut self.has_header)?;
                csv::rows(out, &self.query, part, true)?;
            }
        }
        self.out.flush()
    }

    /// Prints the result of all, or where intervals were printed what they sum to.
    pub(super) fn end(mut self, part: &Part, ending: &Ending) -> io::Result<()> {
        let out = &mut self.out;
        match self.format {
            Format::Table => table::end(out, &self.query, &self.source, part, ending)?,
            Format::Json => json::end(out, &self.query, &self.source, part, ending)?,
            Format::Csv => {
                let is_series = ending.intervals.is_some();
                csv::header(out, &self.query, is_series, &mut self.has_header)?;
                csv::rows(out, &self.query, part, false)?;
                warn_of_overflow(part);
            }
        }
        self.out.flush()?;
        warn_of_intervals(part);
        Ok(())
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("format", &self.format)
            .field("query", &self.query)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// The other formats have a place for it.
fn warn_of_overflow(part: &Part) {
    if !part.overflow.is_empty() {
        // Nothing is left to do where standard error is closed.
        let _is_written = writeln!(
            io::stderr(),
            "bwmon-agent: flows of {} had no room and are not listed; raise --max-memory",
            Si::bytes(part.overflow.bytes)
        );
    }
}

/// Whoever reads on may have missed which intervals are not as they were asked for.
fn warn_of_intervals(part: &Part) {
    let mut stderr = io::stderr();
    if part.late_frames > 0 {
        let late = counted(part.late_frames, "frame");
        let _is_written = writeln!(
            stderr,
            "bwmon-agent: {late} came late, stamped before an interval that was over: counted for a \
             later one"
        );
    }
    if part.merged_intervals > 0 {
        let merged = Grouped(part.merged_intervals);
        let _is_written = writeln!(
            stderr,
            "bwmon-agent: the output was read too slowly: {merged} of the intervals are merged into \
             those before them; the totals are exact"
        );
    }
}

/// A reader that went away wanted no more.
pub(super) fn unless_unwanted(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
