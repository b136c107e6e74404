//! Agents of the original program, against a collector that lets them in or does not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod server_common;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bwmon_bin::server::assets::Page;
use bwmon_bin::server::config::{Config, LegacyConfig};
use bwmon_core::report::{AgentId, Record, RecordBody};
use bwmon_core::time::Timestamp;
use serde_json::{Value, json};
use server_common::wait::wait_for;
use server_common::{AGENT, Answer, Collector, bearer, config, get, now, post, raw, report};

/// Lets agents of the original program in, from this machine.
fn letting_in(folder: &Path) -> Config {
    let legacy = LegacyConfig {
        enabled: true,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..LegacyConfig::default()
    };
    Config {
        legacy,
        ..config(folder)
    }
}

fn running() -> (tempfile::TempDir, Collector) {
    running_with(|_| {})
}

fn running_with(change: impl FnOnce(&mut Config)) -> (tempfile::TempDir, Collector) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = letting_in(folder.path());
    change(&mut config);
    let collector = Collector::start(config, Page::default());
    (folder, collector)
}

fn legacy_url(collector: &Collector, path: &str) -> String {
    format!("http://{}{path}", collector.legacy.unwrap())
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn send(collector: &Collector, payload: &Value) -> Answer {
    let body = serde_json::to_vec(payload).unwrap();
    post(&legacy_url(collector, "/data"), &body, &[JSON])
}

/// What is answered, and why not.
fn error(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    let keys: Vec<_> = answer.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["error"]);
    answer.json()["error"].as_str().unwrap().to_owned()
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server_legacy")
}

/// Bodies that the original's agent has sent.
fn recorded() -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(data().join("payloads")).unwrap();
    let read = files.map(|file| {
        let path = file.unwrap().path();
        (path.display().to_string(), std::fs::read(path).unwrap())
    });
    let recorded: Vec<_> = read.collect();
    assert_eq!(recorded.len(), 5);
    recorded
}

/// A report of a host that ended `age_s` seconds ago, as the original's agent writes it.
fn payload(name: &str, address: &str, age_s: u64) -> Value {
    let end = now().minus(Duration::from_secs(age_s));
    let time = std::time::UNIX_EPOCH + Duration::from_micros(end.as_micros());
    json!({
        "hostname": name,
        "agent_ip": address,
        "timestamp_utc": humantime::format_rfc3339_micros(time).to_string(),
        "interval_sec": 2.0,
        "cpu": {"percent": 12.5},
        "memory": {"percent": 40.0},
        "network": {"interfaces": {"eth0": {
            "is_up": true, "link_speed_mbps": 1000, "sent_Mbps": 8.0, "recv_Mbps": 1.0,
        }}},
        "peer_traffic": {format!("{address}_to_10.0.0.250"): {"bytes": 1000, "Mbps": 0.004}},
        "ping_results": {},
    })
}

fn hosts(collector: &Collector) -> Vec<Value> {
    let list = collector.get("/api/v1/hosts").json();
    list["hosts"].as_array().unwrap().clone()
}

