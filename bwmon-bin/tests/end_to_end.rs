//! From real frames on a wire to the API: real namespaces, real agent, real HTTP, real SQLite.
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "each test binary uses its own part of this")]
mod support;

use std::net::IpAddr;
use std::path::Path;

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::query::{HostStatus, InterfaceSum, TrafficSum};
use bwmon_core::report::{CaptureMethod, ProbeKind};
use bwmon_core::testkit::namespace;
use support::lab::{CABLE, HERE, THERE, cable_bytes, in_lab, there};
use support::product::{Api, agent, agent_there, collector, enrol, enrol_there, revoke};
use support::traffic::{Peer, TCP_PORT, UDP_PORT, tcp_exchange, udp_headers, udp_send};
use support::wait::wait_for;

const LISTEN: &str = "127.0.0.1:8471";
const CAPTURE_CABLE: [&str; 4] = [
    "--capture-interfaces",
    CABLE,
    "--capture-method",
    "af_packet",
];

/// What each TCP connection sends; the answer is twice as long.
const PAYLOADS: [usize; 3] = [1, 70_000, 3_000_000];
const DATAGRAMS: usize = 500;
const DATAGRAM: usize = 1_000;

/// Enrols the agent of a folder with the collector of the same folder.
fn enrol_here(data: &Path) {
    enrol(LISTEN, &data.join("collector"), &data.join("agent"));
}

/// Bytes of the flows with `peer` on `port`, from this host's view.
fn flow_bytes(sum: &TrafficSum, peer: IpAddr, port: u16) -> PerDirection<Tally> {
    let mut total = PerDirection::<Tally>::default();
    sum.flows
        .iter()
        .filter(|usage| usage.flow.remote == peer && usage.flow.remote_port == port)
        .for_each(|usage| total.add(usage.flow.traffic));
    total
}

#[test]
fn stored_bytes_kernel_counters_and_bytes_sent_agree() {
    in_lab("stored_bytes_kernel_counters_and_bytes_sent_agree", || {
        let data = tempfile::tempdir().unwrap();
        let _collector = collector(LISTEN, &data.path().join("collector"), &[]);
        enrol_here(data.path());
        let agent = agent(LISTEN, &data.path().join("agent"), &CAPTURE_CABLE);
        let api = Api::new(LISTEN);
        let host = api.only_host();
        api.wait_for_reports(&host.id, 1);

        let (before, counters_before) = at_rest(&api, &host.id);
        let peer = Peer::start(PAYLOADS.len());
        for address in there() {
            udp_send(address, DATAGRAMS, DATAGRAM);
            for payload in PAYLOADS {
                tcp_exchange(address, payload);
            }
        }
        peer.join();
        let (after, counters) = at_rest(&api, &host.id);
        agent.stop();

        let sum = api.all_traffic(&host.id);
        assert_flows_hold_what_was_sent(&sum);
        assert_bytes_are_conserved(&sum);
        assert_eq!(
            after.0 - before.0,
            counters.0 - counters_before.0,
            "received"
        );
        assert_eq!(after.1 - before.1, counters.1 - counters_before.1, "sent");
    });
}

/// What is stored of the kernel's counters, and what they say themselves, once nothing has moved for
/// so long that both speak of the same bytes.
fn at_rest(api: &Api, host: &str) -> ((u64, u64), (u64, u64)) {
    wait_for("the cable to be at rest", || {
        let counters = cable_bytes();
        api.wait_for_reports(host, 2);
        let stored = kernel_bytes(&api.all_traffic(host));
        (cable_bytes() == counters).then_some((stored, counters))
    })
}

/// To the byte for datagrams; at least the payload for TCP, whose segments the kernel chooses.
fn assert_flows_hold_what_was_sent(sum: &TrafficSum) {
    let payload: usize = PAYLOADS.iter().sum();
    for address in there() {
        let udp = flow_bytes(sum, address, UDP_PORT);
        let expected = Tally {
            bytes: DATAGRAMS as u64 * (DATAGRAM as u64 + udp_headers(address)),
            packets: DATAGRAMS as u64,
        };
        assert_eq!(
            udp,
            PerDirection {
                ingress: Tally::default(),
                egress: expected
            }
        );
        let tcp = flow_bytes(sum, address, TCP_PORT);
        assert!(tcp.egress.bytes > payload as u64, "{tcp:?}");
        assert!(tcp.ingress.bytes > 2 * payload as u64, "{tcp:?}");
    }
}

/// The kernel's counters are the captured terms, and the attributed term is the stored rows.
fn assert_bytes_are_conserved(sum: &TrafficSum) {
    let cable = the_cable(sum);
    let captured = cable.captured.expect("the cable is captured");
    assert_eq!(
        cable.residual_bytes,
        Some(PerDirection {
            ingress: 0,
            egress: 0
        })
    );
    assert_eq!(
        captured.ingress.captured().bytes,
        cable.kernel.ingress.bytes
    );
    assert_eq!(captured.egress.captured().bytes, cable.kernel.egress.bytes);
    let mut rows = PerDirection::<Tally>::default();
    sum.flows
        .iter()
        .filter(|usage| usage.flow.interface.as_deref() == Some(CABLE))
        .for_each(|usage| rows.add(usage.flow.traffic));
    assert_eq!(rows.ingress, captured.ingress.attributed);
    assert_eq!(rows.egress, captured.egress.attributed);
}

fn the_cable(sum: &TrafficSum) -> &InterfaceSum {
    sum.interfaces
        .iter()
        .find(|interface| interface.name == CABLE)
        .expect("the cable")
}

fn kernel_bytes(sum: &TrafficSum) -> (u64, u64) {
    let kernel = the_cable(sum).kernel;
    (kernel.ingress.bytes, kernel.egress.bytes)
}

