//! Which hosts an agent pings: all others, or so many of them in turn.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bwmon_core::report::AgentId;
use bwmon_core::time::Timestamp;

use super::live::Live;
use crate::common::peers::{MAX_PEERS, Peer, PeerList};

/// How long the list of hosts is used before it is made anew, so that ten thousand agents that ask cost
/// little.
const FRESH: Duration = Duration::from_secs(5);
/// How long the same peers are told.
const TURN: Duration = Duration::from_secs(60);

/// The hosts that can be pinged, by agent.
#[derive(Debug, Default)]
pub struct Directory(Mutex<Option<(Instant, Arc<[Peer]>)>>);

impl Directory {
    /// The peers of `agent` at `now`.
    pub fn peers(&self, live: &Live, agent: AgentId, now: Timestamp) -> PeerList {
        let all = self.all(live);
        let turn = now.as_micros() / u64::try_from(TURN.as_micros()).unwrap_or(u64::MAX);
        PeerList {
            peers: choose(&all, agent, turn),
        }
    }

    fn all(&self, live: &Live) -> Arc<[Peer]> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, all)) = &*kept
            && made.elapsed() < FRESH
        {
            return Arc::clone(all);
        }
        let mut all = live.reachable();
        all.sort_by_key(|peer| peer.agent);
        let all: Arc<[Peer]> = all.into();
        *kept = Some((Instant::now(), Arc::clone(&all)));
        all
    }
}

/// The others of `all`, which are in order, from the one behind `agent` on, in a window that moves on by its
/// length each turn and begins anew behind the last.
fn choose(all: &[Peer], agent: AgentId, turn: u64) -> Vec<Peer> {
    let at = all.partition_point(|peer| peer.agent < agent);
    let (before, behind) = all.split_at(at);
    let behind = match behind {
        [own, others @ ..] if own.agent == agent => others,
        others => others,
    };
    let others = before.len() + behind.len();
    let windows = others.div_ceil(MAX_PEERS).max(1) as u64;
    let first = usize::try_from(turn % windows).unwrap_or(0) * MAX_PEERS;
    let in_turn = behind.iter().chain(before);
    in_turn.skip(first).take(MAX_PEERS).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn hosts(count: u64) -> Vec<Peer> {
        let peer = |n| Peer {
            agent: AgentId(u128::from(n) * 3),
            name: format!("host {n}"),
            address: [10, 0, 0, 1].into(),
        };
        (0..count).map(peer).collect()
    }

    #[test]
    fn every_pair_is_covered_in_turn_in_both_directions() {
        for count in [0, 1, 2, 3, 32, 33, 34, 65, 200] {
            let all = hosts(count);
            let turns = count.saturating_sub(1).div_ceil(MAX_PEERS as u64).max(1);
            for own in &all {
                for start in [0, 7] {
                    let mut seen = BTreeSet::new();
                    for turn in start..start + turns {
                        let peers = choose(&all, own.agent, turn);
                        assert!(peers.len() <= MAX_PEERS);
                        seen.extend(peers.iter().map(|peer| peer.agent));
                    }
                    assert_eq!(seen.len() as u64, count - 1, "of {count}");
                    assert!(!seen.contains(&own.agent));
                }
            }
        }
    }

    #[test]
    fn an_agent_that_is_not_in_the_list_is_told_it_too() {
        let all = hosts(3);
        assert_eq!(choose(&all, AgentId(4), 0).len(), 3);
        assert_eq!(choose(&[], AgentId(4), 9), []);
    }
}
