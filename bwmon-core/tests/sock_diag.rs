//! The sock_diag collector against this kernel: payload bytes to the byte.
#![cfg(all(feature = "sock_diag", target_os = "linux"))]
// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]
// Opens sockets and files, which nothing in the crate itself may do.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use bwmon_core::collector::{Collector, InterfaceEvent, Observer};
use bwmon_core::collectors::sock_diag::{SockDiag, SockDiagConfig};
use bwmon_core::flow::FlowKey;
use bwmon_core::frame::{Frame, InterfaceId, PerDirection, Tally};
use bwmon_core::report::ProbeResult;
use bwmon_core::sample::HostSample;
use bwmon_core::testkit::namespace::{in_network, sh};
use bwmon_core::time::Timestamp;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

#[derive(Default)]
struct Sums(BTreeMap<(SocketAddr, SocketAddr), PerDirection<Tally>>);

impl Observer for Sums {
    fn frame(&mut self, _: Frame<'_>) {
        panic!("no frames");
    }
    fn flow(
        &mut self,
        _: Timestamp,
        interface: Option<InterfaceId>,
        key: FlowKey,
        delta: PerDirection<Tally>,
    ) {
        assert_eq!((interface, key.protocol), (None, 6));
        assert!(!delta.is_empty());
        let address = |end: bwmon_core::flow::Endpoint| SocketAddr::new(end.address, end.port);
        let ends = (address(key.local), address(key.remote));
        self.0.entry(ends).or_default().add(delta);
    }
    fn interface(&mut self, _: Timestamp, _: InterfaceEvent) {
        panic!("no interfaces");
    }
    fn sample(&mut self, _: Timestamp, _: HostSample) {
        panic!("no samples");
    }
    fn probe(&mut self, _: Timestamp, _: ProbeResult) {
        panic!("no probes");
    }
}

impl Sums {
    fn collect(&mut self, source: &mut SockDiag) {
        source.collect(Duration::from_millis(20), self).unwrap();
    }

    /// Collects until `is_done`, for a while: the kernel tells of closed sockets when it finds the
    /// time. Then once more, for what would be counted twice.
    fn settle(&mut self, source: &mut SockDiag, is_done: impl Fn(&Self) -> bool) {
        for _ in 0..250 {
            self.collect(source);
            if is_done(self) {
                break;
            }
        }
        self.collect(source);
    }

    /// Received and sent payload bytes of one connection.
    fn bytes(&self, local: SocketAddr, remote: SocketAddr) -> (u64, u64) {
        let traffic = self.0.get(&(local, remote)).copied().unwrap_or_default();
        (traffic.ingress.bytes, traffic.egress.bytes)
    }

    fn total(&self) -> (u64, u64) {
        let sum = |side: fn(&PerDirection<Tally>) -> u64| self.0.values().map(side).sum();
        (sum(|t| t.ingress.bytes), sum(|t| t.egress.bytes))
    }
}

/// Where a socket lives: in the namespace of the test, which is observed, or in the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Here,
    There,
}

/// Joins a second namespace with a veth pair.
fn build_network() {
    sh("ip netns add there
         ip link add veth0 type veth peer name veth1 netns there
         ip addr add 192.0.2.1/24 dev veth0
         ip -6 addr add 2001:db8::1/64 dev veth0 nodad
         ip link set veth0 up
         ip -n there addr add 192.0.2.2/24 dev veth1
         ip -n there -6 addr add 2001:db8::2/64 dev veth1 nodad
         ip -n there link set veth1 up
         ip -n there link set lo up");
}

/// Runs `f` on `side`; sockets stay where they were made.
fn on<T: Send>(side: Side, f: impl FnOnce() -> T + Send) -> T {
    if side == Side::Here {
        return f();
    }
    let inside = || {
        let namespace = File::open("/run/netns/there").unwrap();
        move_into_link_name_space(
            std::os::fd::AsFd::as_fd(&namespace),
            Some(LinkNameSpaceType::Network),
        )
        .unwrap();
        f()
    };
    thread::scope(|scope| scope.spawn(inside).join().unwrap())
}

/// A connection: its end here and its end there.
fn connect(client: Side, ipv6: bool) -> (TcpStream, TcpStream) {
    let server = if client == Side::Here {
        Side::There
    } else {
        Side::Here
    };
    let address = match (server, ipv6) {
        (Side::Here, false) => "192.0.2.1",
        (Side::Here, true) => "2001:db8::1",
        (Side::There, false) => "192.0.2.2",
        (Side::There, true) => "2001:db8::2",
    };
    let address: IpAddr = address.parse().unwrap();
    let listener = on(server, || TcpListener::bind((address, 0)).unwrap());
    let target = listener.local_addr().unwrap();
    let opened = on(client, || TcpStream::connect(target).unwrap());
    let (accepted, _) = listener.accept().unwrap();
    match client {
        Side::Here => (opened, accepted),
        Side::There => (accepted, opened),
    }
}

fn transfer(from: &TcpStream, to: &TcpStream, bytes: usize) {
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut from = from;
            from.write_all(&vec![7; bytes]).unwrap();
        });
        let mut to = to;
        to.read_exact(&mut vec![0; bytes]).unwrap();
    });
}

