//! What is known of each host now, in memory: its last report, its last minute and its sparkline.
//!
//! Bounded by the number of hosts and by the rows that all minutes together hold; beyond, the oldest
//! reports of the host that grows are let go, and the window of its sums says so.

mod clones;
mod host;
mod sums;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bwmon_core::query::{HostDetail, HostStatus, HostSummary};
use bwmon_core::report::{AgentId, Interval, RecordKey};
use bwmon_core::time::Timestamp;
use bwmon_sinks::Clock;
use foldhash::fast::RandomState;
use tokio::sync::broadcast;

use super::clocks::Clocks;
use super::legacy::identity;
use super::model::HostList;
use crate::common::peers::Peer;
use host::{Draft, KnownTopPeer, LiveHost, MAX_POINTS, Renamed};
pub(crate) use sums::{cpu_percent, memory_percent, uplink_bytes};

/// Most hosts.
pub const MAX_HOSTS: usize = 10_000;
/// Most rows (flows, interfaces, file systems and so on) that the minutes of all hosts hold.
const MAX_ROWS: usize = 800_000;
/// Points of the sparklines of a list of all hosts: each has 60, and fewer where there are more than
/// 2,000 hosts. They are most of what is sent.
const LIST_POINTS: usize = 120_000;
/// Fewest points of each.
const LEAST_POINTS: usize = 12;
/// Shortest time between two events of one host.
const EVENT_PAUSE: Duration = Duration::from_secs(1);
/// Events that a slow listener may be behind before it gets everything anew.
const EVENT_QUEUE: usize = 1_024;

/// Something that listeners are told.
#[derive(Debug, Clone)]
pub struct Event {
    /// The host.
    pub agent: AgentId,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a host.
#[derive(Debug, Clone)]
pub enum EventKind {
    /// A report was stored.
    Reported,
    /// Its summary is worth showing anew, as JSON: after reports, at most once a second, and when it
    /// becomes stale.
    Summary(Arc<str>),
}

/// A report that arrived just now.
#[derive(Debug)]
pub struct Arrival {
    /// What makes it unique within its agent.
    pub key: RecordKey,
    /// What it says.
    pub interval: Box<Interval>,
    /// What the store did with it.
    pub became: Became,
}

/// What the store did with a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It was stored.
    Stored,
    /// It was there already: if it is another report, the agent was cloned.
    Duplicate,
    /// It was refused.
    Refused,
}

/// When an agent was heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sightings {
    /// First, by the collector's clock.
    pub first: Timestamp,
    /// Last, by the collector's clock.
    pub last: Timestamp,
}

/// Every host.
#[derive(Debug)]
pub struct Live {
    hosts: Mutex<Hosts>,
    events: broadcast::Sender<Event>,
    stale_after: Duration,
    clock: Clock,
    clocks: Clocks,
}

#[derive(Debug, Default)]
struct Hosts {
    by_agent: HashMap<AgentId, LiveHost, RandomState>,
    /// How many enrolled hosts have each name, as names are compared.
    enrolled_names: HashMap<String, usize>,
    rows: usize,
    evicted: u64,
}

impl Live {
    /// No host yet.
    pub fn new(stale_after: Duration, clock: Clock) -> Self {
        Self {
            hosts: Mutex::default(),
            events: broadcast::channel(EVENT_QUEUE).0,
            stale_after,
            clock,
            clocks: Clocks::default(),
        }
    }

    /// The clocks of the hosts.
    pub const fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// Hears of events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Whether there is room for the host, or it is known.
    pub fn has_room_for(&self, agent: AgentId) -> bool {
        self.lock().has_room_for(agent)
    }

    /// Takes in an agent that the store knows, at start.
    pub fn restore(&self, agent: AgentId, seen: Sightings) {
        // Absent where the monotonic clock did not run yet.
        let heard = Instant::now().checked_sub(self.clock.now().since(seen.last));
        self.lock().hear(agent, seen, heard);
    }

    /// Takes in a report from the store, at start.
    pub fn restore_report(&self, agent: AgentId, key: RecordKey, interval: Arc<Interval>) {
        self.lock().insert(agent, key, interval);
    }

    /// Takes in what a delivery of an agent brought just now, at `received` by the store's clock. Whether
    /// it was heard of for the first time.
    pub fn delivered(
        &self,
        agent: AgentId,
        received: Timestamp,
        arrivals: impl IntoIterator<Item = Arrival>,
    ) -> bool {
        let now = Instant::now();
        let seen = Sightings {
            first: received,
            last: received,
        };
        let mut stored = 0;
        let is_new = {
            let mut hosts = self.lock();
            let is_new = hosts.hear(agent, seen, Some(now));
            for arrival in arrivals {
                stored += u32::from(hosts.arrived(agent, arrival, now));
            }
            is_new
        };
        if stored > 0 && self.events.receiver_count() > 0 {
            for _ in 0..stored {
                self.send(agent, EventKind::Reported);
            }
            self.announce(agent);
        }
        is_new
    }

