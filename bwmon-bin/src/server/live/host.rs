use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bwmon_core::query::{Cloned, HostStatus, HostSummary, PeerUsage, Probed, RecentPoint};
use bwmon_core::report::{AgentId, Interval, RecordKey};
use bwmon_core::time::Timestamp;

use super::Sightings;
use super::clones::Clones;
use super::sums;

/// How far back the sums of a host go.
const MINUTE: Duration = Duration::from_secs(60);
/// Points of a sparkline.
pub(super) const MAX_POINTS: usize = 60;
/// How long the result of a ping is shown.
const PROBES_KEPT: Duration = Duration::from_secs(600);
/// Most targets whose results are kept.
const MAX_PROBED: usize = 512;
/// Most reports within a minute.
const MAX_REPORTS: usize = 120;

/// What a kept detail is of: the host's version and its status then.
pub(super) type DetailOf = (u64, HostStatus);

/// One host.
#[derive(Debug)]
pub(super) struct LiveHost {
    seen: Sightings,
    /// By the monotonic clock; absent where it was heard of before this machine's boot.
    heard: Option<Instant>,
    /// By the end of the window; the last is not always the latest report.
    minute: VecDeque<Held>,
    latest: Option<Held>,
    /// As the latest report says, so that the report need not be looked at.
    name: Option<Box<str>>,
    points: VecDeque<RecentPoint>,
    rows: usize,
    /// Grows with each report.
    version: u64,
    top_peer: Option<KnownTopPeer>,
    detail: Option<(DetailOf, Arc<str>)>,
    announced: Option<Instant>,
    is_held_back: bool,
    was_up: bool,
    clones: Clones,
    /// The newest of each target.
    probes: BTreeMap<IpAddr, Probed>,
}

/// A report, and what is asked of it often enough to be kept beside it: looking into each report of a
/// minute costs more than everything else that is done with the newest.
#[derive(Debug, Clone)]
struct Held {
    key: RecordKey,
    end: Timestamp,
    weight: usize,
    interval: Arc<Interval>,
}

impl Held {
    fn new(key: RecordKey, interval: Arc<Interval>) -> Self {
        Self {
            key,
            end: interval.window.end(),
            weight: weight(&interval),
            interval,
        }
    }
}

/// A host says another name than before.
pub(super) struct Renamed<'a> {
    pub(super) before: Option<Box<str>>,
    pub(super) after: Option<&'a str>,
}

impl LiveHost {
    pub(super) fn new(seen: Sightings, heard: Option<Instant>) -> Self {
        Self {
            seen,
            heard,
            minute: VecDeque::new(),
            latest: None,
            name: None,
            points: VecDeque::new(),
            rows: 0,
            version: 0,
            top_peer: None,
            detail: None,
            announced: None,
            is_held_back: false,
            was_up: false,
            clones: Clones::default(),
            probes: BTreeMap::new(),
        }
    }

    pub(super) fn heard_at(&mut self, at: Timestamp, instant: Option<Instant>) {
        self.seen.last = self.seen.last.max(at);
        self.heard = self.heard.max(instant);
    }

    /// Takes note of a report that arrived just now, whether it was stored or had come before.
    pub(super) fn arrived(&mut self, key: RecordKey, report: &Interval, now: Instant) {
        self.clones
            .arrived(key.epoch, report.window, now, self.seen.last);
    }

    /// Takes note of a report that arrived just now and was not stored, as its number is known.
    pub(super) fn came_again(&mut self, key: RecordKey, report: &Interval, now: Instant) {
        let before = self.minute.iter().find(|held| held.key == key);
        if before.is_some_and(|held| !is_the_same(&held.interval, report)) {
            self.clones.number_reused(now, self.seen.last);
        }
    }

    /// Its name and the address under which others reach it, where it has one.
    pub(super) fn place(&self) -> Option<(String, IpAddr)> {
        let facts = &self.latest.as_ref()?.interval.host.as_ref()?.facts;
        let address = facts.addresses.first()?;
        Some((facts.hostname.clone(), *address))
    }

    /// The report that is its latest.
    pub(super) fn latest(&self) -> Option<Arc<Interval>> {
        self.latest.as_ref().map(|held| Arc::clone(&held.interval))
    }

    /// Its first IPv4 address, where it has one.
    pub(super) fn first_ipv4(&self) -> Option<IpAddr> {
        let facts = &self.latest.as_ref()?.interval.host.as_ref()?.facts;
        let mut addresses = facts.addresses.iter();
        addresses.find(|address| address.is_ipv4()).copied()
    }

