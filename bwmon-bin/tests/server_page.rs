//! What a browser gets: the page, the plain table, live events, problems, and the API's document.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod server_common;

use std::time::Duration;

use axum::body::Bytes;
use bwmon_bin::common::duration::HumanDuration;
use bwmon_bin::server::assets::Page;
use bwmon_bin::server::config::{Config, Limits};
use server_common::wait::wait_for;
use server_common::{AGENT, Collector, Events, config, delete, get, post, report};

fn page() -> Page {
    Page::new([
        (
            "index.html".to_owned(),
            Bytes::from_static(b"<!doctype html><title>bwmon</title>"),
        ),
        (
            "assets/app-1a2b.js".to_owned(),
            Bytes::from(vec![b'1'; 10_000]),
        ),
    ])
}

fn collector(page: Page) -> (tempfile::TempDir, Collector) {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(config(folder.path()), page);
    (folder, collector)
}

#[test]
fn without_the_page_the_plain_table_is_shown_and_says_how_to_build_it() {
    let (_folder, collector) = collector(Page::default());
    let empty = collector.get("/").text();
    assert!(empty.contains("npm ci &amp;&amp; npm run build"), "{empty}");
    assert!(empty.contains("No host has reported yet"), "{empty}");
    collector.deliver(AGENT, vec![report(7, 1, 2)]);
    for path in ["/", "/plain"] {
        let table = collector.get(path);
        assert_eq!(table.status, 200);
        let html = table.text();
        assert!(html.contains("alpha &lt;b&gt;"), "{html}");
        assert!(
            html.contains("4.00 kbit/s") && html.contains("198.51.100.7"),
            "{html}"
        );
        assert!(
            html.contains("http-equiv=\"refresh\" content=\"5\""),
            "{html}"
        );
        assert!(
            !html.contains("<script") && !html.contains("style="),
            "{html}"
        );
    }
    collector.get("/hosts/1").problem(404);
    let style = collector.get("/plain.css");
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
}

#[test]
fn the_page_is_served_at_its_routes_and_its_files_are_cached() {
    let (_folder, collector) = collector(page());
    for path in [
        "/",
        "/hosts/000000000000000000000000000000a1?range=10m",
        "/anything",
    ] {
        let index = collector.get(path);
        assert_eq!(index.status, 200);
        assert!(index.text().contains("<title>bwmon</title>"));
        assert_eq!(index.header("cache-control"), "no-cache");
    }
    let url = collector.url("/assets/app-1a2b.js");
    let script = get(&url, &[("accept-encoding", "zstd")]);
    assert_eq!(script.header("content-encoding"), "zstd");
    assert!(script.header("cache-control").contains("immutable"));
    assert!(script.body.len() < 1_000);
    let again = get(&url, &[("if-none-match", script.header("etag"))]);
    assert_eq!(again.status, 304);
    collector.get("/assets/app-ffff.js").problem(404);
    assert!(!collector.get("/plain").text().contains("npm"));
}

#[test]
fn every_answer_carries_the_security_headers() {
    let (_folder, collector) = collector(page());
    for path in [
        "/",
        "/plain",
        "/plain.css",
        "/assets/app-1a2b.js",
        "/api/v1/hosts",
        "/api/none",
    ] {
        let answer = collector.get(path);
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
    }
    assert_eq!(
        collector.get("/api/v1/hosts").header("cache-control"),
        "no-store"
    );
}

#[test]
fn what_is_not_there_is_a_problem() {
    let (_folder, collector) = collector(page());
    for path in [
        "/api",
        "/api/v2/hosts",
        "/api/v1/nothing",
        "/api/v1/hosts/1/nothing",
    ] {
        collector.get(path).problem(404);
    }
    for path in ["/api/v1/hosts", "/api/v1/health", "/", "/plain.css"] {
        delete(&collector.url(path), &[]).problem(405);
    }
    collector.get("/api/v1/ingest").problem(405);
    post(&collector.url("/hosts/1"), b"", &[]).problem(405);
}

#[test]
fn a_report_reaches_listeners_as_host_and_detail() {
    let (_folder, collector) = collector(page());
    collector.deliver(AGENT, vec![report(7, 1, 4)]);
    let path = format!("/api/v1/events?host={AGENT}");
    let mut events = Events::open(collector.address, &path, "Accept-Encoding: gzip, zstd\r\n");
    let before = events.next("detail");
    assert_eq!(before["peers"][0]["traffic"]["ingress"]["bytes"], 1_000);
    let mut all = Events::open(collector.address, "/api/v1/events", "");
    collector.deliver(AGENT, vec![report(7, 2, 2)]);
    let after = events.next("detail");
    assert_eq!(after["peers"][0]["traffic"]["ingress"]["bytes"], 2_000);
    let summary = all.next("host");
    assert_eq!(summary["id"], AGENT.to_string());
    assert_eq!(summary["top_peer"]["traffic"]["ingress"]["bytes"], 2_000);
    let health = collector.get("/api/v1/health").json();
    assert_eq!(health["counters"]["event_streams"], 2);
    let unknown = collector.get("/api/v1/events?host=ffffffffffffffffffffffffffffffff");
    unknown.problem(404);
}

#[test]
fn a_listener_that_returns_gets_every_host_anew() {
    let (_folder, collector) = collector(page());
    collector.deliver(AGENT, vec![report(7, 1, 4)]);
    let mut events = Events::open(collector.address, "/api/v1/events", "Last-Event-ID: 5\r\n");
    assert_eq!(events.next("host")["id"], AGENT.to_string());
}

#[test]
fn a_host_that_falls_silent_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let impatient = Config {
        stale_after: HumanDuration(Duration::from_secs(1)),
        ..config(folder.path())
    };
    let collector = Collector::start(impatient, page());
    let mut events = Events::open(collector.address, "/api/v1/events", "");
    collector.deliver(AGENT, vec![report(7, 1, 0)]);
    while events.next("host")["status"] != "stale" {}
    let hosts = collector.get("/api/v1/hosts").json();
    assert_eq!(hosts["hosts"][0]["status"], "stale");
    let series = collector
        .get(&format!("/api/v1/hosts/{AGENT}/series?seconds=60"))
        .json();
    assert_eq!(series["gaps"][0]["reason"], "not_yet", "{series}");
}

#[test]
fn streams_beyond_the_bound_are_turned_away_and_places_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let narrow = Config {
        limits: Limits {
            event_streams: 1,
            ..Limits::default()
        },
        ..config(folder.path())
    };
    let collector = Collector::start(narrow, page());
    let first = Events::open(collector.address, "/api/v1/events", "");
    let turned_away = collector.get("/api/v1/events");
    turned_away.problem(503);
    assert_eq!(turned_away.header("retry-after"), "5");
    drop(first);
    wait_for("the stream to be counted as closed", || {
        let counters = &collector.get("/api/v1/health").json()["counters"];
        (counters["event_streams"] == 0).then_some(())
    });
    Events::open(collector.address, "/api/v1/events", "");
}

#[test]
fn the_document_that_is_checked_in_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/bwmon-v1.json");
    let checked_in = std::fs::read_to_string(path).unwrap();
    let generated = bwmon_bin::server::openapi::to_json().unwrap();
    assert!(
        checked_in == generated,
        "the API has changed; run `cargo run -p bwmon-bin --bin bwmon-collector -- openapi > \
         openapi/bwmon-v1.json`"
    );
    let (_folder, collector) = collector(page());
    let served = collector.get("/api/v1/openapi.json").json();
    assert_eq!(
        served,
        serde_json::from_str::<serde_json::Value>(&generated).unwrap()
    );
}
