//! Where a host's reports leave time uncovered, and why.

use std::time::Duration;

use super::{ClockStep, Gap, GapReason, HostStatus};
use crate::report::{ClockReading, DropReason, Dropped, Epoch, EpochStart, Interval, RecordKey};
use crate::time::{Timestamp, Window};

/// How far the wall clock and the clock since boot may drift apart from one report to the next
/// before it is a step, in microseconds.
const STEP_US: i64 = 1_000_000;

/// What a report covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// Its number.
    pub key: RecordKey,
    /// What it is about, by the collector's clock.
    pub window: Window,
    /// The agent's clocks at its end.
    pub clocks: Option<ClockReading>,
    /// The boot that they count from; empty where it is not known.
    pub boot_id: String,
}

impl Covered {
    /// What a stored report covers.
    pub fn new(key: RecordKey, interval: &Interval) -> Self {
        let host = interval.host.as_ref();
        Self {
            key,
            window: interval.window,
            clocks: interval.clocks,
            boot_id: host.map_or_else(String::new, |host| host.facts.boot_id.clone()),
        }
    }

    /// Its end by the agent's own wall clock, in microseconds.
    fn told_end_us(&self) -> i64 {
        let moved_us = self.clocks.map_or(0, |clocks| clocks.moved_us);
        micros(self.window.end().as_micros()).saturating_sub(moved_us)
    }

    fn is_same_boot(&self, other: &Self) -> bool {
        !self.boot_id.is_empty() && self.boot_id == other.boot_id
    }
}

/// What an agent said that is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Numbers up to the record's own that will never come.
    Dropped(RecordKey, Dropped),
    /// An epoch began.
    EpochStart(RecordKey, EpochStart),
}

impl Notice {
    const fn key(&self) -> RecordKey {
        match self {
            Self::Dropped(key, _) | Self::EpochStart(key, _) => *key,
        }
    }

    /// The numbers that it settles.
    const fn numbers(&self) -> (u64, u64) {
        match self {
            Self::Dropped(key, dropped) => (dropped.from_seq, key.seq),
            Self::EpochStart(key, _) => (key.seq, key.seq),
        }
    }

    /// Why reports are missing, where it says so.
    const fn reason(&self) -> Option<GapReason> {
        match self {
            Self::EpochStart(..) => None,
            Self::Dropped(_, dropped) => match dropped.reason {
                DropReason::QueueFull | DropReason::SpoolFull | DropReason::TooOld => {
                    Some(GapReason::SpoolFull)
                }
                DropReason::Damage => Some(GapReason::Damage),
                DropReason::Refused => Some(GapReason::Refused),
                DropReason::Clock => Some(GapReason::Clock),
                // Numbers that no report ever had: what was not running says nothing.
                DropReason::NeverExisted => None,
                DropReason::Other => Some(GapReason::Unknown),
            },
        }
    }
}

/// What is known of a host besides its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostState {
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// Whether it reports.
    pub status: HostStatus,
}

/// The gaps in `range`: where reports, ordered by their ends, are more than half an interval apart.
/// Data is never made up for them.
pub fn gaps(range: Window, reports: &[Covered], notices: &[Notice], host: HostState) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let (Some(first), Some(last)) = (reports.first(), reports.last()) else {
        let reason = match host.status {
            HostStatus::Stale => GapReason::NotYet,
            HostStatus::Up => GapReason::Unknown,
        };
        let from = range.start.max(host.first_seen);
        gaps.extend(gap(from, range.end(), reason));
        return gaps;
    };
    if host.first_seen < range.start && is_apart(range.start, first.window.start, first) {
        gaps.extend(gap(range.start, first.window.start, GapReason::Unknown));
    }
    let story = Story {
        notices,
        present: last.key.epoch,
    };
    for (before, after) in pairs(reports) {
        let (end, start) = (before.window.end(), after.window.start);
        if is_apart(end, start, before) && range.start < start {
            let end = end.max(range.start);
            gaps.extend(gap(end, start, story.reason(before, after)));
        }
    }
    if host.status == HostStatus::Stale {
        gaps.extend(gap(last.window.end(), range.end(), GapReason::NotYet));
    }
    gaps
}

/// Where the wall clock of the host was set, as its reports tell: between two of one boot it moved
/// by more than a second against the clock that nobody can set.
pub fn clock_steps(reports: &[Covered]) -> Vec<ClockStep> {
    let steps = pairs(reports).filter_map(|(before, after)| {
        let by_us = step_us(before, after)?;
        (by_us.saturating_abs() > STEP_US).then(|| ClockStep {
            at: after.window.end(),
            by_us,
        })
    });
    steps.collect()
}

