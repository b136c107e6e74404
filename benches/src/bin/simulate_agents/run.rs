//! The course of it: enrol, report, end the collector, report again, and compare.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bwmon_benches::ingest::enrol;
use bwmon_benches::ingest::process::allow_files;
use bwmon_sinks::driver::DriverConfig;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::agent::{Agent, World};
use crate::arguments::Arguments;
use crate::audit::{Audit, HostsList};
use crate::collector::{Collector, token};
use crate::tally::{Tallies, Tally};

/// Files that this program needs besides those of the agents.
const OTHER_FILES: u64 = 64;
/// Connections that enrol.
const ENROLLING: usize = 4;
/// How long agents have to catch up before the collector is ended.
const SETTLING: Duration = Duration::from_secs(2);
/// Longest time that agents may take to report again.
const FRESH_LIMIT: Duration = Duration::from_secs(300);

/// What was seen.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Until the collector was ended.
    pub(crate) steady: Tally,
    pub(crate) steady_length: Duration,
    /// What the collector ran meanwhile, in nanoseconds.
    pub(crate) ran: u64,
    /// The most memory of either run, in KiB.
    pub(crate) peak_kib: u64,
    /// From the end of the first collector to the first answer of the second.
    pub(crate) away: Duration,
    /// From the same moment until every agent has had a new report acknowledged.
    pub(crate) fresh_after: Option<Duration>,
    /// From the end of the first collector on.
    pub(crate) recovery: Tally,
    /// The list of hosts: how many are up, bytes, and how long it took.
    pub(crate) list: HostsList,
    /// Everything, until the last agent has ended.
    pub(crate) all: Tally,
    /// What is stored, compared with what the agents made.
    pub(crate) audit: Audit,
}

struct Fleet {
    world: Arc<World>,
    agents: Vec<JoinHandle<u64>>,
    end: watch::Sender<bool>,
}

pub(crate) async fn simulate(arguments: &Arguments) -> Result<Outcome, String> {
    allow_files(arguments.agents as u64 + OTHER_FILES)?;
    let token = token(arguments)?;
    let collector = Collector::start(arguments).await?;
    let credentials = enrol_all(arguments, &token).await?;
    let fleet = Fleet::start(arguments, &credentials);
    let world = Arc::clone(&fleet.world);
    // The first reports of all, which make the connections, are not part of what is measured.
    sleep(arguments.interval).await;
    let mut all = world.tallies.turn();
    let (begun, ran_before) = (Instant::now(), collector.run_time()?);
    sleep(arguments.length).await;
    let ran = collector.run_time()?.saturating_sub(ran_before);
    let (steady, steady_length) = (world.tallies.turn(), begun.elapsed());
    let list = HostsList::of(&collector).await?;
    let peak_before = collector.peak_kib()?;

    // Reading the list has held the agents up here.
    sleep(SETTLING).await;
    let killed = Instant::now();
    all.add(&world.tallies.turn());
    world.tallies.lock().awaited = Some(killed);
    collector.kill().await?;
    let collector = Collector::start(arguments).await?;
    let away = killed.elapsed();
    let fresh_after = wait_until_fresh(&world.tallies, arguments.agents, killed).await;
    let recovery = world.tallies.turn();
    let peak_kib = collector.peak_kib()?.max(peak_before);
    let made = fleet.end().await?;
    let audit = Audit::of(&collector, &made).await?;
    for phase in [&steady, &recovery, &world.tallies.turn()] {
        all.add(phase);
    }
    Ok(Outcome {
        steady,
        steady_length,
        ran,
        peak_kib,
        away,
        fresh_after,
        recovery,
        list,
        all,
        audit,
    })
}

async fn enrol_all(arguments: &Arguments, token: &str) -> Result<Vec<String>, String> {
    let (address, agents) = (arguments.address(), arguments.agents);
    let share = agents.div_ceil(ENROLLING);
    let enrolling: Vec<_> = (0..agents)
        .step_by(share)
        .map(|first| {
            let (address, token) = (address.clone(), token.to_owned());
            let numbers = first..(first + share).min(agents);
            tokio::spawn(async move { enrol(&address, &token, numbers).await })
        })
        .collect();
    let mut credentials = Vec::with_capacity(agents);
    for enrolled in enrolling {
        credentials.extend(enrolled.await.map_err(|error| error.to_string())??);
    }
    Ok(credentials)
}

impl Fleet {
    /// Each agent begins at a moment of its own within the first interval.
    fn start(arguments: &Arguments, credentials: &[String]) -> Self {
        let world = Arc::new(World {
            address: arguments.address(),
            interval: arguments.interval,
            flows: arguments.flows,
            tallies: Tallies::default(),
            driver: DriverConfig::default(),
        });
        let (end, ending) = watch::channel(false);
        let begun = Instant::now();
        let agents = credentials.iter().enumerate().map(|(number, credential)| {
            let due = begun + arguments.interval.mul_f64(fastrand::f64());
            let agent = Agent::new(Arc::clone(&world), number, credential, due);
            tokio::spawn(agent.run(ending.clone()))
        });
        Self {
            agents: agents.collect(),
            world,
            end,
        }
    }

    /// Lets every agent deliver what it holds; how many reports each has made.
    async fn end(self) -> Result<Vec<u64>, String> {
        let _all_gone = self.end.send(true);
        let mut made = Vec::with_capacity(self.agents.len());
        for agent in self.agents {
            made.push(agent.await.map_err(|error| error.to_string())?);
        }
        Ok(made)
    }
}

async fn wait_until_fresh(tallies: &Tallies, agents: usize, killed: Instant) -> Option<Duration> {
    let all_since = || {
        let tally = tallies.lock();
        tally.last_fresh.filter(|_| tally.fresh == agents)
    };
    while killed.elapsed() < FRESH_LIMIT {
        if let Some(last) = all_since() {
            return Some(last.duration_since(killed));
        }
        sleep(Duration::from_millis(20)).await;
    }
    None
}
