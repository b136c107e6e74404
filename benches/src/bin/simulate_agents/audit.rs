//! What the collector says, compared with what the agents know.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bwmon_core::query::{HostStatus, HostSummary, TrafficSum};
use serde_json::Value;

use crate::agent::wall_clock;
use crate::collector::Collector;

/// Most hosts whose stored reports are counted.
const AUDITED: usize = 500;

/// The list of hosts, and what it took to get it.
#[derive(Debug)]
pub(crate) struct HostsList {
    /// Hosts that are up.
    pub(crate) up: usize,
    pub(crate) bytes: usize,
    pub(crate) took: Duration,
}

/// Whether what is stored of each host is what its agent made: not one report less or more.
#[derive(Debug)]
pub(crate) struct Audit {
    /// Hosts that were looked at.
    pub(crate) hosts: usize,
    /// What is wrong.
    pub(crate) wrong: Vec<String>,
}

impl HostsList {
    pub(crate) async fn of(collector: &Collector) -> Result<Self, String> {
        let begun = Instant::now();
        let body = collector.get("/api/v1/hosts").await?;
        let took = begun.elapsed();
        let hosts = parse(&body)?;
        Ok(Self {
            up: hosts
                .iter()
                .filter(|it| it.status == HostStatus::Up)
                .count(),
            bytes: body.len(),
            took,
        })
    }
}

impl Audit {
    /// Of some of the hosts, evenly chosen, by how many reports each agent has made.
    pub(crate) async fn of(collector: &Collector, made: &[u64]) -> Result<Self, String> {
        let hosts = parse(&collector.get("/api/v1/hosts").await?)?;
        let mut audit = Self {
            hosts: 0,
            wrong: Vec::new(),
        };
        if hosts.len() != made.len() {
            let wrong = format!("{} hosts of {}", hosts.len(), made.len());
            audit.wrong.push(wrong);
        }
        let step = (hosts.len() / AUDITED).max(1);
        for host in hosts.iter().step_by(step).take(AUDITED) {
            let stored = stored(collector, &host.id).await?;
            let number = host.name.strip_prefix("host-");
            let number = number.and_then(|number| number.parse::<usize>().ok());
            let expected = number.and_then(|number| made.get(number));
            if expected != Some(&stored) {
                let wrong = format!("{}: {stored} stored, {expected:?} made", host.name);
                audit.wrong.push(wrong);
            }
            audit.hosts += 1;
        }
        Ok(audit)
    }
}

async fn stored(collector: &Collector, id: &str) -> Result<u64, String> {
    let until = wall_clock(Instant::now()).as_micros() + 1;
    let path = format!("/api/v1/hosts/{id}/traffic?limit=1&to_us={until}");
    let sum: TrafficSum = serde_json::from_slice(&collector.get(&path).await?)
        .map_err(|error| format!("{path}: {error}"))?;
    Ok(sum.reports)
}

fn parse(list: &[u8]) -> Result<Vec<HostSummary>, String> {
    let mut list: BTreeMap<String, Value> =
        serde_json::from_slice(list).map_err(|error| error.to_string())?;
    let hosts = list.remove("hosts").ok_or("there is no list of hosts")?;
    serde_json::from_value(hosts).map_err(|error| error.to_string())
}