fn metric(collector: &Collector, name: &str) -> f64 {
    let text = collector.get("/metrics").text();
    let line = text.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("{name} is not in {text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

fn outcome(collector: &Collector, outcome: &str) -> f64 {
    let name = format!("bwmon_collector_legacy_requests_total{{outcome=\"{outcome}\"}}");
    metric(collector, &name)
}

#[test]
fn every_recorded_body_is_taken_and_its_host_is_marked() {
    let (_folder, collector) = running();
    for (name, body) in recorded() {
        let answer = post(&legacy_url(&collector, "/data"), &body, &[JSON]);
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let sent: Value = serde_json::from_slice(&body).unwrap();
        let hosts = hosts(&collector);
        let host = hosts.iter().find(|host| host["name"] == sent["hostname"]);
        let host = host.unwrap_or_else(|| panic!("{name}: {hosts:?}"));
        assert_eq!(host["is_authenticated"], false);
        assert_eq!(host["status"], "up");
        assert_eq!(host["addresses"], json!([sent["agent_ip"]]));
    }
    assert_eq!(hosts(&collector).len(), 2);
    assert_eq!(outcome(&collector, "stored"), 5.0);
    assert_eq!(metric(&collector, "bwmon_collector_legacy_hosts "), 2.0);
    let plain = collector.get("/plain").text();
    assert_eq!(plain.matches("up, unauthenticated").count(), 2, "{plain}");
    // The figures are those that were sent: the last of web-01 in time is `with-ping`.
    let web = hosts(&collector)
        .into_iter()
        .find(|host| host["name"] == "web-01");
    let id = web.unwrap()["id"].as_str().unwrap().to_owned();
    let detail = collector.get(&format!("/api/v1/hosts/{id}")).json();
    assert_eq!(detail["summary"]["capture"]["method"], "host_pairs");
}

#[test]
fn an_enrolled_host_is_not_marked() {
    let (_folder, collector) = running();
    assert_eq!(collector.deliver(AGENT, vec![report(7, 1, 2)]).status, 200);
    assert_eq!(hosts(&collector)[0]["is_authenticated"], true);
    assert!(!collector.get("/plain").text().contains("unauthenticated"));
}

#[test]
fn by_default_nobody_is_let_in_and_the_answer_says_how_to() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(config(folder.path()), Page::default());
    assert_eq!(collector.legacy, None);
    for (_, body) in recorded() {
        let problem = post(&collector.url("/data"), &body, &[JSON]).problem(403);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("enabled = true"), "{detail}");
        assert!(detail.contains("bwmon-agent"), "{detail}");
    }
    let problem = collector.get("/api/get_peer_ips").problem(403);
    assert!(problem["detail"].as_str().unwrap().contains("[legacy]"));
    assert_eq!(hosts(&collector), Vec::<Value>::new());
    assert_eq!(outcome(&collector, "elsewhere"), 6.0);
}

#[test]
fn the_other_listener_says_where_theirs_is() {
    let (_folder, collector) = running();
    let (_, body) = recorded().swap_remove(0);
    for answer in [
        post(&collector.url("/data"), &body, &[JSON]),
        collector.get("/api/get_peer_ips"),
    ] {
        let problem = answer.problem(403);
        let detail = problem["detail"].as_str().unwrap();
        let address = collector.legacy.unwrap().to_string();
        assert!(detail.contains(&address), "{detail}");
    }
    // And nothing but what such agents ask for is on theirs.
    for path in ["/api/v1/hosts", "/metrics", "/", "/api/v1/ingest"] {
        error(&get(&legacy_url(&collector, path), &[]), 404);
    }
}

