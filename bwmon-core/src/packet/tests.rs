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
        shape in shape(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), field_byte()), 0..4),
        strays in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
        cut in prop_oneof![2 => Just(usize::MAX), 1 => 0usize..130],
    ) {
        let mut frame = shape.frame();
        let decisive = shape.decisive();
        for (at, value) in changes {
            frame[*at.get(&decisive)] = value;
        }
        for (at, value) in strays {
            let at = at.index(frame.len());
            frame[at] = value;
        }
        frame.truncate(cut);
        let long = parse_long(LinkType::Ethernet, &frame);
        prop_assert_eq!(parse(LinkType::Ethernet, &frame), long);
        if let Some(view) = peek::ethernet(&frame) {
            prop_assert_eq!(Parsed::Ip(view), long);
        }
    }
}

/// A packet of TCP, UDP or ICMP in Ethernet, with lengths that are right.
#[derive(Debug, Clone)]
struct Shape {
    is_ipv6: bool,
    vlan: Option<u16>,
    protocol: u8,
    /// The transport's header and its payload.
    transport: Vec<u8>,
}

impl Shape {
    fn ip_offset(&self) -> usize {
        if self.vlan.is_some() { 18 } else { 14 }
    }

    fn transport_offset(&self) -> usize {
        self.ip_offset() + if self.is_ipv6 { 40 } else { 20 }
    }

    fn frame(&self) -> Vec<u8> {
        let mut frame = vec![2; 12];
        if let Some(vlan) = self.vlan {
            frame.extend([0x81, 0x00]);
            frame.extend(vlan.to_be_bytes());
        }
        if self.is_ipv6 {
            let [high, low] = u16::try_from(self.transport.len()).unwrap().to_be_bytes();
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, high, low, self.protocol, 64]);
            frame.extend(1..=32);
        } else {
            let total = u16::try_from(20 + self.transport.len()).unwrap();
            let [high, low] = total.to_be_bytes();
            frame.extend([
                0x08,
                0x00,
                0x45,
                0,
                high,
                low,
                0,
                0,
                0x40,
                0,
                64,
                self.protocol,
            ]);
            frame.extend([0, 0]);
            frame.extend(1..=8);
        }
        frame.extend(&self.transport);
        frame
    }

    /// Where the bytes are that decide how the frame is read: EtherTypes, version and header length,
    /// total or payload length, fragment field, protocol.
    fn decisive(&self) -> Vec<usize> {
        let ip = self.ip_offset();
        let fields: &[usize] = match self.is_ipv6 {
            true => &[0, 4, 5, 6],
            false => &[0, 2, 3, 6, 7, 9],
        };
        let mut offsets = vec![12, 13, ip - 2, ip - 1];
        offsets.extend(fields.iter().map(|field| ip + field));
        offsets
    }

    fn expected(&self) -> PacketView {
        let has_ports = self.protocol != 1 && self.protocol != 58;
        PacketView {
            addresses: match self.is_ipv6 {
                true => Addresses::V6([
                    Ipv6Addr::from(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
                    Ipv6Addr::from(0x1112_1314_1516_1718_191a_1b1c_1d1e_1f20),
                ]),
                false => Addresses::V4([[1, 2, 3, 4].into(), [5, 6, 7, 8].into()]),
            },
            protocol: self.protocol,
            ports: has_ports.then(|| {
                let [a, b, c, d] = *self.transport.first_chunk().unwrap();
                (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
            }),
            tcp_flags: match self.protocol {
                6 => self.transport[13],
                _ => 0,
            },
            vlan: self.vlan.map(|tag| tag & 0x0fff),
        }
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    (
        any::<bool>(),
        prop::option::of(any::<u16>()),
        prop::sample::select(vec![6, 17, 1, 58]),
        proptest::collection::vec(any::<u8>(), 0..60),
    )
        .prop_map(|(is_ipv6, vlan, protocol, transport)| Shape {
            is_ipv6,
            vlan,
            protocol,
            transport,
        })
}

/// Bytes that one of the decisive fields may well hold, and any other.
fn field_byte() -> impl Strategy<Value = u8> {
    let likely = vec![
        0x00, 0x01, 0x05, 0x06, 0x08, 0x11, 0x14, 0x1f, 0x20, 0x21, 0x22, 0x2c, 0x33, 0x3a, 0x3f,
        0x40, 0x44, 0x45, 0x46, 0x4f, 0x55, 0x60, 0x6f, 0x81, 0x86, 0x88, 0xa8, 0xdd, 0xff,
    ];
    prop_oneof![3 => prop::sample::select(likely), 1 => any::<u8>()]
}

/// Bytes behind the IP header that the short way wants.
fn least_transport(is_ipv6: bool, protocol: u8) -> usize {
    if is_ipv6 && protocol != 6 { 8 } else { 14 }
}

/// Each family, with and without a tag, each protocol, with the fewest bytes behind the IP header that
/// the short way wants, and with more.
fn common_shapes() -> impl Iterator<Item = Shape> {
    let protocols = [
        (false, 6),
        (false, 17),
        (false, 1),
        (true, 6),
        (true, 17),
        (true, 58),
    ];
    protocols.into_iter().flat_map(|(is_ipv6, protocol)| {
        [None, Some(0xe007)].into_iter().flat_map(move |vlan| {
            let least = least_transport(is_ipv6, protocol);
            [least, 14, 15, 20, 120, 1_460].map(|length| Shape {
                is_ipv6,
                vlan,
                protocol,
                transport: (0x80..=0xff).cycle().take(length).collect(),
            })
        })
    })
}

/// Without this the short way could give up on everything, and agree with the long way.
#[test]
fn the_short_way_takes_every_common_shape() {
    for shape in common_shapes() {
        let frame = shape.frame();
        let least = shape.transport_offset() + least_transport(shape.is_ipv6, shape.protocol);
        for end in [least, least + 1, frame.len()] {
            let captured = &frame[..end.min(frame.len())];
            let found = peek::ethernet(captured);
            assert_eq!(found, Some(shape.expected()), "{end} bytes of {shape:?}");
        }
        let (ipv4, ipv6) = (peek::ipv4(&frame), peek::ipv6(&frame));
        let taken = (ipv4.is_some(), ipv6.is_some());
        assert_eq!(taken, (!shape.is_ipv6, shape.is_ipv6), "{shape:?}");
    }
}

/// Every value of every single byte, and every length.
#[test]
fn the_short_way_agrees_wherever_one_byte_of_a_common_shape_differs() {
    let agree = |frame: &[u8]| {
        let long = parse_long(LinkType::Ethernet, frame);
        assert_eq!(parse(LinkType::Ethernet, frame), long, "{frame:02x?}");
    };
    for shape in common_shapes().filter(|shape| shape.transport.len() == 20) {
        let mut frame = shape.frame();
        for at in 0..frame.len() {
            agree(&frame[..at]);
            let kept = frame[at];
            for value in 0..=u8::MAX {
                frame[at] = value;
                agree(&frame);
            }
            frame[at] = kept;
        }
    }
}