    /// Results of pings, by target.
    pub(super) fn probes(&self) -> Vec<Probed> {
        self.probes.values().cloned().collect()
    }

    pub(super) const fn seen(&self) -> Sightings {
        self.seen
    }

    pub(super) const fn has_reported(&self) -> bool {
        self.latest.is_some()
    }

    /// Rows that its minute holds.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// Takes in a report. A later number of the same epoch is newer, whatever the host's clock says,
    /// because clocks are set back; so is another epoch, because it arrived later.
    ///
    /// Says so where that gives it another name.
    pub(super) fn insert(
        &mut self,
        key: RecordKey,
        interval: Arc<Interval>,
    ) -> Option<Renamed<'_>> {
        self.keep_probes(&interval);
        let held = Held::new(key, interval);
        let is_newer = self
            .latest
            .as_ref()
            .is_none_or(|latest| latest.key.epoch != key.epoch || latest.key.seq < key.seq);
        self.rows += held.weight;
        if self.minute.back().is_none_or(|last| last.end <= held.end) {
            self.minute.push_back(held.clone());
        } else {
            let at = self.minute.partition_point(|other| other.end <= held.end);
            self.minute.insert(at, held.clone());
        }
        let mut before = None;
        if is_newer {
            self.points.push_back(sums::point(&held.interval));
            let name = name(&held.interval);
            if self.name.as_deref() != name {
                let name = name.map(Box::from);
                before = Some(std::mem::replace(&mut self.name, name));
            }
            self.latest = Some(held);
        }
        while self.points.len() > MAX_POINTS {
            self.points.pop_front();
        }
        self.prune();
        self.version += 1;
        before.map(|before| Renamed {
            before,
            after: self.name.as_deref(),
        })
    }

    /// Keeps the newest result of each target for a while: where there are many, they take turns.
    fn keep_probes(&mut self, interval: &Interval) {
        let at = interval.window.end();
        for probe in &interval.probes {
            let kept = self.probes.get(&probe.target);
            if kept.is_some_and(|kept| kept.at > at)
                || (kept.is_none() && self.probes.len() >= MAX_PROBED)
            {
                continue;
            }
            let result = probe.clone();
            self.probes.insert(probe.target, Probed { at, result });
        }
        if !interval.probes.is_empty() {
            let from = at.minus(PROBES_KEPT);
            self.probes.retain(|_, probed| probed.at > from);
        }
    }

    /// Lets go of what is not within the minute that ends with the latest report; after a clock was
    /// set back that is also what lies in its future.
    fn prune(&mut self) {
        let Some(until) = self.latest.as_ref().map(|latest| latest.end) else {
            return;
        };
        let from = until.minus(MINUTE);
        while self.minute.back().is_some_and(|held| held.end > until) {
            let held = self.minute.pop_back();
            self.rows -= held.map_or(0, |held| held.weight);
        }
        let is_over = |held: &Held| held.end <= from;
        while self.minute.len() > MAX_REPORTS || self.minute.front().is_some_and(is_over) {
            let held = self.minute.pop_front();
            self.rows -= held.map_or(0, |held| held.weight);
        }
    }

    /// Lets go of the oldest report of the minute, but not of the last one that is left.
    pub(super) fn let_go_of_oldest(&mut self) -> bool {
        if self.minute.len() < 2 {
            return false;
        }
        if let Some(oldest) = self.minute.pop_front() {
            self.rows -= oldest.weight;
        }
        true
    }

    /// For how long a host that reports may be silent.
    fn silence(&self, stale_after: Duration) -> Duration {
        let interval = self.latest.as_ref().map_or(Duration::ZERO, |latest| {
            let windows = latest.interval.merged_windows.saturating_add(1);
            latest.interval.window.duration() / windows
        });
        stale_after.max(interval.saturating_mul(3))
    }

    pub(super) fn status(&self, now: Instant, stale_after: Duration) -> HostStatus {
        let limit = self.silence(stale_after);
        let is_up = self
            .heard
            .is_some_and(|heard| now.saturating_duration_since(heard) <= limit);
        if is_up {
            HostStatus::Up
        } else {
            HostStatus::Stale
        }
    }

    /// Whether it became stale since this was last asked.
    pub(super) fn turned_stale(&mut self, now: Instant, stale_after: Duration) -> bool {
        let is_up = self.status(now, stale_after) == HostStatus::Up;
        let turned = self.was_up && !is_up;
        self.was_up = is_up;
        turned
    }

    /// Whether a summary may go out now; if not, one is owed.
    pub(super) fn may_announce(&mut self, now: Instant, pause: Duration) -> bool {
        let is_early = self
            .announced
            .is_some_and(|last| now.saturating_duration_since(last) < pause);
        self.is_held_back = is_early;
        if !is_early {
            self.announced = Some(now);
        }
        !is_early
    }

    pub(super) const fn is_held_back(&self) -> bool {
        self.is_held_back
    }

    /// The reports of the last minute, oldest first, with the latest report last.
    pub(super) fn minute(&self) -> Vec<Arc<Interval>> {
        let reports = self.minute.iter();
        reports.map(|held| Arc::clone(&held.interval)).collect()
    }

    pub(super) fn kept_detail(&self) -> Option<(DetailOf, Arc<str>)> {
        self.detail.clone()
    }

    pub(super) fn keep_detail(&mut self, of: DetailOf, json: Arc<str>) {
        self.detail = Some((of, json));
    }

    pub(super) fn summary(
        &mut self,
        agent: AgentId,
        now: Instant,
        stale_after: Duration,
    ) -> HostSummary {
        let (summary, top_peer) = self.draft(agent, now, stale_after, MAX_POINTS).finish();
        self.keep_top_peer(top_peer);
        summary
    }

    /// What a summary is made of, with the newest `points` of the sparkline. Cheap: what costs time is done
    /// by [`Draft::finish`], which needs no lock.
    pub(super) fn draft(
        &self,
        agent: AgentId,
        now: Instant,
        stale_after: Duration,
        points: usize,
    ) -> Draft {
        let latest = self.latest();
        let skipped = self.points.len().saturating_sub(points);
        let known = self.top_peer.as_ref();
        Draft {
            agent,
            status: self.status(now, stale_after),
            seen: self.seen,
            latest: latest.unwrap_or_default(),
            points: self.points.iter().skip(skipped).copied().collect(),
            cloned: self.clones.verdict(now, self.silence(stale_after)),
            version: self.version,
            top_peer: match known.filter(|(version, _)| *version == self.version) {
                Some((_, peer)) => TopPeer::Known(peer.clone()),
                None => TopPeer::Of(self.minute()),
            },
        }
    }

    /// Keeps what was summed until the next report.
    pub(super) fn keep_top_peer(&mut self, (version, peer): KnownTopPeer) {
        if version == self.version {
            self.top_peer = Some((version, peer));
        }
    }
}

