//! Counts frames: all of them as one, or interval by interval.

use std::io::{self, Read};
use std::time::Duration;

use bwmon_core::collector::CollectError;
use bwmon_core::collectors::capture_file::CaptureFile;
use bwmon_core::frame::Frame;
use bwmon_core::monitor::{Account, AccountConfig};
use bwmon_core::time::{Span, Timestamp, Window};

use super::output::Output;
use super::part::{Ending, Part};
use super::sink::Sink;

/// Frames between two looks at anything but frames.
const STRIDE: usize = 4_096;
/// The interval that ends here never does.
const END_OF_TIME: Timestamp = Timestamp::from_nanos(u64::MAX);

/// Takes frames one after the other. Loops are compiled for each meter.
pub(super) trait Meter {
    /// Whether it prints before its end.
    const PRINTS_MEANWHILE: bool;

    /// Counts a frame.
    fn frame(&mut self, frame: &Frame<'_>);

    /// Counts some frames of a file, and says how many; 0 at its end.
    ///
    /// # Errors
    /// What reading met.
    fn read<R: Read + Send>(&mut self, file: &mut CaptureFile<R>) -> Result<usize, CollectError>;

    /// Says that no more frames stamped before `now` will come.
    fn is_past(&mut self, now: Timestamp);

    /// Whether counting on is useless, because what is counted cannot be printed.
    fn is_broken(&self) -> bool;

    /// Prints what was counted; `watched` is how long a live capture lasted.
    ///
    /// # Errors
    /// When the result cannot be written.
    fn finish(self, watched: Option<Window>, ending: Ending) -> io::Result<()>;
}

/// Counts everything as one.
#[derive(Debug)]
pub(super) struct Whole {
    account: Account,
    output: Output,
}

impl Whole {
    pub(super) fn new(config: AccountConfig, output: Output) -> Self {
        Self {
            account: Account::new(config),
            output,
        }
    }
}

impl Meter for Whole {
    const PRINTS_MEANWHILE: bool = false;

    fn frame(&mut self, frame: &Frame<'_>) {
        self.account.frame(frame);
    }

    fn read<R: Read + Send>(&mut self, file: &mut CaptureFile<R>) -> Result<usize, CollectError> {
        file.next_frames(&mut self.account)
    }

    fn is_past(&mut self, _now: Timestamp) {}

    fn is_broken(&self) -> bool {
        false
    }

    fn finish(mut self, watched: Option<Window>, ending: Ending) -> io::Result<()> {
        let accounted = self.account.rotate();
        drop(self.account);
        let window = watched
            .or_else(|| Some(accounted.span?.window()))
            .unwrap_or_default();
        let part = Part::new(window, accounted.totals, accounted.flows);
        self.output.end(&part, &ending)
    }
}

/// Counts interval by interval and prints each when it is over, so that memory holds one.
///
/// Intervals start at multiples of their length since the Unix epoch. One without frames is left out;
/// a frame that comes when its interval is over counts for the open one, as late. Where the sink has no
/// room for the open interval, that goes on and takes in the next one: nothing is waited for, memory
/// stays that of one table, and the totals stay exact.
#[derive(Debug)]
pub(super) struct Series<S> {
    account: Account,
    span: Option<Span>,
    sink: S,
    length: Duration,
    /// The open interval; both at the Unix epoch while none is open.
    start: Timestamp,
    end: Timestamp,
    /// Where the interval that was printed last ends.
    printed: Timestamp,
    late_frames: u64,
    /// Intervals that the open one holds besides the first.
    merged_intervals: u64,
    count: u64,
    sums: Part,
    failure: io::Result<()>,
}

impl<S: Sink> Series<S> {
    pub(super) fn new(config: AccountConfig, length: Duration, sink: S) -> Self {
        Self {
            account: Account::new(config),
            span: None,
            sink,
            length,
            start: Timestamp::EPOCH,
            end: Timestamp::EPOCH,
            printed: Timestamp::EPOCH,
            late_frames: 0,
            merged_intervals: 0,
            count: 0,
            sums: Part::default(),
            failure: Ok(()),
        }
    }

    #[cold]
    fn turn(&mut self, at: Timestamp) {
        if self.end == END_OF_TIME {
            return;
        }
        let start = aligned(at, self.length);
        if self.is_open() && !self.has_room() {
            self.merged_intervals += 1;
            self.end = start.plus(self.length);
            return;
        }
        self.close();
        self.start = start.max(self.printed);
        self.end = self.start.plus(self.length);
    }

    fn is_open(&self) -> bool {
        self.end != Timestamp::EPOCH
    }

    fn has_room(&mut self) -> bool {
        let flows = self.account.open_flows();
        self.sink.has_room(flows)
    }

    fn close(&mut self) {
        if !self.is_open() {
            return;
        }
        let accounted = self.account.rotate();
        self.span = Span::hull(self.span, accounted.span);
        let window = Window::new(self.start, self.end.since(self.start));
        let part = Part {
            late_frames: std::mem::take(&mut self.late_frames),
            merged_intervals: std::mem::take(&mut self.merged_intervals),
            ..Part::new(window, accounted.totals, accounted.flows)
        };
        self.sums.absorb(&part);
        self.count += 1;
        if self.failure.is_ok() {
            self.failure = self.sink.interval(part);
        }
        self.printed = self.end;
        (self.start, self.end) = (Timestamp::EPOCH, Timestamp::EPOCH);
    }
}

impl<S: Sink> Meter for Series<S> {
    const PRINTS_MEANWHILE: bool = true;

    #[inline]
    fn frame(&mut self, frame: &Frame<'_>) {
        if frame.at >= self.end {
            self.turn(frame.at);
        }
        self.late_frames += u64::from(frame.at < self.start);
        self.account.frame(frame);
    }

    fn read<R: Read + Send>(&mut self, file: &mut CaptureFile<R>) -> Result<usize, CollectError> {
        let mut count = 0;
        while count < STRIDE && file.next_frame(|frame| self.frame(&frame))? {
            count += 1;
        }
        Ok(count)
    }

    fn is_past(&mut self, now: Timestamp) {
        if now >= self.end && self.is_open() && self.has_room() {
            self.close();
        }
    }

    fn is_broken(&self) -> bool {
        self.failure.is_err() || self.sink.is_broken()
    }

    fn finish(mut self, watched: Option<Window>, mut ending: Ending) -> io::Result<()> {
        self.close();
        self.failure?;
        self.sums.window = watched
            .or_else(|| Some(self.span?.window()))
            .unwrap_or_default();
        ending.intervals = Some(self.count);
        self.sink.end(self.sums, ending)
    }
}

/// The last multiple of `length` since the Unix epoch that is not after `at`.
fn aligned(at: Timestamp, length: Duration) -> Timestamp {
    let nanos = u128::from(at.as_nanos());
    let beyond = nanos % length.as_nanos().max(1);
    Timestamp::from_nanos(u64::try_from(nanos - beyond).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_start_at_multiples_of_their_length() {
        let at = Timestamp::from_nanos(1_234_567_890_123);
        let second = Duration::from_secs(1);
        assert_eq!(aligned(at, second), Timestamp::from_secs(1_234));
        assert_eq!(
            aligned(Timestamp::from_secs(7), second),
            Timestamp::from_secs(7)
        );
        assert_eq!(aligned(at, Duration::from_secs(9_999)), Timestamp::EPOCH);
    }
}
