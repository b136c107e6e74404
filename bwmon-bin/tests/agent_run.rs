//! What an agent reports, and how it starts, goes on and ends.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod agent_support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use agent_support::{Agent, CREDENTIAL, Collector, Received, as_nobody, enrol_by_hand, wait_for};
use bwmon_core::report::{CaptureMethod, Record, RecordBody};

const COUNTERS: [&str; 2] = ["--capture-method", "counters"];

fn seqs(received: &[Received]) -> Vec<u64> {
    received
        .iter()
        .map(|received| received.record.seq)
        .collect()
}

fn interface_names(received: &Received) -> Vec<&str> {
    let report = received.report().expect("a report");
    report
        .interfaces
        .iter()
        .map(|interface| interface.facts.name.as_str())
        .collect()
}

#[test]
fn reports_arrive_in_order_from_one_identity() {
    let collector = Collector::start(None);
    let agent = Agent::start(&collector.url(), &COUNTERS);
    let received = collector.wait_for(4);

    assert_eq!(seqs(&received)[..4], [1, 2, 3, 4]);
    assert!(matches!(received[0].record.body, RecordBody::EpochStart(_)));
    let credential = Some(format!("Bearer {CREDENTIAL}"));
    assert!(
        received
            .iter()
            .all(|received| received.authorization == credential)
    );

    let report = received[1].report().unwrap();
    let host = report.host.as_ref().unwrap();
    assert_eq!(host.facts.agent_version, env!("CARGO_PKG_VERSION"));
    assert!(!host.facts.hostname.is_empty() && host.memory.unwrap().total_bytes > 0);
    assert_eq!(report.capture.method, CaptureMethod::Counters);
    assert!(report.flows.is_empty());
    let loopback = report
        .interfaces
        .iter()
        .find(|i| i.facts.name == "lo")
        .unwrap();
    assert!(
        loopback.kernel.is_some(),
        "the first report already has a change to tell"
    );
    let windows: Vec<_> = received
        .iter()
        .filter_map(|r| r.report())
        .map(|report| report.window)
        .collect();
    assert!(
        windows
            .iter()
            .all(|window| window.duration() > Duration::ZERO)
    );
    agent.stop();
}

#[test]
fn the_end_sends_the_open_interval() {
    for signal in ["TERM", "INT"] {
        let collector = Collector::start(None);
        let mut agent = Agent::start(&collector.url(), &["--interval", "300s"]);
        collector.wait_for(1);
        agent.signal(signal);
        let status = agent.wait();
        assert!(status.success(), "{signal}: {status}: {}", agent.log());
        let reports = collector.reports();
        assert_eq!(reports.len(), 1, "{signal}");
        assert!(reports[0].window.duration() < Duration::from_secs(300));
    }
}

#[test]
fn the_end_does_not_wait_for_a_collector_that_is_away() {
    let nowhere = format!("http://{}", Collector::nowhere());
    let mut agent = Agent::start(&nowhere, &COUNTERS);
    wait_for("the loss to be logged", || {
        agent.log().contains("delivery fails").then_some(())
    });
    agent.signal("TERM");
    assert!(agent.wait().success());
    assert!(
        agent.log().contains("were not delivered"),
        "{}",
        agent.log()
    );
}

#[test]
fn a_collector_that_comes_later_gets_everything() {
    let address = Collector::nowhere();
    let agent = Agent::start(&format!("http://{address}"), &COUNTERS);
    wait_for("the loss to be logged", || {
        agent.log().contains("delivery fails").then_some(())
    });
    std::thread::sleep(Duration::from_secs(2));
    let collector = Collector::listen(address, None);
    let received = collector.wait_for(5);
    assert_eq!(
        seqs(&received),
        (1..=received.len() as u64).collect::<Vec<_>>()
    );
    wait_for("the recovery to be logged", || {
        agent.log().contains("delivery goes on").then_some(())
    });
    let log = agent.log();
    assert_eq!(log.matches("delivery fails").count(), 1, "{log}");
    assert_eq!(log.matches("delivery goes on").count(), 1, "{log}");
    agent.stop();
}

