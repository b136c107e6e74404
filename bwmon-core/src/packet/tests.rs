use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::*;

fn tcp_frame(vlans: usize) -> Vec<u8> {
    let mut frame = Vec::new();
    let step = PacketBuilder::ethernet2([2; 6], [4; 6]);
    match vlans {
        0 => step
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(1234, 443, 1, 1000)
            .syn(),
        1 => step
            .single_vlan(7u16.try_into().unwrap())
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(1234, 443, 1, 1000)
            .syn(),
        _ => step
            .double_vlan(7u16.try_into().unwrap(), 8u16.try_into().unwrap())
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(1234, 443, 1, 1000)
            .syn(),
    }
    .write(&mut frame, b"payload")
    .unwrap();
    frame
}

fn ip(parsed: Parsed) -> PacketView {
    match parsed {
        Parsed::Ip(view) => view,
        other => panic!("{other:?}"),
    }
}

#[test]
fn ports_flags_and_the_outermost_vlan_are_found() {
    for (vlans, vlan) in [(0, None), (1, Some(7)), (2, Some(7))] {
        let view = ip(parse(LinkType::Ethernet, &tcp_frame(vlans)));
        assert_eq!(view.ports, Some((1234, 443)));
        assert_eq!((view.protocol, view.tcp_flags, view.vlan), (6, 0x02, vlan));
        assert_eq!(view.source(), IpAddr::from([10, 0, 0, 1]));
    }
}

#[test]
fn ipv6_udp_gives_ports_also_without_a_link_header() {
    let mut frame = Vec::new();
    PacketBuilder::ipv6([1; 16], [2; 16], 64)
        .udp(53, 5353)
        .write(&mut frame, b"q")
        .unwrap();
    let view = ip(parse(LinkType::RawIp, &frame));
    assert_eq!((view.protocol, view.ports), (17, Some((53, 5353))));
}

#[test]
fn icmp_has_no_ports() {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .icmpv4_echo_request(1, 2)
        .write(&mut frame, b"ping")
        .unwrap();
    let view = ip(parse(LinkType::Ethernet, &frame));
    assert_eq!((view.protocol, view.ports), (1, None));
}

#[test]
fn a_first_fragment_gives_ports_and_a_later_one_does_not() {
    let mut frame = tcp_frame(0);
    frame[20] = 0x20;
    assert_eq!(
        ip(parse(LinkType::Ethernet, &frame)).ports,
        Some((1234, 443))
    );
    frame[21] = 8;
    assert_eq!(ip(parse(LinkType::Ethernet, &frame)).ports, None);
}

#[test]
fn a_zero_total_length_is_an_ordinary_offloaded_packet() {
    let mut frame = tcp_frame(0);
    frame[16] = 0;
    frame[17] = 0;
    assert_eq!(
        ip(parse(LinkType::Ethernet, &frame)).ports,
        Some((1234, 443))
    );
}

#[test]
fn a_cut_frame_keeps_its_addresses_and_ports() {
    let frame = tcp_frame(0);
    assert_eq!(
        ip(parse(LinkType::Ethernet, &frame[..38])).ports,
        Some((1234, 443))
    );
    assert_eq!(ip(parse(LinkType::Ethernet, &frame[..36])).ports, None);
    let cut = parse(LinkType::Ethernet, &frame[..20]);
    assert_eq!(cut, malformed("ipv4", "truncated"));
}

/// The address alone, 0xff, looked like a compressed protocol number.
#[test]
fn ppp_that_is_cut_before_its_control_is_truncated() {
    assert_eq!(parse(LinkType::Ppp, &[0xff]), malformed("ppp", "truncated"));
    let cut = parse(LinkType::Ppp, &[0xff, 0x03]);
    assert_eq!(cut, malformed("ppp", "truncated"));
}

/// Nothing of what would say so was captured, and so the frame is not one without IP.
#[test]
fn what_is_cut_before_its_protocol_is_truncated() {
    let address = [0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x61];
    let ax25 = [&address[..], &[0x03]].concat();
    assert_eq!(
        parse(LinkType::Ax25, &ax25),
        malformed("ax.25", "truncated")
    );
    let juniper = parse(LinkType::JuniperPpp, b"MGC\x80\x01");
    assert_eq!(juniper, malformed("juniper", "truncated"));
    let nflog = [7, 0, 0, 0, 40, 0, 9, 0];
    assert_eq!(
        parse(LinkType::Nflog, &nflog),
        malformed("nflog", "truncated")
    );
}

/// In the other byte order the first value is 2,560 bytes long: beyond what was captured, but not beyond
/// the frame. Which order was taken depended on that.
#[test]
fn the_byte_order_of_a_netfilter_log_does_not_depend_on_how_much_was_captured() {
    let mut packet = Vec::new();
    PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .udp(1, 2)
        .write(&mut packet, &[0; 3_000])
        .unwrap();
    let mut frame = vec![2, 0, 0, 0, 0, 10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    frame.extend([0x0b, 0xd8, 0, 9]);
    frame.extend(packet);
    // What the other order takes for the packet.
    frame[4 + 2_560..][..4].copy_from_slice(&[40, 0, 9, 0]);
    let view = ip(parse(LinkType::Nflog, &frame));
    assert_eq!(view.ports, Some((1, 2)));
    for end in 48..frame.len() {
        assert_eq!(ip(parse(LinkType::Nflog, &frame[..end])), view, "{end}");
    }
}

#[test]
fn what_is_not_ip_is_told_by_its_ethertype() {
    let mut frame = vec![0; 60];
    frame[12..14].copy_from_slice(&[0x88, 0xcc]);
    assert_eq!(parse(LinkType::Ethernet, &frame), Parsed::NonIp(0x88cc));
    frame[12..14].copy_from_slice(&[0x08, 0x06]);
    assert_eq!(parse(LinkType::Ethernet, &frame), Parsed::NonIp(0x0806));
    assert_eq!(
        parse(LinkType::Ethernet, &[0; 5]),
        malformed("ethernet", "truncated")
    );
}

#[test]
fn ethertype_and_version_must_agree() {
    let mut frame = tcp_frame(0);
    frame[12..14].copy_from_slice(&[0x86, 0xdd]);
    assert!(matches!(
        parse(LinkType::Ethernet, &frame),
        Parsed::Malformed(_)
    ));
}

proptest! {
    #[test]
    fn no_input_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        patch in proptest::collection::vec((0usize..80, any::<u8>()), 0..6),
        cut in 0usize..90,
        vlans in 0usize..3,
    ) {
        for link in [LinkType::Ethernet, LinkType::RawIp, LinkType::Unsupported(9)] {
            parse(link, &bytes);
        }
        let mut frame = tcp_frame(vlans);
        for (at, value) in patch {
            if let Some(byte) = frame.get_mut(at) {
                *byte = value;
            }
        }
        frame.truncate(cut);
        parse(LinkType::Ethernet, &frame);
    }

    #[test]
    fn the_short_way_gives_the_answer_of_the_long_way(
        patch in proptest::collection::vec((0usize..80, any::<u8>()), 0..6),
        cut in 0usize..90,
        vlans in 0usize..3,
    ) {
        let mut frame = tcp_frame(vlans);
        for (at, value) in patch {
            if let Some(byte) = frame.get_mut(at) {
                *byte = value;
            }
        }
        frame.truncate(cut);
        if let Some(view) = peek::ethernet(&frame) {
            prop_assert_eq!(Parsed::Ip(view), parse_long(LinkType::Ethernet, &frame));
        }
    }
}
