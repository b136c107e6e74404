//! Between an agent and its collector lie failures. Here they are made on purpose, between the real
//! binaries, and a ledger compares what was said with what is stored.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper fails a test by panicking"
)]

mod ledger;
mod proxy;
#[path = "../support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses its own part of this"
)]
mod support;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use bwmon_sinks::spool::{Folder, look};
use ledger::Ledger;
use proxy::{Fault, Proxy};
use support::product::{Running, agent, collector, enrol};
use support::wait::wait_for;

/// A collector, an agent that reaches it through the proxy, and their data.
struct Lab {
    folder: tempfile::TempDir,
    listen: String,
    proxy: Proxy,
    collector: Option<Running>,
    agent: Option<Running>,
}

impl Lab {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen = free_port().to_string();
        let proxy = Proxy::start(listen.parse().unwrap());
        let mut lab = Self {
            folder,
            listen,
            proxy,
            collector: None,
            agent: None,
        };
        lab.start_collector();
        enrol(&lab.listen, &lab.collector_data(), &lab.agent_data());
        lab.start_agent();
        lab
    }

    fn collector_data(&self) -> PathBuf {
        self.folder.path().join("collector")
    }

    fn agent_data(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    fn start_collector(&mut self) {
        self.collector = Some(collector(&self.listen, &self.collector_data(), &[]));
    }

    fn start_agent(&mut self) {
        let address = self.proxy.address().to_string();
        let extra = ["--capture-method", "counters", "--ping", "false"];
        self.agent = Some(agent(&address, &self.agent_data(), &extra));
    }

    fn kill_collector(&mut self) {
        if let Some(collector) = self.collector.take() {
            collector.kill();
        }
    }

    fn kill_agent(&mut self) {
        if let Some(agent) = self.agent.take() {
            agent.kill();
        }
    }

    /// Records that wait on the agent's disk.
    fn spooled(&self) -> u64 {
        let spool = self.agent_data().join("spool");
        look(&mut Folder::new(spool)).unwrap_or_default().records
    }

    /// Ends the agent in order, which delivers what waits, and then the collector.
    fn end(mut self) -> Ledger {
        if let Some(agent) = self.agent.take() {
            agent.stop();
        }
        if let Some(collector) = self.collector.take() {
            collector.stop();
        }
        Ledger::read(&self.collector_data())
    }

    fn ledger(&self) -> Ledger {
        Ledger::read(&self.collector_data())
    }
}

/// Where nobody listens: the kernel gives it to others last.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn wait_for_records(lab: &Lab, count: usize) {
    wait_for("records", || {
        (lab.ledger().records() >= count).then_some(())
    });
}

/// Answers are lost after the commit, and the collector is killed in between: the agent sends again
/// whatever it has no answer for, and everything is stored once.
#[test]
fn lost_answers_and_a_killed_collector_lose_nothing_and_double_nothing() {
    let mut lab = Lab::start();
    wait_for_records(&lab, 2);
    lab.proxy.drop_answers(30, 42);
    for _ in 0..3 {
        let before = lab.ledger().records();
        wait_for_records(&lab, before + 2);
        lab.kill_collector();
        thread::sleep(Duration::from_millis(500));
        lab.start_collector();
    }
    wait_for("a lost answer", || {
        (lab.proxy.count(Fault::DropAnswer) > 0).then_some(())
    });
    lab.proxy.always(Fault::None);
    let before = lab.ledger().records();
    wait_for_records(&lab, before + 2);
    let ledger = lab.end();
    ledger.assert_nothing_is_missing();
    assert!(ledger.records() >= 10, "{ledger:?}");
}

/// The agent is killed again and again while the collector is away, and then brings everything.
#[test]
fn an_agent_that_is_killed_within_an_outage_loses_nothing() {
    let mut lab = Lab::start();
    wait_for_records(&lab, 2);
    lab.kill_collector();
    for _ in 0..3 {
        let before = lab.spooled();
        wait_for("reports on the agent's disk", || {
            (lab.spooled() >= before + 2).then_some(())
        });
        lab.kill_agent();
        lab.start_agent();
    }
    let (stored, spooled) = (lab.ledger().records(), lab.spooled());
    lab.start_collector();
    // By another process, which has no long wait behind it.
    lab.kill_agent();
    lab.start_agent();
    wait_for_records(&lab, stored + usize::try_from(spooled).unwrap() + 2);
    wait_for("an empty spool", || (lab.spooled() <= 1).then_some(()));
    lab.end().assert_nothing_that_was_measured_is_missing();
}

/// The agent goes on through a black hole, a reset, a slow line and a half-closed one, and catches up.
#[test]
fn whatever_the_line_does_the_agent_catches_up() {
    let lab = Lab::start();
    wait_for_records(&lab, 2);
    for fault in [
        Fault::Reset,
        Fault::HalfClose,
        Fault::Delay(Duration::from_millis(200)),
        Fault::Drip(Duration::from_millis(1)),
        Fault::BlackHole,
    ] {
        lab.proxy.always(fault);
        thread::sleep(Duration::from_secs(2));
        assert!(lab.proxy.count(fault) > 0 || matches!(fault, Fault::Reset | Fault::BlackHole));
        lab.proxy.always(Fault::None);
        let before = lab.ledger().records();
        wait_for_records(&lab, before + 2);
    }
    lab.end().assert_nothing_is_missing();
}