fn pairs(reports: &[Covered]) -> impl Iterator<Item = (&Covered, &Covered)> {
    reports.iter().zip(reports.iter().skip(1))
}

fn is_apart(end: Timestamp, start: Timestamp, before: &Covered) -> bool {
    start.since(end) > before.window.duration() / 2
}

fn gap(from: Timestamp, to: Timestamp, reason: GapReason) -> Option<Gap> {
    let length = to.since(from);
    (length > Duration::ZERO).then(|| Gap {
        window: Window::new(from, length),
        reason,
    })
}

struct Story<'a> {
    notices: &'a [Notice],
    /// The epoch that goes on: what is missing of it may still come.
    present: Epoch,
}

impl Story<'_> {
    fn reason(&self, before: &Covered, after: &Covered) -> GapReason {
        if before.key.epoch != after.key.epoch {
            return self.between_epochs(before, after);
        }
        self.missing(before.key, after.key)
            .unwrap_or_else(|| between_neighbours(before, after))
    }

    /// Why numbers between two of one epoch are missing; the reason of the most of them counts.
    /// `None` where none is: they follow each other, or were never given to a record.
    fn missing(&self, before: RecordKey, after: RecordKey) -> Option<GapReason> {
        let (first, last) = (before.seq + 1, after.seq.saturating_sub(1));
        let mut unsettled = (last + 1).saturating_sub(first);
        let mut most = None;
        for notice in self.notices {
            let (from, to) = notice.numbers();
            let (from, to) = (from.max(first), to.min(last));
            if notice.key().epoch != before.epoch || from > to {
                continue;
            }
            let numbers = to - from + 1;
            unsettled = unsettled.saturating_sub(numbers);
            most = most.max(notice.reason().map(|reason| (numbers, reason)));
        }
        let coming = match before.epoch == self.present {
            true => GapReason::NotYet,
            false => GapReason::Unknown,
        };
        let coming = (unsettled > 0).then_some((unsettled, coming));
        most.max(coming).map(|(_, reason)| reason)
    }

    /// What the earlier epoch said at its end may be lost with it: only where the agent kept nothing
    /// on disk, and so says of no epoch before, did it just not run.
    fn between_epochs(&self, before: &Covered, after: &Covered) -> GapReason {
        let start = self.notices.iter().find_map(|notice| match notice {
            Notice::EpochStart(key, start) if key.epoch == after.key.epoch => Some(*start),
            _ => None,
        });
        let has_lost_its_spool = start.is_some_and(|start| start.previous.is_some());
        let started_within = start.is_some_and(|start| start.started >= before.window.end());
        if !has_lost_its_spool && (started_within || was_off(before, after)) {
            GapReason::AgentOff
        } else {
            GapReason::Unknown
        }
    }
}

/// Why time passed between two reports that follow each other.
fn between_neighbours(before: &Covered, after: &Covered) -> GapReason {
    let Some((then, now)) = before.clocks.zip(after.clocks) else {
        return GapReason::Unknown;
    };
    if was_off(before, after) {
        return GapReason::AgentOff;
    }
    let uncovered_us = now
        .since_boot_us
        .saturating_sub(after.window.duration_us)
        .saturating_sub(then.since_boot_us);
    let slept_us = now.suspended_us.saturating_sub(then.suspended_us);
    if slept_us > 0 && slept_us >= uncovered_us / 2 {
        GapReason::Asleep
    } else if before.is_same_boot(after) && uncovered_us <= before.window.duration_us / 2 {
        GapReason::Clock
    } else {
        GapReason::Unknown
    }
}

/// Whether the process of the later report started after the earlier one ended.
fn was_off(before: &Covered, after: &Covered) -> bool {
    let Some((then, now)) = before.clocks.zip(after.clocks) else {
        return false;
    };
    match before.is_same_boot(after) {
        true => now.process_started_us >= then.since_boot_us,
        false => !before.boot_id.is_empty() && !after.boot_id.is_empty(),
    }
}

fn step_us(before: &Covered, after: &Covered) -> Option<i64> {
    let (then, now) = before.clocks.zip(after.clocks)?;
    if !before.is_same_boot(after) {
        return None;
    }
    let by_wall = after.told_end_us().saturating_sub(before.told_end_us());
    let by_boot = micros(now.since_boot_us).saturating_sub(micros(then.since_boot_us));
    Some(by_wall.saturating_sub(by_boot))
}

fn micros(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "gaps/tests.rs"]
mod tests;
