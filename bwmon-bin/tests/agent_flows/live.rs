//! Live interfaces, in network namespaces of the tests' own.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use bwmon_core::testkit::namespace::{self, sh};
use serde_json::Value;

use crate::run::{flows, text};
use crate::wait::wait_for;

/// Ethernet, IPv4 and UDP headers.
const HEADERS: u64 = 14 + 20 + 8;
const PAYLOAD: usize = 100;

/// A cable to nowhere, where everything that is sent is seen.
fn cable() {
    sh("ip link add flows0 type veth peer name flows1
        ip address add 10.9.0.1/24 dev flows0
        sysctl -qw net.ipv6.conf.flows0.disable_ipv6=1 net.ipv6.conf.flows1.disable_ipv6=1
        ip link set flows0 up; ip link set flows1 up
        ip neighbour add 10.9.0.2 lladdr 02:00:00:00:00:02 dev flows0");
}

fn send(count: usize) {
    let socket = UdpSocket::bind("10.9.0.1:4000").unwrap();
    for _ in 0..count {
        socket.send_to(&[0; PAYLOAD], "10.9.0.2:9").unwrap();
    }
}

fn start(arguments: &[&str]) -> Child {
    let child = flows()
        .args(["--interface", "flows0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the capture to start", || {
        let sockets = std::fs::read_to_string("/proc/net/packet").unwrap();
        let is_open = |line: &str| line.split_whitespace().nth(3) == Some("0003");
        sockets.lines().any(is_open).then_some(())
    });
    child
}

fn stop(child: Child, signal: &str) -> Output {
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(status.unwrap().success());
    child.wait_with_output().unwrap()
}

fn assert_fifty_datagrams(document: &Value) {
    let bytes = 50 * (HEADERS + PAYLOAD as u64);
    assert_eq!(document["totals"]["ipv4_frames"], 50, "{document}");
    assert_eq!(document["totals"]["ipv4_bytes"], bytes, "{document}");
}

#[test]
fn a_signal_ends_a_capture_and_prints_it() {
    namespace::in_network("live::a_signal_ends_a_capture_and_prints_it", || {
        cable();
        for signal in ["INT", "TERM"] {
            let filter = "remote = 10.9.0.2 and egress.packets = 50";
            let child = start(&["--format", "json", "--filter", filter]);
            send(50);
            let output = stop(child, signal);
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            assert_eq!(text(&output.stderr), "");
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_fifty_datagrams(&document);
            assert_eq!(document["file"], Value::Null);
            assert_eq!(document["interfaces"], serde_json::json!(["flows0"]));
            assert_eq!(document["method"], "af_packet");
            assert_eq!(
                (&document["drops"], &document["complete"]),
                (&0.into(), &true.into())
            );
            let flow = &document["flows"][0];
            assert_eq!(
                (&flow["a"], &flow["a_port"]),
                (&"10.9.0.1".into(), &4_000.into())
            );
            assert_eq!(
                (&flow["b"], &flow["b_port"]),
                (&"10.9.0.2".into(), &9.into())
            );
            assert_eq!(
                (&flow["packets_ab"], &flow["packets_ba"]),
                (&50.into(), &0.into())
            );
        }
    });
}

#[test]
fn a_duration_ends_a_capture() {
    namespace::in_network("live::a_duration_ends_a_capture", || {
        cable();
        let child = start(&["--duration", "1s", "--by", "host"]);
        send(50);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let table = text(&output.stdout);
        assert!(table.contains("\n10.9.0.1  7.10 kB"), "{table}");
        assert!(table.contains("\nflows0: 1.0"), "{table}");
    });
}

#[test]
fn intervals_are_printed_when_they_are_over_and_not_at_the_end() {
    let name = "live::intervals_are_printed_when_they_are_over_and_not_at_the_end";
    namespace::in_network(name, || {
        cable();
        let mut child = start(&["--interval", "100ms", "--format", "json"]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next =
            || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
        send(50);
        // Nothing more is sent: the interval ends by the clock.
        let mut seen = 0;
        while seen < 50 {
            let line = next();
            assert_eq!(line["interval"]["duration_us"], 100_000, "{line}");
            seen += line["totals"]["ipv4_frames"].as_u64().unwrap();
        }
        assert_eq!(stop(child, "INT").status.code(), Some(0));
        let last = next();
        assert_fifty_datagrams(&last);
        assert_eq!(last["complete"], true);
    });
}

#[test]
fn a_slow_reader_merges_intervals_and_loses_nothing() {
    let name = "live::a_slow_reader_merges_intervals_and_loses_nothing";
    namespace::in_network(name, || {
        cable();
        let child = start(&["--interval", "1ms", "--format", "json"]);
        // More intervals than the pipe and the queue hold, before anything is read.
        for _ in 0..1_000 {
            send(1);
            std::thread::sleep(Duration::from_millis(1));
        }
        let output = stop(child, "INT");
        assert_eq!(output.status.code(), Some(0));
        let errors = text(&output.stderr);
        assert!(errors.contains("read too slowly"), "{errors}");
        let printed = text(&output.stdout);
        let line = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
        let lines: Vec<Value> = printed.lines().map(line).collect();
        let (last, intervals) = lines.split_last().unwrap();
        assert_eq!(
            (&last["drops"], &last["complete"]),
            (&0.into(), &true.into())
        );
        assert_eq!(last["intervals"], intervals.len());
        assert_eq!(last["late_frames"], 0);
        let bytes = 1_000 * (HEADERS + PAYLOAD as u64);
        assert_eq!(last["totals"]["ipv4_bytes"], bytes);
        let sum = |number: fn(&Value) -> &Value| -> u64 {
            intervals
                .iter()
                .map(|line| number(line).as_u64().unwrap())
                .sum()
        };
        assert_eq!(sum(|line| &line["totals"]["ipv4_bytes"]), bytes);
        assert_eq!(sum(|line| &line["flows"][0]["bytes_ab"]), bytes);
        let merged = sum(|line| &line["merged_intervals"]);
        assert!(merged > 0, "the reader was not slow: {last}");
        assert_eq!(last["merged_intervals"], merged);
        let mut end = 0;
        for line in intervals {
            let window = &line["interval"];
            let (start, length) = (&window["start_us"], &window["duration_us"]);
            let (start, length) = (start.as_u64().unwrap(), length.as_u64().unwrap());
            let merged = line["merged_intervals"].as_u64().unwrap();
            assert!(start >= end && length > merged * 1_000, "{line}");
            end = start + length;
        }
    });
}

#[test]
fn a_reader_that_goes_away_ends_a_series() {
    namespace::in_network("live::a_reader_that_goes_away_ends_a_series", || {
        cable();
        let mut child = start(&["--interval", "10ms"]);
        drop(child.stdout.take());
        let status = wait_for("the capture to end", || {
            send(1);
            child.try_wait().unwrap()
        });
        assert_eq!(status.code(), Some(0));
    });
}

#[test]
fn without_the_right_to_capture_what_grants_it_is_said() {
    let name = "live::without_the_right_to_capture_what_grants_it_is_said";
    namespace::without_privilege(name, || {
        let output = flows().args(["--interface", "lo"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let errors = text(&output.stderr);
        assert!(errors.contains("setcap cap_net_raw+ep"), "{errors}");
        assert_eq!(text(&output.stdout), "");
    });
}

#[test]
fn an_unknown_interface_is_told_with_those_that_exist() {
    let name = "live::an_unknown_interface_is_told_with_those_that_exist";
    namespace::in_network(name, || {
        let output = flows().args(["--interface", "eth99"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let errors = text(&output.stderr);
        assert!(
            errors.contains("eth99") && errors.contains("lo"),
            "{errors}"
        );
    });
}