#[test]
fn answers_are_those_that_the_original_gave() {
    let (_folder, collector) = running();
    let original = |name: &str| -> Value {
        let file = data().join("answers").join(name).with_extension("json");
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    };
    let same = |answer: Answer, status, name: &str| {
        assert_eq!((answer.status, answer.json()), (status, original(name)));
        assert_eq!(answer.header("content-type"), "application/json");
    };
    let url = legacy_url(&collector, "/data");
    let (_, body) = recorded().swap_remove(0);
    same(post(&url, &body, &[JSON]), 200, "data_ok");
    same(post(&url, b"x=1", &[]), 400, "data_notjson");
    let bad = json!({"hostname": "x", "agent_ip": "zz", "interval_sec": 2});
    same(send(&collector, &bad), 400, "data_badip");

    let peers = original("get_peer_ips");
    let expected: BTreeSet<&str> = peers.as_array().unwrap().iter().map(text).collect();
    for address in &expected {
        let sent = payload(&format!("host-{address}"), address, 1);
        assert_eq!(send(&collector, &sent).status, 200);
    }
    let told = get(&legacy_url(&collector, "/api/get_peer_ips"), &[]);
    assert_eq!(told.status, 200);
    let told = told.json();
    let told: BTreeSet<&str> = told.as_array().unwrap().iter().map(text).collect();
    assert_eq!(told, expected);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Does what the original's agent does: the peers first, five tries, then a report each interval over one
/// connection, and what was not taken is lost.
struct OldAgent {
    name: String,
    address: String,
    http: ureq::Agent,
    collector: String,
    peers: Vec<String>,
}

impl OldAgent {
    fn start(collector: &Collector, number: u8) -> Self {
        let http: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        let mut agent = Self {
            name: format!("old-{number}"),
            address: format!("10.0.0.{number}"),
            http,
            collector: legacy_url(collector, ""),
            peers: Vec::new(),
        };
        assert!(
            (0..5).any(|_| agent.refresh()),
            "the original's agent would exit here"
        );
        agent
    }

    fn refresh(&mut self) -> bool {
        let url = format!("{}/api/get_peer_ips", self.collector);
        let Ok(mut answer) = self.http.get(&url).call() else {
            return false;
        };
        self.peers = answer.body_mut().read_json().unwrap();
        true
    }

    /// A report of the `n`th interval before now, with traffic to each peer that it knows.
    fn report(&self, n: u64) -> bool {
        let mut payload = payload(&self.name, &self.address, n * 2);
        let traffic: serde_json::Map<_, _> = self
            .peers
            .iter()
            .filter(|peer| **peer != self.address)
            .map(|peer| {
                let pair = format!("{}_to_{peer}", self.address);
                (pair, json!({"bytes": 4_096, "Mbps": 0.016}))
            })
            .collect();
        payload["peer_traffic"] = Value::Object(traffic);
        let url = format!("{}/data", self.collector);
        let answer = self.http.post(&url).send_json(&payload);
        answer.is_ok_and(|answer| answer.status() == 200)
    }
}

#[test]
fn a_program_that_does_what_the_originals_agent_does_is_served() {
    const REPORTS: u64 = 20;
    let (_folder, collector) = running();
    let mut first = OldAgent::start(&collector, 1);
    assert_eq!(first.peers, Vec::<String>::new());
    assert!(first.report(REPORTS));
    let second = OldAgent::start(&collector, 2);
    assert_eq!(second.peers, ["10.0.0.1"]);
    assert!(second.report(REPORTS));
    assert!(first.refresh());
    assert_eq!(first.peers, ["10.0.0.1", "10.0.0.2"]);
    for n in (0..REPORTS).rev() {
        assert!(first.report(n) && second.report(n));
    }
    assert_eq!(outcome(&collector, "stored"), 2.0 * (REPORTS + 1) as f64);

    let host = hosts(&collector).swap_remove(0);
    assert_eq!(host["name"], "old-1");
    assert_eq!(host["cpu_percent"], 12.5);
    assert_eq!(host["memory_percent"], 40.0);
    // 8 and 1 of the original's Mbps, which are 2^20 bit/s.
    assert_eq!(host["throughput_bps"]["egress"], 8.0 * 1_048_576.0);
    assert_eq!(host["throughput_bps"]["ingress"], 1_048_576.0);
    assert_eq!(host["top_peer"]["address"], "10.0.0.2");
    let id = text(&host["id"]);
    let traffic = collector.get(&format!("/api/v1/hosts/{id}/traffic")).json();
    assert_eq!(traffic["reports"], REPORTS + 1);
    let flow = traffic["flows"].as_array().unwrap().iter();
    let flow = flow.map(|flow| &flow["flow"]);
    let flow: Vec<_> = flow.filter(|flow| flow["remote"] == "10.0.0.2").collect();
    assert_eq!(flow.len(), 1);
    assert_eq!(flow[0]["traffic"]["egress"]["bytes"], 4_096 * REPORTS);
    let series = collector.get(&format!("/api/v1/hosts/{id}/series")).json();
    assert_eq!(series["gaps"].as_array().unwrap().len(), 0, "{series}");
}

#[test]
fn what_is_sent_again_is_stored_once_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(letting_in(folder.path()), Page::default());
    let payloads: Vec<_> = (0..10)
        .map(|n| payload("web-01", "10.0.0.1", 20 - 2 * n))
        .collect();
    let ahead = {
        let mut payload = payload("web-01", "10.0.0.1", 0);
        payload["timestamp_utc"] = "2200-01-01T00:00:00Z".into();
        payload
    };
    for payload in payloads.iter().chain([&ahead]) {
        assert_eq!(send(&collector, payload).status, 200);
        assert_eq!(send(&collector, payload).status, 200);
    }
    assert_eq!(outcome(&collector, "stored"), 11.0);
    assert_eq!(outcome(&collector, "duplicate"), 11.0);
    let mut other = payloads[0].clone();
    other["cpu"]["percent"] = 99.into();
    assert_eq!(send(&collector, &other).status, 200);
    assert_eq!(outcome(&collector, "stored"), 12.0);
    collector.stop();

    let collector = Collector::start(letting_in(folder.path()), Page::default());
    assert_eq!(metric(&collector, "bwmon_collector_legacy_hosts "), 1.0);
    for payload in &payloads {
        assert_eq!(send(&collector, payload).status, 200);
    }
    assert_eq!(outcome(&collector, "duplicate"), 10.0);
    assert_eq!(outcome(&collector, "stored"), 0.0);
    let next = payload("web-01", "10.0.0.1", 0);
    assert_eq!(send(&collector, &next).status, 200);
    assert_eq!(outcome(&collector, "stored"), 1.0);
    // Numbers go on where they were: none is missing and none is used twice.
    let host = hosts(&collector).swap_remove(0);
    let id: AgentId = text(&host["id"]).parse().unwrap();
    collector.stop();
    let reader = bwmon_sinks::sqlite::SqliteReader::open(folder.path().join("data/bwmon.db"));
    let keys = reader.unwrap().keys(id).unwrap();
    let epochs: BTreeSet<_> = keys.iter().map(|key| key.epoch).collect();
    let numbers: Vec<_> = keys.iter().map(|key| key.seq).collect();
    assert_eq!(epochs.len(), 1);
    assert_eq!(numbers, (1..=14).collect::<Vec<_>>());
}

