//! The binary: starting, refusing to start, stopping, and being killed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod server_common;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use server_common::wait::wait_for;
use server_common::{AGENT, Events, Process, bearer, binary, document, get, post, report, start};

fn deliver(process: &Process, seq: u64) -> serde_json::Value {
    let bearer = bearer(AGENT);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let body = document(vec![report(7, seq, 2)]);
    let answer = post(&process.url("/api/v1/ingest"), &body, &headers);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Runs it with these arguments until it ends; one line on standard error.
fn refusal(arguments: &[&str], code: i32) -> String {
    let output = binary().args(arguments).output().unwrap();
    one_line(&output, code)
}

fn one_line(output: &Output, code: i32) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(text.starts_with("bwmon-collector: "), "{text}");
    assert!(output.stdout.is_empty());
    text
}

fn data(folder: &Path) -> String {
    folder.join("data").to_str().unwrap().to_owned()
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let line = refusal(
        &["--listen", &address, "--data-dir", &data(folder.path())],
        1,
    );
    assert!(
        line.contains(&format!("cannot listen on {address}: address in use")),
        "{line}"
    );
    assert!(
        line.contains("BWMON_PORT=8001 make run") && line.contains("--listen"),
        "{line}"
    );
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_data_folder_that_cannot_be_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    fs::write(&file, "a file").unwrap();
    let below = file.join("deeper").to_str().unwrap().to_owned();
    let line = refusal(&["--listen", "127.0.0.1:0", "--data-dir", &below], 1);
    assert!(line.contains("cannot write to the data folder"), "{line}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "a file");
}

#[test]
fn a_data_folder_in_use_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Process::start(folder.path());
    let line = refusal(
        &[
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &data(folder.path()),
        ],
        1,
    );
    assert!(
        line.contains("another collector uses the data folder"),
        "{line}"
    );
}

#[test]
fn a_database_that_is_not_ours_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data/bwmon.db");
    fs::create_dir(folder.path().join("data")).unwrap();
    for content in [&b"not a database, but somebody's data"[..], &[0; 4096]] {
        fs::write(&file, content).unwrap();
        let line = refusal(
            &[
                "--listen",
                "127.0.0.1:0",
                "--data-dir",
                &data(folder.path()),
            ],
            1,
        );
        assert!(line.contains("bwmon.db"), "{line}");
        assert_eq!(fs::read(&file).unwrap(), content);
    }
}

#[test]
fn wrong_configuration_names_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("collector.toml");
    fs::write(&file, "retention = \"7d\"\nretentoin = \"8d\"\n").unwrap();
    let line = refusal(&["--config", file.to_str().unwrap()], 2);
    assert!(
        line.contains("collector.toml:2:1: unknown field `retentoin`"),
        "{line}"
    );
    let line = refusal(&["--config", "/nonexistent.toml"], 2);
    assert!(line.contains("/nonexistent.toml"), "{line}");
    let line = refusal(&["--retention", "1s"], 2);
    assert!(line.contains("retention is 1s"), "{line}");
    let line = refusal(&["--log", "loud=very=much"], 2);
    assert!(line.contains("loud"), "{line}");
    let usage = binary().args(["--retention", "soon"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    let open = refusal(
        &["--listen", "0.0.0.0:0", "--data-dir", &data(folder.path())],
        1,
    );
    assert!(open.contains("--token-file"), "{open}");
}

#[test]
fn the_environment_lies_over_the_file_and_flags_over_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("collector.toml");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fs::write(&file, "listen = \"192.0.2.1:1\"\n").unwrap();
    let run = |flags: &[&str]| {
        let mut command = binary();
        command
            .env("BWMON_CONFIG", &file)
            .env("BWMON_LISTEN", &address);
        command.env("BWMON_DATA", data(folder.path())).args(flags);
        one_line(&command.output().unwrap(), 1)
    };
    assert!(run(&[]).contains(&address));
    assert!(run(&["--listen", "192.0.2.9:9"]).contains("192.0.2.9:9"));
}

