//! Round trips in a network of the test's own: by ICMP of both kinds of socket, by TCP, and lost ones.
#![cfg(all(feature = "ping", target_os = "linux"))]
// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use std::net::IpAddr;
use std::time::Duration;

use bwmon_core::collector::{Collector, Progress};
use bwmon_core::collectors::ping::{MAX_TARGETS, Ping, PingConfig, PingTarget};
use bwmon_core::report::{ProbeKind, ProbeResult};
use bwmon_core::testkit::RecordingObserver;
use bwmon_core::testkit::namespace::{in_network, sh};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

/// Nobody listens there.
const PORT: u16 = 7;

fn target(address: &str) -> PingTarget {
    PingTarget {
        address: address.parse().unwrap(),
        port: PORT,
    }
}

fn ping(targets: &[&str]) -> Ping {
    let mut config = PingConfig::default();
    config.spacing = Duration::from_millis(10);
    config.timeout = Duration::from_millis(300);
    let mut ping = Ping::new(config);
    let targets: Vec<PingTarget> = targets.iter().map(|address| target(address)).collect();
    assert_eq!(ping.set_targets(&targets), 0);
    ping
}

/// Collects a little at a time until a round has come to its end.
fn round(ping: &mut Ping) -> Vec<ProbeResult> {
    let mut observer = RecordingObserver::default();
    loop {
        let progress = ping
            .collect(Duration::from_millis(5), &mut observer)
            .unwrap();
        if !observer.probes.is_empty() {
            assert_eq!(progress, Progress::Idle);
            return observer
                .probes
                .into_iter()
                .map(|(_, probe)| probe)
                .collect();
        }
    }
}

fn assert_answered(result: &ProbeResult, address: &str, kind: ProbeKind) {
    assert_eq!(result.target, address.parse::<IpAddr>().unwrap());
    assert_eq!(
        (result.kind, result.sent, result.lost),
        (kind, 3, 0),
        "{result:?}"
    );
    let (min, mean, max) = (
        result.min_us.unwrap(),
        result.mean_us.unwrap(),
        result.max_us.unwrap(),
    );
    assert!(min <= mean && mean <= max && max < 300_000, "{result:?}");
}

fn assert_lost(result: &ProbeResult, address: &str) {
    assert_eq!(result.target, address.parse::<IpAddr>().unwrap());
    assert_eq!((result.sent, result.lost), (3, 3), "{result:?}");
    assert_eq!(
        (result.min_us, result.mean_us, result.max_us),
        (None, None, None)
    );
}

const HERE: [&str; 2] = ["127.0.0.1", "::1"];
/// Routed to nowhere, and not routed at all.
const NOWHERE: [&str; 2] = ["192.0.2.1", "2001:db8::1"];

fn assert_a_round(kind: ProbeKind) {
    let mut ping = ping(&[HERE[0], NOWHERE[0], HERE[1], NOWHERE[1]]);
    let results = round(&mut ping);
    let [answered_v4, lost_v4, answered_v6, lost_v6] = results.as_slice() else {
        panic!("{results:?}");
    };
    assert_answered(answered_v4, HERE[0], kind);
    assert_lost(lost_v4, NOWHERE[0]);
    assert_answered(answered_v6, HERE[1], kind);
    assert_lost(lost_v6, NOWHERE[1]);
    // The next round is due in a minute.
    let mut observer = RecordingObserver::default();
    let progress = ping
        .collect(Duration::from_millis(20), &mut observer)
        .unwrap();
    assert_eq!((progress, observer.probes.len()), (Progress::Idle, 0));
}

/// As in every new network, datagram sockets are not for ICMP there.
fn network() {
    sh("ip route add blackhole 192.0.2.0/24");
}

#[test]
fn datagram_sockets_ping_where_the_system_permits_it() {
    in_network("datagram_sockets_ping_where_the_system_permits_it", || {
        network();
        sh("echo 0 0 >/proc/sys/net/ipv4/ping_group_range");
        assert_a_round(ProbeKind::Icmp);
    });
}

#[test]
fn raw_sockets_ping_with_the_capability() {
    in_network("raw_sockets_ping_with_the_capability", || {
        network();
        assert_a_round(ProbeKind::Icmp);
    });
}

#[test]
fn without_either_a_connection_tells_the_round_trip() {
    in_network("without_either_a_connection_tells_the_round_trip", || {
        network();
        let none = CapabilitySet::empty();
        let sets = CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        };
        set_capabilities(None, sets).unwrap();
        assert_a_round(ProbeKind::TcpConnect);
    });
}

#[test]
fn targets_are_bounded_and_replaced() {
    let mut ping = Ping::new(PingConfig::default());
    let many = vec![target("192.0.2.1"); MAX_TARGETS + 3];
    assert_eq!(ping.set_targets(&many), 3);
    assert_eq!(ping.set_targets(&[]), 0);
    let mut observer = RecordingObserver::default();
    let progress = ping
        .collect(Duration::from_millis(1), &mut observer)
        .unwrap();
    assert_eq!((progress, observer.probes.len()), (Progress::Idle, 0));
}
