use std::collections::HashSet;

use bwmon_core::flow::{Flow, Limits};
use bwmon_core::frame::{Frame, LinkType};
use bwmon_core::monitor::{Account, AccountConfig, Detail};
use bwmon_core::packet::{PacketView, Parsed, parse};

use super::*;
use crate::naive::{Counters, Flows, Key};

/// A packet and what the parser under test makes of it.
fn parsed(generator: &mut Generator) -> (Parsed, u32, Truth) {
    let packet = generator.packet();
    let parsed = parse(LinkType::Ethernet, packet.bytes);
    (parsed, packet.wire_len, packet.truth)
}

/// What tells a flow from others, whichever way its packets go.
fn conversation(view: &PacketView) -> impl Eq + std::hash::Hash + std::fmt::Debug + use<> {
    let (source_port, destination_port) = view.ports.unwrap_or_default();
    let mut ends = [
        (view.source(), source_port),
        (view.destination(), destination_port),
    ];
    ends.sort_unstable();
    (view.protocol, ends, view.vlan)
}

fn assert_share(count: u64, of: u64, percent: f64) {
    let share = 100.0 * count as f64 / of as f64;
    assert!(
        (share - percent).abs() < 0.02 * percent + 0.2,
        "{share:.2} % instead of {percent} %"
    );
}

