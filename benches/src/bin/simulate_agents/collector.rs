//! The collector under test: a process that is started, asked and ended.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bwmon_benches::ingest::Connection;
use bwmon_benches::ingest::process::{peak_kib, run_time};
use tokio::time::sleep;

use crate::arguments::Arguments;

/// Longest time that it may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How often it is tried meanwhile.
const TRY_EVERY: Duration = Duration::from_millis(10);

/// Ends with this value.
pub(crate) struct Collector {
    child: Child,
    address: String,
}

impl Collector {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(arguments: &Arguments) -> Result<Self, String> {
        let child = serve(arguments).spawn();
        let child = child.map_err(|error| {
            let collector = arguments.collector.display();
            format!("cannot start {collector}: {error}")
        })?;
        let mut started = Self {
            child,
            address: arguments.address(),
        };
        started.wait().await?;
        Ok(started)
    }

    async fn wait(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the collector has ended: {status}"));
            }
            if self.get("/api/v1/health").await.is_ok() {
                return Ok(());
            }
            sleep(TRY_EVERY).await;
        }
        Err("the collector does not answer".to_owned())
    }

    /// Ends it at once, as a crash does, and waits until it is gone. The agents go on meanwhile.
    pub(crate) async fn kill(mut self) -> Result<(), String> {
        self.child.kill().map_err(|error| error.to_string())?;
        loop {
            let ended = self.child.try_wait();
            if ended.map_err(|error| error.to_string())?.is_some() {
                return Ok(());
            }
            sleep(TRY_EVERY).await;
        }
    }

    /// The body of an answer.
    pub(crate) async fn get(&self, path: &str) -> Result<Vec<u8>, String> {
        let mut connection = Connection::open(&self.address).await?;
        let host = &self.address;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = connection.ask(request.as_bytes()).await?;
        if answer.status != 200 {
            return Err(format!("{path} is answered {}", answer.status));
        }
        Ok(answer.body.to_vec())
    }

    /// What its threads have run, in nanoseconds.
    pub(crate) fn run_time(&self) -> Result<u64, String> {
        run_time(self.child.id())
    }

    /// The most memory that it has had, in KiB.
    pub(crate) fn peak_kib(&self) -> Result<u64, String> {
        peak_kib(self.child.id())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_reaped = self.child.wait();
    }
}

fn serve(arguments: &Arguments) -> Command {
    let mut command = Command::new(&arguments.collector);
    command
        .args(["--log", "warn", "serve", "--listen", &arguments.address()])
        .arg("--data-dir")
        .arg(&arguments.data)
        .stdout(Stdio::null())
        .stdin(Stdio::null());
    command
}

/// A token that enrols all agents.
pub(crate) fn token(arguments: &Arguments) -> Result<String, String> {
    let made = Command::new(&arguments.collector)
        .args(["enrol-token", "--uses", &arguments.agents.to_string()])
        .args(["--listen", &arguments.address(), "--data-dir"])
        .arg(&arguments.data)
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| error.to_string())?;
    if !made.status.success() {
        let words = String::from_utf8_lossy(&made.stderr);
        return Err(format!("no token: {words}"));
    }
    String::from_utf8(made.stdout).map_err(|error| error.to_string())
}