fn read_end(stream: &TcpStream) {
    let mut stream = stream;
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "end of file");
}

fn abort(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    drop(stream);
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    HereFirst,
    HereFirstWithoutWaiting,
    HereFirstThereLater,
    ThereFirst,
    ThereFirstUnread,
    HereHalfCloses,
    ThereHalfCloses,
    BothHalfClose,
    HereAborts,
    ThereAborts,
    HereLeavesUnread,
}

const ENDINGS: [Ending; 11] = [
    Ending::HereFirst,
    Ending::HereFirstWithoutWaiting,
    Ending::HereFirstThereLater,
    Ending::ThereFirst,
    Ending::ThereFirstUnread,
    Ending::HereHalfCloses,
    Ending::ThereHalfCloses,
    Ending::BothHalfClose,
    Ending::HereAborts,
    Ending::ThereAborts,
    Ending::HereLeavesUnread,
];

/// Ends a connection; returns the payload bytes that moved on the way: received here, sent here.
fn end(ending: Ending, here: TcpStream, there: TcpStream, mut between: impl FnMut()) -> (u64, u64) {
    match ending {
        Ending::HereFirst => {
            drop(here);
            read_end(&there);
        }
        Ending::HereFirstWithoutWaiting => drop((here, there)),
        Ending::HereFirstThereLater => {
            drop(here);
            read_end(&there);
            thread::sleep(Duration::from_millis(120)); // beyond the delayed acknowledgement
            between();
            drop(there);
        }
        Ending::ThereFirst => {
            drop(there);
            read_end(&here);
        }
        Ending::ThereFirstUnread => {
            drop(there);
            thread::sleep(Duration::from_millis(20));
            drop(here);
        }
        Ending::HereHalfCloses => {
            here.shutdown(Shutdown::Write).unwrap();
            read_end(&there);
            transfer(&there, &here, 77);
            between();
            drop(there);
            read_end(&here);
            return (77, 0);
        }
        Ending::ThereHalfCloses => {
            there.shutdown(Shutdown::Write).unwrap();
            read_end(&here);
            transfer(&here, &there, 78);
            between();
            drop(here);
            read_end(&there);
            return (0, 78);
        }
        Ending::BothHalfClose => {
            here.shutdown(Shutdown::Write).unwrap();
            there.shutdown(Shutdown::Write).unwrap();
            read_end(&here);
            read_end(&there);
        }
        Ending::HereAborts => abort(here),
        Ending::ThereAborts => {
            abort(there);
            let mut here = &here;
            here.read(&mut [0; 1]).unwrap_err();
        }
        Ending::HereLeavesUnread => {
            let mut sender = &there;
            sender.write_all(&[1; 79]).unwrap();
            here.peek(&mut [0; 1]).unwrap();
            drop(here);
            return (79, 0);
        }
    }
    (0, 0)
}