#[test]
fn the_mixed_trace_has_the_shares_that_its_description_says() {
    const PACKETS: u64 = 200_000;
    let mut generator = Generator::new(Kind::Mixed);
    let (mut v4, mut v6, mut non_ip, mut tagged) = (0, 0, 0, 0);
    let mut protocols = [0; 256];
    let mut lengths = [0; 2_000];
    for _ in 0..PACKETS {
        match parsed(&mut generator) {
            (Parsed::Ip(view), wire_len, _) => {
                v4 += u64::from(view.source().is_ipv4());
                v6 += u64::from(view.source().is_ipv6());
                tagged += u64::from(view.vlan.is_some());
                protocols[usize::from(view.protocol)] += 1;
                lengths[wire_len as usize] += 1;
            }
            (Parsed::NonIp(_), _, Truth::NonIp) => non_ip += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_share(v4, PACKETS, 80.0);
    assert_share(v6, PACKETS, 18.0);
    assert_share(non_ip, PACKETS, 2.0);
    let ip = v4 + v6;
    assert_share(tagged, ip, 5.0);
    assert_share(protocols[6], ip, 80.0);
    assert_share(protocols[17], ip, 17.0);
    assert_share(protocols[1] + protocols[58], ip, 3.0);
    // 64 bytes, or what IPv6 needs: 62 with UDP or ICMP, 74 with TCP, 4 more with a tag.
    let shortest = [64, 66, 74, 78].iter().map(|&length| lengths[length]).sum();
    assert_share(shortest, ip, 700.0 / 12.0);
    assert_share(lengths[594], ip, 400.0 / 12.0);
    assert_share(lengths[1518], ip, 100.0 / 12.0);
    assert_eq!(shortest + lengths[594] + lengths[1518], ip);
}

/// Not the packets but the flows have nearly these shares, so that one family's part of a table is no
/// larger than its part of the traffic.
#[test]
fn classes_have_their_share_of_flows_too() {
    let mut generator = Generator::new(Kind::Mixed);
    let mut families = [HashSet::new(), HashSet::new()];
    for _ in 0..300_000 {
        if let Truth::Flow { flow, is_ipv6, .. } = generator.packet().truth {
            families[usize::from(is_ipv6)].insert(flow);
        }
    }
    let [v4, v6] = families.map(|flows| flows.len() as f64);
    let percent = 100.0 * v6 / (v4 + v6);
    assert!((17.0..20.0).contains(&percent), "{percent} % IPv6");
}

#[test]
fn a_flow_keeps_family_protocol_endpoints_and_tag() {
    for (kind, packets) in [(Kind::Mixed, 100_000), (Kind::Worst, 50_000)] {
        let mut generator = Generator::new(kind);
        let (mut numbers, mut pairs, mut seen) = (HashSet::new(), HashSet::new(), HashSet::new());
        for _ in 0..packets {
            if let (Parsed::Ip(view), _, Truth::Flow { flow, .. }) = parsed(&mut generator) {
                let conversation = conversation(&view);
                numbers.insert(flow);
                pairs.insert(format!("{flow} {conversation:?}"));
                seen.insert(conversation);
            }
        }
        assert!(numbers.len() > 10_000, "{} flows", numbers.len());
        assert_eq!((pairs.len(), seen.len()), (numbers.len(), numbers.len()));
    }
}

#[test]
fn both_directions_are_seen_and_times_rise() {
    let mut generator = Generator::new(Kind::Mixed);
    let mut egress = 0;
    for number in 0..50_000 {
        let packet = generator.packet();
        egress += u64::from(packet.direction == Direction::Egress);
        assert_eq!(packet.at_us, START_US + number * STEP_US);
    }
    assert_share(egress, 50_000, 50.0);
}

#[test]
fn the_worst_trace_is_64_bytes_of_ipv4_over_a_million_flows() {
    let mut generator = Generator::new(Kind::Worst);
    let mut totals = Totals::default();
    for _ in 0..100_000 {
        let packet = generator.packet();
        assert_eq!((packet.wire_len, packet.bytes.len()), (64, 64));
        totals.add(&packet);
    }
    assert_eq!((totals.ipv4_frames, totals.frames), (100_000, 100_000));
    // Of 10^6 flows, 10^5 uniform draws are expected to hit 95,163.
    assert!((94_500..95_800).contains(&totals.flows), "{totals}");
}

#[test]
fn checksums_are_right() {
    let mut generator = Generator::new(Kind::Mixed);
    let mut whole = 0;
    for _ in 0..20_000 {
        let packet = generator.packet();
        if packet.wire_len as usize > packet.bytes.len() {
            continue;
        }
        let sliced = etherparse::PacketHeaders::from_ethernet_slice(packet.bytes).unwrap();
        if let (Some(etherparse::NetHeaders::Ipv4(header, _)), Some(transport)) =
            (&sliced.net, &sliced.transport)
        {
            whole += 1;
            assert_eq!(header.header_checksum, header.calc_header_checksum());
            let mut again = transport.clone();
            let payload = sliced.payload.slice();
            again.update_checksum_ipv4(header, payload).unwrap();
            assert_eq!(&again, transport);
        }
        if let (Some(etherparse::NetHeaders::Ipv6(header, _)), Some(transport)) =
            (&sliced.net, &sliced.transport)
        {
            whole += 1;
            let mut again = transport.clone();
            let payload = sliced.payload.slice();
            again.update_checksum_ipv6(header, payload).unwrap();
            assert_eq!(&again, transport);
        }
    }
    assert!(whole > 8_000, "{whole}");
}

#[test]
fn the_hostile_trace_reaches_every_answer_of_the_parser() {
    let mut generator = Generator::new(Kind::Hostile);
    let (mut ip, mut non_ip, mut malformed) = (0, 0, HashSet::new());
    let mut flows = HashSet::new();
    for _ in 0..20_000 {
        let (parsed, wire_len, _) = parsed(&mut generator);
        assert!(wire_len >= 64);
        match parsed {
            Parsed::Ip(view) => {
                ip += 1;
                flows.insert(conversation(&view));
            }
            Parsed::NonIp(_) => non_ip += 1,
            Parsed::Malformed(reason) => {
                malformed.insert(reason);
            }
        }
    }
    assert!(non_ip > 500, "{non_ip}");
    assert!(malformed.len() > 5, "{malformed:?}");
    assert!(
        flows.len() > 8_000 && flows.len() * 100 > ip * 99,
        "{} of {ip}",
        flows.len()
    );
}

#[test]
fn a_trace_is_the_same_each_time_and_the_beginning_of_a_longer_one() {
    for kind in Kind::ALL {
        let (short, long) = (Trace::new(kind, 1_000), Trace::new(kind, 2_000));
        for (a, b) in short.frames().zip(long.frames()) {
            assert_eq!((a.at, a.wire_len, a.bytes), (b.at, b.wire_len, b.bytes));
        }
        let mut other = Generator::with_seed(kind, 1);
        let first = short.frames().next().map(|frame| frame.bytes.to_vec());
        assert_ne!(first.as_deref(), Some(other.packet().bytes), "{kind:?}");
    }
}

#[test]
fn the_naive_peer_counts_what_the_generator_made() {
    for kind in [Kind::Mixed, Kind::Worst] {
        let trace = Trace::new(kind, 50_000);
        let mut naive = Flows::default();
        for frame in trace.frames() {
            naive.frame(frame.bytes, frame.wire_len);
        }
        let totals = trace.totals();
        assert_eq!((naive.frames, naive.bytes), (totals.frames, totals.bytes));
        assert_eq!(naive.bytes - naive.other_bytes, totals.ip_bytes);
        assert_eq!(naive.len() as u64, totals.flows);
        let all = naive.largest(usize::MAX);
        let attributed: u64 = all.iter().map(|(_, counters)| counters.bytes()).sum();
        assert_eq!(attributed, totals.ip_bytes);
    }
}

/// A row of the account in the words of the naive peer.
fn naive_row(flow: &Flow) -> (Key, Counters) {
    let (a, b) = (flow.key.local, flow.key.remote);
    let traffic = flow.counters.traffic;
    let counters = Counters {
        packets_ab: traffic.egress.packets,
        bytes_ab: traffic.egress.bytes,
        packets_ba: traffic.ingress.packets,
        bytes_ba: traffic.ingress.bytes,
    };
    let key = (flow.key.protocol, (a.address, a.port), (b.address, b.port));
    (key, counters)
}

#[test]
fn the_account_and_the_naive_peer_have_the_same_rows() {
    for kind in [Kind::Mixed, Kind::Worst] {
        let trace = Trace::new(kind, 50_000);
        let limits = Limits::flows(usize::MAX);
        let mut account = Account::new(AccountConfig::new(limits, Detail::Full));
        let mut naive = Flows::default();
        for frame in trace.frames() {
            naive.frame(frame.bytes, frame.wire_len);
            account.frame(&Frame {
                direction: Direction::Unknown,
                ..frame
            });
        }
        let accounted = account.rotate();
        let (totals, truth) = (accounted.totals, trace.totals());
        assert_eq!(
            (totals.all().packets, totals.all().bytes),
            (truth.frames, truth.bytes)
        );
        assert_eq!(totals.ipv4.packets, truth.ipv4_frames);
        assert_eq!(totals.ipv6.packets, truth.ipv6_frames);
        assert_eq!(totals.non_ip.packets, truth.non_ip_frames);
        assert!(accounted.flows.overflow().is_empty());
        let rows: Vec<_> = accounted
            .flows
            .top(usize::MAX)
            .iter()
            .map(naive_row)
            .collect();
        assert_eq!(rows, naive.largest(usize::MAX));
    }
}
