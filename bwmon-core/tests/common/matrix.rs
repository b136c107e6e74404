//! What every live capture must do, whatever it captures with: each test binary runs these with
//! its own collector.

use std::io::{Read, Write};
use std::net::{IpAddr, UdpSocket};
use std::ops::Range;
use std::thread;
use std::time::Duration;

use bwmon_core::collector::{Collector, InterfaceEvent};
use bwmon_core::frame::{InterfaceId, LinkType, PerDirection};
use bwmon_core::report::{Interval, KernelCounters};
use bwmon_core::testkit::namespace::sh;

use super::sys::{self, Offload};
use super::{
    Peer, Recorder, assert_closed, collect_until, configure, datagram, exchange, index_of,
    interface_of, interval, tagged_frame, twice_tagged_frame,
};

/// Opens a collector of the named interfaces, or of all for none.
pub type Open<'a> = &'a dyn Fn(&[&str]) -> Box<dyn Collector>;

const FULL_FRAME: u64 = 1_514;

const fn both(bytes: u64) -> PerDirection<u64> {
    PerDirection {
        ingress: bytes,
        egress: bytes,
    }
}

fn tagged_frames(lengths: Range<usize>) -> Vec<Vec<u8>> {
    lengths.map(tagged_frame).collect()
}

fn mean(counters: KernelCounters) -> u64 {
    counters.bytes / counters.packets
}

/// Captured and counted bytes agree with every offload on and with every one off, over IPv4, over
/// IPv6, and in raw frames with VLAN tags.
pub fn offloads_change_nothing(open: Open<'_>) {
    let peer = Peer::new();
    peer.connect("va", "vb");
    for is_on in [true, false] {
        switch_offloads("va", is_on);
        peer.run(move || switch_offloads("vb", is_on));
        for address in ["10.0.0.2", "fd00::2"] {
            let address: IpAddr = address.parse().unwrap();
            let bulk = measure(open, || exchange(&[address], |server| peer.run(server)));
            assert_closed(&bulk, "va", both(300_000));
            let kernel = interface_of(&bulk, "va").kernel.unwrap();
            for counters in [kernel.ingress, kernel.egress] {
                let has_super_packets = mean(counters) > FULL_FRAME;
                assert_eq!(has_super_packets, is_on, "{address}: {counters:?}");
            }
        }
        let tagged = measure(open, || {
            let mut frames = tagged_frames(60..1_000);
            frames.extend((64..1_000).map(twice_tagged_frame));
            assert_eq!(sys::send_raw("va", &frames), frames.len());
            assert_eq!(peer.run(move || sys::send_raw("vb", &frames)), 1_876);
        });
        assert_closed(&tagged, "va", both(990_000));
    }
}

fn measure(open: Open<'_>, traffic: impl FnOnce()) -> Interval {
    interval(open(&["va"]).as_mut(), &["va"], |_, _| traffic())
}

fn switch_offloads(interface: &str, is_on: bool) {
    for offload in [
        Offload::TransmitChecksum,
        Offload::GenericSegmentation,
        Offload::TcpSegmentation,
        Offload::GenericReceive,
    ] {
        sys::set_offload(interface, offload, is_on);
    }
    sys::set_vlan_offload(interface, is_on);
}

/// Interfaces that carry traffic at the same time are captured to the byte each.
pub fn several_interfaces_are_captured_to_the_byte(open: Open<'_>) {
    let (left, right) = (Peer::new(), Peer::new());
    left.connect_on(1, "va", "vb");
    right.connect_on(2, "vc", "vd");
    for chosen in [&["vc", "lo", "va"][..], &[]] {
        let mut collector = open(chosen);
        let interval = interval(collector.as_mut(), &["lo", "va", "vc"], |_, _| {
            thread::scope(|scope| {
                scope.spawn(|| {
                    let addresses = [
                        "10.0.1.2".parse().unwrap(),
                        "fd00:0:0:1::2".parse().unwrap(),
                    ];
                    exchange(&addresses, |server| left.run(server));
                });
                scope.spawn(|| {
                    let addresses = [
                        "10.0.2.2".parse().unwrap(),
                        "fd00:0:0:2::2".parse().unwrap(),
                    ];
                    exchange(&addresses, |server| right.run(server));
                    sys::send_raw("vc", &tagged_frames(60..400));
                });
                let addresses = ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
                exchange(&addresses, |server| server());
            });
        });
        assert_closed(&interval, "lo", both(1_600_000));
        assert_closed(&interval, "va", both(600_000));
        assert_closed(&interval, "vc", both(670_000));
        assert!(interval.losses.iter().all(|loss| loss.dropped == 0));
    }
}

