//! The collector's own metrics, as whoever scrapes them reads them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod scrape;
mod server_common;

use bwmon_bin::server::assets::Page;
use scrape::{Scraped, listed};
use server_common::{AGENT, Collector, config, post, report, start};

fn scrape(collector: &Collector) -> Scraped {
    let answer = collector.get("/metrics");
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").to_owned();
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    Scraped::read(&answer.text())
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
    assert_eq!(scrape(&collector).kinds, listed("bwmon_collector_"));
}