/// A host's top peer, and the version of the host that it is of.
pub(super) type KnownTopPeer = (u64, Option<PeerUsage>);

/// A summary to be.
#[derive(Debug)]
pub(super) struct Draft {
    agent: AgentId,
    status: HostStatus,
    seen: Sightings,
    latest: Arc<Interval>,
    points: Vec<RecentPoint>,
    cloned: Option<Cloned>,
    version: u64,
    top_peer: TopPeer,
}

#[derive(Debug)]
enum TopPeer {
    Known(Option<PeerUsage>),
    /// To be found in these reports.
    Of(Vec<Arc<Interval>>),
}

impl Draft {
    pub(super) const fn agent(&self) -> AgentId {
        self.agent
    }

    /// The summary, and for [`LiveHost::keep_top_peer`] what took the time.
    pub(super) fn finish(self) -> (HostSummary, KnownTopPeer) {
        let top_peer = match self.top_peer {
            TopPeer::Known(peer) => peer,
            TopPeer::Of(minute) => sums::peers(&minute, 1).into_iter().next(),
        };
        let summary = sums::summary(
            &self.latest,
            self.agent,
            self.status,
            self.seen,
            top_peer.clone(),
            self.points.into_iter(),
        );
        let summary = HostSummary {
            cloned: self.cloned,
            ..summary
        };
        (summary, (self.version, top_peer))
    }
}

fn name(report: &Interval) -> Option<&str> {
    Some(&report.host.as_ref()?.facts.hostname)
}

/// Whether both are the report of one interval of one machine, which was sent twice.
fn is_the_same(one: &Interval, other: &Interval) -> bool {
    let boot = |interval: &Interval| {
        let host = interval.host.as_ref();
        host.map(|host| host.facts.boot_id.clone())
    };
    one.window_as_told() == other.window_as_told() && boot(one) == boot(other)
}

/// How much memory a report takes, in rows.
fn weight(interval: &Interval) -> usize {
    let host = interval.host.as_ref().map_or(0, |host| {
        host.mounts.len() + host.disks.len() + host.facts.addresses.len()
    });
    let interfaces = interval.interfaces.iter().map(|interface| {
        1 + interface.non_ip.len() + interface.malformed.len() + interface.facts.stacked_on.len()
    });
    1 + interval.flows.len()
        + interval.losses.len()
        + interval.probes.len()
        + host
        + interfaces.sum::<usize>()
}