#[test]
fn reports_that_come_at_once_get_a_number_each() {
    let (_folder, collector) = running();
    std::thread::scope(|scope| {
        for part in 0..4_u64 {
            let collector = &collector;
            scope.spawn(move || {
                for n in 0..10 {
                    let payload = payload("web-01", "10.0.0.1", 100 + part * 20 + n * 2);
                    assert_eq!(send(collector, &payload).status, 200);
                }
            });
        }
    });
    assert_eq!(
        outcome(&collector, "stored") + outcome(&collector, "duplicate"),
        40.0
    );
    let duplicates = metric(
        &collector,
        "bwmon_collector_records_total{fate=\"duplicate\"}",
    );
    assert_eq!(duplicates, 0.0);
    let stored = metric(&collector, "bwmon_collector_records_total{fate=\"stored\"}");
    assert_eq!(stored, outcome(&collector, "stored") + 1.0);
}

#[test]
fn a_clock_that_is_far_ahead_does_not_hide_the_host() {
    let (_folder, collector) = running();
    let before = now();
    let mut sent = payload("web-01", "10.0.0.1", 0);
    sent["timestamp_utc"] = "2200-01-01T00:00:00.5Z".into();
    assert_eq!(send(&collector, &sent).status, 200);
    let host = hosts(&collector).swap_remove(0);
    let window = &host["window"];
    let end = window["start_us"].as_u64().unwrap() + window["duration_us"].as_u64().unwrap();
    assert!((before..=now()).contains(&Timestamp::from_micros(end)));
    let name = "bwmon_collector_legacy_clocks_replaced_total";
    assert_eq!(metric(&collector, name), 1.0);
}

#[test]
fn only_listed_addresses_are_let_in() {
    let (_folder, collector) = running_with(|config| {
        config.legacy.allow = vec![
            "192.0.2.0/24".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ];
    });
    let answer = send(&collector, &payload("web-01", "10.0.0.1", 0));
    let why = error(&answer, 403);
    assert!(why.contains("127.0.0.1") && why.contains("allow"), "{why}");
    error(&get(&legacy_url(&collector, "/api/get_peer_ips"), &[]), 403);
    assert_eq!(outcome(&collector, "address_not_allowed"), 2.0);
    assert_eq!(hosts(&collector), Vec::<Value>::new());
}

#[test]
fn no_page_in_a_browser_may_report_or_read() {
    let (_folder, collector) = running();
    let url = legacy_url(&collector, "/data");
    let body = serde_json::to_vec(&payload("web-01", "10.0.0.1", 0)).unwrap();
    error(
        &post(&url, &body, &[JSON, ("origin", "http://evil.example")]),
        403,
    );
    let peers = legacy_url(&collector, "/api/get_peer_ips");
    error(&get(&peers, &[("sec-fetch-site", "same-origin")]), 403);
    assert_eq!(hosts(&collector), Vec::<Value>::new());
}

