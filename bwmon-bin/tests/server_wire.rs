//! The compact encoding, delivered to a real collector.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod server_common;

use std::io::{Read, Write};

use bwmon_bin::server::assets::Page;
use bwmon_core::Sink;
use bwmon_core::report::{Batch, Envelope, Fate, bounds, wire};
use bwmon_sinks::Secret;
use bwmon_sinks::http::{HttpConfig, HttpSink};
use server_common::{AGENT, Collector, bearer, config, credential, document, post, report, start};

const JSON: &str = "application/json";

fn collector() -> (tempfile::TempDir, Collector) {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(config(folder.path()), Page::default());
    (folder, collector)
}

#[test]
fn a_compact_document_is_stored_like_one_in_json() {
    let (_folder, collector) = collector();
    let records = [start(7), report(7, 2, 4)];
    let answer = collector.deliver_compact(&wire::encode_records(&records), &[]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), wire::CONTENT_TYPE);
    let receipt = wire::decode_receipt(&answer.body).unwrap();
    assert_eq!(receipt.fates, [Fate::Stored, Fate::Stored]);
    assert_eq!((receipt.streams[0].through, receipt.credit), (2, Some(64)));
    // The same records in JSON are the same records.
    let again = collector.deliver(AGENT, records.to_vec());
    assert_eq!(
        again.json()["fates"],
        serde_json::json!(["duplicate", "duplicate"])
    );
    let detail = collector.get(&format!("/api/v1/hosts/{AGENT}")).json();
    assert_eq!(detail["flows"][0]["flow"]["remote"], "198.51.100.7");
}

#[test]
fn the_receipt_is_in_what_accept_asks_for() {
    let (_folder, collector) = collector();
    let compact = wire::encode_records(&[report(7, 1, 4)]);
    let json = document(vec![report(7, 2, 2)]);
    let bearer = bearer(AGENT);
    let url = collector.url("/api/v1/ingest");
    for (accept, expected) in [
        (JSON, JSON),
        ("*/*", JSON),
        (wire::CONTENT_TYPE, wire::CONTENT_TYPE),
    ] {
        for (kind, body) in [(wire::CONTENT_TYPE, &compact), (JSON, &json)] {
            let headers = [
                ("authorization", bearer.as_str()),
                ("content-type", kind),
                ("accept", accept),
            ];
            let answer = post(&url, body, &headers);
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.header("content-type"), expected);
            assert!(answer.header("accept-post").contains(wire::CONTENT_TYPE));
        }
    }
}

#[test]
fn compressed_bodies_are_read() {
    let (_folder, collector) = collector();
    let zstd = zstd::encode_all(&wire::encode_records(&[report(7, 1, 4)])[..], 3).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&wire::encode_records(&[report(7, 2, 2)]))
        .unwrap();
    for (name, body) in [("zstd", zstd), ("gzip", gzip.finish().unwrap())] {
        let answer = collector.deliver_compact(&body, &[("content-encoding", name)]);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[test]
fn what_is_too_large_is_refused_before_and_after_decompression_and_in_memory() {
    let (_folder, collector) = collector();
    let answer = collector.announce(wire::CONTENT_TYPE, (1 << 20) + 1);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let bomb = zstd::encode_all(std::io::repeat(0).take(1 << 29), 3).unwrap();
    collector
        .deliver_compact(&bomb, &[("content-encoding", "zstd")])
        .problem(413);
    // Rows that have everything in common are a few bytes, and much memory.
    let mut record = report(7, 1, 4);
    let bwmon_core::report::RecordBody::Report(interval) = &mut record.body else {
        panic!()
    };
    interval.flows = vec![interval.flows[0].clone(); bounds::FLOWS];
    let records = vec![record; 200];
    let body = wire::encode_records(&records);
    assert!(body.len() < 1 << 20, "{}", body.len());
    let problem = collector.deliver_compact(&body, &[]).problem(413);
    assert!(
        problem["field"].as_str().unwrap().starts_with("records["),
        "{problem}"
    );
}

#[test]
fn a_wrong_field_is_named_and_an_unknown_one_counted() {
    let (_folder, collector) = collector();
    let mut record = report(7, 1, 4);
    let bwmon_core::report::RecordBody::Report(interval) = &mut record.body else {
        panic!()
    };
    interval.interfaces[0].facts.name = "e".repeat(bounds::STRING_BYTES + 1);
    let problem = collector
        .deliver_compact(&wire::encode_records([&record]), &[])
        .problem(400);
    assert_eq!(
        problem["field"],
        "records[0].body.report.interfaces[0].facts.name"
    );
    // A document in JSON under this type is no protobuf.
    collector
        .deliver_compact(&document(vec![report(7, 1, 4)]), &[])
        .problem(400);

    let mut newer = wire::encode_records(&[report(7, 1, 4)]);
    newer.extend([0x9a, 0x06, 1, b'x']); // field 99
    assert_eq!(collector.deliver_compact(&newer, &[]).status, 200);
    let health = collector.get("/api/v1/health").json();
    assert_eq!(health["counters"]["unknown_fields"], 1);
    assert_eq!(health["counters"]["deliveries_malformed"], 2);
}

#[test]
fn another_schema_or_version_is_unsupported_and_both_are_named() {
    let (_folder, collector) = collector();
    let problem = collector
        .deliver_compact(&[0x08, 2, 0xff], &[])
        .problem(415);
    assert_eq!(
        problem["detail"],
        "document has schema 2, this collector reads schema 1"
    );
    let bearer = bearer(AGENT);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/vnd.bwmon.batch+protobuf; v=2"),
    ];
    let answer = post(&collector.url("/api/v1/ingest"), &[], &headers);
    assert!(answer.header("accept-post").contains(JSON));
    let problem = answer.problem(415);
    assert_eq!(
        problem["detail"],
        "the compact encoding has version 2, this collector reads version 1"
    );
}

#[tokio::test]
async fn the_sink_of_the_agent_delivers_it() {
    let (_folder, collector) = collector();
    let url = format!("http://{}", collector.address);
    let mut sink = HttpSink::new(&HttpConfig::new(
        url,
        Secret::new(credential(AGENT).expose()),
    ))
    .unwrap();
    let entries = [start(7), report(7, 2, 4)].map(|record| Envelope {
        agent: AGENT,
        record,
    });
    let receipt = sink
        .write(&Batch {
            entries: entries.into(),
        })
        .await
        .unwrap();
    assert_eq!(receipt.fates, [Fate::Stored, Fate::Stored]);
    assert_eq!(receipt.streams[0].through, 2);
}
