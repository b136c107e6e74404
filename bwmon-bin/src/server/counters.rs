//! What the collector counts since its start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use axum::http::StatusCode;
use bwmon_core::report::Fate;

use super::live::Live;
use super::model::HealthCounters;

/// Counters that many tasks add to.
#[derive(Debug, Default)]
pub struct Counters {
    stored: AtomicU64,
    duplicate: AtomicU64,
    refused: AtomicU64,
    turned_away: AtomicU64,
    unauthorised: AtomicU64,
    malformed: AtomicU64,
    received: AtomicU64,
    handed_back: AtomicU64,
    unknown_fields: AtomicU64,
    moved: AtomicU64,
    connections: AtomicU64,
    event_streams: AtomicU64,
}

/// Which number a [`Gauge`] is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Connections.
    Connection,
    /// Event streams.
    EventStream,
}

/// Counts one of something for as long as it lives.
#[derive(Debug)]
pub struct Gauge {
    counters: Arc<Counters>,
    of: Open,
}

impl Gauge {
    /// Counts one more.
    pub fn enter(counters: &Arc<Counters>, of: Open) -> Self {
        counters.open(of).fetch_add(1, Relaxed);
        Self {
            counters: Arc::clone(counters),
            of,
        }
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.counters.open(self.of).fetch_sub(1, Relaxed);
    }
}

impl Counters {
    fn open(&self, of: Open) -> &AtomicU64 {
        match of {
            Open::Connection => &self.connections,
            Open::EventStream => &self.event_streams,
        }
    }

    /// Counts what became of records.
    pub fn fates(&self, fates: &[Fate]) {
        for fate in fates {
            let counter = match fate {
                Fate::Stored => &self.stored,
                Fate::Duplicate => &self.duplicate,
                _ => &self.refused,
            };
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Counts records that the store is asked to take.
    pub fn received(&self, records: u64) {
        self.received.fetch_add(records, Relaxed);
    }

    /// Counts those of them of which nothing can be promised: they come again.
    pub fn handed_back(&self, records: u64) {
        self.handed_back.fetch_add(records, Relaxed);
    }

    /// Counts a delivery that was answered with this status.
    pub fn delivery_failed(&self, status: StatusCode) {
        let counter = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => &self.unauthorised,
            status if status.is_server_error() => &self.turned_away,
            _ => &self.malformed,
        };
        counter.fetch_add(1, Relaxed);
    }

    /// Counts fields that were skipped.
    pub fn unknown_fields(&self, count: u64) {
        self.unknown_fields.fetch_add(count, Relaxed);
    }

    /// Counts reports whose times were moved because their agent's clock is wrong.
    pub fn moved(&self, count: u64) {
        self.moved.fetch_add(count, Relaxed);
    }

    /// What was counted.
    pub fn read(&self, live: &Live) -> HealthCounters {
        HealthCounters {
            records_received: self.received.load(Relaxed),
            records_handed_back: self.handed_back.load(Relaxed),
            records_stored: self.stored.load(Relaxed),
            records_duplicate: self.duplicate.load(Relaxed),
            records_refused: self.refused.load(Relaxed),
            deliveries_turned_away: self.turned_away.load(Relaxed),
            deliveries_unauthorised: self.unauthorised.load(Relaxed),
            deliveries_malformed: self.malformed.load(Relaxed),
            unknown_fields: self.unknown_fields.load(Relaxed),
            reports_moved: self.moved.load(Relaxed),
            live_reports_evicted: live.evicted(),
            connections: self.connections.load(Relaxed),
            event_streams: self.event_streams.load(Relaxed),
        }
    }
}
