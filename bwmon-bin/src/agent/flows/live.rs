//! Live interfaces, for a while or until a signal.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use bwmon_core::collector::{CollectError, InterfaceEvent, Observer, Progress};
use bwmon_core::flow::{FlowKey, Limits};
use bwmon_core::frame::{Frame, InterfaceId, PerDirection, Tally};
use bwmon_core::monitor::AccountConfig;
use bwmon_core::report::ProbeResult;
use bwmon_core::sample::HostSample;
use bwmon_core::time::{Timestamp, Window};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::cli::{Arguments, Span};
use super::meter::{Meter, Series, Whole};
use super::output::unless_unwanted;
use super::part::{Ending, Source};
use super::query::Query;
use super::signals::Signalled;
use super::sink::Queue;
use super::units::counted;
use crate::agent::clock::wall_clock;
use crate::agent::ladder::title;
use crate::agent::live::{Live, open};
use crate::common::errors::told;

/// How long one call waits for frames: a signal is answered within that.
const PACE: Duration = Duration::from_millis(100);

/// Captures on the interfaces that `arguments` names and prints what was seen.
///
/// # Errors
/// When capturing is refused, or the result cannot be written.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let query = Query::new(arguments)?;
    let signalled = Signalled::by(&[SIGINT, SIGTERM]).context("cannot watch for signals")?;
    let interfaces = distinct(&arguments.interfaces);
    let live = open(&interfaces)?;
    let method = title(live.method);
    say_what_happens(&interfaces.join(", "), method, arguments.duration);
    let config = AccountConfig::new(Limits::bytes(arguments.max_memory()), query.detail());
    let output = super::output(arguments, query, Source::Live { interfaces, method });
    let watch = Watch {
        signalled,
        deadline: arguments
            .duration
            .and_then(|Span(span)| Instant::now().checked_add(span)),
    };
    match arguments.interval {
        None => capture(live, &watch, Whole::new(config, output)),
        Some(Span(length)) => {
            let queue = Queue::start(output, arguments.max_memory())
                .context("cannot start the thread that prints")?;
            capture(live, &watch, Series::new(config, length, queue))
        }
    }
}

/// The names in their order, each once.
fn distinct(names: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut distinct = names.to_vec();
    distinct.retain(|name| seen.insert(name.clone()));
    distinct
}

fn say_what_happens(interfaces: &str, method: &str, duration: Option<Span>) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        let end = if duration.is_some() {
            ""
        } else {
            "; Ctrl-C ends it"
        };
        // Nothing is left to do where standard error is closed.
        let _is_written = writeln!(stderr, "Capturing on {interfaces} through {method}{end}");
    }
}

/// What ends a capture.
struct Watch {
    signalled: Signalled,
    deadline: Option<Instant>,
}

impl Watch {
    /// How long to wait for frames; nothing where it is over.
    fn pace(&self) -> Option<Duration> {
        let left = self.deadline.map_or(PACE, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        (!left.is_zero() && !self.signalled.is_set()).then_some(left.min(PACE))
    }
}

fn capture(live: Live, watch: &Watch, mut meter: impl Meter) -> anyhow::Result<ExitCode> {
    let mut source = live.source;
    let (start, started) = (wall_clock(), Instant::now());
    let mut result = frames(&mut source, watch, &mut meter);
    let window = Window::new(start, started.elapsed());
    if result.is_ok() {
        let mut last = Listener {
            meter: &mut meter,
            until: wall_clock(),
        };
        // What the kernel holds back was on the wire before the end.
        result = source.tap.collect(source.drain, &mut last).map(|_| ());
    }
    let losses = source.tap.losses();
    let drops = losses.sources.iter().map(|source| source.dropped).sum();
    drop(source);
    let error = result.err().map(|error| told(&error.into()));
    say_what_went_wrong(drops, error.as_deref());
    let code = ExitCode::from(u8::from(error.is_some()));
    let ending = Ending {
        error,
        drops: Some(drops),
        ..Ending::default()
    };
    unless_unwanted(meter.finish(Some(window), ending)).context("cannot print")?;
    Ok(code)
}

fn frames(
    source: &mut crate::agent::ladder::Source,
    watch: &Watch,
    meter: &mut impl Meter,
) -> Result<(), CollectError> {
    while let Some(pace) = watch.pace().filter(|_| !meter.is_broken()) {
        let mut listener = Listener {
            meter: &mut *meter,
            until: Timestamp::from_nanos(u64::MAX),
        };
        match source.tap.collect(pace, &mut listener) {
            Ok(Progress::Ended) => break,
            Err(error) if !error.is_retryable() => return Err(error),
            // What failed for now must not be asked again without a pause.
            Err(_) => std::thread::sleep(pace),
            Ok(Progress::Busy | Progress::Idle) => {}
        }
        meter.is_past(wall_clock().minus(source.drain));
    }
    Ok(())
}

fn say_what_went_wrong(drops: u64, error: Option<&str>) {
    let mut stderr = io::stderr();
    if drops > 0 {
        let lost = counted(drops, "frame");
        let _is_written = writeln!(
            stderr,
            "bwmon-agent: {lost} lost while capturing: they came faster than they were counted"
        );
    }
    if let Some(error) = error {
        let _is_written = writeln!(stderr, "bwmon-agent: {error}");
    }
}

/// Hands on the frames that were on the wire until a moment.
struct Listener<'a, M> {
    meter: &'a mut M,
    until: Timestamp,
}

impl<M: Meter> Observer for Listener<'_, M> {
    fn frame(&mut self, frame: Frame<'_>) {
        if frame.at <= self.until {
            self.meter.frame(&frame);
        }
    }

    fn flow(
        &mut self,
        _at: Timestamp,
        _interface: Option<InterfaceId>,
        _key: FlowKey,
        _delta: PerDirection<Tally>,
    ) {
    }

    fn interface(&mut self, _at: Timestamp, _event: InterfaceEvent) {}

    fn sample(&mut self, _at: Timestamp, _sample: HostSample) {}

    fn probe(&mut self, _at: Timestamp, _probe: ProbeResult) {}
}
