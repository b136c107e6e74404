//! What an agent reports, and how it starts, goes on and ends.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod agent_support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use agent_support::{Agent, CREDENTIAL, Collector, Received, as_nobody, enrol_by_hand, wait_for};
use bwmon_core::report::{CaptureMethod, Record, RecordBody};
use bwmon_core::testkit::namespace;
use bwmon_sinks::spool::{Folder, look};

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
    assert!(agent.log().contains("stay in the spool"), "{}", agent.log());
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
    let sent: BTreeSet<u64> = seqs(&received).into_iter().collect();
    assert!((1..=5).all(|seq| sent.contains(&seq)), "{sent:?}");
    wait_for("the recovery to be logged", || {
        agent.log().contains("delivery goes on").then_some(())
    });
    let log = agent.log();
    assert_eq!(log.matches("delivery fails").count(), 1, "{log}");
    assert_eq!(log.matches("delivery goes on").count(), 1, "{log}");
    agent.stop();
}

#[test]
fn a_killed_agent_goes_on_as_itself() {
    let collector = Collector::start(None);
    let agent = Agent::start(&collector.url(), &COUNTERS);
    collector.wait_for(2);
    let folder = agent.kill();
    let before = collector.received();
    let known = before.len();
    let agent = Agent::start_in(folder, &collector.url(), &COUNTERS);
    let last = before.iter().map(|received| received.record.seq).max();
    let after = wait_for("a new record", || {
        let received = collector.received();
        let new = received.into_iter().skip(known);
        new.into_iter()
            .find(|r| r.report().is_some() && Some(r.record.seq) > last)
    });
    // What was acknowledged within the last second may come again, under its own number.
    assert_eq!(after.authorization, before[0].authorization);
    assert_eq!(after.record.epoch, before[0].record.epoch);
    agent.stop();
}

/// What a receiver has of one epoch: how often each number came, and which are named as gone.
fn ledger(received: &[Received]) -> (BTreeMap<u64, usize>, BTreeSet<u64>) {
    let (mut came, mut named) = (BTreeMap::new(), BTreeSet::new());
    for received in received {
        let record = &received.record;
        match &record.body {
            RecordBody::Dropped(dropped) => named.extend(dropped.from_seq..=record.seq),
            _ => *came.entry(record.seq).or_default() += 1,
        }
    }
    (came, named)
}

#[test]
fn an_outage_with_restarts_inside_loses_and_doubles_nothing() {
    let address = Collector::nowhere();
    let url = format!("http://{address}");
    let mut folder = tempfile::tempdir().unwrap();
    let mut spooled = 0;
    for is_killed in [true, false, true] {
        let agent = Agent::start_in(folder, &url, &COUNTERS);
        let data = agent.data().join("spool");
        spooled = wait_for("two more records in the spool", || {
            let waiting = look(&mut Folder::new(data.clone())).unwrap_or_default();
            (waiting.records >= spooled + 2).then_some(waiting.records)
        });
        folder = if is_killed {
            agent.kill()
        } else {
            agent.stop()
        };
    }
    let spool = folder.path().join("data/spool");
    let waiting = look(&mut Folder::new(spool)).unwrap().records;
    assert!(waiting >= spooled, "{waiting} of {spooled}");

    let collector = Collector::listen(address, None);
    let agent = Agent::start_in(folder, &url, &COUNTERS);
    let more = usize::try_from(waiting).unwrap() + 2;
    wait_for("everything to arrive", || {
        let (came, _) = ledger(&collector.received());
        (came.len() >= more).then_some(())
    });
    agent.stop();
    let received = collector.received();
    let (came, named) = ledger(&received);
    let epochs: BTreeSet<_> = received.iter().map(|r| r.record.epoch).collect();
    assert_eq!(epochs.len(), 1, "one epoch goes on over restarts");
    assert!(came.values().all(|times| *times == 1), "{came:?}");
    let last = *came.keys().next_back().unwrap();
    let hole = (1..=last).find(|seq| !came.contains_key(seq) && !named.contains(seq));
    assert_eq!(hole, None, "{came:?} {named:?}");
    assert!(came.keys().all(|seq| !named.contains(seq)), "{named:?}");
}

#[test]
fn without_a_place_for_its_spool_it_reports_from_memory_and_says_so() {
    let collector = Collector::start(None);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/spool"), "in the way").unwrap();
    let agent = Agent::start_in(folder, &collector.url(), &COUNTERS);
    collector.wait_for(3);
    let log = agent.log();
    assert_eq!(log.matches("held in memory").count(), 1, "{log}");
    agent.stop();
}

