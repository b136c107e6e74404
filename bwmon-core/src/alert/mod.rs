//! Rules that judge what a host reports.
//!
//! # The laws of a rule
//!
//! 1. **Pure.** The same context gives the same findings; a rule reads no clock and keeps no state.
//!    For-duration, hysteresis, cool-down and resolving belong to the engine, which would otherwise
//!    notify twice or never.
//! 2. **One finding per subject.** A subject (a mount path, an interface) is named at most once per
//!    evaluation, and by the same text each time: it is part of the alert's identity.
//! 3. **Absent is not fine.** What was not measured gives no finding at all, neither firing nor
//!    clear: missing data never resolves an alert.
//! 4. **It reads only what [`AlertRule::needs`] names.**

mod threshold;

use std::fmt;

pub use threshold::{Threshold, ThresholdMetric};

use crate::report::Interval;

/// A pure judgement. Its laws are in the [module's documentation](self); `testkit` checks them.
pub trait AlertRule: fmt::Debug + Send + Sync {
    /// A short constant identifier, unique among the rules of one engine.
    fn id(&self) -> &str;

    /// What the page and messages say about it.
    fn describe(&self) -> RuleDescription;

    /// What it reads.
    fn needs(&self) -> Needs;

    /// Judges one report.
    fn evaluate(&self, context: &RuleContext<'_>, out: &mut Findings);
}

/// What the page and messages say about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDescription {
    /// A short title, such as `CPU at 90 % or more`.
    pub title: String,
    /// What it means and what to look at.
    pub detail: String,
}

/// What a rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Needs {
    /// Health of the host.
    pub host: bool,
    /// Interfaces and their counters.
    pub interfaces: bool,
    /// Flows.
    pub flows: bool,
}

impl Needs {
    /// Health of the host only.
    pub const HOST: Self = Self {
        host: true,
        interfaces: false,
        flows: false,
    };
    /// Interfaces and their counters only.
    pub const INTERFACES: Self = Self {
        host: false,
        interfaces: true,
        flows: false,
    };
}

/// What a rule judges.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RuleContext<'a> {
    /// The report.
    pub interval: &'a Interval,
}

impl<'a> RuleContext<'a> {
    /// A context for one report.
    pub const fn new(interval: &'a Interval) -> Self {
        Self { interval }
    }
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Adds a judgement of one subject.
    pub fn push(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// In the order in which they were found.
    pub fn as_slice(&self) -> &[Finding] {
        &self.list
    }
}

/// A judgement of one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What is judged: a mount path, an interface; empty for the host itself.
    pub subject: String,
    /// Whether the condition holds.
    pub is_firing: bool,
    /// The value that was judged, in the rule's unit.
    pub value: f64,
    /// The value that it was compared with.
    pub limit: f64,
}
