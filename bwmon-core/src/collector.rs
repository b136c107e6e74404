//! Sources of what happens on a host, and who listens to them.
//!
//! # The laws of a collector
//!
//! 1. **Bounded.** [`Collector::collect`] returns once `budget` is used up, give or take one frame
//!    or one sample, also when nothing arrives. Breaking it delays every report of the host.
//! 2. **Progress.** It returns [`Progress::Idle`] only if nothing more is available now, and
//!    [`Progress::Ended`] only if nothing will ever come. A source that says `Busy` for ever without
//!    delivering keeps one core busy.
//! 3. **Wire length.** Every frame carries the length that the interface's own counter counts, not
//!    the captured length. Breaking it breaks the identity of bytes.
//! 4. **Losses are cumulative.** [`Collector::losses`] never goes back and never resets; sources
//!    that reset on reading (`PACKET_STATISTICS`) are read by the collector alone and added up.
//! 5. **Errors are final or not, and say so.** After a retryable error the next `collect` goes on;
//!    after another one the collector may be dropped.
//! 6. **Hostile input is data.** What cannot be parsed is delivered as it came, or counted; it is
//!    never an error and never a panic.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::flow::FlowKey;
use crate::frame::{Frame, InterfaceId, PerDirection, Tally};
use crate::report::{CaptureLoss, ProbeResult};
use crate::sample::HostSample;
use crate::time::Timestamp;

/// A blocking source, owned by one thread. Its laws are in the [module's documentation](self).
pub trait Collector: fmt::Debug + Send {
    /// A short constant name for messages, such as `af_packet`.
    fn name(&self) -> &str;

    /// Delivers what is available within `budget`, then returns. May wait for at most `budget`.
    ///
    /// # Errors
    /// When the source cannot deliver, with a [`CollectError::kind`] that says what helps.
    fn collect(
        &mut self,
        budget: Duration,
        into: &mut dyn Observer,
    ) -> Result<Progress, CollectError>;

    /// What was received and lost since the collector was made, never reset.
    fn losses(&self) -> Losses;
}

/// Listens to a collector. Implemented by [`crate::Monitor`] and by test doubles.
///
/// # The laws of an observer
///
/// 1. It never blocks and never fails: it is called from a capture thread.
/// 2. It keeps nothing of a frame's bytes beyond the call.
pub trait Observer {
    /// A captured frame.
    fn frame(&mut self, frame: Frame<'_>);

    /// Traffic that the kernel attributed by itself: the change since the last call for this key.
    fn flow(
        &mut self,
        at: Timestamp,
        interface: Option<InterfaceId>,
        key: FlowKey,
        delta: PerDirection<Tally>,
    );

    /// An interface appeared, vanished or got another name.
    fn interface(&mut self, at: Timestamp, event: InterfaceEvent);

    /// Host metrics and the interfaces' counters, read at one moment.
    fn sample(&mut self, at: Timestamp, sample: HostSample);

    /// The result of a probe.
    fn probe(&mut self, at: Timestamp, probe: ProbeResult);
}

/// What a call to [`Collector::collect`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// The budget was used up; more may be available at once.
    Busy,
    /// Nothing more is available now.
    Idle,
    /// The source is exhausted, as a file is at its end.
    Ended,
}

/// A change in the set of interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InterfaceEvent {
    /// It is there, under this name. Also said once for each interface when a collector starts.
    Appeared {
        /// Its number.
        id: InterfaceId,
        /// Its name.
        name: String,
    },
    /// It is gone; its number may be given to another one.
    Vanished {
        /// Its number.
        id: InterfaceId,
    },
    /// It has another name.
    Renamed {
        /// Its number.
        id: InterfaceId,
        /// The new name.
        name: String,
    },
}

/// What a collector received and lost, cumulative; one element per source it tells apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Losses {
    /// In a stable order.
    pub sources: Vec<CaptureLoss>,
}

/// Why a collector cannot deliver.
#[derive(Debug)]
pub struct CollectError {
    kind: CollectErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What helps against a [`CollectError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CollectErrorKind {
    /// The process lacks a privilege; the message names what grants it.
    Permission,
    /// The interface, file or kernel feature does not exist.
    NotFound,
    /// The source went away, for instance an interface that was removed; opening it anew may help.
    Gone,
    /// The input is damaged; the message says where.
    Damaged,
    /// The system refused for now (memory, interrupted call); the next call may succeed.
    Temporary,
    /// Anything else.
    Other,
}

impl CollectError {
    /// An error that says what happened, where, and what to do next.
    pub fn new(kind: CollectErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same with its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What helps.
    pub const fn kind(&self) -> CollectErrorKind {
        self.kind
    }

    /// Whether calling `collect` again may succeed.
    pub const fn is_retryable(&self) -> bool {
        matches!(self.kind, CollectErrorKind::Temporary)
    }
}

impl fmt::Display for CollectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CollectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn Error + 'static))
    }
}