#[test]
fn it_prints_its_example_document_and_version() {
    let print = |arguments: &[&str]| {
        let output = binary().args(arguments).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(print(&["config", "example"]).contains("retention = \"7d\""));
    assert!(print(&["openapi"]).contains("\"/api/v1/ingest\""));
    assert!(print(&["--version"]).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn it_stops_on_both_signals_with_streams_and_connections_open() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(folder.path());
        deliver(&process, 1);
        let _stream = Events::open(process.address, "/api/v1/events", "");
        let mut half = TcpStream::connect(process.address).unwrap();
        half.write_all(b"GET / HT").unwrap();
        process.signal(signal);
        assert_eq!(process.wait().code(), Some(0), "{signal}");
    }
}

#[test]
fn everything_acknowledged_survives_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..3 {
        let mut process = Process::start(folder.path());
        let hosts = get(&process.url("/api/v1/hosts"), &[]).json();
        assert_eq!(
            hosts["hosts"].as_array().unwrap().len(),
            usize::from(round > 0)
        );
        for _ in 0..5 {
            acknowledged += 1;
            deliver(&process, acknowledged);
        }
        process.signal("KILL");
        assert_eq!(process.wait().signal(), Some(9));
    }
    let process = Process::start(folder.path());
    let url = process.url(&format!("/api/v1/hosts/{AGENT}/traffic"));
    let traffic = get(&url, &[]).json();
    assert_eq!(traffic["reports"], acknowledged);
    let receipt = deliver(&process, 3);
    assert_eq!(receipt["fates"], serde_json::json!(["duplicate"]));
    assert_eq!(receipt["streams"][0]["through"], acknowledged);
}

#[test]
fn a_restart_shows_hosts_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let bearer = bearer(AGENT);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let body = document(vec![start(7), report(7, 2, 6), report(7, 3, 4)]);
    post(&process.url("/api/v1/ingest"), &body, &headers);
    let path = format!("/api/v1/hosts/{AGENT}");
    let before = get(&process.url(&path), &[]).json();
    process.signal("TERM");
    process.wait();
    let process = Process::start(folder.path());
    let after = get(&process.url(&path), &[]).json();
    assert_eq!(before, after);
}

#[test]
fn a_slow_head_is_cut_while_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path());
    let mut slow = TcpStream::connect(process.address).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    slow.write_all(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n")
        .unwrap();
    let mut idle = TcpStream::connect(process.address).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    idle.write_all(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut buffer = [0; 4096];
    assert!(idle.read(&mut buffer).unwrap() > 0);
    assert_eq!(get(&process.url("/api/v1/health"), &[]).status, 200);
    // Cut without an answer, or with one that says 408: either way the end comes.
    let mut rest = Vec::new();
    let ended = slow.read_to_end(&mut rest);
    assert!(ended.is_ok() || ended.unwrap_err().kind() != std::io::ErrorKind::WouldBlock);
    idle.write_all(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    assert!(
        idle.read(&mut buffer).unwrap() > 0,
        "an idle connection must stay"
    );
}

#[test]
fn it_serves_again_after_file_descriptors_ran_out() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start_with_few_files(folder.path(), 48);
    let crowd: Vec<TcpStream> = (0..64)
        .map(|_| TcpStream::connect(process.address).unwrap())
        .collect();
    let files = format!("/proc/{}/fd", process.child.id());
    wait_for("the limit to be reached", || {
        (fs::read_dir(&files).unwrap().count() >= 48).then_some(())
    });
    drop(crowd);
    assert_eq!(get(&process.url("/api/v1/health"), &[]).status, 200);
    assert_eq!(deliver(&process, 1)["fates"], serde_json::json!(["stored"]));
}

#[test]
fn the_limit_of_open_files_is_raised_as_far_as_it_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start_with_limit(folder.path(), "-Sn 40 && ulimit -Hn 500");
    let limits = fs::read_to_string(format!("/proc/{}/limits", process.child.id())).unwrap();
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let numbers: Vec<_> = files.unwrap().split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers, ["500", "500"]);
}