/// A collector with the least memory loses most of two bursts that nobody reads. What it delivers
/// and what it says it dropped are what the kernel counted, to the frame; and since every frame is
/// as long, the residual is the bytes of the dropped ones.
pub fn what_is_lost_is_counted_to_the_frame(open_least: Open<'_>) {
    const LENGTH: usize = 200;
    const BURST: usize = 20_000;
    let peer = Peer::new();
    peer.connect_quietly("va", "vb");
    let mut collector = open_least(&["va"]);
    let interval = interval(collector.as_mut(), &["va"], |collector, into| {
        for _ in 0..2 {
            let frames: Vec<_> = (0..BURST).map(|_| tagged_frame(LENGTH)).collect();
            assert_eq!(sys::send_raw("va", &frames), BURST);
            assert_eq!(peer.run(move || sys::send_raw("vb", &frames)), BURST);
            collector.collect(Duration::ZERO, into).unwrap();
        }
    });
    let found = interface_of(&interval, "va");
    let (kernel, conservation) = (found.kernel.unwrap(), found.conservation.unwrap());
    let sent = BURST as u64 * 2;
    assert_eq!(
        (kernel.ingress.packets, kernel.egress.packets),
        (sent, sent)
    );
    let captured = PerDirection {
        ingress: conservation.ingress.terms.captured(),
        egress: conservation.egress.terms.captured(),
    };
    let delivered = captured.ingress.packets + captured.egress.packets;
    let loss = &interval.losses[0];
    assert!(delivered > 0 && loss.dropped > sent, "{loss:?}");
    assert_eq!(delivered + loss.dropped, 2 * sent, "{loss:?}");
    assert_eq!(loss.received, 2 * sent, "{loss:?}");
    let bytes = |frames: u64| i64::try_from(frames * LENGTH as u64).unwrap();
    let residual = |captured: u64| Some(bytes(sent - captured));
    assert_eq!(
        conservation.ingress.residual_bytes,
        residual(captured.ingress.packets)
    );
    assert_eq!(
        conservation.egress.residual_bytes,
        residual(captured.egress.packets)
    );
}

/// Traffic of an interface that is renamed meanwhile, and named back, is captured to the byte.
pub fn a_rename_loses_nothing(open: Open<'_>) {
    let peer = Peer::new();
    peer.connect("va", "vb");
    for chosen in [&["va"][..], &["lo", "va"], &[]] {
        let mut collector = open(chosen);
        let interval = interval(collector.as_mut(), &["va"], |collector, into| {
            for name in ["other", "va"] {
                let before = if name == "va" { "other" } else { "va" };
                sh(&format!(
                    "ip link set {before} down; ip link set {before} name {name}; ip link set {name} up"
                ));
                sys::send_raw(name, &tagged_frames(60..400));
                peer.run(|| sys::send_raw("vb", &tagged_frames(60..400)));
                // Longer than names are held for true.
                collector
                    .collect(Duration::from_millis(1_200), into)
                    .unwrap();
                sys::send_raw(name, &tagged_frames(60..400));
            }
        });
        assert_closed(&interval, "va", both(150_000));
    }
}

