//! A collector behind a proxy, what reports to it, and their data.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use super::emitter::Emitter;
use super::ledger::{Balance, Ledger};
use super::proxy::Proxy;
use super::support::product::{Running, agent, collector, enrol};

/// Room for everything that an emitter ever says.
pub(crate) const ROOMY: u64 = 64 << 20;

pub(crate) struct Lab {
    folder: tempfile::TempDir,
    listen: String,
    pub(crate) proxy: Proxy,
    collector: Option<Running>,
    agent: Option<Running>,
    emitter: Option<Emitter>,
    spool_bytes: u64,
}

impl Lab {
    /// A collector that knows an agent and an emitter, neither of which runs.
    pub(crate) fn new() -> Self {
        let lab = Self::without_collector();
        lab.with_collector()
    }

    /// Folders only, so that something can be mounted on them.
    pub(crate) fn without_collector() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen = free_port().to_string();
        let lab = Self {
            proxy: Proxy::start(listen.parse().unwrap()),
            folder,
            listen,
            collector: None,
            agent: None,
            emitter: None,
            spool_bytes: ROOMY,
        };
        for data in [lab.collector_data(), lab.agent_data(), lab.emitter_data()] {
            std::fs::create_dir(data).unwrap();
        }
        lab
    }

    /// Starts the collector and enrols both.
    pub(crate) fn with_collector(mut self) -> Self {
        self.start_collector();
        for data in [self.agent_data(), self.emitter_data()] {
            enrol(&self.listen, &self.collector_data(), &data);
        }
        self
    }

    /// Gives each lane of the emitter's spool so much.
    pub(crate) fn with_spool_of(mut self, bytes: u64) -> Self {
        self.spool_bytes = bytes;
        self
    }

    pub(crate) fn listen(&self) -> &str {
        &self.listen
    }

    pub(crate) fn collector_data(&self) -> PathBuf {
        self.folder.path().join("collector")
    }

    pub(crate) fn agent_data(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    pub(crate) fn emitter_data(&self) -> PathBuf {
        self.folder.path().join("emitter")
    }

    pub(crate) fn start_collector(&mut self) {
        self.collector = Some(collector(&self.listen, &self.collector_data(), &[]));
    }

    pub(crate) fn start_agent(&mut self) {
        let address = self.proxy.address().to_string();
        let extra = ["--capture-method", "counters", "--ping", "false"];
        self.agent = Some(agent(&address, &self.agent_data(), &extra));
    }

    pub(crate) fn start_emitter(&mut self) {
        let address = self.proxy.address().to_string();
        self.emitter = Some(Emitter::start(
            &address,
            &self.emitter_data(),
            self.spool_bytes,
        ));
    }

    pub(crate) fn kill_collector(&mut self) {
        if let Some(collector) = self.collector.take() {
            collector.kill();
        }
    }

    pub(crate) fn kill_agent(&mut self) {
        if let Some(agent) = self.agent.take() {
            agent.kill();
        }
    }

    pub(crate) fn kill_emitter(&mut self) {
        if let Some(emitter) = self.emitter.take() {
            emitter.kill();
        }
    }

    /// The process of the emitter.
    pub(crate) fn emitter_id(&self) -> u32 {
        self.emitter.as_ref().unwrap().id()
    }

    fn finish_emitter(&mut self) {
        if let Some(emitter) = self.emitter.take() {
            emitter.finish();
        }
    }

    /// Has the emitter deliver what it has and ends everybody; what became of what it emitted. The
    /// collector's own sums must add up before.
    pub(crate) fn settle(&mut self) -> Balance {
        self.finish_emitter();
        self.assert_received_adds_up();
        self.end();
        let data = self.emitter_data();
        self.ledger_of(&data).balance(&data)
    }

    /// Since its last start the collector's own sums add up.
    fn assert_received_adds_up(&self) {
        let received = self.metric("bwmon_collector_records_received_total");
        let fates = self.metric("bwmon_collector_records_total");
        let handed_back = self.metric("bwmon_collector_records_handed_back_total");
        assert!(received > 0.0);
        assert_eq!(received, fates + handed_back);
    }

    /// The ledger of the real agent, of which nothing may be missing.
    pub(crate) fn whole_ledger_of_agent(&self) -> Ledger {
        let ledger = self.ledger_of(&self.agent_data());
        ledger.assert_whole();
        assert_eq!(ledger.given_up(), []);
        ledger
    }

    /// Ends the agent in order, which delivers what waits, and then the collector.
    pub(crate) fn end(&mut self) {
        if let Some(agent) = self.agent.take() {
            agent.stop();
        }
        if let Some(collector) = self.collector.take() {
            collector.stop();
        }
    }

    /// What it has of the one whose data is in `data`.
    pub(crate) fn ledger_of(&self, data: &Path) -> Ledger {
        let enrolled = super::emitter::Enrolled::read(data);
        Ledger::of(&self.collector_data(), enrolled.agent)
    }

    /// A number of the collector's `/metrics`, of all its labels together.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = ureq::get(format!("http://{}/metrics", self.listen))
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap();
        let of_name = text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let is_it = series == name || series.starts_with(&format!("{name}{{"));
            is_it.then(|| value.parse::<f64>().unwrap())
        });
        of_name.sum()
    }
}

/// Where nobody listens: the kernel gives it to others last.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