#[test]
fn a_full_disk_is_survived_and_used_again() {
    namespace::in_mounts("a_full_disk_is_survived_and_used_again", || {
        let (folder, disk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = disk.path().display();
        namespace::sh(&format!("mount -t tmpfs -o size=256k none {at}"));
        let (spool, filler) = (disk.path().join("spool"), disk.path().join("filler"));
        let nowhere = format!("http://{}", Collector::nowhere());
        let place = spool.to_str().unwrap();
        let flags = [COUNTERS.as_slice(), &["--spool-folder", place]].concat();
        let agent = Agent::start_in(folder, &nowhere, &flags);
        wait_for("reports on disk", || {
            let waiting = look(&mut Folder::new(spool.clone())).unwrap_or_default();
            (waiting.records >= 2).then_some(())
        });
        // What does not fit any more fails, and that is the point.
        assert!(fs::write(&filler, vec![0; 1 << 20]).is_err());
        wait_for("the full disk to be told", || {
            agent.log().contains("held in memory").then_some(())
        });
        fs::remove_file(&filler).unwrap();
        wait_for("the disk to be used again", || {
            agent.log().contains("can be used again").then_some(())
        });
        let folder = agent.stop();
        let waiting = look(&mut Folder::new(spool.clone())).unwrap();
        assert!(waiting.records >= 2, "{waiting:?}");

        // By another process, which has no long wait behind it.
        let collector = Collector::start(None);
        let agent = Agent::start_in(folder, &collector.url(), &flags);
        wait_for("all that was measured", || {
            let (came, named) = ledger(&collector.received());
            let last = *came.keys().next_back()?;
            let is_known = |seq| came.contains_key(&seq) || named.contains(&seq);
            let is_all = came.len() as u64 > waiting.records;
            (is_all && (1..=last).all(is_known)).then_some(())
        });
        agent.stop();
        namespace::sh(&format!("umount {at}"));
    });
}

/// Credential and spool are on a disk that cannot be written, as after an error of its own.
#[test]
fn a_read_only_disk_is_survived_and_used_when_it_can_be_written() {
    let test = "a_read_only_disk_is_survived_and_used_when_it_can_be_written";
    namespace::in_mounts(test, || {
        let (folder, disk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = disk.path().display();
        let collector = Collector::start(None);
        namespace::sh(&format!("mount -t tmpfs none {at}"));
        enrol_by_hand(disk.path(), &collector.url());
        namespace::sh(&format!("mount -o remount,ro {at}"));
        let mut command = Agent::command(disk.path());
        command.args(["--interval", "1s"]).args(COUNTERS);
        let agent = Agent::spawn(folder, command);
        collector.wait_for(3);
        assert_eq!(agent.log().matches("held in memory").count(), 1);
        let second = Agent::output(Agent::command(disk.path()));
        let words = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(words.contains("another bwmon-agent runs"), "{words}");
        let mut doctor = Agent::command(disk.path());
        doctor.arg("doctor");
        let table = String::from_utf8(Agent::output(doctor).stdout).unwrap();
        assert!(table.contains("reports wait in memory"), "{table}");
        namespace::sh(&format!("mount -o remount,rw {at}"));
        wait_for("the disk to be used", || {
            agent.log().contains("can be used again").then_some(())
        });
        let before = collector.received().len();
        let received = collector.wait_for(before + 2);
        assert!(
            look(&mut Folder::new(disk.path().join("spool")))
                .unwrap()
                .epoch
                .is_some()
        );
        agent.stop();
        let epochs: BTreeSet<_> = received.iter().map(|r| r.record.epoch).collect();
        let numbers = (1..=received.len() as u64).collect::<Vec<_>>();
        assert_eq!((epochs.len(), seqs(&received)), (1, numbers));
        namespace::sh(&format!("umount {at}"));
    });
}

/// Bytes are flipped in the files of a spool, or they are cut: the agent reports again, and whatever is
/// gone has a name.
#[test]
fn a_damaged_spool_is_survived_and_what_is_lost_is_named() {
    for (kind, is_cut) in [("core-", false), ("core-", true), ("state-", false)] {
        let nowhere = format!("http://{}", Collector::nowhere());
        let agent = Agent::start(&nowhere, &COUNTERS);
        let spool = agent.data().join("spool");
        wait_for("reports on disk", || {
            let waiting = look(&mut Folder::new(spool.clone())).unwrap_or_default();
            (waiting.records >= 3).then_some(())
        });
        let folder = agent.stop();
        assert!(damage(&folder.path().join("data/spool"), kind, is_cut) > 0);
        let collector = Collector::start(None);
        let agent = Agent::start_in(folder, &collector.url(), &COUNTERS);
        let whole = |received: &[Received]| {
            let (came, named) = ledger(received);
            let known = |seq| came.contains_key(&seq) || named.contains(&seq);
            came.len() >= 2 && (1..=*came.keys().next_back().unwrap()).all(known)
        };
        wait_for("new reports, and a word on the old ones", || {
            let received = collector.received();
            let epochs: BTreeSet<_> = received.iter().map(|r| r.record.epoch).collect();
            let of = |epoch| -> Vec<Received> {
                let of_epoch = received.iter().filter(|r| r.record.epoch == epoch);
                of_epoch.cloned().collect()
            };
            let all_whole = !epochs.is_empty() && epochs.into_iter().all(|epoch| whole(&of(epoch)));
            all_whole.then_some(())
        });
        agent.stop();
    }
}

/// Damages the files of a kind, each in its middle; says how many.
fn damage(spool: &Path, kind: &str, is_cut: bool) -> usize {
    let mut damaged = 0;
    for entry in fs::read_dir(spool).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with(kind) {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            match is_cut {
                true => bytes.truncate(middle),
                false => bytes[middle] ^= 0x10,
            }
            fs::write(&path, bytes).unwrap();
            damaged += 1;
        }
    }
    damaged
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
