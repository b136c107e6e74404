//! Pings the hosts that the collector names, and the collector, on a thread of its own.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use bwmon_core::collector::{InterfaceEvent, Observer};
use bwmon_core::collectors::ping::{Ping, PingConfig, PingTarget};
use bwmon_core::flow::FlowKey;
use bwmon_core::frame::{Frame, InterfaceId, PerDirection, Tally};
use bwmon_core::report::ProbeResult;
use bwmon_core::sample::HostSample;
use bwmon_core::time::Timestamp;
use bwmon_core::{Collector, Monitor};

use super::client::Client;
use super::config::PingSettings;
use super::outlets::Destination;
use super::vitals::{Vitals, count};
use crate::common::peers::{MAX_PEERS, PEERS_PATH, PeerList};

/// Stack of the thread.
const STACK_BYTES: usize = 256 * 1024;
/// Results that may wait for the end of the interval; further ones are dropped, and counted in the log.
const CAPACITY: usize = 256;
/// Longest time that one request to the collector may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one call may wait.
const PACE: Duration = Duration::from_secs(1);
/// Where a connection to a peer is tried if ICMP is not permitted: the echo service (RFC 862), which is
/// refused nearly everywhere, and a refusal tells the round trip.
const ECHO_PORT: u16 = 7;

/// What came of pings, for the capture thread.
#[derive(Debug)]
pub(super) struct Probes(Receiver<(Timestamp, ProbeResult)>);

impl Probes {
    /// Hands over what has come.
    pub(super) fn tell(&self, monitor: &mut Monitor) {
        while let Ok((at, result)) = self.0.try_recv() {
            monitor.probe(at, result);
        }
    }
}

/// Starts the thread. It ends when nobody takes its results.
pub(super) fn start(
    settings: PingSettings,
    destination: &Destination,
    vitals: Arc<Vitals>,
) -> anyhow::Result<Probes> {
    let (results, receiver) = sync_channel(CAPACITY);
    let mut config = PingConfig::default();
    config.every = settings.every.duration();
    let prober = Prober {
        destination: destination.clone(),
        every: config.every,
        ping: Ping::new(config),
        targets: Vec::new(),
        is_complaining: false,
        sender: Sender {
            results,
            vitals,
            is_gone: false,
        },
    };
    thread::Builder::new()
        .name("ping".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || prober.run())
        .context("cannot start the thread that pings")?;
    Ok(Probes(receiver))
}

struct Prober {
    destination: Destination,
    every: Duration,
    ping: Ping,
    targets: Vec<PingTarget>,
    is_complaining: bool,
    sender: Sender,
}

impl Prober {
    fn run(mut self) {
        let mut next_look = Instant::now();
        while !self.sender.is_gone {
            if Instant::now() >= next_look {
                next_look = Instant::now() + self.every;
                self.look_up();
            }
            if let Err(error) = self.ping.collect(PACE, &mut self.sender) {
                tracing::debug!("pings: {error}");
                thread::sleep(PACE);
            }
        }
    }

    /// Asks whom to ping. Where the collector does not say, those of the last time and it.
    fn look_up(&mut self) {
        let Destination {
            collector,
            credential,
            ..
        } = &self.destination;
        let answer = Client::new(collector, PATIENCE).get(PEERS_PATH, Some(credential));
        let list = match answer {
            Ok(answer) if answer.status == 200 => answer.json::<PeerList>(),
            _ => None,
        };
        if list.is_none() != self.is_complaining {
            self.is_complaining = list.is_none();
            if self.is_complaining {
                tracing::info!(
                    "the collector does not say whom to ping; going on with those known"
                );
            }
        }
        if let Some(PeerList { peers }) = list {
            let target = |address| PingTarget {
                address,
                port: ECHO_PORT,
            };
            let addresses = peers.iter().take(MAX_PEERS).map(|peer| peer.address);
            self.targets = addresses.map(target).collect();
            self.targets.extend(place_of(collector.authority()));
        } else if self.targets.is_empty() {
            self.targets.extend(place_of(collector.authority()));
        }
        self.ping.set_targets(&self.targets);
    }
}

/// The collector itself.
fn place_of(authority: &str) -> Option<PingTarget> {
    const HTTP: u16 = 80;
    let found = authority.to_socket_addrs();
    let mut found = found
        .or_else(|_| (authority, HTTP).to_socket_addrs())
        .ok()?;
    let place: SocketAddr = found.next()?;
    Some(PingTarget {
        address: place.ip(),
        port: place.port(),
    })
}

/// Sends results on, and never waits.
struct Sender {
    results: SyncSender<(Timestamp, ProbeResult)>,
    vitals: Arc<Vitals>,
    is_gone: bool,
}

impl Observer for Sender {
    fn probe(&mut self, at: Timestamp, probe: ProbeResult) {
        match self.results.try_send((at, probe)) {
            Ok(()) => {}
            Err(TrySendError::Disconnected(_)) => self.is_gone = true,
            Err(TrySendError::Full(_)) => {
                count(&self.vitals.pings_dropped);
                let dropped = self.vitals.pings_dropped.load(Ordering::Relaxed);
                tracing::warn!(dropped, "results of pings had to wait too long");
            }
        }
    }

    fn frame(&mut self, _frame: Frame<'_>) {}

    fn flow(
        &mut self,
        _at: Timestamp,
        _interface: Option<InterfaceId>,
        _key: FlowKey,
        _delta: PerDirection<Tally>,
    ) {
    }

    fn interface(&mut self, _at: Timestamp, _event: InterfaceEvent) {}

    fn sample(&mut self, _at: Timestamp, _sample: HostSample) {}
}
