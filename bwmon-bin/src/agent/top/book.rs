//! What was seen since the start, bounded: totals of each flow, and what it moved lately.

use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use bwmon_core::flow::{Counters, Flow, FlowKey, Place};
use bwmon_core::frame::{PerDirection, Tally};

use super::figures::Figures;

/// Refreshes that are remembered one by one: what trends are drawn of.
pub(super) const HISTORY: usize = 24;

/// Rates are means over this time: long enough to read, short enough to be now.
const SMOOTHED: Duration = Duration::from_secs(3);

/// Most flows that are kept apart.
const MOST_FLOWS: usize = 16_384;

/// The lengths of the last refreshes.
#[derive(Debug, Clone, Default)]
pub(super) struct Windows {
    tick: u64,
    /// Newest first.
    seconds: VecDeque<f64>,
}

impl Windows {
    /// Opens a refresh that took `elapsed`.
    pub(super) fn advance(&mut self, elapsed: Duration) {
        self.tick += 1;
        self.seconds.push_front(elapsed.as_secs_f64());
        self.seconds.truncate(HISTORY);
    }

    /// How many of the newest refreshes rates are taken of, and how long these took.
    pub(super) fn smoothed(&self) -> (usize, f64) {
        let (mut count, mut seconds) = (0, 0.0);
        // A refresh that was a little early still completes the time.
        let enough = SMOOTHED.as_secs_f64() * 0.9;
        for length in &self.seconds {
            count += 1;
            seconds += length;
            if seconds >= enough {
                break;
            }
        }
        (count, seconds)
    }

    /// How many refreshes ago `tick` was.
    fn age(&self, tick: u64) -> usize {
        usize::try_from(self.tick.saturating_sub(tick)).unwrap_or(usize::MAX)
    }

    fn length(&self, age: usize) -> Option<f64> {
        self.seconds
            .get(age)
            .copied()
            .filter(|length| *length > 0.0)
    }
}

/// What moved in each of the last refreshes; those in which nothing did take no room.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent {
    /// Newest first, by the number of the refresh.
    slices: VecDeque<(u64, PerDirection<Tally>)>,
}

impl Recent {
    /// Adds what moved in the open refresh.
    pub(super) fn add(&mut self, windows: &Windows, traffic: PerDirection<Tally>) {
        match self.slices.front_mut() {
            Some((tick, slice)) if *tick == windows.tick => slice.add(traffic),
            _ => self.slices.push_front((windows.tick, traffic)),
        }
        let is_old = |slices: &VecDeque<(u64, _)>| {
            let last = slices.back();
            last.is_some_and(|(tick, _)| windows.age(*tick) >= HISTORY)
        };
        while is_old(&self.slices) {
            self.slices.pop_back();
        }
    }

    /// Adds what moved lately to `figures`.
    pub(super) fn add_to(&self, figures: &mut Figures, windows: &Windows) {
        let (count, seconds) = windows.smoothed();
        figures.seconds = seconds;
        for (tick, traffic) in &self.slices {
            let age = windows.age(*tick);
            if age < count {
                figures.recent.add(*traffic);
            }
            if let (Some(bar), Some(length)) = (figures.history.get_mut(age), windows.length(age)) {
                *bar += traffic.total_bytes() as f64 / length;
            }
        }
    }

    fn bytes(&self, windows: &Windows) -> u64 {
        let slices = self.slices.iter();
        slices
            .filter(|(tick, _)| windows.age(*tick) < HISTORY)
            .map(|(_, traffic)| traffic.total_bytes())
            .sum()
    }

    /// Adds the slices of another flow.
    fn unite(&mut self, windows: &Windows, other: &Self) {
        let mut ticks: BTreeMap<u64, PerDirection<Tally>> = BTreeMap::new();
        for (tick, traffic) in self.slices.iter().chain(&other.slices) {
            ticks.entry(*tick).or_default().add(*traffic);
        }
        let young = ticks
            .into_iter()
            .rev()
            .filter(|(tick, _)| windows.age(*tick) < HISTORY);
        self.slices = young.collect();
    }
}

/// Who a flow is, and where it was seen.
type Id = (Place, FlowKey);

#[derive(Debug, Clone)]
struct Entry {
    counters: Counters,
    recent: Recent,
}

