//! The bounded queue: oldest reports give way, and say so.

use std::collections::VecDeque;
use std::mem::size_of;

use bwmon_core::report::{
    DropReason, Dropped, Envelope, FlowRow, InterfaceInterval, Interval, MountUsage, Record,
    RecordBody,
};

/// A record that waits.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) envelope: Envelope,
    /// Made by the queue itself, to say what was dropped.
    pub(super) is_notice: bool,
    bytes: usize,
}

/// What an offer cost.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overflow {
    /// Offered records that are gone.
    pub(super) dropped: u64,
    /// Notices that are gone themselves.
    pub(super) notices_lost: u64,
}

#[derive(Debug)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
    notices: usize,
    max_records: usize,
    max_bytes: usize,
}

impl Queue {
    pub(super) fn new(max_records: usize, max_bytes: usize) -> Self {
        Self {
            items: VecDeque::new(),
            bytes: 0,
            notices: 0,
            max_records: max_records.max(1),
            max_bytes,
        }
    }

    /// Appends a record and makes room for it.
    pub(super) fn push(&mut self, envelope: Envelope) -> Overflow {
        self.insert(self.items.len(), envelope, false);
        let mut overflow = Overflow::default();
        while self.is_over() {
            self.give_way(&mut overflow);
        }
        overflow
    }

    /// Takes the oldest records, at most `max`.
    pub(super) fn take(&mut self, max: usize) -> Vec<Item> {
        let count = max.min(self.items.len());
        (0..count).filter_map(|_| self.remove(0)).collect()
    }

    /// Offered records that wait.
    pub(super) fn records(&self) -> usize {
        self.items.len() - self.notices
    }

    /// Notices that wait.
    pub(super) const fn notices(&self) -> usize {
        self.notices
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether at least half of it is free.
    pub(super) fn is_relaxed(&self) -> bool {
        self.items.len() <= self.max_records / 2 && self.bytes <= self.max_bytes / 2
    }

    fn is_over(&self) -> bool {
        self.items.len() > self.max_records
            || (self.bytes > self.max_bytes && !self.items.is_empty())
    }

    /// Turns the oldest report into a notice, or adds it to the one before it. Where there is no
    /// report left, the oldest item goes without one.
    fn give_way(&mut self, overflow: &mut Overflow) {
        let is_report = |item: &Item| matches!(item.envelope.record.body, RecordBody::Report(_));
        let Some(at) = self.items.iter().position(is_report) else {
            match self.remove(0) {
                Some(item) if item.is_notice => overflow.notices_lost += 1,
                Some(_) => overflow.dropped += 1,
                None => {}
            }
            return;
        };
        let Some(item) = self.remove(at) else { return };
        overflow.dropped += 1;
        self.notice(at, &item.envelope);
    }

    fn notice(&mut self, at: usize, gone: &Envelope) {
        let seq = gone.record.seq;
        let before = self
            .items
            .range_mut(..at)
            .rev()
            .find(|item| item.is_notice && is_followed_by(&item.envelope, gone));
        if let Some(Item { envelope, .. }) = before {
            if let RecordBody::Dropped(dropped) = &mut envelope.record.body {
                dropped.reports += 1;
            }
            envelope.record.seq = seq;
            return;
        }
        let body = RecordBody::Dropped(Dropped {
            from_seq: seq,
            reports: 1,
            reason: DropReason::QueueFull,
        });
        let record = Record {
            epoch: gone.record.epoch,
            seq,
            body,
        };
        let agent = gone.agent;
        self.insert(at, Envelope { agent, record }, true);
    }

    fn insert(&mut self, at: usize, envelope: Envelope, is_notice: bool) {
        let bytes = estimate(&envelope);
        self.bytes += bytes;
        self.notices += usize::from(is_notice);
        self.items.insert(
            at,
            Item {
                envelope,
                is_notice,
                bytes,
            },
        );
    }

    fn remove(&mut self, at: usize) -> Option<Item> {
        let item = self.items.remove(at)?;
        self.bytes -= item.bytes;
        self.notices -= usize::from(item.is_notice);
        Some(item)
    }
}

/// Only neighbours become one notice: it speaks for every number that it covers.
fn is_followed_by(notice: &Envelope, next: &Envelope) -> bool {
    notice.agent == next.agent
        && notice.record.epoch == next.record.epoch
        && notice.record.seq.checked_add(1) == Some(next.record.seq)
}

/// Roughly what a record holds in memory, in bytes.
fn estimate(envelope: &Envelope) -> usize {
    let body = match &envelope.record.body {
        RecordBody::Report(interval) => size_of::<Interval>() + estimate_parts(interval),
        RecordBody::Dropped(_) | RecordBody::EpochStart(_) => 0,
    };
    size_of::<Item>() + body
}

fn estimate_parts(interval: &Interval) -> usize {
    /// Names and short lists that hang on one row.
    const STRINGS: usize = 64;
    let mounts = interval.host.as_ref().map_or(0, |host| host.mounts.len());
    interval.flows.len() * (size_of::<FlowRow>() + STRINGS / 4)
        + interval.interfaces.len() * (size_of::<InterfaceInterval>() + STRINGS)
        + mounts * (size_of::<MountUsage>() + STRINGS)
        + (interval.losses.len() + interval.probes.len()) * 2 * STRINGS
}

#[cfg(test)]
mod tests {
    use super::*;
    use bwmon_core::report::{AgentId, Epoch};

