//! Host metrics and interface counters.
//!
//! Processor and memory come from the `sysinfo` crate; on Linux mounts, disks and interfaces are
//! read from `/proc` and `/sys` directly. Needs no privilege.
//!
//! # What is read how often
//!
//! | what | at most every |
//! |---|---|
//! | processor, load, memory, swap, uptime, disk counters, interface counters, operational state | sample |
//! | kind, speed, stacking and default routes of interfaces | 10 s, and when the set of interfaces or a state changes |
//! | space on mounted file systems | 10 s |
//! | list of mounts, host name, system and addresses | 30 s, addresses also when the uplinks change |

mod boot;
mod facts;
mod filter;
#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod platform;
#[cfg(not(target_os = "linux"))]
#[path = "portable.rs"]
mod platform;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use sysinfo::{CpuRefreshKind, MemoryRefreshKind};

use crate::collector::{
    CollectError, CollectErrorKind, Collector, InterfaceEvent, Losses, Observer, Progress,
};
use crate::frame::InterfaceId;
use crate::report::{
    CpuUsage, HostMetrics, InterfaceFacts, InterfaceKind, LoadAverage, MemoryUsage, bounds,
};
use crate::sample::{HostSample, InterfaceSample};
use crate::time::Timestamp;

use facts::Facts;
use filter::Matcher;
use platform::Platform;

pub use boot::BootClock;
pub use filter::NameFilter;

/// What [`System`] reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SystemConfig {
    /// Which file systems and disks are reported. A pattern is compared with the mount path
    /// (`/home`), the device of the mount (`/dev/vda1`) and the kernel name of the disk whose
    /// traffic is counted (`vda`): an `include` that lists mount paths only hides the traffic of
    /// all disks, unless their names are listed too.
    pub disks: NameFilter,
    /// Which interfaces are part of the sample, besides those of [`System::always_report`].
    /// [`InterfaceEvent`]s are told for all of them.
    pub interfaces: NameFilter,
    /// Whether network file systems are reported. Off by default, because asking for the space on
    /// one whose server is gone can block for ever.
    pub network_mounts: bool,
    /// Version of the agent, as the host's facts state it.
    pub agent_version: String,
}

/// Samples the host that it runs on. Each call of [`Collector::collect`] takes one sample at once,
/// whatever the budget, and says [`Progress::Idle`].
///
/// The moment of a sample is the wall clock right after the interfaces' counters were read.
pub struct System {
    interfaces: Matcher,
    always: BTreeSet<String>,
    platform: Platform,
    gauges: sysinfo::System,
    has_cpu_baseline: bool,
    facts: Facts,
    known: BTreeMap<InterfaceId, String>,
    clock: Option<BootClock>,
}

impl System {
    /// A collector that has sampled nothing.
    ///
    /// # Errors
    /// When the system does not tell what a sample is made of at all.
    pub fn new(config: &SystemConfig) -> Result<Self, CollectError> {
        let gauges = sysinfo::System::new().map_err(|error| {
            CollectError::new(
                CollectErrorKind::Other,
                "cannot read this host's metrics: the system is not supported",
            )
            .caused_by(error)
        })?;
        Ok(Self {
            interfaces: Matcher::new(&config.interfaces),
            always: BTreeSet::new(),
            platform: Platform::new(Matcher::new(&config.disks), config.network_mounts),
            gauges,
            has_cpu_baseline: false,
            facts: Facts::new(&config.agent_version),
            known: BTreeMap::new(),
            clock: BootClock::new(),
        })
    }

    /// Every interface that exists now, whatever the filter says: to choose what to capture.
    ///
    /// # Errors
    /// When the system does not list its interfaces.
    pub fn interfaces(&self) -> Result<Vec<InterfaceSample>, CollectError> {
        Ok(platform::interfaces()?.interfaces)
    }

    /// Has the interfaces called `names` be part of the sample whatever the filter says, and no
    /// others that an earlier call named: for those that are captured, whose flows would otherwise
    /// have no counters to be compared with.
    pub fn always_report(&mut self, names: BTreeSet<String>) {
        self.always = names;
    }

    fn metrics(&mut self, now: Instant) -> HostMetrics {
        HostMetrics {
            uptime_s: sysinfo::System::uptime().unwrap_or(0),
            cpu: self.cpu(),
            load: load(),
            memory: self.memory(),
            mounts: self.platform.mounts(now),
            ..HostMetrics::default()
        }
    }

