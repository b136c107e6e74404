//! An agent that says much in little time: the library's spool, driver and HTTP sink, with made-up
//! reports. It is a process of its own, so that it can be killed, and writes down what it emitted and
//! what became of it as it happens.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use async_trait::async_trait;
use bwmon_core::Sink;
use bwmon_core::report::{AgentId, Batch, Envelope, Epoch, Fate, Interval, Receipt};
use bwmon_core::sink::{SinkCapability, SinkError};
use bwmon_core::testkit;
use bwmon_core::time::{Timestamp, Window};
use bwmon_sinks::driver::{Driver, DriverConfig, NotTaken, SpoolQueue};
use bwmon_sinks::http::{HttpConfig, HttpSink};
use bwmon_sinks::spool::{Folder, Spool, SpoolConfig, SpoolStats};
use bwmon_sinks::{Clock, Secret};

use super::support::wait::wait_for;

/// The data folder, for the process that plays.
const ROLE: &str = "BWMON_TEST_EMITTER";
const COLLECTOR: &str = "BWMON_TEST_EMITTER_COLLECTOR";
const SPOOL_BYTES: &str = "BWMON_TEST_EMITTER_SPOOL_BYTES";
/// Between two reports.
const PERIOD: Duration = Duration::from_millis(20);
/// How long an interval is said to be.
const LENGTH: Duration = Duration::from_millis(20);
const FLOWS: u16 = 20;
/// How long it tries to deliver everything at its end.
const END: Duration = Duration::from_secs(120);

/// Its files within its data folder.
pub(crate) const EMITTED: &str = "emitted.log";
pub(crate) const FATES: &str = "fates.log";
const STOP: &str = "stop";

/// A running emitter; killed when dropped.
#[derive(Debug)]
pub(crate) struct Emitter {
    child: Child,
    data: PathBuf,
}

impl Emitter {
    /// Starts one that is enrolled in `data`. Each lane of its spool takes `spool_bytes`.
    pub(crate) fn start(collector: &str, data: &Path, spool_bytes: u64) -> Self {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "emitter::plays_the_emitter", "--nocapture"])
            .env(ROLE, data)
            .env(COLLECTOR, format!("http://{collector}"))
            .env(SPOOL_BYTES, spool_bytes.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            data: data.to_owned(),
        }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Has it stop emitting, deliver everything, and end.
    pub(crate) fn finish(mut self) {
        fs::write(self.data.join(STOP), "").unwrap();
        let mut tries = 0;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            tries += 1;
            assert!(tries < 1_300, "the emitter does not end");
            std::thread::sleep(Duration::from_millis(100));
        };
        assert!(status.success(), "{status}");
        fs::remove_file(self.data.join(STOP)).unwrap();
    }
}

impl Drop for Emitter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A report with as many flows as a small server has, which ends at `end`.
pub(crate) fn report(end: Timestamp, length: Duration) -> Interval {
    let mut interval = testkit::interval();
    interval.window = Window::new(end.minus(length), length);
    let flow = interval.flows.remove(0);
    interval.flows = (0..FLOWS)
        .map(|n| {
            let mut flow = flow.clone();
            flow.local_port = 40_000 + n;
            (flow.first, flow.last) = (interval.window.start, end);
            flow
        })
        .collect();
    interval
}

/// What `bwmon-agent enrol` left in `data`.
pub(crate) struct Enrolled {
    pub(crate) agent: AgentId,
    credential: String,
}

impl Enrolled {
    pub(crate) fn read(data: &Path) -> Self {
        let json = fs::read(data.join("credential")).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        Self {
            agent: text("agent").parse().unwrap(),
            credential: text("credential"),
        }
    }

    /// A sink that writes down what becomes of each record.
    pub(crate) fn sink(&self, collector: &str, data: &Path) -> Box<dyn Sink> {
        let config = HttpConfig::new(collector, Secret::new(&self.credential));
        Box::new(Noting {
            inner: Box::new(HttpSink::new(&config).unwrap()),
            fates: append(&data.join(FATES)),
        })
    }
}

