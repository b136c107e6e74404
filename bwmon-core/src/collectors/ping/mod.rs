//! Round trips to other hosts: ICMP echo where the system permits it, else the time that a TCP
//! connection takes, which the result says.
//!
//! A round probes every target a few times, all targets at once. ICMP goes through Linux's datagram
//! sockets (`net.ipv4.ping_group_range`), or through raw sockets with `CAP_NET_RAW`. Without either, a
//! connection that is accepted and one that is refused both tell the round trip.
//!
//! # Cost
//!
//! Two sockets and, for TCP, one per probe under way, at most 64 targets. A round of 32 targets sends
//! 96 packets.

mod round;
mod socket;

use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::collector::{CollectError, Collector, Losses, Observer, Progress};
use crate::collectors::clock::wall_clock;

use round::Round;

const NAME: &str = "ping";

/// Most targets of a round; further ones are not probed.
pub const MAX_TARGETS: usize = 64;

/// Most probes of a target in a round.
pub const MAX_PROBES: u16 = 100;

/// How often and how patiently a [`Ping`] probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PingConfig {
    /// From the start of a round to the start of the next one.
    pub every: Duration,
    /// Probes of each target in a round, 1 to [`MAX_PROBES`].
    pub probes: u16,
    /// From a target's probe to its next one.
    pub spacing: Duration,
    /// How long an answer is waited for; what comes later is lost.
    pub timeout: Duration,
}

impl Default for PingConfig {
    /// A round each minute, three probes 200 ms apart, one second of patience.
    fn default() -> Self {
        Self {
            every: Duration::from_secs(60),
            probes: 3,
            spacing: Duration::from_millis(200),
            timeout: Duration::from_secs(1),
        }
    }
}

/// Who is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PingTarget {
    /// Its address.
    pub address: IpAddr,
    /// Where a TCP connection is tried if ICMP is not permitted.
    pub port: u16,
}

/// Probes targets in rounds.
#[derive(Debug)]
pub struct Ping {
    config: PingConfig,
    targets: Vec<PingTarget>,
    next_round: Instant,
    round: Option<Round>,
}

impl Ping {
    /// Probes nobody until it is told whom. The first round starts at once.
    pub fn new(config: PingConfig) -> Self {
        Self {
            config,
            targets: Vec::new(),
            next_round: Instant::now(),
            round: None,
        }
    }

    /// Probes these from the next round on; says how many of them are beyond [`MAX_TARGETS`].
    pub fn set_targets(&mut self, targets: &[PingTarget]) -> usize {
        self.targets.clear();
        self.targets.extend(targets.iter().take(MAX_TARGETS));
        targets.len() - self.targets.len()
    }

    /// Waits until the next round is due, at most until `end`; whether it is.
    fn is_due(&self, end: Instant) -> bool {
        let due = if self.targets.is_empty() {
            end
        } else {
            self.next_round.min(end)
        };
        thread::sleep(due.saturating_duration_since(Instant::now()));
        !self.targets.is_empty() && Instant::now() >= self.next_round
    }
}

impl Collector for Ping {
    fn name(&self) -> &str {
        NAME
    }

    fn collect(
        &mut self,
        budget: Duration,
        into: &mut dyn Observer,
    ) -> Result<Progress, CollectError> {
        let end = Instant::now() + budget;
        if self.round.is_none() {
            if !self.is_due(end) {
                return Ok(Progress::Idle);
            }
            let now = Instant::now();
            self.next_round = now + self.config.every;
            self.round = Some(Round::new(&self.config, &self.targets, now));
        }
        let Some(round) = &mut self.round else {
            return Ok(Progress::Idle);
        };
        if !round.advance(end) {
            return Ok(Progress::Busy);
        }
        for result in round.results() {
            into.probe(wall_clock(), result);
        }
        self.round = None;
        Ok(Progress::Idle)
    }

    /// Lost probes are part of the results.
    fn losses(&self) -> Losses {
        Losses::default()
    }
}