#[test]
fn sock_diag_sees_the_same_tcp_payload() {
    in_lab("sock_diag_sees_the_same_tcp_payload", || {
        let data = tempfile::tempdir().unwrap();
        let _collector = collector(LISTEN, &data.path().join("collector"), &[]);
        enrol_here(data.path());
        let agent = agent(
            LISTEN,
            &data.path().join("agent"),
            &["--capture-method", "sock_diag"],
        );
        let api = Api::new(LISTEN);
        let host = api.only_host();
        assert_eq!(host.capture.method, CaptureMethod::SockDiag);
        assert!(
            host.capture
                .note
                .is_some_and(|note| note.contains("TCP only"))
        );
        api.wait_for_reports(&host.id, 1);

        let payloads = [1, 1_000, 70_000, 3_000_000, 12, 99];
        let peer = Peer::start(payloads.len());
        for address in there() {
            for payload in payloads {
                tcp_exchange(address, payload);
            }
        }
        peer.join();
        agent.stop();

        let sum = api.all_traffic(&host.id);
        let sent: usize = payloads.iter().sum();
        for address in there() {
            let tcp = flow_bytes(&sum, address, TCP_PORT);
            assert_eq!(tcp.egress.bytes, sent as u64, "sent to {address}");
            assert_eq!(
                tcp.ingress.bytes,
                2 * sent as u64,
                "received from {address}"
            );
        }
        assert!(
            sum.interfaces
                .iter()
                .all(|interface| interface.captured.is_none())
        );
    });
}

#[test]
fn a_second_host_enrols_and_killing_either_side_needs_no_hand() {
    in_lab(
        "a_second_host_enrols_and_killing_either_side_needs_no_hand",
        || {
            let data = tempfile::tempdir().unwrap();
            let token = "correct-horse-battery-staple-77";
            let token_file = data.path().join("token");
            std::fs::write(&token_file, token).unwrap();
            namespace::sh(&format!("chmod 600 {}", token_file.display()));
            let token_flags = ["--token-file", token_file.to_str().unwrap()];
            let listen = format!("{}:8472", HERE.0);
            let api = Api::with_token(&listen, token);
            let server_data = data.path().join("collector");
            let agent_data = data.path().join("agent");
            let server = collector(&listen, &server_data, &token_flags);

            let stranger = data.path().join("stranger");
            enrol_there(&listen, &server_data, &stranger);
            enrol_there(&listen, &server_data, &agent_data);
            revoke(&server_data, &stranger);
            let refused = agent_there(&listen, &stranger, &[]);
            let welcome = agent_there(&listen, &agent_data, &[]);
            let host = api.only_host();
            api.wait_for_reports(&host.id, 2);
            assert_eq!(api.hosts().len(), 1, "a revoked agent was let in");
            assert_eq!(Api::new(&listen).status("/hosts"), 401, "no token");
            refused.stop();

            welcome.kill();
            let welcome = agent_there(&listen, &agent_data, &[]);
            api.wait_for_reports(&host.id, 2);

            let before = api.all_traffic(&host.id).reports;
            server.kill();
            std::thread::sleep(std::time::Duration::from_secs(3));
            let _server = collector(&listen, &server_data, &token_flags);
            assert!(
                api.all_traffic(&host.id).reports >= before,
                "acknowledged reports were lost"
            );
            wait_for("the reports of the outage and new ones", || {
                (api.all_traffic(&host.id).reports >= before + 4).then_some(())
            });
            let host = api.only_host();
            assert_eq!(host.status, HostStatus::Up);
            assert_eq!(api.detail(&host.id).summary.id, host.id);
            welcome.stop();
        },
    );
}

/// What the agent of one host says of the other one: probes sent and lost.
fn pinged(api: &Api, target: IpAddr) -> Option<(u32, u32)> {
    api.hosts().iter().find_map(|host| {
        let detail = api.detail(&host.id);
        let probed = detail
            .probes
            .iter()
            .find(|probed| probed.result.target == target)?;
        assert_eq!(probed.result.kind, ProbeKind::Icmp);
        Some((probed.result.sent, probed.result.lost))
    })
}

#[test]
fn agents_ping_each_other_and_a_failure_in_one_direction_stays_visible() {
    in_lab(
        "agents_ping_each_other_and_a_failure_in_one_direction_stays_visible",
        || {
            let data = tempfile::tempdir().unwrap();
            let token = "one-token-for-everyone-here";
            let token_file = data.path().join("token");
            std::fs::write(&token_file, token).unwrap();
            namespace::sh(&format!("chmod 600 {}", token_file.display()));
            let listen = format!("{}:8473", HERE.0);
            let server_data = data.path().join("collector");
            let flags = ["--token-file", token_file.to_str().unwrap()];
            let _collector = collector(&listen, &server_data, &flags);
            let (own, far) = (data.path().join("here"), data.path().join("there"));
            enrol(&listen, &server_data, &own);
            enrol_there(&listen, &server_data, &far);
            let often = ["--ping-every", "5s"];
            let own = agent(&listen, &own, &often);
            let far = agent_there(&listen, &far, &often);
            let api = Api::with_token(&listen, token);
            let (here, there) = (IpAddr::V4(HERE.0), IpAddr::V4(THERE.0));
            wait_for("both to answer", || {
                let both = (pinged(&api, here)?, pinged(&api, there)?);
                (both == ((3, 0), (3, 0))).then_some(())
            });
            namespace::sh(
                "ip netns exec there sh -c 'echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all'",
            );
            wait_for("the loss in one direction", || {
                (pinged(&api, there)? == (3, 3)).then_some(())
            });
            assert_eq!(pinged(&api, here), Some((3, 0)));
            own.stop();
            far.stop();
        },
    );
}