pub(crate) fn append(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::EPOCH.plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap())
}

/// Notes fates before its caller hears of them.
#[derive(Debug)]
struct Noting {
    inner: Box<dyn Sink>,
    fates: File,
}

#[async_trait]
impl Sink for Noting {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> SinkCapability {
        self.inner.capability()
    }

    async fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError> {
        let receipt = self.inner.write(batch).await?;
        let mut lines = String::new();
        for (entry, fate) in batch.entries.iter().zip(&receipt.fates) {
            let key = entry.record.key();
            let fate = match fate {
                Fate::Stored => "stored",
                Fate::Duplicate => "duplicate",
                _ => "refused",
            };
            lines.push_str(&format!("{} {} {fate}\n", key.epoch, key.seq));
        }
        self.fates.write_all(lines.as_bytes()).unwrap();
        Ok(receipt)
    }

    async fn close(self: Box<Self>) -> Result<(), SinkError> {
        self.inner.close().await
    }
}

/// Does nothing in an ordinary run: it is what [`Emitter::start`] runs.
#[test]
fn plays_the_emitter() {
    let Some(data) = env::var_os(ROLE).map(PathBuf::from) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(play(&data));
}

async fn play(data: &Path) {
    let enrolled = Enrolled::read(data);
    let collector = env::var(COLLECTOR).unwrap();
    let sink = enrolled.sink(&collector, data);
    let driver = Driver::with_spool(sink, patience(), spool(data, enrolled.agent));
    let mut ticks = tokio::time::interval(PERIOD);
    while !data.join(STOP).exists() {
        ticks.tick().await;
        match driver.report(report(now(), LENGTH)) {
            // One that is not taken was never emitted.
            Ok(()) | Err(NotTaken::Busy(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        let spool = driver.stats().spool;
        let is_balanced = spool.as_ref().is_none_or(SpoolStats::is_balanced);
        assert!(is_balanced, "{spool:?}");
    }
    driver.sync().await;
    let closed = driver.close(END).await;
    let left = closed.stats.spool.unwrap();
    assert!(left.is_balanced() && left.spooled == 0, "{left:?}");
    assert_eq!((left.notices, left.notices_lost), (0, 0), "{left:?}");
}

/// Short waits: the test has no time for long ones.
fn patience() -> DriverConfig {
    let mut config = DriverConfig::default();
    config.backoff_first = Duration::from_millis(20);
    config.backoff_cap = Duration::from_millis(500);
    config.reconnect_spread = Duration::from_millis(50);
    config.hold = Duration::from_secs(1);
    config
}

fn spool(data: &Path, agent: AgentId) -> SpoolQueue {
    let mut config = SpoolConfig::default();
    let bytes = env::var(SPOOL_BYTES).unwrap().parse().unwrap();
    (config.core_bytes, config.flow_bytes) = (bytes, bytes);
    config.retry_every = Duration::from_secs(1);
    let mut emitted = append(&data.join(EMITTED));
    let tap = Box::new(move |envelope: &Envelope| {
        let key = envelope.record.key();
        let line = format!("{} {}\n", key.epoch, key.seq);
        emitted.write_all(line.as_bytes()).unwrap();
    });
    let files = Box::new(Folder::new(data.join("spool")));
    let open = move |now| Spool::open(files, config, draw, now);
    SpoolQueue::start(agent, Clock::default(), open, Some(tap)).unwrap()
}

pub(crate) fn draw() -> Epoch {
    Epoch(fastrand::u128(..))
}

/// Waits until the emitter's collector took `count` records more.
pub(crate) fn wait_for_fates(data: &Path, count: usize) {
    let lines = || {
        let text = fs::read_to_string(data.join(FATES)).unwrap_or_default();
        text.lines().count()
    };
    let before = lines();
    wait_for("records to be taken", || {
        (lines() >= before + count).then_some(())
    });
}
