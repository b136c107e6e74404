//! `bwmon-agent top`: what it prints and shows, against real traffic and in a real pseudo terminal.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod agent_support;
#[allow(dead_code)]
#[path = "support/lab.rs"]
mod lab;
mod terminal;
#[allow(dead_code)]
#[path = "support/traffic.rs"]
mod traffic;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use agent_support::{Agent, as_nobody, wait_for};
use bwmon_core::testkit::namespace;
use lab::{CABLE, THERE, in_lab};
use terminal::PseudoTerminal;
use traffic::{udp_headers, udp_send};

const DATAGRAMS: usize = 200;
const DATAGRAM: usize = 1_000;

fn top(arguments: &[&str]) -> Command {
    let mut command = Agent::command(std::path::Path::new("/nonexistent"));
    command.arg("top").args(arguments);
    command
}

fn run(arguments: &[&str]) -> (Output, String, String) {
    let output = Agent::output(top(arguments));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    (output, stdout, stderr)
}

/// The cells of the row that starts with `name`.
fn row<'a>(text: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let cells = |line: &'a str| line.split_whitespace().collect::<Vec<_>>();
    text.lines()
        .map(cells)
        .find(|cells| cells.first() == Some(&name))
}

/// Datagrams to the peer until it is dropped.
struct Stream {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Stream {
    fn start() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                udp_send(THERE.0.into(), 1, DATAGRAM);
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self {
            is_over,
            thread: Some(thread),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_batch_of_two_shows_the_peer_with_its_bytes() {
    in_lab("a_batch_of_two_shows_the_peer_with_its_bytes", || {
        let stream = Stream::start();
        let (output, text, errors) = run(&["--batch", "2", "--refresh", "500ms"]);
        drop(stream);
        assert!(output.status.success(), "{errors}");
        let refreshes: Vec<&str> = text.split("bwmon top: ").skip(1).collect();
        assert_eq!(refreshes.len(), 2, "{text}");
        assert!(refreshes[1].contains(&format!("on {CABLE} through af_packet, refresh 2")));

        let peer = row(refreshes[1], &THERE.0.to_string()).expect("a row of the peer");
        let numbers: Vec<u64> = peer[1..].iter().map(|cell| cell.parse().unwrap()).collect();
        let [_, sent_bps, _, sent_packets, _, sent_bytes] = numbers[..] else {
            panic!("six numbers: {peer:?}");
        };
        let datagram = DATAGRAM as u64 + udp_headers(THERE.0.into());
        assert!(sent_bps > 0 && sent_packets > 0, "{text}");
        assert_eq!(sent_bytes % datagram, 0, "whole datagrams: {text}");

        let interface = row(refreshes[1], CABLE).expect("a row of the interface");
        assert_eq!(interface[1], "up,_captured", "{text}");
    });
}

#[test]
fn bytes_since_the_start_are_exact_and_the_kernel_agrees() {
    in_lab(
        "bytes_since_the_start_are_exact_and_the_kernel_agrees",
        || {
            let mut command = top(&["--batch", "1000", "--refresh", "200ms", "--view", "peers"]);
            let mut child = Killed(command.stdout(Stdio::piped()).spawn().unwrap());
            let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
            // From here on everything counts.
            while !lines.next().unwrap().unwrap().contains("refresh 1,") {}
            udp_send(THERE.0.into(), DATAGRAMS, DATAGRAM);
            let datagram = DATAGRAM as u64 + udp_headers(THERE.0.into());
            let expected = (DATAGRAMS as u64 * datagram).to_string();
            let mut kernel = String::new();
            for line in lines.map(Result::unwrap) {
                if line.starts_with("kernel counted: ") {
                    kernel.clone_from(&line);
                }
                let cells: Vec<&str> = line.split_whitespace().collect();
                let is_peer = cells.first() == Some(&THERE.0.to_string().as_str());
                if is_peer && cells.last() == Some(&expected.as_str()) {
                    // What carries no IP (a few bytes of ARP) may be missing, and nothing else.
                    assert!(
                        kernel.contains(" >99.9 % attributed")
                            || kernel.contains(" 100 % attributed"),
                        "{kernel}"
                    );
                    return;
                }
                let is_last = line.contains("refresh 999,");
                assert!(!is_last, "{expected} bytes never came");
            }
            panic!("it ended early");
        },
    );
}

#[test]
fn a_filter_leaves_rows_out_and_no_total() {
    in_lab("a_filter_leaves_rows_out_and_no_total", || {
        let stream = Stream::start();
        let arguments = [
            "--once",
            "--view",
            "peers",
            "--interface",
            CABLE,
            "--filter",
        ];
        let with = |filter| run(&[arguments.as_slice(), &[filter]].concat()).1;
        let (some, none) = (with("udp and port 7002"), with("port 9"));
        drop(stream);
        assert!(row(&some, &THERE.0.to_string()).is_some(), "{some}");
        assert!(row(&none, &THERE.0.to_string()).is_none(), "{none}");
        let sent = none
            .lines()
            .find(|line| line.starts_with("sent: "))
            .unwrap();
        assert!(!sent.starts_with("sent: 0 bit/s"), "{none}");
    });
}

#[test]
fn in_a_terminal_it_shows_a_row_and_gives_the_terminal_back() {
    in_lab(
        "in_a_terminal_it_shows_a_row_and_gives_the_terminal_back",
        || {
            for end in ["q", "\u{3}", "\u{1b}"] {
                let _stream = Stream::start();
                let mut terminal = PseudoTerminal::open(100, 30);
                let before = terminal.modes();
                terminal.spawn(top(&["--interface", CABLE]));
                terminal.wait_for(&THERE.0.to_string());
                assert_ne!(terminal.modes(), before, "keys come one by one");
                terminal.type_in(end);
                let status = terminal.wait();
                assert!(status.success(), "{end:?}: {status}");
                assert_eq!(terminal.modes(), before, "{end:?}");
                assert!(terminal.is_given_back(), "{end:?}");
            }
        },
    );
}

#[test]
fn signals_end_it_well_and_give_the_terminal_back() {
    in_lab("signals_end_it_well_and_give_the_terminal_back", || {
        for signal in ["TERM", "INT", "HUP"] {
            let _stream = Stream::start();
            let mut terminal = PseudoTerminal::open(80, 24);
            let before = terminal.modes();
            terminal.spawn(top(&["--interface", CABLE]));
            terminal.wait_for(&THERE.0.to_string());
            namespace::sh(&format!("kill -s {signal} {}", terminal.id()));
            let status = terminal.wait();
            assert!(status.success(), "{signal}: {status}");
            assert_eq!(terminal.modes(), before, "{signal}");
            assert!(terminal.is_given_back(), "{signal}");
        }
    });
}

#[test]
fn it_paints_anew_and_can_be_suspended() {
    in_lab("it_paints_anew_and_can_be_suspended", || {
        let _stream = Stream::start();
        let mut terminal = PseudoTerminal::open(80, 24);
        let before = terminal.modes();
        terminal.spawn(top(&["--interface", CABLE]));
        terminal.wait_for(&THERE.0.to_string());
        terminal.forget();
        terminal.type_in("\u{c}");
        terminal.wait_for(&THERE.0.to_string());
        terminal.type_in("\u{1a}");
        terminal.wait_until_stopped();
        assert_eq!(terminal.modes(), before, "the shell gets its terminal");
        terminal.forget();
        namespace::sh(&format!("kill -s CONT {}", terminal.id()));
        terminal.wait_for(&THERE.0.to_string());
        assert_ne!(terminal.modes(), before);
        terminal.type_in("q");
        assert!(terminal.wait().success());
        assert_eq!(terminal.modes(), before);
    });
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let (output, text, errors) = run(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.is_empty());
    assert!(
        errors.contains("no terminal") && errors.contains("--once"),
        "{errors}"
    );
}

#[test]
fn without_privilege_it_falls_back_to_sock_diag_and_says_so() {
    let (folder, mut command) = as_nobody();
    let output = command.args(["top", "--once"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("through sock_diag"), "{text}");
    let grant = format!(
        "sudo setcap cap_net_raw+ep {}",
        folder.path().join("bwmon-agent").display()
    );
    assert!(
        text.contains("note: TCP only") && text.contains(&grant),
        "{text}"
    );
}

#[test]
fn where_the_wanted_way_is_refused_it_ends_with_what_grants_it() {
    let (_folder, mut command) = as_nobody();
    let flags = ["top", "--once", "--capture-method", "af_packet"];
    let output = command.args(flags).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("sudo setcap cap_net_raw+ep"), "{errors}");
}

#[test]
fn what_cannot_be_meant_is_refused_with_the_reason() {
    let (output, _, errors) = run(&["--once", "--interface", "nothing0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors.contains("nothing0") && errors.contains("lo"),
        "{errors}"
    );

    let (output, _, errors) = run(&["--once", "--filter", "prot 443"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors.contains("prot 443\n^^^^"), "{errors}");

    let (output, _, errors) = run(&["--once", "--refresh", "1ms"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors.contains("200ms to 1m"), "{errors}");
}
