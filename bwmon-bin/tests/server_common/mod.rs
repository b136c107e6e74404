//! A collector under test, and what talks to it.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of this"
)]

#[path = "../wait/mod.rs"]
pub mod wait;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bwmon_bin::common::enrolment::{EnrolmentRequest, TokenId};
use bwmon_bin::common::secret::Secret256;
use bwmon_bin::server::assets::Page;
use bwmon_bin::server::config::Config;
use bwmon_bin::server::registry::{NewToken, Registry};
use bwmon_bin::server::{Server, StartError};
use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::report::{
    AgentId, Document, Epoch, EpochStart, FlowRow, HostFacts, HostMetrics, InterfaceFacts,
    InterfaceInterval, Interval, KernelCounters, Record, RecordBody, SCHEMA, wire,
};
use bwmon_core::time::{Timestamp, Window};
use serde_json::Value;
use wait::wait_for;

pub const TOKEN: &str = "k3Yx0tWm8bq1RzVn5sLd";
pub const AGENT: AgentId = AgentId(0xa1);

/// The credential of an agent that [`enrol_all`] has enrolled.
pub fn credential(agent: AgentId) -> Secret256 {
    format!("{:064x}", agent.0).parse().unwrap()
}

/// The header that says so.
pub fn bearer(agent: AgentId) -> String {
    format!("Bearer {}", credential(agent).expose())
}

/// Enrols [`AGENT`] and the agents 1 to 20 with the collector whose data is in `data`, without it.
pub fn enrol_all(data: &Path) {
    std::fs::create_dir_all(data).unwrap();
    let mut registry = Registry::open(&data.join("agents.db")).unwrap();
    let (id, secret) = (TokenId::draw().unwrap(), Secret256::draw().unwrap());
    let token = NewToken {
        id,
        secret: secret.fingerprint(),
        expires: now().plus(Duration::from_secs(60)),
        uses: 21,
    };
    registry.accept(&token, now()).unwrap();
    for agent in (1..=20).map(AgentId).chain([AGENT]) {
        let request = EnrolmentRequest {
            token_id: id,
            secret: secret.clone(),
            credential_sha256: credential(agent).fingerprint(),
            host_name: format!("host-{}", agent.0),
        };
        // Refused where an earlier start has enrolled it.
        let _is_enrolled = registry.enrol(&request, agent, now());
    }
}

/// A collector in this process.
pub struct Collector {
    pub address: SocketAddr,
    /// Where it listens for agents of the original program.
    pub legacy: Option<SocketAddr>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Collector {
    /// One that knows the agents of [`enrol_all`].
    pub fn start(config: Config, page: Page) -> Self {
        enrol_all(&config.data_dir);
        Self::try_start(config, page).unwrap()
    }

    pub fn try_start(config: Config, page: Page) -> Result<Self, StartError> {
        let (ready, started) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                match Server::start(config, page).await {
                    Ok(server) => {
                        let addresses = (server.address(), server.legacy_address());
                        ready.send(Ok(addresses)).unwrap();
                        server.run(async { drop(stopped.await) }).await.unwrap();
                    }
                    Err(error) => ready.send(Err(error)).unwrap(),
                }
            });
        });
        let (address, legacy) = started.recv().unwrap()?;
        Ok(Self {
            address,
            legacy,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Stops it and waits until it has closed everything.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _already_gone = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            if !std::thread::panicking() {
                result.unwrap();
            }
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> Answer {
        get(&self.url(path), &[])
    }

    pub fn deliver(&self, agent: AgentId, records: Vec<Record>) -> Answer {
        self.post_document(agent, &document(records), &[])
    }

    /// Announces a body of so many bytes and sends none of it: what is refused for its length is refused
    /// before it comes, and who goes on sending may be cut off before the answer is read.
    pub fn announce(&self, content_type: &str, length: usize) -> String {
        let (host, bearer) = (self.address, bearer(AGENT));
        let request = format!(
            "POST /api/v1/ingest HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Authorization: {bearer}\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        raw(host, request.as_bytes())
    }

    /// The same in the compact encoding, answered in it.
    pub fn deliver_compact(&self, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let bearer = bearer(AGENT);
        let mut all = vec![
            ("authorization", bearer.as_str()),
            ("content-type", wire::CONTENT_TYPE),
            ("accept", wire::CONTENT_TYPE),
        ];
        all.extend_from_slice(headers);
        post(&self.url("/api/v1/ingest"), body, &all)
    }

    pub fn post_document(&self, agent: AgentId, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let bearer = bearer(agent);
        let mut all = vec![
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        all.extend_from_slice(headers);
        post(&self.url("/api/v1/ingest"), body, &all)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.end();
    }
}

pub fn config(folder: &Path) -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        data_dir: folder.join("data"),
        ..Config::default()
    }
}

/// The same, asking for [`TOKEN`].
pub fn with_token(folder: &Path) -> Config {
    let path = folder.join("token");
    std::fs::write(&path, TOKEN).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, mode).unwrap();
    Config {
        token_file: Some(path),
        ..config(folder)
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The problem, after checking that it is one and says the status.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| detail.len() > 10)
        );
        problem
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = result.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_vec()
            .unwrap(),
    }
}

