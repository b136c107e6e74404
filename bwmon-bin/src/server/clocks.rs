//! What is known of agents' clocks, and the times of their reports put right by it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bwmon_core::report::{AgentId, ClockTracker, Record, RecordBody, Sent};
use bwmon_core::time::Timestamp;

use super::live::MAX_HOSTS;

/// From where on a host's clock is shown as wrong, in microseconds.
const WORTH_SHOWING_US: u64 = 5_000_000;

/// The clocks of every agent that said something of them.
#[derive(Debug, Default)]
pub struct Clocks {
    by_agent: Mutex<HashMap<AgentId, ClockTracker>>,
}

impl Clocks {
    /// Moves the reports of a delivery, which was sent as `sent` says and came at `received`, to
    /// where they belong by our clock; says how many were moved. Without `sent` all stay where they
    /// are.
    pub fn correct(
        &self,
        agent: AgentId,
        sent: Option<&Sent>,
        received: Timestamp,
        records: &mut [Record],
    ) -> u64 {
        let mut by_agent = self.lock();
        let has_room = by_agent.len() < MAX_HOSTS || by_agent.contains_key(&agent);
        let tracker = match sent.filter(|_| has_room) {
            Some(sent) => {
                let tracker = by_agent.entry(agent).or_default();
                tracker.heard(sent, received);
                tracker
            }
            None => &ClockTracker::default(),
        };
        let mut moved = 0;
        for record in records {
            if let RecordBody::Report(interval) = &mut record.body {
                moved += u64::from(tracker.correct(interval));
            }
        }
        moved
    }

    /// How far an agent's wall clock is ahead of ours, in microseconds, negative where it is behind;
    /// absent where it is not more than five seconds.
    pub fn wrong_by_us(&self, agent: AgentId) -> Option<i64> {
        self.lock().get(&agent).and_then(wrong_by_us)
    }

    /// Agents whose wall clock is more than five seconds off.
    pub fn wrong(&self) -> usize {
        let by_agent = self.lock();
        by_agent.values().filter_map(wrong_by_us).count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AgentId, ClockTracker>> {
        self.by_agent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wrong_by_us(tracker: &ClockTracker) -> Option<i64> {
    let ahead_us = tracker.ahead_us()?;
    (ahead_us.unsigned_abs() > WORTH_SHOWING_US).then_some(ahead_us)
}