/// One connection of the matrix: how much is too much or missing.
fn check(client: Side, ipv6: bool, ending: Ending, is_seen_alive: bool) -> Option<String> {
    let mut source = SockDiag::open().unwrap();
    let mut sums = Sums::default();
    let (here, there) = connect(client, ipv6);
    let (local, remote) = (here.local_addr().unwrap(), here.peer_addr().unwrap());
    transfer(&here, &there, 1_000);
    transfer(&there, &here, 300_000);
    if is_seen_alive {
        sums.collect(&mut source);
        assert_eq!(sums.bytes(local, remote), (300_000, 1_000));
    }
    transfer(&here, &there, 20);
    let (received, sent) = end(ending, here, there, || {
        sums.settle(&mut source, |sums| sums.bytes(local, remote).1 >= 1_020);
    });
    let expected = match (ending, is_seen_alive) {
        // The kernel clears the counters of a socket that its program aborts.
        (Ending::HereAborts, false) => (0, 0),
        (Ending::HereAborts, true) => (300_000, 1_000),
        _ => (300_000 + received, 1_020 + sent),
    };
    sums.settle(&mut source, |sums| sums.bytes(local, remote) == expected);
    let counted = sums.bytes(local, remote);
    let is_alone = sums.0.keys().all(|ends| *ends == (local, remote));
    (counted != expected || !is_alone).then(|| {
        format!("{client:?} v6={ipv6} {ending:?} alive={is_seen_alive}: {counted:?} {expected:?}")
    })
}