    /// To be called about once a second: tells of hosts that became stale, and what was held back.
    pub fn tick(&self) {
        let now = Instant::now();
        let due: Vec<AgentId> = {
            let mut hosts = self.lock();
            let due = hosts.reporting().filter_map(|(agent, host)| {
                let is_due = host.turned_stale(now, self.stale_after) || host.is_held_back();
                is_due.then_some(*agent)
            });
            due.collect()
        };
        if self.events.receiver_count() > 0 {
            due.into_iter().for_each(|agent| self.announce(agent));
        }
    }

    /// Every host, by name.
    pub fn list(&self) -> HostList {
        let now = Instant::now();
        let drafts: Vec<Draft> = {
            let mut hosts = self.lock();
            let points = LIST_POINTS / hosts.by_agent.len().max(1);
            let points = points.clamp(LEAST_POINTS, MAX_POINTS);
            hosts
                .reporting()
                .map(|(agent, host)| host.draft(*agent, now, self.stale_after, points))
                .collect()
        };
        let mut top_peers = Vec::with_capacity(drafts.len());
        let mut hosts = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let agent = draft.agent();
            let (summary, top_peer) = draft.finish();
            top_peers.push((agent, top_peer));
            hosts.push(self.with_clock(agent, summary));
        }
        self.keep_top_peers(top_peers);
        hosts.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        HostList {
            hosts,
            stale_after_s: self.stale_after.as_secs(),
            server_time: self.clock.now(),
        }
    }

    fn keep_top_peers(&self, top_peers: Vec<(AgentId, KnownTopPeer)>) {
        let mut hosts = self.lock();
        for (agent, top_peer) in top_peers {
            if let Some(host) = hosts.by_agent.get_mut(&agent) {
                host.keep_top_peer(top_peer);
            }
        }
    }

    /// One host in full. Sums are made outside the lock.
    pub fn detail(&self, agent: AgentId) -> Option<HostDetail> {
        let (summary, minute, probes) = {
            let mut hosts = self.lock();
            let host = hosts.by_agent.get_mut(&agent)?;
            let summary = host.summary(agent, Instant::now(), self.stale_after);
            (summary, host.minute(), host.probes())
        };
        sums::detail(self.with_clock(agent, summary), &minute, probes)
    }

    /// One host in full as JSON, kept until its next report so that many viewers cost as one.
    pub fn detail_json(&self, agent: AgentId) -> Option<Arc<str>> {
        let (version, kept) = {
            let hosts = self.lock();
            let host = hosts.by_agent.get(&agent)?;
            let status = host.status(Instant::now(), self.stale_after);
            ((host.version(), status), host.kept_detail())
        };
        if let Some((_, json)) = kept.filter(|(of, _)| *of == version) {
            return Some(json);
        }
        let json: Arc<str> = serde_json::to_string(&self.detail(agent)?).ok()?.into();
        if let Some(host) = self.lock().by_agent.get_mut(&agent) {
            host.keep_detail(version, Arc::clone(&json));
        }
        Some(json)
    }

    /// Every host's summary as JSON, for a listener that missed some.
    pub fn snapshot(&self) -> Vec<String> {
        self.list()
            .hosts
            .iter()
            .filter_map(|host| serde_json::to_string(host).ok())
            .collect()
    }

    /// When a host that has reported was first heard of, and its status.
    pub fn course(&self, agent: AgentId) -> Option<(Timestamp, HostStatus)> {
        let hosts = self.lock();
        let host = hosts
            .by_agent
            .get(&agent)
            .filter(|host| host.has_reported())?;
        Some((
            host.seen().first,
            host.status(Instant::now(), self.stale_after),
        ))
    }

    /// Hosts that report, are enrolled and can be pinged, in no order. What others call their address
    /// is nothing that agents should be sent to.
    pub fn reachable(&self) -> Vec<Peer> {
        let now = Instant::now();
        let mut hosts = self.lock();
        let up = hosts.reporting().filter_map(|(agent, host)| {
            let is_up = host.status(now, self.stale_after) == HostStatus::Up;
            let is_told = is_up && !identity::is_legacy(*agent);
            let (name, address) = host.place().filter(|_| is_told)?;
            Some(Peer {
                agent: *agent,
                name,
                address,
            })
        });
        up.collect()
    }

    /// The first IPv4 address of each host that reports, at most so many, those of hosts without a
    /// credential first. Agents of the original program know no other addresses.
    pub fn addresses_of_all(&self, limit: usize) -> Vec<IpAddr> {
        let now = Instant::now();
        let mut all: Vec<(bool, IpAddr)> = {
            let mut hosts = self.lock();
            let up = hosts.reporting().filter_map(|(agent, host)| {
                let is_up = host.status(now, self.stale_after) == HostStatus::Up;
                let address = host.first_ipv4().filter(|_| is_up)?;
                Some((!identity::is_legacy(*agent), address))
            });
            up.collect()
        };
        all.sort_unstable();
        all.dedup_by_key(|(_, address)| *address);
        all.truncate(limit);
        all.into_iter().map(|(_, address)| address).collect()
    }

    /// Whether an enrolled host calls itself so; the name is [`identity::folded`].
    pub fn is_name_of_enrolled(&self, name: &str) -> bool {
        self.lock().enrolled_names.contains_key(name)
    }

    /// The hosts without a credential that are known.
    pub fn legacy(&self) -> Vec<AgentId> {
        let hosts = self.lock();
        let all = hosts.by_agent.keys().copied();
        all.filter(|agent| identity::is_legacy(*agent)).collect()
    }

    /// Number of hosts that have reported.
    pub fn len(&self) -> u64 {
        u64::try_from(self.lock().reporting().count()).unwrap_or(u64::MAX)
    }

    /// Whether there is no host.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reports of the last minute that were let go early.
    pub fn evicted(&self) -> u64 {
        self.lock().evicted
    }

    /// Sends a host's summary, or holds it back where one went less than a second ago.
    fn announce(&self, agent: AgentId) {
        let now = Instant::now();
        let summary = {
            let mut hosts = self.lock();
            let Some(host) = hosts.by_agent.get_mut(&agent) else {
                return;
            };
            if !host.may_announce(now, EVENT_PAUSE) {
                return;
            }
            host.summary(agent, now, self.stale_after)
        };
        let summary = self.with_clock(agent, summary);
        if let Ok(json) = serde_json::to_string(&summary) {
            self.send(agent, EventKind::Summary(json.into()));
        }
    }

    fn with_clock(&self, agent: AgentId, summary: HostSummary) -> HostSummary {
        HostSummary {
            clock_wrong_by_us: self.clocks.wrong_by_us(agent),
            ..summary
        }
    }

    fn send(&self, agent: AgentId, kind: EventKind) {
        let _nobody_listens = self.events.send(Event { agent, kind });
    }

    /// A panic in one call must not end all: the worst that it leaves is one host's old figures.
    fn lock(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hosts {
    fn has_room_for(&self, agent: AgentId) -> bool {
        self.by_agent.len() < MAX_HOSTS || self.by_agent.contains_key(&agent)
    }

    /// Whether the agent is new.
    fn hear(&mut self, agent: AgentId, seen: Sightings, heard: Option<Instant>) -> bool {
        if let Some(host) = self.by_agent.get_mut(&agent) {
            host.heard_at(seen.last, heard);
            return false;
        }
        if self.by_agent.len() < MAX_HOSTS {
            self.by_agent.insert(agent, LiveHost::new(seen, heard));
        }
        true
    }

    /// Whether it is a report that counts.
    fn arrived(&mut self, agent: AgentId, arrival: Arrival, now: Instant) -> bool {
        let Some(host) = self.by_agent.get_mut(&agent) else {
            return false;
        };
        let Arrival {
            key,
            interval,
            became,
        } = arrival;
        host.arrived(key, &interval, now);
        match became {
            Became::Stored => self.insert(agent, key, Arc::from(interval)),
            Became::Duplicate => host.came_again(key, &interval, now),
            Became::Refused => {}
        }
        became == Became::Stored
    }

    fn insert(&mut self, agent: AgentId, key: RecordKey, interval: Arc<Interval>) {
        let Some(host) = self.by_agent.get_mut(&agent) else {
            return;
        };
        self.rows -= host.rows();
        let renamed = host.insert(key, interval);
        if let Some(Renamed { before, after }) = renamed.filter(|_| !identity::is_legacy(agent)) {
            rename(&mut self.enrolled_names, before.as_deref(), after);
        }
        while self.rows + host.rows() > MAX_ROWS && host.let_go_of_oldest() {
            self.evicted += 1;
        }
        self.rows += host.rows();
    }

    /// Hosts that have reported: others have said that they started, and nothing else.
    fn reporting(&mut self) -> impl Iterator<Item = (&AgentId, &mut LiveHost)> {
        self.by_agent
            .iter_mut()
            .filter(|(_, host)| host.has_reported())
    }
}

/// A host that had the name `before` has the name `after` now.
fn rename(names: &mut HashMap<String, usize>, before: Option<&str>, after: Option<&str>) {
    if let Some(before) = before.map(identity::folded) {
        let others = names.get(&before).map_or(0, |count| count - 1);
        if others == 0 {
            names.remove(&before);
        } else {
            names.insert(before, others);
        }
    }
    if let Some(after) = after.map(identity::folded) {
        *names.entry(after).or_default() += 1;
    }
}

#[cfg(test)]
mod tests;
