//! The agent's own metrics, as whoever scrapes them reads them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod agent_support;
mod scrape;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use agent_support::{Agent, Collector, Reply, wait_for};
use scrape::{Scraped, listed};

const COUNTERS: [&str; 4] = ["--capture-method", "counters", "--ping", "false"];

/// An agent that serves its metrics, and where.
fn start(folder: tempfile::TempDir, collector: &str) -> (Agent, SocketAddr) {
    let metrics = Collector::nowhere();
    let address = metrics.to_string();
    let flags = [COUNTERS.as_slice(), &["--metrics-listen", &address]].concat();
    let agent = Agent::start_in(folder, collector, &flags);
    wait_for("the metrics", || {
        TcpStream::connect(metrics).is_ok().then_some(())
    });
    (agent, metrics)
}

/// The head and the body of the answer to one request.
fn ask(metrics: SocketAddr, method: &str, path: &str, host: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(metrics).ok()?;
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}

fn scrape(metrics: SocketAddr) -> Option<Scraped> {
    let (head, body) = ask(metrics, "GET", "/metrics", &metrics.to_string())?;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let kind = "content-type: text/plain; version=0.0.4; charset=utf-8";
    assert!(head.contains(kind), "{head}");
    Some(Scraped::read(&body))
}

fn sum(scraped: &Scraped, family: &str) -> f64 {
    let of_family = |name: &str| name.split('{').next() == Some(family);
    let samples = scraped.samples.iter();
    samples
        .filter(|(name, _)| of_family(name))
        .map(|(_, value)| value)
        .sum()
}

fn assert_conserved(scraped: &Scraped) {
    let parts = [
        "bwmon_agent_records_total",
        "bwmon_agent_records_dropped_total",
        "bwmon_agent_records_waiting",
    ];
    let known: f64 = parts.iter().map(|family| sum(scraped, family)).sum();
    let emitted = scraped.samples["bwmon_agent_records_emitted_total"];
    assert!((emitted - known).abs() < 0.5, "{scraped:?}");
}

#[test]
fn what_happens_is_counted_under_its_name() {
    let collector = Collector::answering("127.0.0.1:0".parse().unwrap(), |_| Reply::Stored {
        credit: Some(7),
    });
    let (agent, metrics) = start(tempfile::tempdir().unwrap(), &collector.url());
    let stored = "bwmon_agent_records_total{fate=\"stored\"}";
    let scraped = wait_for("stored records", || {
        scrape(metrics).filter(|scraped| scraped.samples[stored] >= 3.0)
    });
    assert_conserved(&scraped);
    for (name, value) in [
        ("bwmon_agent_spool_mode{mode=\"disk\"}", 1.0),
        ("bwmon_agent_spool_mode{mode=\"memory\"}", 0.0),
        ("bwmon_agent_spool_mode{mode=\"off\"}", 0.0),
        ("bwmon_agent_spool_limit_bytes{lane=\"core\"}", 67_108_864.0),
        (
            "bwmon_agent_spool_limit_bytes{lane=\"flow\"}",
            201_326_592.0,
        ),
        ("bwmon_agent_capture_method{method=\"counters\"}", 1.0),
        ("bwmon_agent_capture_method{method=\"af_packet\"}", 0.0),
        ("bwmon_agent_flow_table_limit_rows", 65_536.0),
        ("bwmon_agent_backoff_seconds", 0.0),
        ("bwmon_agent_credit_records", 7.0),
        (
            "bwmon_agent_intervals_merged_total{before=\"delivery\"}",
            0.0,
        ),
        (
            concat!(
                "bwmon_agent_info{version=\"",
                env!("CARGO_PKG_VERSION"),
                "\"}"
            ),
            1.0,
        ),
    ] {
        assert_eq!(scraped.samples.get(name), Some(&value), "{name}");
    }
    for name in [
        "bwmon_agent_intervals_total",
        "bwmon_agent_interval_close_seconds_total",
        "bwmon_agent_host_read_seconds_total",
        "bwmon_agent_deliveries_total",
        "bwmon_agent_last_delivery_timestamp_seconds",
        "bwmon_agent_spool_bytes{lane=\"core\"}",
        "bwmon_agent_process_resident_memory_bytes",
        "bwmon_agent_process_threads",
        "bwmon_agent_process_open_files",
    ] {
        assert!(scraped.samples[name] > 0.0, "{name}: {scraped:?}");
    }
    agent.stop();
}

