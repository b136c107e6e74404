//! The wire model: what an agent says about one interval, numbered so that nothing is lost or
//! counted twice.
//!
//! Counters and windows travel, never rates. A reader skips fields that it does not know, so new
//! fields must be optional and default to "not measured". Every collection and string is bounded
//! where it is read ([`bounds`]). It travels as JSON, or in the compact encoding of [`wire`].

pub mod bounds;
mod clock;
mod host;
mod interface;
mod interval;
mod merge;
mod record;
mod skew;
pub mod wire;

pub use clock::{ClockReading, Sent, SentError};
pub use host::{
    CpuUsage, DiskCounters, DiskInterval, HostFacts, HostMetrics, LoadAverage, MemoryUsage,
    MountUsage,
};
pub use interface::{
    Conservation, InterfaceFacts, InterfaceInterval, InterfaceKind, KernelCounters, NonIpCount,
    OperState, Terms, UnparsedCount,
};
pub use interval::{
    CaptureLoss, CaptureMethod, CaptureStatus, FlowIdentity, FlowRow, FlowsLost, Interval,
    ProbeKind, ProbeResult,
};
pub use record::{
    AgentId, Batch, CLOCK_REFUSAL, Document, DropReason, Dropped, Envelope, Epoch, EpochStart,
    Fate, IdError, Receipt, Record, RecordBody, RecordKey, SCHEMA, StreamState,
};
pub use skew::{ClockTracker, FUTURE_LIMIT};
