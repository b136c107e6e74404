//! Capture through libpcap, with real packets in network namespaces of their own.
#![cfg(feature = "pcap")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
// Reads clocks, files and sockets, which nothing in the crate itself may do.
#![allow(clippy::disallowed_methods)]

mod common;

use std::time::Duration;

use bwmon_core::Collector;
use bwmon_core::collector::{CollectErrorKind, InterfaceEvent, Progress};
use bwmon_core::collectors::pcap::{LivePcap, LivePcapConfig};
use bwmon_core::frame::{InterfaceId, PerDirection};
use bwmon_core::testkit::namespace::{in_network, sh, without_privilege};
use common::{
    Peer, Recorder, assert_closed, collect_until, exchange, index_of, interval, matrix, settle,
    sys, tagged_frame, totals,
};

fn open(interfaces: &[&str]) -> LivePcap {
    let names = interfaces.iter().map(|&name| name.to_owned()).collect();
    LivePcap::open(&LivePcapConfig::new(names)).unwrap()
}

#[test]
fn a_virtual_cable_is_captured_to_the_byte() {
    in_network("a_virtual_cable_is_captured_to_the_byte", || {
        let peer = Peer::new();
        peer.connect("va", "vb");
        for interfaces in [&["va"][..], &[]] {
            let mut collector = open(interfaces);
            let interval = interval(&mut collector, &["va"], |_, _| {
                let addresses = ["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()];
                exchange(&addresses, |server| peer.run(server));
                let frames: Vec<_> = (60..400).map(tagged_frame).collect();
                peer.run(move || sys::send_raw("vb", &frames));
            });
            let least = PerDirection {
                ingress: 1_000_000,
                egress: 600_000,
            };
            assert_closed(&interval, "va", least);
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
fn only_the_snapshot_length_is_copied_and_nothing_is_lost() {
    in_network(
        "only_the_snapshot_length_is_copied_and_nothing_is_lost",
        || {
            let peer = Peer::new();
            peer.connect("va", "vb");
            let mut collector = open(&["va"]);
            let mut recorder = Recorder::default();
            settle(&mut collector, &mut recorder, &["va"]);
            assert_eq!(
                collector.collect(Duration::ZERO, &mut recorder).unwrap(),
                Progress::Idle
            );
            let before = (recorder.total.packets, totals(&collector.losses()).0);
            let frames: Vec<_> = (0..500).map(|_| tagged_frame(1_000)).collect();
            peer.run(move || sys::send_raw("vb", &frames));
            settle(&mut collector, &mut recorder, &["va"]);
            let delivered = recorder.total.packets - before.0;
            let (received, dropped) = totals(&collector.losses());
            assert!(delivered >= 500);
            assert_eq!((received - before.1, dropped), (delivered, 0));
            assert!(
                recorder.longest_capture <= 96 + 4,
                "{}",
                recorder.longest_capture
            );
        },
    );
}

#[test]
fn a_renamed_removed_or_stopped_interface_does_not_end_the_capture() {
    in_network(
        "a_renamed_removed_or_stopped_interface_does_not_end_the_capture",
        || {
            let peer = Peer::new();
            peer.connect("va", "vb");
            let mut collector = open(&["va"]);
            let mut recorder = Recorder::default();
            let first = sees(&mut collector, &mut recorder, "va");
            sh("ip link set va down");
            collector
                .collect(Duration::from_millis(1_200), &mut recorder)
                .unwrap();
            sh("ip link set va name other");
            sh("ip link set other up");
            let renamed = InterfaceEvent::Renamed {
                id: first,
                name: "other".into(),
            };
            collect_until(&mut collector, &mut recorder, "the new name", |recorder| {
                recorder.events.contains(&renamed)
            });
            assert_eq!(sees(&mut collector, &mut recorder, "other"), first);
            sh("ip link del other");
            let vanished = InterfaceEvent::Vanished { id: first };
            collect_until(&mut collector, &mut recorder, "the end", |recorder| {
                recorder.events.contains(&vanished)
            });
            peer.connect("va", "vb");
            assert_ne!(sees(&mut collector, &mut recorder, "va"), first);
        },
    );
}

fn sees(collector: &mut LivePcap, recorder: &mut Recorder, name: &str) -> InterfaceId {
    let id = index_of(name);
    let before = recorder.packets(id);
    collect_until(collector, recorder, name, |recorder| {
        sys::send_raw(name, &[tagged_frame(100)]);
        recorder.packets(id) > before
    });
    id
}

#[test]
fn an_unknown_interface_names_those_that_exist() {
    in_network("an_unknown_interface_names_those_that_exist", || {
        let error = LivePcap::open(&LivePcapConfig::new(vec!["eth9".to_owned()])).unwrap_err();
        assert_eq!(error.kind(), CollectErrorKind::NotFound);
        assert!(error.to_string().ends_with("there are: lo"), "{error}");
    });
}

#[test]
fn a_missing_privilege_is_named_with_the_command_that_grants_it() {
    without_privilege(
        "a_missing_privilege_is_named_with_the_command_that_grants_it",
        || {
            let config = LivePcapConfig::new(vec!["lo".to_owned()]);
            let error = LivePcap::open(&config).unwrap_err();
            assert_eq!(error.kind(), CollectErrorKind::Permission, "{error}");
            assert!(
                error.to_string().contains("sudo setcap cap_net_raw+ep"),
                "{error}"
            );
        },
    );
}

fn open_any(interfaces: &[&str]) -> Box<dyn Collector> {
    Box::new(open(interfaces))
}

/// With the least memory that it takes.
fn open_least(interfaces: &[&str]) -> Box<dyn Collector> {
    let names = interfaces.iter().map(|&name| name.to_owned()).collect();
    let mut config = LivePcapConfig::new(names);
    config.buffer_bytes = 64 * 1_024;
    Box::new(LivePcap::open(&config).unwrap())
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