    fn report(agent: u128, seq: u64) -> Envelope {
        Envelope {
            agent: AgentId(agent),
            record: Record {
                epoch: Epoch(9),
                seq,
                body: RecordBody::Report(Box::default()),
            },
        }
    }

    /// Agent, number, and first number and reports of what it says is dropped.
    type Shape = (u128, u64, Option<(u64, u64)>);

    fn shape(queue: &Queue) -> Vec<Shape> {
        let shape = |item: &Item| {
            let Envelope { agent, record } = &item.envelope;
            let dropped = match &record.body {
                RecordBody::Dropped(dropped) => Some((dropped.from_seq, dropped.reports)),
                _ => None,
            };
            (agent.0, record.seq, dropped)
        };
        queue.items.iter().map(shape).collect()
    }

    #[test]
    fn the_oldest_reports_become_one_notice_with_the_key_of_the_last() {
        let mut queue = Queue::new(3, usize::MAX);
        let dropped: u64 = (1..=6).map(|seq| queue.push(report(1, seq)).dropped).sum();
        assert_eq!(
            shape(&queue),
            [(1, 4, Some((1, 4))), (1, 5, None), (1, 6, None)]
        );
        assert_eq!((dropped, queue.records(), queue.notices()), (4, 2, 1));
    }

    #[test]
    fn agents_and_gaps_are_not_mixed_up() {
        let mut queue = Queue::new(4, usize::MAX);
        for (agent, seq) in [(1, 1), (2, 1), (1, 2), (1, 4), (2, 2), (2, 3), (2, 4)] {
            queue.push(report(agent, seq));
        }
        // 3 of agent 1 was never here: no notice may speak for it.
        assert!(
            shape(&queue).contains(&(1, 2, Some((1, 2)))),
            "{:?}",
            shape(&queue)
        );
        let speaks_for_three = |&(agent, seq, dropped): &Shape| {
            agent == 1 && dropped.is_some_and(|(from, _)| from <= 3 && seq >= 3)
        };
        assert!(
            !shape(&queue).iter().any(speaks_for_three),
            "{:?}",
            shape(&queue)
        );
    }

    #[test]
    fn bytes_are_bounded_too() {
        let big = |seq| {
            let mut envelope = report(1, seq);
            if let RecordBody::Report(interval) = &mut envelope.record.body {
                interval.interfaces = vec![InterfaceInterval::default(); 100];
            }
            envelope
        };
        let limit = 3 * estimate(&big(1));
        let mut queue = Queue::new(1_000, limit);
        for seq in 1..=100 {
            queue.push(big(seq));
            assert!(queue.bytes() <= limit);
        }
        assert_eq!(queue.records() + queue.notices(), queue.items.len());
        assert!(queue.records() >= 1);
        queue.take(usize::MAX);
        assert_eq!((queue.bytes(), queue.records(), queue.notices()), (0, 0, 0));
    }

    #[test]
    fn a_record_that_is_too_big_by_itself_leaves_a_notice_or_nothing() {
        let mut queue = Queue::new(10, 1);
        let overflow = queue.push(report(1, 1));
        assert_eq!((overflow.dropped, overflow.notices_lost), (1, 1));
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn more_agents_than_room_lose_notices_and_are_counted() {
        let mut queue = Queue::new(4, usize::MAX);
        let (mut dropped, mut lost) = (0, 0);
        for agent in 0..100 {
            let overflow = queue.push(report(agent, 1));
            dropped += overflow.dropped;
            lost += overflow.notices_lost;
            assert!(queue.items.len() <= 4);
        }
        assert_eq!(dropped + queue.records() as u64, 100);
        assert_eq!(lost + queue.notices() as u64, dropped);
    }
}
