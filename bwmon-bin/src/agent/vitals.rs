//! What the agent's parts count of themselves, for its metrics. The threads that count wait for nobody.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bwmon_core::frame::PerDirection;
use bwmon_core::report::{CaptureMethod, Interval, Terms};

/// Shared by whoever counts and whoever tells.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    capture: Mutex<CaptureSums>,
    /// Reports that were merged with the one before because that thread was behind.
    pub(super) spool_merged: AtomicU64,
    /// Results of pings that were dropped because the capture thread was behind.
    pub(super) pings_dropped: AtomicU64,
}

/// What the capture thread counts. Sums are since the start of the process, the rest is of the last
/// interval.
#[derive(Debug, Clone, Default)]
pub(super) struct CaptureSums {
    /// Intervals that were closed.
    pub(super) intervals: u64,
    /// Intervals that were merged with the one before because delivery was behind.
    pub(super) merged: u64,
    /// Intervals that wait for delivery.
    pub(super) waiting: u64,
    /// Time that closing them took: reading the host, emptying the ring, moving the flows out.
    pub(super) closing: Duration,
    /// The part of it that reading the host took.
    pub(super) reading: Duration,
    /// How much later than planned they were closed.
    pub(super) late: Duration,
    /// Sources of flows that ended by themselves.
    pub(super) failures: u64,
    /// How flows are seen.
    pub(super) method: CaptureMethod,
    /// Flows told apart.
    pub(super) flows: u64,
    /// Flow rows of the report.
    pub(super) rows: u64,
    /// Flow rows of all reports.
    pub(super) rows_sum: u64,
    /// Bytes of captured interfaces, by where they went.
    pub(super) bytes: BytesByTerm,
    /// Packets that passed the filter of the capture, lost ones included.
    pub(super) packets_received: u64,
    /// Packets that the capture lost.
    pub(super) packets_lost: u64,
}

/// Bytes in both directions, by the term of the identity of bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BytesByTerm {
    pub(super) attributed: u64,
    pub(super) overflow: u64,
    pub(super) non_ip: u64,
    pub(super) malformed: u64,
}

impl Vitals {
    /// Takes over what the capture thread has counted; where somebody reads at this moment, the next
    /// interval brings it.
    pub(super) fn publish(&self, sums: &CaptureSums) {
        if let Ok(mut published) = self.capture.try_lock() {
            published.clone_from(sums);
        }
    }

    /// What the capture thread has counted.
    pub(super) fn capture(&self) -> CaptureSums {
        let published = self.capture.lock();
        published.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CaptureSums {
    /// Counts an interval that was closed.
    pub(super) fn count(&mut self, interval: &Interval) {
        self.intervals += 1;
        self.method = interval.capture.method;
        self.rows = interval.flows.len() as u64;
        self.rows_sum += self.rows;
        for interface in &interval.interfaces {
            if let Some(PerDirection { ingress, egress }) = &interface.conservation {
                self.bytes.add(&ingress.terms);
                self.bytes.add(&egress.terms);
            }
        }
        let beyond = interval.overflow_without_interface;
        self.bytes.overflow += beyond.ingress.bytes + beyond.egress.bytes;
        let losses = || interval.losses.iter();
        self.packets_received += losses().map(|loss| loss.received).sum::<u64>();
        self.packets_lost += losses().map(|loss| loss.dropped).sum::<u64>();
    }
}

impl BytesByTerm {
    const fn add(&mut self, terms: &Terms) {
        self.attributed += terms.attributed.bytes;
        self.overflow += terms.overflow.bytes;
        self.non_ip += terms.non_ip.bytes;
        self.malformed += terms.malformed.bytes;
    }
}

/// Adds to a counter that nothing else depends on.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
