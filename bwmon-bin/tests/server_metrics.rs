//! The collector's own metrics, as whoever scrapes them reads them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod server_common;

use std::collections::BTreeMap;

use bwmon_bin::server::assets::Page;
use server_common::{AGENT, Collector, config, post, report, start};

/// Families by name with their kind, and samples by name and labels.
#[derive(Debug, Default)]
struct Scraped {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

/// Reads the text strictly: each family has its help and its kind first, once, and every sample is of
/// the family before it (Prometheus, "Exposition formats").
fn scrape(collector: &Collector) -> Scraped {
    let answer = collector.get("/metrics");
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").to_owned();
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    assert!(text.ends_with('\n'));
    let mut scraped = Scraped::default();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(help.len() > 10, "{line}");
            name.clone_into(&mut family);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, family);
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            let before = scraped.kinds.insert(name.to_owned(), kind.to_owned());
            assert_eq!(before, None, "{name} is there twice");
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(name.split('{').next(), Some(family.as_str()), "{line}");
            assert!(scraped.kinds.contains_key(&family));
            let value = value.parse().unwrap();
            assert_eq!(
                scraped.samples.insert(name.to_owned(), value),
                None,
                "{line}"
            );
        }
    }
    scraped
}

fn running() -> (tempfile::TempDir, Collector) {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(config(folder.path()), Page::default());
    (folder, collector)
}

#[test]
fn what_happens_is_counted_under_its_name() {
    let (_folder, collector) = running();
    let records = vec![start(7), report(7, 2, 2)];
    assert_eq!(collector.deliver(AGENT, records.clone()).status, 200);
    assert_eq!(collector.deliver(AGENT, records).status, 200);
    assert_eq!(collector.deliver(AGENT, vec![report(7, 0, 2)]).status, 200);
    let stranger = post(&collector.url("/api/v1/ingest"), b"{}", &[]);
    assert_eq!(stranger.status, 401);
    let scraped = scrape(&collector);
    for (name, value) in [
        ("bwmon_collector_records_total{fate=\"stored\"}", 2.0),
        ("bwmon_collector_records_total{fate=\"duplicate\"}", 2.0),
        ("bwmon_collector_records_total{fate=\"refused\"}", 1.0),
        (
            "bwmon_collector_deliveries_failed_total{reason=\"unauthorised\"}",
            1.0,
        ),
        ("bwmon_collector_commits_total{result=\"done\"}", 3.0),
        ("bwmon_collector_commits_total{result=\"failed\"}", 0.0),
        ("bwmon_collector_hosts", 1.0),
        ("bwmon_collector_queue_deliveries", 0.0),
    ] {
        assert_eq!(scraped.samples.get(name), Some(&value), "{name}");
    }
    assert!(scraped.samples["bwmon_collector_database_bytes"] > 0.0);
    assert!(scraped.samples["bwmon_collector_commit_seconds_total"] > 0.0);
}

#[test]
fn the_page_lists_every_metric_with_its_kind_and_no_other() {
    let (_folder, collector) = running();
    let page = include_str!("../../docs/metrics.md");
    let listed: BTreeMap<String, String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| {
            let (name, rest) = line.split_once('`').unwrap();
            let name = name.split('{').next().unwrap();
            (
                name.to_owned(),
                rest.split('|').nth(1).unwrap().trim().to_owned(),
            )
        })
        .collect();
    assert_eq!(scrape(&collector).kinds, listed);
}