/// Flows since the start.
///
/// Where there are more than it may hold, the smallest quarter gives up the port that tells
/// connections apart: the flows of one client with one service become one, with their bytes, so that
/// peers, ports and protocols still sum to everything. Where that is not enough (a scan of ports) the
/// other port goes as well. What is still too much (a scan of addresses) has no name any more, and
/// counts as [`Self::beyond`].
#[derive(Debug, Clone)]
pub(super) struct Book {
    entries: HashMap<Id, Entry>,
    most: usize,
    beyond: PerDirection<Tally>,
}

impl Default for Book {
    fn default() -> Self {
        Self::holding(MOST_FLOWS)
    }
}

impl Book {
    fn holding(most: usize) -> Self {
        Self {
            entries: HashMap::new(),
            most,
            beyond: PerDirection::default(),
        }
    }

    /// Adds the flows of the open refresh.
    pub(super) fn add(&mut self, windows: &Windows, flows: impl Iterator<Item = Flow>) {
        for flow in flows {
            let traffic = flow.counters.traffic;
            match self.entries.entry((flow.place, flow.key)) {
                Slot::Occupied(mut slot) => {
                    let entry = slot.get_mut();
                    entry.counters.merge(&flow.counters);
                    entry.recent.add(windows, traffic);
                }
                Slot::Vacant(slot) => {
                    let mut recent = Recent::default();
                    recent.add(windows, traffic);
                    slot.insert(Entry {
                        counters: flow.counters,
                        recent,
                    });
                }
            }
            // Now and then, so that a single refresh cannot fill the memory.
            if self.entries.len() > self.most.saturating_mul(2) {
                self.shrink(windows);
            }
        }
        if self.entries.len() > self.most {
            self.shrink(windows);
        }
    }

    /// Number of flows that are told apart.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What belongs to flows that had no room.
    pub(super) const fn beyond(&self) -> PerDirection<Tally> {
        self.beyond
    }

    /// Every flow that `keep` takes, with its figures.
    pub(super) fn each(
        &self,
        windows: &Windows,
        mut keep: impl FnMut(&Flow) -> bool,
        mut into: impl FnMut(&Flow, &Figures),
    ) {
        for (&(place, key), entry) in &self.entries {
            let flow = Flow {
                place,
                key,
                counters: entry.counters,
            };
            if !keep(&flow) {
                continue;
            }
            let mut figures = Figures {
                total: entry.counters.traffic,
                flows: 1,
                ..Figures::default()
            };
            entry.recent.add_to(&mut figures, windows);
            into(&flow, &figures);
        }
    }

    fn unite(&mut self, windows: &Windows, id: Id, other: Entry) {
        match self.entries.entry(id) {
            Slot::Occupied(mut slot) => {
                let entry = slot.get_mut();
                entry.counters.merge(&other.counters);
                entry.recent.unite(windows, &other.recent);
            }
            Slot::Vacant(slot) => {
                slot.insert(other);
            }
        }
    }

    /// Makes room: a quarter of the bound is free afterwards, or a little less.
    fn shrink(&mut self, windows: &Windows) {
        let target = self.most - self.most / 4;
        for ports in [2, 1] {
            let surplus = self.entries.len().saturating_sub(target);
            for id in self.smallest(windows, surplus, |id| known_ports(id) == ports) {
                if let Some(entry) = self.entries.remove(&id) {
                    self.unite(windows, coarser(&id), entry);
                }
            }
            if self.entries.len() <= self.most {
                return;
            }
        }
        let surplus = self.entries.len().saturating_sub(target);
        for id in self.smallest(windows, surplus, |_| true) {
            if let Some(entry) = self.entries.remove(&id) {
                self.beyond.add(entry.counters.traffic);
            }
        }
    }

    /// Of the flows that `may` takes, the `count` that moved the fewest bytes lately, and of equal
    /// ones those that moved the fewest since the start.
    fn smallest(&self, windows: &Windows, count: usize, may: impl Fn(&Id) -> bool) -> Vec<Id> {
        let rank = |(id, entry): (&Id, &Entry)| {
            let lately = entry.recent.bytes(windows);
            (lately, entry.counters.traffic.total_bytes(), *id)
        };
        let candidates = self.entries.iter().filter(|(id, _)| may(id));
        let mut ranked: Vec<_> = candidates.map(rank).collect();
        ranked.sort_unstable();
        let ids = ranked.into_iter().take(count);
        ids.map(|(_, _, id)| id).collect()
    }
}

/// How many of its two ports a flow still has.
fn known_ports((_, key): &Id) -> usize {
    let ports = [key.local.port, key.remote.port];
    ports.into_iter().filter(|port| *port != 0).count()
}