#[test]
fn the_name_of_an_enrolled_host_cannot_be_taken() {
    let (_folder, collector) = running();
    // The name that an agent enrolled under, and the one that it reports.
    assert_eq!(
        collector
            .deliver(AGENT, vec![named(1, "Alpha.example")])
            .status,
        200
    );
    for name in ["host-161", "HOST-161.", "alpha.example", " Alpha.Example. "] {
        let why = error(&send(&collector, &payload(name, "10.0.0.1", 0)), 409);
        assert!(
            why.contains("enrolled host") && why.contains(name.trim()),
            "{why}"
        );
    }
    assert_eq!(hosts(&collector).len(), 1);
    assert_eq!(outcome(&collector, "name_taken"), 4.0);
    // A name that it had before is free again.
    assert_eq!(collector.deliver(AGENT, vec![named(2, "beta")]).status, 200);
    assert_eq!(
        send(&collector, &payload("alpha.example", "10.0.0.1", 0)).status,
        200
    );
    error(&send(&collector, &payload("beta", "10.0.0.1", 0)), 409);
    // An agent without a credential cannot report as somebody who has one, and the other way round.
    let ids: BTreeSet<_> = hosts(&collector)
        .iter()
        .map(|host| text(&host["id"]).to_owned())
        .collect();
    assert_eq!(ids.len(), 2);
}

#[test]
fn who_enrols_later_wins_the_name_and_the_other_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::try_start(letting_in(folder.path()), Page::default()).unwrap();
    let sent = |age| payload("host-7", "10.0.0.1", age);
    assert_eq!(send(&collector, &sent(8)).status, 200);
    assert_eq!(
        send(&collector, &payload("gamma", "10.0.0.2", 6)).status,
        200
    );
    // By its name when it enrols: `host-7` is that of agent 7.
    server_common::enrol_all(&folder.path().join("data"));
    let refused = wait_for("the collector to know the agents", || {
        let answer = send(&collector, &sent(0));
        (answer.status != 200).then_some(answer)
    });
    let why = error(&refused, 409);
    assert!(why.contains("host-7") && why.contains("rename"), "{why}");
    // By its name in a report.
    assert_eq!(
        send(&collector, &payload("gamma", "10.0.0.2", 4)).status,
        200
    );
    assert_eq!(
        collector.deliver(AGENT, vec![named(1, "gamma")]).status,
        200
    );
    error(&send(&collector, &payload("gamma", "10.0.0.2", 0)), 409);
    let both = hosts(&collector);
    let mut gamma: Vec<_> = both.iter().filter(|host| host["name"] == "gamma").collect();
    gamma.sort_by_key(|host| host["is_authenticated"].as_bool());
    let marks: Vec<_> = gamma.iter().map(|host| &host["is_authenticated"]).collect();
    assert_eq!(marks, [false, true]);
}

/// A report of [`AGENT`] under this name.
fn named(seq: u64, name: &str) -> Record {
    let mut record = report(7, seq, 2);
    if let RecordBody::Report(interval) = &mut record.body {
        let host = interval.host.get_or_insert_default();
        name.clone_into(&mut host.facts.hostname);
        host.facts.addresses = vec!["192.0.2.10".parse().unwrap()];
    }
    record
}

#[test]
fn agents_are_not_sent_to_addresses_that_somebody_says() {
    let (_folder, collector) = running();
    assert_eq!(
        send(&collector, &payload("web-01", "10.0.0.1", 0)).status,
        200
    );
    assert_eq!(
        collector.deliver(AGENT, vec![named(1, "alpha")]).status,
        200
    );
    let own = bearer(AgentId(1));
    let answer = get(
        &collector.url("/api/v1/agent/peers"),
        &[("authorization", &own)],
    );
    let peers = answer.json();
    let peers: Vec<_> = peers["peers"].as_array().unwrap().iter().collect();
    assert_eq!(peers.len(), 1);
    assert_eq!(peers[0]["address"], "192.0.2.10");
    // Those of the original are told both: they know no others.
    let told = get(&legacy_url(&collector, "/api/get_peer_ips"), &[]).json();
    assert_eq!(told, json!(["10.0.0.1", "192.0.2.10"]));
}

