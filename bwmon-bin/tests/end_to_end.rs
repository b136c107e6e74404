//! From real frames on a wire to the API: real namespaces, real agent, real HTTP, real SQLite.
#![cfg(target_os = "linux")]

mod support;

use std::net::IpAddr;

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::query::{HostStatus, TrafficSum};
use bwmon_core::report::CaptureMethod;
use support::lab::{CABLE, HERE, cable_bytes, in_lab, there};
use support::product::{Api, agent, agent_there, collector, wait_for};
use support::traffic::{Peer, TCP_PORT, UDP_PORT, tcp_exchange, udp_headers, udp_send};

const LISTEN: &str = "127.0.0.1:8471";
const CAPTURE_CABLE: [&str; 4] = [
    "--capture-interfaces",
    CABLE,
    "--capture-method",
    "af_packet",
];

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
        let agent = agent(LISTEN, &data.path().join("agent"), &CAPTURE_CABLE);
        let api = Api::new(LISTEN);
        let host = api.only_host();
        api.wait_for_reports(&host.id, 1);

        let before = api.all_traffic(&host.id);
        let kernel_before = cable_bytes();
        let peer = Peer::start(3);
        for address in there() {
            udp_send(address, 500, 1_000);
            for payload in [1, 70_000, 3_000_000] {
                tcp_exchange(address, payload);
            }
        }
        peer.join();
        api.wait_for_reports(&host.id, 2);
        agent.stop();
        let kernel_after = cable_bytes();
        let sum = api.all_traffic(&host.id);

        for address in there() {
            let udp = flow_bytes(&sum, address, UDP_PORT);
            let expected = Tally {
                bytes: 500 * (1_000 + udp_headers(address)),
                packets: 500,
            };
            assert_eq!(
                udp,
                PerDirection {
                    ingress: Tally::default(),
                    egress: expected
                }
            );
            let tcp = flow_bytes(&sum, address, TCP_PORT);
            assert!(
                tcp.egress.bytes > 3_070_001 && tcp.ingress.bytes > 2 * 3_070_001,
                "{tcp:?}"
            );
        }
        let cable = sum
            .interfaces
            .iter()
            .find(|i| i.name == CABLE)
            .expect("the cable");
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

        let moved = |sum: &TrafficSum| {
            let cable = sum.interfaces.iter().find(|i| i.name == CABLE);
            cable
                .map(|i| (i.kernel.ingress.bytes, i.kernel.egress.bytes))
                .unwrap_or_default()
        };
        let (earlier, all) = (moved(&before), moved(&sum));
        assert!(
            all.0 - earlier.0 >= kernel_after.0 - kernel_before.0,
            "received"
        );
        assert!(
            all.1 - earlier.1 >= kernel_after.1 - kernel_before.1,
            "sent"
        );
    });
}

#[test]
fn sock_diag_sees_the_same_tcp_payload() {
    in_lab("sock_diag_sees_the_same_tcp_payload", || {
        let data = tempfile::tempdir().unwrap();
        let _collector = collector(LISTEN, &data.path().join("collector"), &[]);
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
fn a_second_host_needs_the_token_and_killing_either_side_needs_no_hand() {
    in_lab(
        "a_second_host_needs_the_token_and_killing_either_side_needs_no_hand",
        || {
            let data = tempfile::tempdir().unwrap();
            let token = "correct-horse-battery-staple-77";
            let token_file = data.path().join("token");
            std::fs::write(&token_file, token).unwrap();
            support::lab::sh(&format!("chmod 600 {}", token_file.display()));
            let token_flags = ["--token-file", token_file.to_str().unwrap()];
            let listen = format!("{}:8472", HERE.0);
            let api = Api::with_token(&listen, token);
            let server_data = data.path().join("collector");
            let agent_data = data.path().join("agent");
            let server = collector(&listen, &server_data, &token_flags);

            let refused = agent_there(&listen, &data.path().join("stranger"), &[]);
            let welcome = agent_there(&listen, &agent_data, &token_flags);
            let host = api.only_host();
            api.wait_for_reports(&host.id, 2);
            assert_eq!(
                api.hosts().len(),
                1,
                "the agent without the token was let in"
            );
            assert!(
                Api::new(&listen).hosts().is_empty(),
                "the API answers without the token"
            );
            refused.stop();

            welcome.kill();
            let welcome = agent_there(&listen, &agent_data, &token_flags);
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
