use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What became of a request of an agent of the original program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its report is stored.
    Stored,
    /// Its report had come before.
    Duplicate,
    /// The list of addresses was sent.
    PeersTold,
    /// It came to the listener for everybody else.
    Elsewhere,
    /// The address is not on the list.
    Address,
    /// An enrolled host has the name.
    Name,
    /// As many hosts are known as are taken.
    Full,
    /// It could not be read, or will never be taken.
    Malformed,
    /// The queue was full, or the store had trouble.
    TurnedAway,
}

impl Outcome {
    /// Every one, in the order of the metric.
    pub const ALL: [Self; 9] = [
        Self::Stored,
        Self::Duplicate,
        Self::PeersTold,
        Self::Elsewhere,
        Self::Address,
        Self::Name,
        Self::Full,
        Self::Malformed,
        Self::TurnedAway,
    ];

    /// Its label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::PeersTold => "peers_told",
            Self::Elsewhere => "elsewhere",
            Self::Address => "address_not_allowed",
            Self::Name => "name_taken",
            Self::Full => "too_many_hosts",
            Self::Malformed => "malformed",
            Self::TurnedAway => "turned_away",
        }
    }
}

/// Counters that many requests add to.
#[derive(Debug, Default)]
pub struct LegacyCounters {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    clocks_replaced: AtomicU64,
    values_skipped: AtomicU64,
}

impl LegacyCounters {
    /// Counts a request.
    pub fn count(&self, outcome: Outcome) {
        let counters = Outcome::ALL.iter().zip(&self.outcomes);
        for (_, counter) in counters.filter(|(of, _)| **of == outcome) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Counts what was stored otherwise than it was sent.
    pub fn mapped(&self, is_clock_replaced: bool, values_skipped: u64) {
        self.clocks_replaced
            .fetch_add(u64::from(is_clock_replaced), Relaxed);
        self.values_skipped.fetch_add(values_skipped, Relaxed);
    }

    /// Requests, by what became of them.
    pub fn outcomes(&self) -> [(&'static str, u64); Outcome::ALL.len()] {
        let mut read = Outcome::ALL.map(|outcome| (outcome.label(), 0));
        for ((_, count), counter) in read.iter_mut().zip(&self.outcomes) {
            *count = counter.load(Relaxed);
        }
        read
    }

    /// Reports that got the collector's time instead of their own.
    pub fn clocks_replaced(&self) -> u64 {
        self.clocks_replaced.load(Relaxed)
    }

    /// Values that mean nothing and were left out.
    pub fn values_skipped(&self) -> u64 {
        self.values_skipped.load(Relaxed)
    }
}
