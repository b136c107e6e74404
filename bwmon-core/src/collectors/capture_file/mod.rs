//! Capture files, pcap and pcapng, read as a stream in constant memory: from a file, from standard
//! input, or from bytes.
//!
//! A damaged file delivers every frame that precedes the damage, then an error of kind
//! [`CollectErrorKind::Damaged`] with the offset.

mod input;
mod order;
mod pcap;
mod pcapng;

use std::fmt;
use std::io::Read;
use std::time::{Duration, Instant};

use input::Input;
use pcap::Pcap;
use pcapng::PcapNg;

use crate::collector::{
    CollectError, CollectErrorKind, Collector, InterfaceEvent, Losses, Observer, Progress,
};
use crate::flow::FlowKey;
use crate::frame::{Frame, InterfaceId, PerDirection, Tally};
use crate::report::ProbeResult;
use crate::sample::HostSample;
use crate::time::Timestamp;

/// Longest captured length of one frame that is taken; more is damage. What common tools take.
pub const MAX_CAPTURED: usize = 262_144;

/// A capture file as a source of frames.
pub struct CaptureFile<R> {
    input: Input<R>,
    format: Format,
    has_ended: bool,
}

#[derive(Debug)]
enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// What reading on came to.
enum Record {
    /// So many frames were delivered.
    Frames(usize),
    /// Something that is no frame was passed over.
    Other,
    /// The file is at its end.
    End,
}

impl<R: Read + Send> CaptureFile<R> {
    /// Reads the start of a capture.
    ///
    /// # Errors
    /// [`CollectErrorKind::NotFound`] if it is not a capture in a known format,
    /// [`CollectErrorKind::Damaged`] if it is cut within its first header, or what reading met.
    pub fn open(source: R) -> Result<Self, CollectError> {
        let mut input = Input::new(source);
        let magic = *input
            .peek(4)?
            .and_then(|bytes| bytes.first_chunk::<4>())
            .ok_or_else(|| not_a_capture("it has fewer than 4 bytes"))?;
        let format = if magic == pcapng::MAGIC {
            Format::PcapNg(PcapNg::default())
        } else {
            Format::Pcap(Pcap::open(&mut input, magic)?)
        };
        Ok(Self {
            input,
            format,
            has_ended: false,
        })
    }

    /// Bytes of the file read so far.
    pub const fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// Reads on to the next frame and hands it to `observer`; `false` at the end.
    ///
    /// # Errors
    /// [`CollectErrorKind::Damaged`] with the offset, or what reading met. The capture has then
    /// ended.
    pub fn next_frame(&mut self, observer: impl FnMut(Frame<'_>)) -> Result<bool, CollectError> {
        Ok(self.next(1, &mut Each(observer))? > 0)
    }

    /// Hands the next frames to `into`: as many as are read by now, some thousands at most and one at
    /// least. Says how many; 0 at the end. Faster than one by one.
    ///
    /// # Errors
    /// As [`Self::next_frame`].
    #[inline]
    pub fn next_frames(
        &mut self,
        into: &mut (impl Observer + ?Sized),
    ) -> Result<usize, CollectError> {
        self.next(usize::MAX, into)
    }

    #[inline]
    fn next(
        &mut self,
        most: usize,
        into: &mut (impl Observer + ?Sized),
    ) -> Result<usize, CollectError> {
        while !self.has_ended {
            let record = match &mut self.format {
                Format::Pcap(pcap) => pcap.next(&mut self.input, most, into),
                Format::PcapNg(pcapng) => pcapng.next(&mut self.input, into),
            };
            match record {
                Ok(Record::Frames(count)) => return Ok(count),
                Ok(Record::Other) => {}
                Ok(Record::End) => self.has_ended = true,
                Err(error) => {
                    self.has_ended = true;
                    return Err(error);
                }
            }
        }
        Ok(0)
    }
}

impl<R: Read + Send> Collector for CaptureFile<R> {
    fn name(&self) -> &str {
        "capture_file"
    }

    fn collect(
        &mut self,
        budget: Duration,
        into: &mut dyn Observer,
    ) -> Result<Progress, CollectError> {
        /// Looks at the file between two looks at the clock.
        const STRIDE: u32 = 16;
        let started = Instant::now();
        loop {
            for _ in 0..STRIDE {
                if self.next_frames(into)? == 0 {
                    return Ok(Progress::Ended);
                }
            }
            if started.elapsed() >= budget {
                return Ok(Progress::Busy);
            }
        }
    }

    fn losses(&self) -> Losses {
        Losses::default()
    }
}

/// Each frame by itself; a file has nothing else.
struct Each<F>(F);

impl<F: FnMut(Frame<'_>)> Observer for Each<F> {
    fn frame(&mut self, frame: Frame<'_>) {
        (self.0)(frame);
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

impl<R> fmt::Debug for CaptureFile<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureFile")
            .field("format", &self.format)
            .field("offset", &self.input.offset())
            .finish_non_exhaustive()
    }
}

fn not_a_capture(why: &str) -> CollectError {
    CollectError::new(
        CollectErrorKind::NotFound,
        format!("not a capture file: {why}; pcap and pcapng are read"),
    )
}

fn damaged(offset: u64, what: impl fmt::Display) -> CollectError {
    CollectError::new(
        CollectErrorKind::Damaged,
        format!("damaged at byte {offset}: {what}; what precedes it was read"),
    )
}

#[cfg(test)]
mod tests;