#[test]
fn payload_is_exact_whoever_closes_and_however() {
    in_network("payload_is_exact_whoever_closes_and_however", || {
        build_network();
        let mut wrong = Vec::new();
        for ending in ENDINGS {
            for client in [Side::Here, Side::There] {
                for ipv6 in [false, true] {
                    for is_seen_alive in [false, true] {
                        wrong.extend(check(client, ipv6, ending, is_seen_alive));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}

#[test]
fn short_connections_between_two_readings_are_counted_once() {
    in_network(
        "short_connections_between_two_readings_are_counted_once",
        || {
            build_network();
            let mut source = SockDiag::open().unwrap();
            let mut sums = Sums::default();
            let mut expected = (0, 0);
            let mut open = Vec::new();
            for round in 0..300_usize {
                let client = if round % 2 == 0 {
                    Side::Here
                } else {
                    Side::There
                };
                let (here, there) = connect(client, round % 3 == 0);
                transfer(&here, &there, round * 7);
                transfer(&there, &here, round * 11);
                expected = (
                    expected.0 + round as u64 * 11,
                    expected.1 + round as u64 * 7,
                );
                if round % 10 == 0 {
                    open.push((here, there)); // crosses readings
                } else {
                    end(Ending::HereFirst, here, there, || ());
                }
                if round % 100 == 99 {
                    sums.collect(&mut source);
                }
            }
            for (here, there) in &open {
                transfer(here, there, 13);
                expected.1 += 13;
            }
            sums.settle(&mut source, |sums| sums.total() == expected);
            assert_eq!(sums.total(), expected, "with connections open");
            for (here, there) in open {
                transfer(&there, &here, 17);
                expected.0 += 17;
                end(Ending::ThereFirst, here, there, || ());
            }
            sums.settle(&mut source, |sums| sums.total() == expected);
            assert_eq!(sums.total(), expected);
            assert_eq!(sums.0.len(), 300);
            assert_plausible(&source, &sums, 300);
        },
    );
}

/// Each of `connections` has packets, and none was lost.
fn assert_plausible(source: &SockDiag, sums: &Sums, connections: u64) {
    let packets = sums.0.values();
    let packets: Vec<_> = packets
        .map(|tally| tally.ingress.packets.min(tally.egress.packets))
        .collect();
    let is_plausible = |packets: &u64| (2..10_000).contains(packets);
    assert!(packets.iter().all(is_plausible), "{packets:?}");
    let losses = source.losses();
    let [loss] = losses.sources.as_slice() else {
        panic!("{losses:?}")
    };
    assert_eq!((loss.source.as_str(), loss.dropped), ("sock_diag", 0));
    assert!(loss.received >= connections);
}

#[test]
fn connections_that_exist_already_count_from_the_opening_on() {
    in_network(
        "connections_that_exist_already_count_from_the_opening_on",
        || {
            build_network();
            let (here, there) = connect(Side::Here, false);
            let (silent, peer_of_silent) = connect(Side::There, true);
            let (reset, aborting) = connect(Side::Here, true);
            for (here, there) in [
                (&here, &there),
                (&silent, &peer_of_silent),
                (&reset, &aborting),
            ] {
                transfer(here, there, 5_000);
                transfer(there, here, 6_000);
            }
            abort(aborting); // `reset` is in no dump any more, but still has its descriptor
            thread::sleep(Duration::from_millis(50));
            let mut source = SockDiag::open().unwrap();
            let mut sums = Sums::default();
            sums.collect(&mut source);
            assert_eq!(sums.0.len(), 0, "{:?}", sums.0);
            transfer(&here, &there, 1);
            transfer(&there, &here, 2);
            let ends = (here.local_addr().unwrap(), here.peer_addr().unwrap());
            drop(reset);
            end(Ending::ThereFirst, silent, peer_of_silent, || ());
            end(Ending::HereFirst, here, there, || ());
            sums.settle(&mut source, |sums| sums.total() == (2, 1));
            assert_eq!(sums.bytes(ends.0, ends.1), (2, 1));
            assert_eq!(
                sums.total(),
                (2, 1),
                "the others moved no payload: {:?}",
                sums.0
            );
        },
    );
}

#[test]
fn an_overflow_of_the_kernels_buffer_is_counted_and_survived() {
    in_network(
        "an_overflow_of_the_kernels_buffer_is_counted_and_survived",
        || {
            let mut config = SockDiagConfig::default();
            config.buffer_bytes = 4 << 10;
            config.within_host = true;
            let mut source = SockDiag::open_with(&config).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let connect = || {
                let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                (client, listener.accept().unwrap().0)
            };
            for _ in 0..200 {
                drop(connect());
            }
            let mut sums = Sums::default();
            for _ in 0..250 {
                sums.collect(&mut source);
                if source.losses().sources.iter().any(|loss| loss.dropped > 0) {
                    break;
                }
            }
            let losses = source.losses();
            assert!(
                losses.sources.iter().all(|loss| loss.dropped > 0),
                "{losses:?}"
            );
            let (client, server) = connect();
            let ends = (client.local_addr().unwrap(), client.peer_addr().unwrap());
            transfer(&client, &server, 42);
            drop((client, server));
            sums.settle(&mut source, |sums| sums.bytes(ends.0, ends.1) == (0, 42));
            assert_eq!(sums.bytes(ends.0, ends.1), (0, 42));
        },
    );
}

/// Counts a connection over loopback, between an IPv4 socket and one that listens on `[::]`.
fn check_loopback() {
    let mut config = SockDiagConfig::default();
    config.within_host = true;
    let mut source = SockDiag::open_with(&config).unwrap();
    let mut outward = SockDiag::open().unwrap();
    let mut sums = Sums::default();
    let listener = TcpListener::bind("[::]:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (server, _) = listener.accept().unwrap();
    assert!(
        server.local_addr().unwrap().is_ipv6(),
        "an IPv4 address mapped to IPv6"
    );
    let (local, remote) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
    transfer(&client, &server, 123_456);
    sums.collect(&mut source);
    transfer(&server, &client, 654_321);
    drop(client);
    read_end(&server);
    drop((server, listener));
    sums.settle(&mut source, |sums| {
        sums.bytes(local, remote).0 == 654_321 && sums.bytes(remote, local).1 == 654_321
    });
    assert_eq!(
        sums.bytes(local, remote),
        (654_321, 123_456),
        "as the client sees it"
    );
    assert_eq!(
        sums.bytes(remote, local),
        (123_456, 654_321),
        "as the server sees it"
    );
    let mut elsewhere = Sums::default();
    elsewhere.collect(&mut outward);
    assert_eq!(elsewhere.bytes(local, remote), (0, 0), "not asked for");
    assert_eq!(elsewhere.bytes(remote, local), (0, 0), "not asked for");
}

#[test]
fn both_ends_of_a_loopback_connection_are_told_as_ipv4() {
    check_loopback();
}

#[test]
fn an_ordinary_user_needs_no_privilege() {
    const UNPRIVILEGED: &str = "BWMON_TEST_UNPRIVILEGED";
    let is_root = rustix::process::geteuid().is_root();
    if std::env::var_os(UNPRIVILEGED).is_some() || !is_root {
        assert!(!is_root, "still root");
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        assert_eq!(effective.unwrap().trim(), "0000000000000000");
        check_loopback();
        return;
    }
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "an_ordinary_user_needs_no_privilege",
            "--nocapture",
        ])
        .env(UNPRIVILEGED, "1")
        .output()
        .expect("cannot run setpriv (package util-linux)");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