#[test]
fn a_killed_agent_starts_again_as_itself() {
    let collector = Collector::start(None);
    let agent = Agent::start(&collector.url(), &COUNTERS);
    let before = collector.wait_for(2);
    let folder = agent.kill();
    let known = collector.received().len();
    let agent = Agent::start_in(folder, &collector.url(), &COUNTERS);
    let after = collector.wait_for(known + 2).split_off(known);
    assert_eq!(after[0].authorization, before[0].authorization);
    assert_ne!(after[0].record.epoch, before[0].record.epoch);
    assert_eq!(after[0].record.seq, 1);
    agent.stop();
}

#[test]
fn the_collector_of_the_enrolment_is_used_and_the_credential_never_shown() {
    let collector = Collector::start(Some(CREDENTIAL));
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    enrol_by_hand(&data, &collector.url());
    let mut command = Agent::command(&data);
    command.args(["--interval", "1s", "--log", "trace"]);
    let agent = Agent::spawn(folder, command);
    collector.wait_for(2);
    assert!(!agent.log().contains(CREDENTIAL));
    agent.stop();
}

#[test]
fn an_unknown_credential_is_told_and_reports_are_kept() {
    let collector = Collector::start(Some("another"));
    let agent = Agent::start(&collector.url(), &COUNTERS);
    wait_for("the refusal", || {
        agent.log().contains("must enrol again").then_some(())
    });
    assert!(collector.received().is_empty());
    agent.stop();
}

#[test]
fn without_privilege_flows_are_seen_through_sock_diag_and_the_report_says_so() {
    let collector = Collector::start(None);
    let (folder, mut command) = as_nobody();
    let grant = format!(
        "sudo setcap cap_net_raw+ep {}",
        folder.path().join("bwmon-agent").display()
    );
    command.args(["--interval", "1s", "--collector", &collector.url()]);
    let agent = Agent::spawn(folder, command);
    let capture = collector.first_report().capture;
    assert_eq!(capture.method, CaptureMethod::SockDiag);
    let note = capture.note.expect("a note");
    assert!(
        note.starts_with("TCP only") && note.ends_with(&grant),
        "{note}"
    );
    assert!(agent.log().contains(&grant), "{}", agent.log());
    agent.stop();
}

#[test]
fn interfaces_are_left_out_by_glob() {
    let collector = Collector::start(None);
    let mut flags = COUNTERS.to_vec();
    flags.extend(["--interfaces-exclude", "nothing-like-it,l?"]);
    let agent = Agent::start(&collector.url(), &flags);
    let received = collector.wait_for(2);
    assert!(!interface_names(&received[1]).contains(&"lo"));
    agent.stop();

    let mut flags = COUNTERS.to_vec();
    flags.extend(["--interfaces-include", "l*"]);
    let agent = Agent::start(&collector.url(), &flags);
    let known = collector.received().len();
    let received = collector.wait_for(known + 2);
    assert_eq!(interface_names(received.last().unwrap()), ["lo"]);
    agent.stop();
}

#[test]
fn a_glob_without_a_match_is_told_and_the_agent_goes_on() {
    let collector = Collector::start(None);
    let agent = Agent::start(
        &collector.url(),
        &["--capture-interfaces", "nothing-like-it*"],
    );
    let capture = collector.first_report().capture;
    assert!(!capture.method.sees_frames());
    let note = capture.note.expect("a note");
    assert!(
        note.contains("nothing-like-it*") && note.contains("lo"),
        "{note}"
    );
    agent.stop();
}

#[test]
fn reports_can_be_printed_instead_and_the_end_of_the_reader_is_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Agent::command(&folder.path().join("data"));
    command
        .args(["--stdout", "--interval", "1s"])
        .args(COUNTERS)
        .stdout(Stdio::piped());
    let mut agent = Agent::spawn(folder, command);
    let mut lines = BufReader::new(agent.child().stdout.take().unwrap()).lines();
    for seq in 1..=2 {
        let line = lines.next().unwrap().unwrap();
        assert_eq!(
            serde_json::from_str::<Record>(&line).unwrap().seq,
            seq,
            "{line}"
        );
    }
    drop(lines);
    assert!(agent.wait().success(), "{}", agent.log());
    assert!(!agent.log().contains("panicked"));
}

#[test]
fn a_closed_standard_error_does_not_end_the_agent() {
    let collector = Collector::start(None);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    enrol_by_hand(&data, &collector.url());
    let mut command = Agent::command(&data);
    command.args(["--interval", "1s"]).args(COUNTERS);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    collector.wait_for(3);
    assert!(child.try_wait().unwrap().is_none(), "the agent ended");
    child.kill().unwrap();
    child.wait().unwrap();
}