    fn cpu(&mut self) -> Option<CpuUsage> {
        self.gauges
            .refresh_cpu_specifics(CpuRefreshKind::nothing().with_usage());
        if !std::mem::replace(&mut self.has_cpu_baseline, true) {
            return None;
        }
        let cores = self.gauges.cpus().iter().take(bounds::PARTS);
        Some(CpuUsage {
            total_percent: percent(self.gauges.global_cpu_usage()),
            cores_percent: cores.map(|core| percent(core.usage())).collect(),
        })
    }

    fn memory(&mut self) -> Option<MemoryUsage> {
        self.gauges
            .refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram().with_swap());
        let total_bytes = self.gauges.total_memory();
        let available_bytes = self.gauges.available_memory().min(total_bytes);
        (total_bytes > 0).then(|| MemoryUsage {
            total_bytes,
            used_bytes: total_bytes - available_bytes,
            available_bytes,
            swap_total_bytes: self.gauges.total_swap(),
            swap_used_bytes: self.gauges.used_swap(),
        })
    }

    fn changes(&mut self, interfaces: &[InterfaceSample]) -> Vec<InterfaceEvent> {
        let now: BTreeMap<_, _> = interfaces
            .iter()
            .map(|interface| (interface.facts.id, interface.facts.name.clone()))
            .collect();
        let gone = self.known.keys().filter(|id| !now.contains_key(*id));
        let mut events: Vec<_> = gone.map(|&id| InterfaceEvent::Vanished { id }).collect();
        for (&id, name) in &now {
            let name = name.clone();
            match self.known.get(&id) {
                Some(before) if *before == name => {}
                Some(_) => events.push(InterfaceEvent::Renamed { id, name }),
                None => events.push(InterfaceEvent::Appeared { id, name }),
            }
        }
        self.known = now;
        events
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System")
            .field("interfaces", &self.interfaces)
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

impl Collector for System {
    fn name(&self) -> &str {
        "system"
    }

    fn collect(
        &mut self,
        _budget: Duration,
        into: &mut dyn Observer,
    ) -> Result<Progress, CollectError> {
        let now = Instant::now();
        let mut metrics = self.metrics(now);
        let disks = self.platform.disks();
        let Reading { at, mut interfaces } = self.platform.interfaces(now)?;
        let clocks = self.clock.as_ref().and_then(BootClock::read);
        metrics.facts = self.facts.read(now, &interfaces);
        for event in self.changes(&interfaces) {
            into.interface(at, event);
        }
        interfaces.retain(|interface| {
            let name = &interface.facts.name;
            self.always.contains(name) || self.interfaces.admits(&[name])
        });
        let sample = HostSample {
            metrics,
            disks,
            interfaces,
            clocks,
        };
        into.sample(at, sample);
        Ok(Progress::Idle)
    }

    fn losses(&self) -> Losses {
        Losses::default()
    }
}

/// Every interface, and the wall clock right after their counters were read.
struct Reading {
    at: Timestamp,
    interfaces: Vec<InterfaceSample>,
}

/// Something that is read again only after a while.
#[derive(Debug)]
struct Due {
    every: Duration,
    last: Option<Instant>,
}

impl Due {
    const fn every(every: Duration) -> Self {
        Self { every, last: None }
    }

    /// Whether it is time, or `is_forced`; if so the time starts anew.
    fn take(&mut self, now: Instant, is_forced: bool) -> bool {
        let is_due = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= self.every);
        if is_due || is_forced {
            self.last = Some(now);
        }
        is_due || is_forced
    }
}

/// Marks the interfaces that `default_routes` leave through, and the uplinks as
/// [`InterfaceFacts::is_uplink`] defines them.
fn mark_uplinks(interfaces: &mut [&mut InterfaceFacts], default_routes: &BTreeSet<String>) {
    let lower: BTreeSet<String> = interfaces
        .iter()
        .flat_map(|facts| facts.stacked_on.iter().cloned())
        .collect();
    for facts in interfaces.iter_mut() {
        facts.has_default_route = default_routes.contains(&facts.name);
    }
    let is_routed = interfaces.iter().any(|facts| facts.has_default_route);
    for facts in interfaces {
        facts.is_uplink = if is_routed {
            facts.has_default_route
        } else {
            facts.kind != InterfaceKind::Loopback && !lower.contains(&facts.name)
        };
    }
}

fn load() -> Option<LoadAverage> {
    let load = sysinfo::System::load_average().ok()?;
    Some(LoadAverage {
        one: load.one,
        five: load.five,
        fifteen: load.fifteen,
    })
}

fn percent(value: f32) -> f32 {
    if value.is_finite() {
        value.clamp(0.0, 100.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