/// The flow without its higher port: first the one that a client draws anew for each connection,
/// then the other.
fn coarser((place, key): &Id) -> Id {
    let mut key = *key;
    if key.local.port > key.remote.port {
        key.local.port = 0;
    } else {
        key.remote.port = 0;
    }
    (*place, key)
}

#[cfg(test)]
mod tests {
    use super::super::doubles::flow;
    use super::*;

    fn sum(book: &Book) -> u64 {
        let mut bytes = book.beyond().total_bytes();
        let windows = Windows::default();
        book.each(
            &windows,
            |_| true,
            |_, figures| {
                bytes += figures.total.total_bytes();
            },
        );
        bytes
    }

    #[test]
    fn rates_are_means_over_three_seconds() {
        let mut windows = Windows::default();
        let mut recent = Recent::default();
        for received in [1_000, 0, 2_000, 4_000] {
            windows.advance(Duration::from_secs(1));
            if received > 0 {
                recent.add(&windows, flow(1, 443, received, 0).counters.traffic);
            }
        }
        let mut figures = Figures::default();
        recent.add_to(&mut figures, &windows);
        assert_eq!(figures.bits_per_second().ingress, 6_000.0 * 8.0 / 3.0);
        assert_eq!(figures.history[..5], [4_000.0, 2_000.0, 0.0, 1_000.0, 0.0]);
    }

    #[test]
    fn a_first_refresh_has_a_rate_and_a_long_one_stands_alone() {
        let mut windows = Windows::default();
        windows.advance(Duration::from_secs(1));
        assert_eq!(windows.smoothed(), (1, 1.0));
        windows.advance(Duration::from_secs(10));
        assert_eq!(windows.smoothed(), (1, 10.0));
        for _ in 0..20 {
            windows.advance(Duration::from_millis(200));
        }
        assert_eq!(windows.smoothed().0, 14);
    }

    #[test]
    fn history_is_bounded() {
        let mut windows = Windows::default();
        let mut recent = Recent::default();
        for _ in 0..1_000 {
            windows.advance(Duration::from_secs(1));
            recent.add(&windows, flow(1, 443, 1, 1).counters.traffic);
        }
        assert_eq!(recent.slices.len(), HISTORY);
        assert_eq!(windows.seconds.len(), HISTORY);
    }

    #[test]
    fn too_many_connections_become_one_per_service_and_lose_no_byte() {
        let mut book = Book::holding(100);
        let mut windows = Windows::default();
        for round in 0..50_u16 {
            windows.advance(Duration::from_secs(1));
            let flows = (0..40_u16).map(|n| {
                let mut flow = flow(u32::from(n % 4), 443, 10, 5);
                flow.key.local.port = 20_000 + round * 40 + n;
                flow
            });
            book.add(&windows, flows);
            assert!(book.len() <= 100);
        }
        assert_eq!(sum(&book), 50 * 40 * 15);
        assert_eq!(book.beyond().total_bytes(), 0, "every byte has a peer");
        let mut services = 0;
        book.each(
            &windows,
            |flow| flow.key.local.port == 0,
            |flow, _| {
                services += 1;
                assert_eq!(flow.key.remote.port, 443);
            },
        );
        assert_eq!(services, 4);
    }

    #[test]
    fn a_scan_of_ports_leaves_the_peer_with_every_byte() {
        let mut book = Book::holding(100);
        let mut windows = Windows::default();
        windows.advance(Duration::from_secs(1));
        book.add(&windows, (1..5_000).map(|port| flow(1, port, 3, 4)));
        assert!(book.len() <= 100);
        assert_eq!(book.beyond().total_bytes(), 0);
        assert_eq!(sum(&book), 4_999 * 7);
    }

    #[test]
    fn a_scan_of_addresses_fills_no_memory_and_loses_no_byte() {
        let mut book = Book::holding(100);
        let mut windows = Windows::default();
        windows.advance(Duration::from_secs(1));
        let large = flow(1_000_000, 443, 1_000_000, 0);
        book.add(
            &windows,
            (0..10_000).map(|n| flow(n, 443, 1, 1)).chain([large]),
        );
        assert!(book.len() <= 100);
        assert_eq!(sum(&book), 20_000 + 1_000_000);
        assert!(book.beyond().total_bytes() > 0);
        let mut is_kept = false;
        book.each(
            &windows,
            |flow| flow.key == large.key,
            |_, _| is_kept = true,
        );
        assert!(is_kept, "the heavy hitter stays");
    }
}
