//! What works, what does not, why, and what to do.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod agent_support;

use std::fs;
use std::process::{Command, Output};

use agent_support::{AGENT_ID, Agent, CREDENTIAL, Collector, as_nobody, enrol_by_hand};
use serde_json::Value;

fn doctor(mut command: Command, arguments: &[&str]) -> Output {
    command.arg("doctor").args(arguments);
    Agent::output(command)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON on standard output")
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {report}"))
}

#[test]
fn a_host_that_can_report_is_told_so_in_both_formats() {
    let collector = Collector::start(None);
    let folder = tempfile::tempdir().unwrap();
    enrol_by_hand(folder.path(), "http://127.0.0.1:9");
    let flags = ["--collector", &collector.url()];

    let output = doctor(Agent::command(folder.path()), &flags);
    let table = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{table}");
    for word in [
        "This host can report",
        "version 9.9.9",
        "Interfaces",
        "lo",
        "loopback",
        "Mount",
    ] {
        assert!(table.contains(word), "{word}: {table}");
    }
    assert!(table.lines().all(|line| line.trim_end() == line), "{table}");

    let output = doctor(
        Agent::command(folder.path()),
        &["--format", "json", flags[0], flags[1]],
    );
    assert!(output.status.success());
    let report = json(&output);
    assert_eq!(report["can_report"], true);
    for name in [
        "host",
        "collector",
        "admission",
        "clock",
        "data folder",
        "sock_diag",
    ] {
        assert_eq!(check(&report, name)["status"], "ok", "{report}");
    }
    let interfaces = report["interfaces"].as_array().unwrap();
    assert!(
        interfaces
            .iter()
            .any(|i| i["name"] == "lo" && i["kind"] == "loopback")
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "doctor left something behind"
    );
}

#[test]
fn a_collector_that_is_away_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}", Collector::nowhere());
    let output = doctor(
        Agent::command(folder.path()),
        &["--format", "json", "--collector", &url],
    );
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    assert_eq!(report["can_report"], false);
    let collector = check(&report, "collector");
    assert_eq!(collector["status"], "failed");
    assert!(
        collector["advice"]
            .as_str()
            .unwrap()
            .contains("--collector")
    );
}

#[test]
fn the_credential_is_tried_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let examine = |accepted: &str| {
        let collector = Collector::start(Some(accepted));
        enrol_by_hand(folder.path(), &collector.url());
        let flags = ["--format", "json", "--log", "trace"];
        let output = doctor(Agent::command(folder.path()), &flags);
        let everything = [output.stdout.clone(), output.stderr.clone()].concat();
        assert!(!String::from_utf8_lossy(&everything).contains(CREDENTIAL));
        (output.status.code(), json(&output), collector.url())
    };
    let (code, report, url) = examine(CREDENTIAL);
    assert_eq!(code, Some(0), "{report}");
    let found = check(&report, "enrolment")["found"].as_str().unwrap();
    assert_eq!(found, format!("as agent {AGENT_ID} with {url}"));
    assert_eq!(report["agent_id"], AGENT_ID);
    assert_eq!(check(&report, "admission")["status"], "ok");
    assert_eq!(check(&report, "schema")["status"], "ok");

    let (code, report, _) = examine("another");
    assert_eq!(code, Some(1));
    let admission = check(&report, "admission");
    assert_eq!(admission["status"], "failed");
    let advice = admission["advice"].as_str().unwrap();
    assert!(advice.contains("bwmon-agent enrol"), "{advice}");
}

#[test]
fn an_agent_that_is_not_enrolled_is_told_how_to_enrol() {
    let folder = tempfile::tempdir().unwrap();
    let output = doctor(Agent::command(folder.path()), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    let advice = check(&report, "enrolment")["advice"].as_str().unwrap();
    assert!(
        advice.contains("bwmon-collector enrol-token") && advice.contains("bwmon-agent enrol"),
        "{advice}"
    );
    let offline = doctor(
        Agent::command(folder.path()),
        &["--format", "json", "--stdout"],
    );
    assert!(offline.status.success());
}

#[test]
fn missing_privilege_is_a_warning_with_the_command_that_grants_it() {
    let collector = Collector::start(None);
    let (folder, command) = as_nobody();
    let output = doctor(
        command,
        &["--format", "json", "--collector", &collector.url()],
    );
    let report = json(&output);
    assert!(output.status.success(), "{report}");
    let capability = check(&report, "capability");
    assert_eq!(capability["status"], "warning");
    let binary = folder.path().join("bwmon-agent");
    let grant = format!("sudo setcap cap_net_raw+ep {}", binary.display());
    assert_eq!(capability["advice"], grant.as_str());
    let capture = check(&report, "capture");
    assert_eq!(capture["status"], "warning");
    assert!(
        capture["found"].as_str().unwrap().contains("sock_diag"),
        "{report}"
    );
}

#[test]
fn what_run_would_refuse_is_failed() {
    let collector = Collector::start(None);
    for (flags, name) in [
        (["--capture-interfaces", "eth77"], "capture"),
        (["--data-dir", "/proc/bwmon-agent"], "data folder"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let url = collector.url();
        let arguments = [&flags[..], &["--format", "json", "--collector", &url]].concat();
        let output = doctor(Agent::command(folder.path()), &arguments);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert_eq!(check(&json(&output), name)["status"], "failed", "{name}");
    }
}