#[test]
fn trouble_with_the_collector_and_the_disk_shows() {
    let collector = Collector::answering("127.0.0.1:0".parse().unwrap(), |_| {
        Reply::Refused("503 Service Unavailable", "retry-after: 300\r\n")
    });
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/spool"), "in the way").unwrap();
    let (agent, metrics) = start(folder, &collector.url());
    let busy = "bwmon_agent_delivery_retries_total{reason=\"busy\"}";
    let scraped = wait_for("waiting records", || {
        scrape(metrics).filter(|scraped| {
            scraped.samples[busy] >= 1.0
                && scraped.samples["bwmon_agent_spool_memory_records"] >= 3.0
        })
    });
    assert_conserved(&scraped);
    let samples = &scraped.samples;
    assert_eq!(samples["bwmon_agent_spool_mode{mode=\"memory\"}"], 1.0);
    assert_eq!(samples["bwmon_agent_spool_records{lane=\"core\"}"], 0.0);
    assert!(samples["bwmon_agent_spool_memory_bytes"] > 0.0);
    let wait = samples["bwmon_agent_backoff_seconds"];
    assert!((240.0..=360.0).contains(&wait), "{wait}");
    assert!(samples["bwmon_agent_records_waiting{state=\"queued\"}"] >= 3.0);
    agent.stop();
}

#[test]
fn the_page_lists_every_metric_with_its_kind_and_no_other() {
    let collector = Collector::start(None);
    let (agent, metrics) = start(tempfile::tempdir().unwrap(), &collector.url());
    let scraped = wait_for("the metrics", || scrape(metrics));
    assert_eq!(scraped.kinds, listed("bwmon_agent_"));
    agent.stop();
}

#[test]
fn only_this_host_is_told_and_only_the_metrics() {
    let collector = Collector::start(None);
    let (agent, metrics) = start(tempfile::tempdir().unwrap(), &collector.url());
    for (method, path, host, status) in [
        ("GET", "/metrics", "localhost", "200"),
        ("GET", "/metrics?name=x", "127.0.0.1:1", "200"),
        ("GET", "/metrics", "rebound.example.org", "421"),
        ("GET", "/", "localhost", "404"),
        ("POST", "/metrics", "localhost", "405"),
    ] {
        let (head, body) = wait_for("an answer", || ask(metrics, method, path, host));
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert_eq!(status == "200", body.contains("bwmon_agent_"), "{body}");
    }
    agent.stop();
}

/// More connections than are served at once say nothing, or half of something: reports go on, and whoever
/// asks in earnest is answered once they are cut.
#[test]
fn slow_clients_hold_up_nobody_for_long() {
    let collector = Collector::start(None);
    let (agent, metrics) = start(tempfile::tempdir().unwrap(), &collector.url());
    let slow: Vec<TcpStream> = (0..12)
        .map(|number| {
            let mut stream = TcpStream::connect(metrics).unwrap();
            if number % 2 == 0 {
                stream
                    .write_all(b"GET /metrics HTTP/1.1\r\nHost: local")
                    .unwrap();
            }
            stream
        })
        .collect();
    let before = collector.received().len();
    collector.wait_for(before + 3);
    let scraped = wait_for("the metrics", || scrape(metrics));
    assert!(scraped.samples["bwmon_agent_intervals_total"] >= 3.0);
    assert!(scraped.samples["bwmon_agent_process_open_files"] < 64.0);
    drop(slow);
    agent.stop();
}

#[test]
fn nothing_is_served_unless_asked_for() {
    let collector = Collector::start(None);
    let agent = Agent::start(&collector.url(), &COUNTERS);
    collector.wait_for(2);
    let listening = fs::read_to_string(format!("/proc/{}/net/tcp", agent.id())).unwrap();
    let sockets = fs::read_dir(format!("/proc/{}/fd", agent.id())).unwrap();
    let inodes: Vec<String> = sockets
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter_map(|link| {
            Some(
                link.to_str()?
                    .strip_prefix("socket:[")?
                    .trim_end_matches(']')
                    .to_owned(),
            )
        })
        .collect();
    // Field 4 is the state, 0A that of a listener; field 10 the inode (proc(5)).
    let listeners = listening.lines().skip(1).filter(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        fields[3] == "0A" && inodes.iter().any(|inode| inode == fields[9])
    });
    assert_eq!(listeners.count(), 0);
    agent.stop();
}
