//! Destinations of reports.
//!
//! # The laws of a sink
//!
//! 1. **Ok means durable**, as far as [`SinkCapability::durable`] promises, for every record whose
//!    fate is stored or duplicate. Buffering after `Ok` loses what was acknowledged.
//! 2. **One fate per record**, in the batch's order.
//! 3. **The same record twice is applied once** where [`SinkCapability::deduplicates`] says so. A
//!    sender resends whatever it has no answer for, so a sink without this counts twice.
//! 4. **A cancelled `write` leaves the sink usable.** Its outcome is unknown to the caller, who
//!    sends the batch again.
//! 5. **A batch over [`SinkCapability::max_batch`] is refused, not cut.**
//! 6. **An error stores nothing that the caller may not send again**: after it, resending the whole
//!    batch is right.
//! 7. **`close` loses nothing** of what was acknowledged.
//! 8. **`Debug` and `Display` show no credential and no payload.**

use std::error::Error;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::report::{Batch, Receipt};

/// A destination of records, owned by one worker, which makes order free and awaiting `write` the
/// backpressure. Its laws are in the [module's documentation](self); `testkit` checks them.
#[async_trait]
pub trait Sink: fmt::Debug + Send {
    /// A short constant name for messages, such as `sqlite`.
    fn name(&self) -> &str;

    /// What it promises. Constant for the life of the sink.
    fn capability(&self) -> SinkCapability;

    /// Takes a batch. Cancel-safe: see law 4.
    ///
    /// # Errors
    /// When nothing can be promised about the batch; [`SinkError::is_retryable`] says whether to
    /// send it again.
    async fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError>;

    /// Ends the sink in an orderly way.
    ///
    /// # Errors
    /// When something that was acknowledged may not be as durable as promised.
    async fn close(self: Box<Self>) -> Result<(), SinkError>;
}

/// What a sink promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkCapability {
    /// Most records that one `write` takes; at least 1.
    pub max_batch: usize,
    /// Whether the same record twice is applied once.
    pub deduplicates: bool,
    /// Whether `Ok` survives the death of the process.
    pub durable: bool,
    /// Whether what was written can be read back from the same place.
    pub readable: bool,
}

impl SinkCapability {
    /// The least: not deduplicating, not durable, not readable.
    pub const fn with_max_batch(max_batch: usize) -> Self {
        Self {
            max_batch,
            deduplicates: false,
            durable: false,
            readable: false,
        }
    }

    /// The same, applying the same record once.
    #[must_use]
    pub const fn deduplicating(mut self) -> Self {
        self.deduplicates = true;
        self
    }

    /// The same, with an `Ok` that survives the death of the process.
    #[must_use]
    pub const fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// The same, readable.
    #[must_use]
    pub const fn readable(mut self) -> Self {
        self.readable = true;
        self
    }
}

/// Why a sink did not take a batch.
#[derive(Debug)]
pub struct SinkError {
    kind: SinkErrorKind,
    message: String,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What helps against a [`SinkError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SinkErrorKind {
    /// The destination cannot be reached or does not answer; sending again helps once it is back.
    Unavailable,
    /// The destination has no room or no time now; sending again later helps.
    Busy,
    /// Credentials are missing or wrong: data is held, an operator must act.
    Unauthorised,
    /// The two sides speak different versions: data is held, an upgrade must happen.
    Incompatible,
    /// The batch has more records than the sink takes at once.
    TooLarge,
    /// The batch will never be taken as it is.
    Refused,
    /// The destination is damaged or full in a way that sending again does not mend.
    Broken,
}

impl SinkError {
    /// An error that says what happened, where, and what to do next; never a credential or payload.
    pub fn new(kind: SinkErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
            source: None,
        }
    }

    /// The error of law 5.
    pub fn too_large(len: usize, max_batch: usize) -> Self {
        Self::new(
            SinkErrorKind::TooLarge,
            format!("batch of {len} records, this sink takes at most {max_batch} at once"),
        )
    }

    /// The same with its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same with the destination's own word on when to come back.
    #[must_use]
    pub const fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// What helps.
    pub const fn kind(&self) -> SinkErrorKind {
        self.kind
    }

    /// The destination's own word on when to come back.
    pub const fn delay(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the same batch may be taken later. Where it says no, the batch itself is at fault.
    pub const fn is_retryable(&self) -> bool {
        match self.kind {
            SinkErrorKind::Unavailable
            | SinkErrorKind::Busy
            | SinkErrorKind::Unauthorised
            | SinkErrorKind::Incompatible
            | SinkErrorKind::Broken => true,
            SinkErrorKind::TooLarge | SinkErrorKind::Refused => false,
        }
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn Error + 'static))
    }
}