/// A chosen name that goes over to another interface is captured there, and no longer where it was.
pub fn a_name_is_followed_to_another_interface(open: Open<'_>) {
    let peer = Peer::new();
    peer.connect_quietly("va", "vb");
    peer.connect_quietly("vc", "vd");
    let (first, second) = (index_of("va"), index_of("vc"));
    for chosen in [&["va"][..], &["lo", "va"]] {
        let (old, new) = (index_of("va"), index_of("vc"));
        let mut collector = open(chosen);
        let mut recorder = Recorder::default();
        sees(collector.as_mut(), &mut recorder, "va", old);
        assert_eq!(recorder.packets(new), 0);
        sh("ip link set va down; ip link set vc down
            ip link set va name swap; ip link set vc name va; ip link set swap name vc
            ip link set va up; ip link set vc up");
        let gone = InterfaceEvent::Vanished { id: old };
        collect_until(collector.as_mut(), &mut recorder, "the swap", |recorder| {
            recorder.events.contains(&gone)
        });
        sees(collector.as_mut(), &mut recorder, "va", new);
        let before = recorder.packets(old);
        sys::send_raw("vc", &tagged_frames(60..100));
        collector
            .collect(Duration::from_millis(200), &mut recorder)
            .unwrap();
        assert_eq!(recorder.packets(old), before, "it is not chosen any more");
    }
    assert_eq!((index_of("va"), index_of("vc")), (first, second));
}

/// Where all interfaces are captured, one that appears is captured, and what remains goes on when
/// it vanishes.
pub fn an_interface_that_appears_is_captured(open: Open<'_>) {
    let peer = Peer::new();
    peer.connect("va", "vb");
    let mut collector = open(&[]);
    let mut recorder = Recorder::default();
    let va = index_of("va");
    sees(collector.as_mut(), &mut recorder, "va", va);

    peer.connect_on(1, "vc", "vd");
    let vc = index_of("vc");
    let appeared = InterfaceEvent::Appeared {
        id: vc,
        name: "vc".into(),
    };
    collect_until(collector.as_mut(), &mut recorder, "the cable", |recorder| {
        recorder.events.contains(&appeared)
    });
    let interval = interval(collector.as_mut(), &["va", "vc"], |_, _| {
        exchange(&["10.0.1.2".parse().unwrap()], |server| peer.run(server));
        exchange(&["fd00::2".parse().unwrap()], |server| peer.run(server));
    });
    assert_closed(&interval, "vc", both(300_000));
    assert_closed(&interval, "va", both(300_000));

    sh("ip link del vc");
    let vanished = InterfaceEvent::Vanished { id: vc };
    collect_until(collector.as_mut(), &mut recorder, "the end", |recorder| {
        recorder.events.contains(&vanished)
    });
    sees(collector.as_mut(), &mut recorder, "va", va);
}

fn sees(collector: &mut dyn Collector, recorder: &mut Recorder, name: &str, id: InterfaceId) {
    let before = recorder.packets(id);
    collect_until(collector, recorder, name, |recorder| {
        sys::send_raw(name, &[tagged_frame(100)]);
        recorder.packets(id) > before
    });
}

/// Bridges and macvlan interfaces count otherwise than the interface below, which is captured too.
pub fn what_is_stacked_on_an_interface_counts_as_it_does(open: Open<'_>) {
    let peer = Peer::new();
    sh("ip link add br0 type bridge");
    peer.connect("va", "vb");
    sh("ip addr flush dev va");
    sh("ip link add link va name mac0 type macvlan mode bridge");
    sh("ip link set mac0 up");
    let mut collector = open(&["mac0", "va"]);
    let macvlan = interval(collector.as_mut(), &["mac0", "va"], |_, _| {
        peer.run(move || sys::send_raw("vb", &tagged_frames(60..400)));
        sys::send_raw("mac0", &tagged_frames(60..400));
    });
    assert_closed(&macvlan, "mac0", both(70_000));
    assert_closed(&macvlan, "va", both(70_000));

    sh("ip link del mac0");
    sh("ip link set va master br0");
    configure("br0", 1);
    let mut collector = open(&["br0", "va"]);
    let bridge = interval(collector.as_mut(), &["br0", "va"], |_, _| {
        let addresses = ["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()];
        exchange(&addresses, |server| peer.run(server));
        peer.run(move || sys::send_raw("vb", &tagged_frames(60..400)));
    });
    assert_closed(&bridge, "br0", both(600_000));
    assert_closed(&bridge, "va", both(600_000));
}

/// A tun interface carries bare IP.
pub fn a_tunnel_without_link_layer_is_captured_as_ip(open: Open<'_>) {
    let mut tun = sys::open_tun("tun0");
    // What goes out is counted when it is read.
    let mut outgoing = tun.try_clone().unwrap();
    thread::spawn(move || while outgoing.read(&mut [0; 2_048]).is_ok() {});
    configure("tun0", 1);
    let mut collector = open(&["tun0"]);
    let interval = interval(collector.as_mut(), &["tun0"], |_, _| {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        for length in 100..300 {
            tun.write_all(&datagram(length)).unwrap();
            socket.send_to(&vec![0; length], "10.0.0.77:9").unwrap();
        }
    });
    assert_closed(&interval, "tun0", both(39_000));
    let terms = interface_of(&interval, "tun0").conservation.unwrap();
    assert_eq!(terms.ingress.terms.attributed.packets, 200);

    let mut recorder = Recorder::default();
    tun.write_all(&datagram(200)).unwrap();
    let id = index_of("tun0");
    collect_until(collector.as_mut(), &mut recorder, "a packet", |recorder| {
        recorder.links.get(&id) == Some(&LinkType::RawIp)
    });
}

/// What a loopback interface sends comes in again: it is counted both ways, with tags or without.
pub fn loopback_is_captured_to_the_byte(open: Open<'_>) {
    let mut collector = open(&["lo"]);
    let plain = interval(collector.as_mut(), &["lo"], |_, _| {
        let addresses = ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        exchange(&addresses, |server| server());
    });
    assert_closed(&plain, "lo", both(1_600_000));
    let tagged = interval(collector.as_mut(), &["lo"], |_, _| {
        sys::send_raw("lo", &tagged_frames(60..400));
    });
    assert_closed(&tagged, "lo", both(70_000));
}
