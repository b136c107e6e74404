//! A collector that takes connections and never answers.

use std::fs::{self, File};
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bwmon_core::report::{Record, RecordBody};
use bwmon_core::testkit::namespace;

use super::emitter::{EMITTED, wait_for_fates};
use super::lab::Lab;
use super::proxy::Fault;
use super::scale;
use super::support::product::Running;
use super::support::wait::wait_for;

/// How much an agent may grow meanwhile, in KiB.
const MOST_GROWTH_KIB: u64 = 16 << 10;
/// Reports within an hour, one every two seconds.
const AN_HOUR: usize = 1_800;

/// The real agent captures on while nobody answers: it neither grows nor comes late, and afterwards all
/// arrives.
#[test]
fn an_agent_captures_on_while_its_collector_never_answers() {
    namespace::in_network(
        "hole::an_agent_captures_on_while_its_collector_never_answers",
        || {
            let hole = Duration::from_secs(scale::of("BWMON_SOAK_HOLE_S", 12, 600));
            let mut lab = Lab::new();
            let reports = lab.agent_data().join("reports.jsonl");
            let agent = capturing_agent(&lab, &reports);
            let is_over = AtomicBool::new(false);
            let (before, after) = thread::scope(|scope| {
                scope.spawn(|| send_until(&is_over));
                wait_for("the first reports", || {
                    (windows(&reports).len() > 3).then_some(())
                });
                lab.proxy.always(Fault::BlackHole);
                thread::sleep(Duration::from_secs(2));
                let before = resident_kib(agent.id());
                thread::sleep(hole);
                let after = resident_kib(agent.id());
                lab.proxy.always(Fault::None);
                is_over.store(true, Ordering::Relaxed);
                (before, after)
            });
            let mut lateness = windows(&reports);
            lateness.sort_unstable();
            let p99 = lateness[(lateness.len() * 99).div_ceil(100) - 1];
            scale::say(&format!(
                "{hole:?} without an answer: agent from {before} to {after} KiB, {} windows, p99 {p99} us beside a second",
                lateness.len()
            ));
            assert!(after.saturating_sub(before) <= MOST_GROWTH_KIB);
            // Its next try may be minutes away. Killed and started again, it tries at once.
            agent.kill();
            let last = reported(&reports);
            lab.start_agent();
            wait_for("everything to arrive", || {
                (lab.ledger_of(&lab.agent_data()).records() >= last).then_some(())
            });
            lab.end();
            lab.whole_ledger_of_agent();
        },
    );
}

/// As many reports as an hour has, as fast as an emitter says them.
#[test]
fn an_hour_of_reports_without_an_answer_waits_on_disk_and_not_in_memory() {
    let count: usize = scale::of("BWMON_SOAK_HOLE_REPORTS", 600, AN_HOUR);
    let mut lab = Lab::new();
    lab.start_emitter();
    wait_for_fates(&lab.emitter_data(), 20);
    lab.proxy.always(Fault::BlackHole);
    thread::sleep(Duration::from_secs(1));
    let emitted = || lines(&lab.emitter_data().join(EMITTED));
    let (first, before) = (emitted(), resident_kib(lab.emitter_id()));
    wait_for("an hour of reports", || {
        (emitted() >= first + count).then_some(())
    });
    let after = resident_kib(lab.emitter_id());
    lab.proxy.always(Fault::None);
    wait_for_fates(&lab.emitter_data(), count);
    let balance = lab.settle();
    scale::say(&format!(
        "{count} reports without an answer: emitter from {before} to {after} KiB; {balance:?}"
    ));
    balance.assert_nothing_lost();
    assert!(after.saturating_sub(before) <= MOST_GROWTH_KIB);
}

/// An agent that captures on loopback and prints its reports to a file.
fn capturing_agent(lab: &Lab, reports: &Path) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bwmon-agent"));
    command
        .args(["run", "--interval", "1s", "--ping", "false", "--stdout"])
        .args([
            "--capture-interfaces",
            "lo",
            "--capture-method",
            "af_packet",
        ])
        .arg("--collector")
        .arg(format!("http://{}", lab.proxy.address()))
        .arg("--data-dir")
        .arg(lab.agent_data())
        .stdout(File::create(reports).unwrap());
    Running::spawn(command)
}

/// Some traffic: 500 datagrams a second.
fn send_until(is_over: &AtomicBool) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    while !is_over.load(Ordering::Relaxed) {
        // Nobody listens there, and a refusal is what the next call is told.
        let _ = socket.send_to(&[0; 500], "127.0.0.1:9");
        thread::sleep(Duration::from_millis(2));
    }
}

/// How far each window of a report is from a second, in microseconds.
fn windows(reports: &Path) -> Vec<u64> {
    let lengths = records(reports)
        .into_iter()
        .filter_map(|record| match record.body {
            RecordBody::Report(interval) => Some(interval.window.duration_us.abs_diff(1_000_000)),
            _ => None,
        });
    lengths.collect()
}

fn reported(reports: &Path) -> usize {
    records(reports).len()
}

/// Whole lines only: the last one may be on its way.
fn records(reports: &Path) -> Vec<Record> {
    let text = fs::read_to_string(reports).unwrap();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap().lines().count()
}

/// Memory that a process has, in KiB.
fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse().unwrap()
}