#[test]
fn the_number_of_hosts_is_bounded() {
    let (_folder, collector) = running_with(|config| config.legacy.max_hosts = 2);
    for name in ["a", "b", "A"] {
        assert_eq!(send(&collector, &payload(name, "10.0.0.1", 0)).status, 200);
    }
    let refused = send(&collector, &payload("c", "10.0.0.1", 0));
    assert_eq!(refused.header("retry-after"), "60");
    let why = error(&refused, 503);
    assert!(why.contains("max_hosts"), "{why}");
    assert_eq!(send(&collector, &payload("a", "10.0.0.1", 0)).status, 200);
    assert_eq!(outcome(&collector, "too_many_hosts"), 1.0);
    assert_eq!(hosts(&collector).len(), 2);
    assert_eq!(
        metric(&collector, "bwmon_collector_legacy_hosts_limit"),
        2.0
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_the_place_and_nothing_is_stored() {
    let (_folder, collector) = running();
    let many = |count: usize| {
        let entries = (0..count).map(|n| (format!("d{n}"), json!({"percent": 1})));
        Value::Object(entries.collect())
    };
    let good = payload("web-01", "10.0.0.1", 0);
    let with = |field: &str, value: Value| {
        let mut payload = good.clone();
        payload[field] = value;
        payload.to_string()
    };
    let deep = "[".repeat(100_000);
    let bodies = [
        (String::new(), ""),
        ("{".to_owned(), ""),
        ("[]".to_owned(), ""),
        ("\"text\"".to_owned(), ""),
        (format!("{good} x"), ""),
        (good.to_string().replace("12.5", "NaN"), "cpu.percent"),
        (good.to_string().replace("12.5", "1e999"), "cpu.percent"),
        (with("cpu", json!("high")), "cpu"),
        (with("hostname", json!(7)), "hostname"),
        (with("hostname", json!("x".repeat(257))), "hostname"),
        (with("hostname", json!("a\u{0}b")), "hostname"),
        (with("interval_sec", json!(-1)), "interval_sec"),
        (with("interval_sec", Value::Null), "interval_sec"),
        (with("agent_ip", json!("10.0.0.1/8")), "agent_ip"),
        (with("disk_usage", many(1_025)), "disk_usage"),
        (with("peer_traffic", many(4_097)), "peer_traffic"),
        (
            with("disk_usage", json!({"x".repeat(257): {}})),
            "disk_usage",
        ),
        (format!("{{\"extra\":{deep}"), ""),
    ];
    let count = bodies.len();
    let url = legacy_url(&collector, "/data");
    for (body, place) in bodies {
        let answer = post(&url, body.as_bytes(), &[JSON]);
        let why = error(&answer, 400);
        assert!(
            why.contains(place),
            "{why}: {}",
            &body[..body.len().min(60)]
        );
    }
    error(
        &post(
            &url,
            good.to_string().as_bytes(),
            &[JSON, ("content-encoding", "gzip")],
        ),
        415,
    );
    assert_eq!(outcome(&collector, "malformed"), (count + 1) as f64);
    assert_eq!(hosts(&collector), Vec::<Value>::new());
    // What is not known is skipped, what is missing was not measured.
    assert_eq!(
        send(&collector, &json!({"interval_sec": 2, "mood": {"a": [1]}})).status,
        200
    );
    let host = hosts(&collector).swap_remove(0);
    assert_eq!(host["name"], "ip_127.0.0.1");
    for field in [
        "cpu_percent",
        "memory_percent",
        "disk_percent",
        "throughput_bps",
    ] {
        assert_eq!(host[field], Value::Null, "{field}");
    }
}

#[test]
fn a_body_that_is_too_long_is_refused_before_it_comes() {
    let (_folder, collector) = running();
    let address = collector.legacy.unwrap();
    let request = format!(
        "POST /data HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: \
         application/json\r\nContent-Length: 1048577\r\n\r\n"
    );
    let answer = raw(address, request.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("{\"error\":"), "{answer}");
}
