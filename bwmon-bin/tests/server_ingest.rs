//! Delivering to a real collector over real HTTP into a real database, and reading back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod server_common;

use std::io::{Read, Write};
use std::time::Duration;

use bwmon_bin::server::assets::Page;
use bwmon_core::report::{AgentId, ClockReading, DropReason, Dropped, Epoch, Record, RecordBody};
use server_common::{AGENT, Collector, bearer, config, document, now, post, raw, report, start};

fn collector() -> (tempfile::TempDir, Collector) {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(config(folder.path()), Page::default());
    (folder, collector)
}

#[test]
fn what_is_delivered_is_acknowledged_once_and_read_back() {
    let (_folder, collector) = collector();
    let records = vec![start(7), report(7, 2, 4), report(7, 3, 2)];
    let answer = collector.deliver(AGENT, records.clone());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let receipt = answer.json();
    assert_eq!(
        receipt["fates"],
        serde_json::json!(["stored", "stored", "stored"])
    );
    assert_eq!(receipt["streams"][0]["through"], 3);
    assert_eq!(receipt["streams"][0]["agent"], AGENT.to_string());
    assert!(receipt["server_time_us"].as_u64().is_some());
    assert_eq!(
        receipt["credit"], 64,
        "an idle collector takes a whole batch"
    );

    let again = collector.deliver(AGENT, records).json();
    assert_eq!(
        again["fates"],
        serde_json::json!(["duplicate", "duplicate", "duplicate"])
    );

    let hosts = collector.get("/api/v1/hosts").json();
    let host = &hosts["hosts"][0];
    assert_eq!(host["id"], AGENT.to_string());
    assert_eq!(host["name"], "alpha <b>");
    assert_eq!(host["status"], "up");
    assert_eq!(host["throughput_bps"]["ingress"], 4_000.0);
    assert_eq!(host["top_peer"]["address"], "198.51.100.7");
    assert_eq!(host["top_peer"]["traffic"]["ingress"]["bytes"], 2_000);
    assert!(host["cpu_percent"].is_null());

    let detail = collector.get(&format!("/api/v1/hosts/{AGENT}")).json();
    assert_eq!(
        detail["flows"][0]["flow"]["traffic"]["egress"]["bytes"],
        1_000
    );
    assert_eq!(detail["interfaces"][0]["kernel"]["ingress"]["bytes"], 2_000);
    assert_eq!(detail["latest"]["flows"], serde_json::json!([]));

    let traffic = collector
        .get(&format!("/api/v1/hosts/{AGENT}/traffic"))
        .json();
    assert_eq!(traffic["reports"], 2);
    assert_eq!(
        traffic["flows"][0]["flow"]["traffic"]["ingress"]["bytes"],
        2_000
    );

    let health = collector.get("/api/v1/health").json();
    assert_eq!(health["counters"]["records_stored"], 3);
    assert_eq!(health["counters"]["records_duplicate"], 3);
    assert_eq!(health["hosts"], 1);
    assert!(health["database_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn each_agent_of_a_group_gets_its_own_part_of_the_receipt() {
    let (_folder, collector) = collector();
    std::thread::scope(|scope| {
        for agent in 1..=20 {
            let collector = &collector;
            scope.spawn(move || {
                let records = vec![start(agent), report(agent, 2, 2)];
                let receipt = collector.deliver(AgentId(agent), records).json();
                assert_eq!(receipt["fates"].as_array().unwrap().len(), 2);
                let streams = receipt["streams"].as_array().unwrap();
                assert_eq!(streams.len(), 1);
                assert_eq!(streams[0]["agent"], AgentId(agent).to_string());
            });
        }
    });
    let hosts = collector.get("/api/v1/hosts").json();
    assert_eq!(hosts["hosts"].as_array().unwrap().len(), 20);
}

#[test]
fn compressed_deliveries_are_read() {
    let (_folder, collector) = collector();
    let zstd = zstd::encode_all(&document(vec![report(7, 1, 4)])[..], 3).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&document(vec![report(7, 2, 2)])).unwrap();
    for (name, body) in [("zstd", zstd), ("gzip", gzip.finish().unwrap())] {
        let answer = collector.post_document(AGENT, &body, &[("content-encoding", name)]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["fates"], serde_json::json!(["stored"]));
    }
}

#[test]
fn a_wrong_field_is_answered_with_its_path_and_nothing_is_stored() {
    let (_folder, collector) = collector();
    let good = String::from_utf8(document(vec![report(7, 1, 2)])).unwrap();
    let cases = [
        (
            "\"192.0.2.10\"",
            "\"nowhere\"",
            "records[0].body.report.flows[0].local",
        ),
        ("\"seq\":1", "\"seq\":-1", "records[0].seq"),
        ("\"seq\":1,", "", "records[0]"),
        (
            "\"protocol\":6",
            "\"protocol\":600",
            "records[0].body.report.flows[0].protocol",
        ),
        (
            "\"duration_us\":2000000",
            "\"duration_us\":\"2 s\"",
            "records[0].body.report.window.duration_us",
        ),
    ];
    for (from, to, field) in cases {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let problem = collector
            .post_document(AGENT, bad.as_bytes(), &[])
            .problem(400);
        assert_eq!(problem["field"], field, "{problem}");
    }
    for bad in [&good[..good.len() - 1], "", "[]", "{}", "\u{0}"] {
        collector
            .post_document(AGENT, bad.as_bytes(), &[])
            .problem(400);
    }
    assert_eq!(
        collector.get("/api/v1/hosts").json()["hosts"],
        serde_json::json!([])
    );
    let health = collector.get("/api/v1/health").json();
    assert_eq!(health["counters"]["deliveries_malformed"], 10);
}

#[test]
fn another_schema_content_type_or_encoding_is_unsupported() {
    let (_folder, collector) = collector();
    let newer = br#"{"schema":2,"frames":[]}"#;
    let problem = collector.post_document(AGENT, newer, &[]).problem(415);
    assert_eq!(
        problem["detail"],
        "document has schema 2, this collector reads schema 1"
    );
    let body = document(vec![report(7, 1, 2)]);
    collector
        .post_document(AGENT, &body, &[("content-encoding", "br")])
        .problem(415);
    let bearer = bearer(AGENT);
    let url = collector.url("/api/v1/ingest");
    let plain = [("authorization", &*bearer), ("content-type", "text/plain")];
    post(&url, &body, &plain).problem(415);
    post(&url, &body, &plain[..1]).problem(415);
}

#[test]
fn too_large_is_refused_before_and_after_decompression() {
    let (_folder, collector) = collector();
    let large = vec![b' '; 1024 * 1024 + 1];
    let answer = collector.announce("application/json", large.len());
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let bearer = bearer(AGENT);
    let unannounced = format!(
        "POST /api/v1/ingest HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: {bearer}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        collector.address,
        large.len(),
        " ".repeat(large.len()),
    );
    let answer = raw(collector.address, unannounced.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

    let bomb = zstd::encode_all(std::io::repeat(b' ').take(1 << 29), 3).unwrap();
    assert!(bomb.len() < 1024 * 1024, "{}", bomb.len());
    collector
        .post_document(AGENT, &bomb, &[("content-encoding", "zstd")])
        .problem(413);
    assert_eq!(collector.deliver(AGENT, vec![report(7, 1, 2)]).status, 200);
}

#[test]
fn series_have_explicit_gaps_with_reasons() {
    let (_folder, collector) = collector();
    let dropped = Record {
        epoch: Epoch(7),
        seq: 3,
        body: RecordBody::Dropped(Dropped {
            from_seq: 2,
            reports: 2,
            reason: DropReason::QueueFull,
        }),
    };
    let mut started_between = start(8);
    if let RecordBody::EpochStart(start) = &mut started_between.body {
        start.started = now().minus(Duration::from_secs(15));
    }
    let records = vec![
        report(7, 1, 40),
        dropped,
        report(7, 4, 30),
        report(7, 6, 20),
        started_between,
        report(8, 2, 10),
        report(8, 3, 8),
    ];
    assert_eq!(collector.deliver(AGENT, records).status, 200);
    let set = collector
        .get(&format!("/api/v1/hosts/{AGENT}/series?seconds=60"))
        .json();
    let reasons: Vec<_> = set["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| gap["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["spool_full", "unknown", "agent_off"], "{set}");
    assert_eq!(set["at_us"].as_array().unwrap().len(), 5);
    let metrics: Vec<_> = set["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| {
            (
                series["metric"].as_str().unwrap(),
                series["interface"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        metrics,
        [
            ("cpu_percent", None),
            ("memory_percent", None),
            ("total_ingress_bps", None),
            ("total_egress_bps", None),
            ("ingress_bps", Some("eth0")),
            ("egress_bps", Some("eth0")),
        ]
    );
    assert_eq!(
        set["series"][0]["values"],
        serde_json::json!([null, null, null, null, null])
    );
    assert_eq!(set["series"][2]["values"][0], 4_000.0);
}

/// A report of a host whose wall clock is `behind_s` behind, and what its clocks say when it sends.
fn report_of_a_slow_clock(seq: u64, age_s: u64, behind_s: i64) -> (Record, String) {
    let booted_s = 10_000;
    let mut record = report(7, seq, age_s);
    if let RecordBody::Report(interval) = &mut record.body {
        interval.clocks = Some(ClockReading {
            since_boot_us: (booted_s - age_s) * 1_000_000,
            ..ClockReading::default()
        });
        interval.host.as_mut().unwrap().facts.boot_id = "one".to_owned();
        interval.move_by(-behind_s * 1_000_000);
        interval.clocks.as_mut().unwrap().moved_us = 0;
    }
    let behind_us = u64::try_from(i64::try_from(now().as_micros()).unwrap() - behind_s * 1_000_000);
    let sent = format!(
        "at_us={}, since_boot_us={}, boot_id=\"one\"",
        behind_us.unwrap(),
        booted_s * 1_000_000
    );
    (record, sent)
}

#[test]
fn what_a_slow_clock_says_is_put_right_and_shown() {
    let (_folder, collector) = collector();
    let (record, sent) = report_of_a_slow_clock(2, 4, 3_600);
    let body = document(vec![record]);
    let headers = [("bwmon-sent", sent.as_str())];
    for fate in ["stored", "duplicate"] {
        let answer = collector.post_document(AGENT, &body, &headers).json();
        assert_eq!(answer["fates"], serde_json::json!([fate]));
    }
    let host = collector.get("/api/v1/hosts").json()["hosts"][0].clone();
    let wrong_by_us = host["clock_wrong_by_us"].as_i64().unwrap();
    assert!((wrong_by_us + 3_600_000_000).abs() < 30_000_000, "{host}");
    assert!(host["cloned"].is_null(), "{host}");
    let set = collector
        .get(&format!("/api/v1/hosts/{AGENT}/series?seconds=60"))
        .json();
    assert_eq!(set["at_us"].as_array().unwrap().len(), 1, "{set}");
    let (record, _) = report_of_a_slow_clock(3, 2, 0);
    assert_eq!(collector.deliver(AGENT, vec![record]).status, 200);
    let set = collector
        .get(&format!("/api/v1/hosts/{AGENT}/series?seconds=60"))
        .json();
    let step = &set["clock_steps"][0];
    let by_us = step["by_us"].as_i64().unwrap();
    assert!((by_us - 3_600_000_000).abs() < 30_000_000, "{set}");
}

#[test]
fn what_is_over_ten_minutes_in_the_future_is_refused_with_its_reason() {
    let (_folder, collector) = collector();
    let (record, sent) = report_of_a_slow_clock(2, 0, -660);
    let headers = [("bwmon-sent", sent.as_str())];
    let answer = collector.post_document(AGENT, &document(vec![record]), &headers);
    let reason = answer.json()["fates"][0]["refused"].to_string();
    assert!(reason.contains("clock: the window ends"), "{reason}");
    let broken = collector.post_document(AGENT, b"{}", &[("bwmon-sent", "yesterday")]);
    let detail = broken.problem(400)["detail"].to_string();
    assert!(detail.contains("bwmon-sent"), "{detail}");
}

#[test]
fn parameters_out_of_range_are_named() {
    let (_folder, collector) = collector();
    collector.deliver(AGENT, vec![report(7, 1, 2)]);
    for (path, field) in [
        ("series?seconds=9", "seconds"),
        ("series?seconds=3601", "seconds"),
        ("traffic?limit=0", "limit"),
        ("traffic?limit=10001", "limit"),
        ("traffic?from_us=2&to_us=1", "from_us"),
    ] {
        let problem = collector
            .get(&format!("/api/v1/hosts/{AGENT}/{path}"))
            .problem(400);
        assert_eq!(problem["field"], field);
    }
    for path in ["series?seconds=x", "series?second=60", "traffic?limit=-1"] {
        collector
            .get(&format!("/api/v1/hosts/{AGENT}/{path}"))
            .problem(400);
    }
    for unknown in ["00000000000000000000000000000001", "x"] {
        for rest in ["", "/series", "/traffic"] {
            collector
                .get(&format!("/api/v1/hosts/{unknown}{rest}"))
                .problem(404);
        }
    }
}