pub fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(agent().get(url), |request, (name, value)| {
            request.header(*name, *value)
        });
    answer(request.call())
}

pub fn delete(url: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(agent().delete(url), |request, (name, value)| {
            request.header(*name, *value)
        });
    answer(request.call())
}

pub fn post(url: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(agent().post(url), |request, (name, value)| {
            request.header(*name, *value)
        });
    answer(request.send(body))
}

/// Sends bytes as they are, and reads until the other end closes.
pub fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

pub fn document(records: Vec<Record>) -> Vec<u8> {
    let document = Document {
        schema: SCHEMA,
        records,
    };
    serde_json::to_vec(&document).unwrap()
}

pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::EPOCH.plus(since.unwrap())
}

pub fn start(epoch: u128) -> Record {
    Record {
        epoch: Epoch(epoch),
        seq: 1,
        body: RecordBody::EpochStart(EpochStart {
            started: now(),
            previous: None,
        }),
    }
}

/// A report of the two seconds that ended `age_s` seconds ago: 1,000 bytes in, 500 out, on eth0.
pub fn report(epoch: u128, seq: u64, age_s: u64) -> Record {
    let window_s = Duration::from_secs(2);
    let begin = now().minus(Duration::from_secs(age_s) + window_s);
    let kernel = |bytes| KernelCounters {
        bytes,
        packets: 1,
        ..KernelCounters::default()
    };
    let traffic = PerDirection {
        ingress: Tally {
            bytes: 1_000,
            packets: 1,
        },
        egress: Tally {
            bytes: 500,
            packets: 1,
        },
    };
    let interval = Interval {
        window: Window::new(begin, window_s),
        host: Some(HostMetrics {
            facts: HostFacts {
                hostname: "alpha <b>".to_owned(),
                ..HostFacts::default()
            },
            ..HostMetrics::default()
        }),
        interfaces: vec![InterfaceInterval {
            facts: InterfaceFacts {
                name: "eth0".to_owned(),
                is_uplink: true,
                ..InterfaceFacts::default()
            },
            kernel: Some(PerDirection {
                ingress: kernel(1_000),
                egress: kernel(500),
            }),
            ..InterfaceInterval::default()
        }],
        flows: vec![FlowRow {
            interface: Some("eth0".to_owned()),
            protocol: 6,
            local: [192, 0, 2, 10].into(),
            local_port: 50_000,
            remote: [198, 51, 100, 7].into(),
            remote_port: 443,
            traffic,
            first: begin,
            last: begin,
            tcp_flags: 0,
        }],
        ..Interval::default()
    };
    Record {
        epoch: Epoch(epoch),
        seq,
        body: RecordBody::Report(Box::new(interval)),
    }
}

/// The binary.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bwmon-collector"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BWMON_")) {
        command.env_remove(name);
    }
    command
}

/// The binary, serving.
pub struct Process {
    pub child: Child,
    pub address: SocketAddr,
}

impl Process {
    pub fn start(folder: &Path) -> Self {
        Self::spawn(binary(), folder, Stdio::null())
    }

    /// One that logs all it can into `log`.
    pub fn start_with_log(folder: &Path, log: std::fs::File) -> Self {
        let mut command = binary();
        command.args(["--log", "trace"]);
        Self::spawn(command, folder, log.into())
    }

    /// One that may not open more files than this.
    pub fn start_with_few_files(folder: &Path, files: u32) -> Self {
        Self::start_with_limit(folder, &format!("-n {files}"))
    }

    /// One that starts with a limit of open files, in the terms of the shell's `ulimit`.
    pub fn start_with_limit(folder: &Path, limit: &str) -> Self {
        let mut command = Command::new("sh");
        let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_bwmon-collector")]);
        Self::spawn(command, folder, Stdio::null())
    }

    fn spawn(mut command: Command, folder: &Path, log: Stdio) -> Self {
        enrol_all(&folder.join("data"));
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.join("data"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .strip_prefix("bwmon-collector listens on http://")
            .unwrap_or_else(|| panic!("unexpected line: {line}"));
        Self {
            address: address.parse().unwrap(),
            child,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    pub fn wait(&mut self) -> std::process::ExitStatus {
        wait_for("the collector to end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_reaped = self.child.wait();
    }
}

/// Reads server-sent events.
pub struct Events(BufReader<TcpStream>);

impl Events {
    pub fn open(address: SocketAddr, path: &str, extra: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\n{extra}\r\n"
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("text/event-stream"), "{head}");
        assert!(!head.contains("content-encoding"), "{head}");
        Self(reader)
    }

    /// The data of the next event of this name.
    pub fn next(&mut self, name: &str) -> Value {
        let mut current = String::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            if let Some(event) = line.strip_prefix("event: ") {
                current = event.trim().to_owned();
            } else if let Some(data) = line.strip_prefix("data: ")
                && current == name
            {
                return serde_json::from_str(data).unwrap();
            }
        }
    }
}
