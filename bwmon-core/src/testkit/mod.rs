//! For those who implement the traits: their laws as tests, and test doubles.
//!
//! A conformance suite runs in three lines and panics with the number of the law that is broken:
//!
//! ```no_run
//! # async fn open_my_sink(place: u32) -> Box<dyn bwmon_core::Sink> { unimplemented!() }
//! # async fn keys_in(place: u32) -> Vec<(bwmon_core::report::AgentId, bwmon_core::report::RecordKey)> { vec![] }
//! # async fn test() {
//! use bwmon_core::testkit::sink;
//! let subject = sink::Subject::new(open_my_sink).reading(keys_in);
//! println!("{}", sink::conformance(subject).await);
//! # }
//! ```
//!
//! Nothing here needs an async runtime of its own: the suites are futures that the caller's runs.

mod clock;
pub mod collector;
mod frames;
#[cfg(target_os = "linux")]
pub mod namespace;
mod observer;
pub mod rule;
mod samples;
mod scripted;
pub mod sink;
#[cfg(test)]
mod tests;

pub use clock::ManualClock;
pub use frames::FrameBuilder;
pub use observer::{OwnedFrame, RecordingObserver};
pub use samples::{SAMPLE_START, envelope, epoch_start, interval, record};
pub use scripted::{Outcome, Script, ScriptedSink};
