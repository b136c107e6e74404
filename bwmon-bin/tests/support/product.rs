//! The real binaries, and their API.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bwmon_core::query::{HostDetail, HostSummary, TrafficSum};

use super::wait::wait_for;

/// A running binary; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts it, with nothing to read.
    pub(crate) fn spawn(mut command: Command) -> Self {
        Self {
            child: command
                .stdin(Stdio::null())
                .spawn()
                .expect("the binary starts"),
        }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM, then waits for the end, which must be orderly.
    pub(crate) fn stop(mut self) {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .expect("kill");
        let status = wait_for("the process to end", || {
            self.child.try_wait().expect("wait")
        });
        assert!(status.success(), "{status}");
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("wait");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a collector on `listen` with its data in `data`, and waits until it answers.
pub(crate) fn collector(listen: &str, data: &Path, extra: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bwmon-collector"));
    command
        .args(["serve", "--listen", listen, "--data-dir"])
        .arg(data)
        .args(extra);
    let running = Running::spawn(command);
    wait_for("the collector to answer", || {
        ureq::get(format!("http://{listen}/api/v1/health"))
            .call()
            .ok()
    });
    running
}

/// Enrols the agent whose data is in `agent` with the collector on `listen`, whose data is in
/// `collector`.
pub(crate) fn enrol(listen: &str, collector: &Path, agent: &Path) {
    let binary = Command::new(env!("CARGO_BIN_EXE_bwmon-agent"));
    enrol_through(binary, &token(listen, collector), agent);
}

/// The same on the peer's host.
pub(crate) fn enrol_there(listen: &str, collector: &Path, agent: &Path) {
    enrol_through(binary_there(), &token(listen, collector), agent);
}

/// Revokes the agent whose data is in `agent`.
pub(crate) fn revoke(collector: &Path, agent: &Path) {
    let credential = std::fs::read(agent.join("credential")).expect("the credential");
    let credential: serde_json::Value = serde_json::from_slice(&credential).expect("JSON");
    let id = credential.get("agent").and_then(|id| id.as_str());
    let status = Command::new(env!("CARGO_BIN_EXE_bwmon-collector"))
        .args(["agents", "revoke", id.expect("an identity")])
        .arg("--data-dir")
        .arg(collector)
        .status()
        .expect("the binary starts");
    assert!(status.success(), "{status}");
}

fn token(listen: &str, collector: &Path) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_bwmon-collector"))
        .args(["enrol-token", "--listen", listen, "--data-dir"])
        .arg(collector)
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

fn enrol_through(mut command: Command, token: &[u8], agent: &Path) {
    let mut child = command
        .args(["enrol", "--data-dir"])
        .arg(agent)
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(token).expect("the token is read");
    drop(stdin);
    let status = child.wait().expect("wait");
    assert!(status.success(), "{status}");
}

/// Starts an agent that reports to `collector` every second, with its data in `data`.
pub(crate) fn agent(collector: &str, data: &Path, extra: &[&str]) -> Running {
    agent_through(
        Command::new(env!("CARGO_BIN_EXE_bwmon-agent")),
        collector,
        data,
        extra,
    )
}

/// The same on the peer's host.
pub(crate) fn agent_there(collector: &str, data: &Path, extra: &[&str]) -> Running {
    agent_through(binary_there(), collector, data, extra)
}

fn binary_there() -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", "there", env!("CARGO_BIN_EXE_bwmon-agent")]);
    command
}

fn agent_through(mut command: Command, collector: &str, data: &Path, extra: &[&str]) -> Running {
    command
        .args(["run", "--interval", "1s", "--collector"])
        .arg(format!("http://{collector}"))
        .arg("--data-dir")
        .arg(data)
        .args(extra)
        .process_group(0);
    Running::spawn(command)
}

/// What the collector says.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    base: String,
    token: Option<String>,
}

impl Api {
    /// The API of the collector on `listen`.
    pub(crate) fn new(listen: &str) -> Self {
        Self {
            base: format!("http://{listen}/api/v1"),
            token: None,
        }
    }

    /// The same with a token.
    pub(crate) fn with_token(listen: &str, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..Self::new(listen)
        }
    }

    fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Option<T> {
        let mut request = ureq::get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut body = String::new();
        request
            .call()
            .ok()?
            .body_mut()
            .as_reader()
            .read_to_string(&mut body)
            .ok()?;
        Some(serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}")))
    }

    /// The status that a path is answered with.
    pub(crate) fn status(&self, path: &str) -> u16 {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .new_agent();
        let answer = agent.get(format!("{}{path}", self.base)).call();
        answer.expect("an answer").status().as_u16()
    }

    /// The known hosts.
    pub(crate) fn hosts(&self) -> Vec<HostSummary> {
        #[derive(serde::Deserialize)]
        struct HostList {
            hosts: Vec<HostSummary>,
        }
        self.get::<HostList>("/hosts")
            .map(|list| list.hosts)
            .unwrap_or_default()
    }

    /// The only host, once it has reported.
    pub(crate) fn only_host(&self) -> HostSummary {
        wait_for("one host to report", || {
            let mut hosts = self.hosts();
            (hosts.len() == 1).then(|| hosts.remove(0))
        })
    }

    /// A host in full.
    pub(crate) fn detail(&self, id: &str) -> HostDetail {
        self.get(&format!("/hosts/{id}"))
            .expect("the host is known")
    }

    /// Everything that the host ever reported, summed.
    pub(crate) fn all_traffic(&self, id: &str) -> TrafficSum {
        let range = "from_us=0&to_us=9000000000000000&limit=10000";
        self.get(&format!("/hosts/{id}/traffic?{range}"))
            .expect("a sum")
    }

    /// Waits until `count` more reports of the host are stored.
    pub(crate) fn wait_for_reports(&self, id: &str, count: u64) {
        let before = self.all_traffic(id).reports;
        wait_for("further reports", || {
            (self.all_traffic(id).reports >= before + count).then_some(())
        });
    }
}
