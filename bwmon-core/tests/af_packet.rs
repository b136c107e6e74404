//! Capture through the packet ring, with real packets in network namespaces of their own.
#![cfg(all(feature = "af_packet", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
// Reads clocks, files and sockets, which nothing in the crate itself may do.
#![allow(clippy::disallowed_methods)]

mod common;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use bwmon_core::Collector;
use bwmon_core::collector::{CollectErrorKind, InterfaceEvent, Progress};
use bwmon_core::collectors::af_packet::{AfPacket, AfPacketConfig};
use bwmon_core::frame::{Direction, PerDirection};
use bwmon_core::testkit::namespace::{in_network, sh, without_privilege};
use common::{
    PATIENCE, Peer, Recorder, assert_closed, collect_until, exchange, index_of, interface_of,
    interval, matrix, settle, sys, tagged_frame, totals,
};

fn open(interfaces: &[&str]) -> AfPacket {
    let names = interfaces.iter().map(|&name| name.to_owned()).collect();
    AfPacket::open(&AfPacketConfig::new(names)).unwrap()
}

fn at_least(ingress: u64, egress: u64) -> PerDirection<u64> {
    PerDirection { ingress, egress }
}

#[test]
fn a_virtual_cable_is_captured_to_the_byte() {
    in_network("a_virtual_cable_is_captured_to_the_byte", || {
        let peer = Peer::new();
        peer.connect("va", "vb");
        for interfaces in [&["va"][..], &["lo", "va"], &[]] {
            let mut collector = open(interfaces);
            let interval = interval(&mut collector, &["va"], |_, _| {
                let addresses = ["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()];
                exchange(&addresses, |server| peer.run(server));
            });
            assert_closed(&interval, "va", at_least(1_000_000, 600_000));
            assert_eq!(interval.losses[0].dropped, 0);
            let attributed = interface_of(&interval, "va").conservation.unwrap();
            assert!(attributed.ingress.terms.attributed.bytes > 1_000_000);
        }
    });
}

#[test]
fn loopback_is_captured_to_the_byte() {
    in_network("loopback_is_captured_to_the_byte", || {
        matrix::loopback_is_captured_to_the_byte(&open_any);
    });
}

#[test]
fn tagged_frames_are_captured_to_the_byte() {
    in_network("tagged_frames_are_captured_to_the_byte", || {
        let peer = Peer::new();
        peer.connect("va", "vb");
        let mut collector = open(&["va"]);
        let interval = interval(&mut collector, &["va"], |_, _| {
            let frames: Vec<_> = (60..1_000).map(tagged_frame).collect();
            assert_eq!(sys::send_raw("va", &frames), frames.len());
            assert_eq!(peer.run(move || sys::send_raw("vb", &frames)), 940);
        });
        assert_closed(&interval, "va", at_least(490_000, 490_000));

        let mut recorder = Recorder::default();
        peer.run(|| sys::send_raw("vb", &[tagged_frame(100)]));
        collect_until(&mut collector, &mut recorder, "the tag", |recorder| {
            recorder.stripped_vlans == [5]
        });
    });
}

#[test]
fn a_renamed_or_removed_interface_does_not_end_the_capture() {
    in_network(
        "a_renamed_or_removed_interface_does_not_end_the_capture",
        || {
            for interfaces in [&["va"][..], &["lo", "va"]] {
                let peer = Peer::new();
                peer.connect("va", "vb");
                follow(&mut open(interfaces), &peer);
                sh("ip link del va");
            }
        },
    );
}

fn follow(collector: &mut AfPacket, peer: &Peer) {
    let mut recorder = Recorder::default();
    let sees = |collector: &mut AfPacket, recorder: &mut Recorder, name: &str| {
        let id = index_of(name);
        let before = recorder.packets(id);
        collect_until(collector, recorder, name, |recorder| {
            sys::send_raw(name, &[tagged_frame(100)]);
            recorder.packets(id) > before
        });
        assert!(collector.interfaces().contains(&(id, name.to_owned())));
        id
    };
    let first = sees(collector, &mut recorder, "va");

    sh("ip link set va down");
    sh("ip link set va name other");
    sh("ip link set other up");
    assert!(recorder.events.contains(&InterfaceEvent::Appeared {
        id: first,
        name: "va".into()
    }));
    let renamed = InterfaceEvent::Renamed {
        id: first,
        name: "other".into(),
    };
    collect_until(collector, &mut recorder, "the new name", |recorder| {
        recorder.events.contains(&renamed)
    });
    assert_eq!(sees(collector, &mut recorder, "other"), first);

    sh("ip link del other");
    let vanished = InterfaceEvent::Vanished { id: first };
    collect_until(collector, &mut recorder, "the end", |recorder| {
        recorder.events.contains(&vanished)
    });
    assert!(!collector.interfaces().iter().any(|(id, _)| *id == first));

    peer.connect("va", "vb");
    let second = index_of("va");
    assert_ne!(first, second);
    let appeared = InterfaceEvent::Appeared {
        id: second,
        name: "va".into(),
    };
    collect_until(collector, &mut recorder, "the return", |recorder| {
        recorder.events.contains(&appeared)
    });
    assert_eq!(sees(collector, &mut recorder, "va"), second);
}

#[test]
fn interfaces_that_were_not_chosen_are_left_out() {
    in_network("interfaces_that_were_not_chosen_are_left_out", || {
        let peer = Peer::new();
        peer.connect("va", "vb");
        sh("ip link add vc type veth peer name vd");
        sh("ip link set vc up");
        sh("ip link set vd up");
        let mut recorder = Recorder::default();
        let mut collector = open(&["vc", "va"]);
        for name in ["va", "vc", "vd", "lo"] {
            sys::send_raw(name, &[tagged_frame(100)]);
        }
        settle(&mut collector, &mut recorder, &["va", "vc", "vd", "lo"]);
        let seen: Vec<_> = recorder.tallies.keys().copied().collect();
        let mut chosen = vec![index_of("va"), index_of("vc")];
        chosen.sort();
        assert_eq!(seen, chosen);
        assert_eq!(collector.interfaces().len(), 2);
        let (received, dropped) = totals(&collector.losses());
        assert_eq!((received, dropped), (recorder.total.packets, 0));
    });
}

#[test]
fn only_the_snapshot_length_is_copied() {
    in_network("only_the_snapshot_length_is_copied", || {
        let mut config = AfPacketConfig::new(vec!["lo".to_owned()]);
        config.snapshot_len = 128;
        for (config, length) in [(AfPacketConfig::default(), 96), (config, 128)] {
            let mut collector = AfPacket::open(&config).unwrap();
            let mut recorder = Recorder::default();
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.send_to(&[0; 1_000], "127.0.0.1:9").unwrap();
            settle(&mut collector, &mut recorder, &["lo"]);
            assert_eq!(recorder.longest_capture, length);
            assert!(recorder.total.bytes > 2_000);
            recorder
                .directions
                .sort_by_key(|direction| *direction == Direction::Egress);
            assert_eq!(recorder.directions, [Direction::Ingress, Direction::Egress]);
        }
    });
}

#[test]
fn an_unknown_interface_names_those_that_exist() {
    in_network("an_unknown_interface_names_those_that_exist", || {
        sh("ip link add va type veth peer name vb");
        let config = AfPacketConfig::new(vec!["va".to_owned(), "eth9".to_owned()]);
        let error = AfPacket::open(&config).unwrap_err();
        assert_eq!(error.kind(), CollectErrorKind::NotFound);
        assert_eq!(
            error.to_string(),
            "no interface is called \"eth9\"; there are: lo, va, vb"
        );
    });
}

#[test]
fn a_missing_privilege_is_named_with_the_command_that_grants_it() {
    without_privilege(
        "a_missing_privilege_is_named_with_the_command_that_grants_it",
        || {
            let error = AfPacket::open(&AfPacketConfig::default()).unwrap_err();
            assert_eq!(error.kind(), CollectErrorKind::Permission, "{error}");
            let program = std::env::current_exe().unwrap();
            let command = format!("sudo setcap cap_net_raw+ep '{}'", program.display());
            assert!(error.to_string().ends_with(&command), "{error}");
        },
    );
}

#[test]
fn collecting_keeps_to_the_laws() {
    in_network("collecting_keeps_to_the_laws", || {
        let peer = Peer::new();
        peer.connect("va", "vb");
        let mut collector = open(&["va"]);
        let mut recorder = Recorder::default();
        settle(&mut collector, &mut recorder, &["va"]);
        let zero = Duration::ZERO;
        assert_eq!(
            collector.collect(zero, &mut recorder).unwrap(),
            Progress::Idle
        );

        let frames: Vec<_> = (0..20_000).map(|_| tagged_frame(100)).collect();
        peer.run(move || sys::send_raw("vb", &frames));
        let before = recorder.total.packets;
        assert_eq!(
            collector.collect(zero, &mut recorder).unwrap(),
            Progress::Busy
        );
        let block = recorder.total.packets - before;
        assert!(
            (1..20_000).contains(&block),
            "{block} frames without a budget"
        );

        let start = Instant::now();
        let mut last = totals(&collector.losses());
        let flood = std::thread::spawn(move || {
            let frames: Vec<_> = (0..1_000).map(|_| tagged_frame(100)).collect();
            while start.elapsed() < Duration::from_secs(2) {
                peer.run({
                    let frames = frames.clone();
                    move || sys::send_raw("vb", &frames)
                });
            }
            peer
        });
        for _ in 0..20 {
            collector
                .collect(Duration::from_millis(50), &mut recorder)
                .unwrap();
            let losses = totals(&collector.losses());
            assert!(
                losses >= last && losses.1 >= last.1,
                "{losses:?} after {last:?}"
            );
            last = losses;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "a flood holds collect beyond its budget"
        );
        let _peer = flood.join().unwrap();
        settle(&mut collector, &mut recorder, &["va"]);
        let (received, dropped) = totals(&collector.losses());
        assert_eq!(received, recorder.total.packets + dropped);
        assert!(received > 20_000);
    });
}

fn open_any(interfaces: &[&str]) -> Box<dyn Collector> {
    Box::new(open(interfaces))
}

/// With the least memory that it takes.
fn open_least(interfaces: &[&str]) -> Box<dyn Collector> {
    let names = interfaces.iter().map(|&name| name.to_owned()).collect();
    let mut config = AfPacketConfig::new(names);
    config.ring_bytes = 16 * 1_024;
    Box::new(AfPacket::open(&config).unwrap())
}

#[test]
fn offloads_change_nothing() {
    in_network("offloads_change_nothing", || {
        matrix::offloads_change_nothing(&open_any);
    });
}

#[test]
fn several_interfaces_are_captured_to_the_byte() {
    in_network("several_interfaces_are_captured_to_the_byte", || {
        matrix::several_interfaces_are_captured_to_the_byte(&open_any);
    });
}

#[test]
fn what_is_lost_is_counted_to_the_frame() {
    in_network("what_is_lost_is_counted_to_the_frame", || {
        matrix::what_is_lost_is_counted_to_the_frame(&open_least);
    });
}

#[test]
fn a_rename_loses_nothing() {
    in_network("a_rename_loses_nothing", || {
        matrix::a_rename_loses_nothing(&open_any);
    });
}

#[test]
fn a_name_is_followed_to_another_interface() {
    in_network("a_name_is_followed_to_another_interface", || {
        matrix::a_name_is_followed_to_another_interface(&open_any);
    });
}

#[test]
fn an_interface_that_appears_is_captured() {
    in_network("an_interface_that_appears_is_captured", || {
        matrix::an_interface_that_appears_is_captured(&open_any);
    });
}

#[test]
fn what_is_stacked_on_an_interface_counts_as_it_does() {
    in_network("what_is_stacked_on_an_interface_counts_as_it_does", || {
        matrix::what_is_stacked_on_an_interface_counts_as_it_does(&open_any);
    });
}

#[test]
fn a_tunnel_without_link_layer_is_captured_as_ip() {
    in_network("a_tunnel_without_link_layer_is_captured_as_ip", || {
        matrix::a_tunnel_without_link_layer_is_captured_as_ip(&open_any);
    });
}
