//! Metrics as text, in Prometheus' exposition format (version 0.0.4).
//!
//! By our own hand: the libraries for it write OpenMetrics, in which the name of a counter's family lacks
//! `_total`, and promtool takes that for a counter without its suffix.

use std::fmt::Write as _;

/// The content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A number of the format: exact up to 2^53.
#[allow(clippy::cast_precision_loss)]
pub const fn float(value: u64) -> f64 {
    value as f64
}

/// What a family of metrics is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process starts anew. Its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A text under construction.
#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Adds a family with one value.
    pub fn value(&mut self, kind: Kind, name: &str, help: &str, value: f64) {
        self.head(kind, name, help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    /// Adds a family with a value for each of the label's values, which are words of ours.
    pub fn labelled(
        &mut self,
        kind: Kind,
        name: &str,
        help: &str,
        label: &str,
        values: &[(&str, f64)],
    ) {
        self.head(kind, name, help);
        for (of, value) in values {
            let _ = writeln!(self.0, "{name}{{{label}=\"{of}\"}} {value}");
        }
    }

    /// The text.
    pub fn finish(self) -> String {
        self.0
    }

    /// Writing to a string does not fail.
    fn head(&mut self, kind: Kind, name: &str, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
}
