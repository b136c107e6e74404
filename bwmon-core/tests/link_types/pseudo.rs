//! Headers that capturing systems made up.

use super::build::*;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

pub(crate) fn captures() -> Vec<Capture> {
    vec![
        loopback("0-null.pcap"),
        loopback("108-loop.pcap"),
        cooked("113-linux-sll.pcap", sll, "malformed sll: truncated"),
        cooked("276-linux-sll2.pcap", sll2, "malformed sll2: truncated"),
        nflog(),
        pflog(),
        enc(),
        ipnet(),
        per_packet(),
        pktap(),
        juniper(
            "178-juniper-ether.pcap",
            [ethernet(IPV4, &tcp4()), ethernet(IPV6, &udp6())],
        ),
        juniper(
            "179-juniper-ppp.pcap",
            [typed(0x21, &tcp4()), join(&[&[0xff, 3, 0, 0x57], &udp6()])],
        ),
        juniper(
            "180-juniper-frame-relay.pcap",
            [
                join(&[&[0x18, 0x41, 3, 0xcc], &tcp4()]),
                join(&[&[0x18, 0x41, 3, 0x8e], &udp6()]),
            ],
        ),
        juniper(
            "181-juniper-cisco-hdlc.pcap",
            [
                join(&[&[0x0f, 0, 8, 0], &tcp4()]),
                join(&[&[0x0f, 0, 0x86, 0xdd], &udp6()]),
            ],
        ),
    ]
}

fn loopback(name: &'static str) -> Capture {
    let bytes = |head: [u8; 4], packet: Vec<u8>| join(&[&head, &packet]);
    capture(
        name,
        [
            ("ipv4, little-endian", bytes([2, 0, 0, 0], tcp4()), TCP4),
            ("ipv4, big-endian", bytes([0, 0, 0, 2], tcp4()), TCP4),
            (
                "ipv6 of netbsd and openbsd",
                bytes([24, 0, 0, 0], udp6()),
                UDP6,
            ),
            ("ipv6 of freebsd", bytes([0, 0, 0, 28], udp6()), UDP6),
            ("ipv6 of macos", bytes([30, 0, 0, 0], udp6()), UDP6),
            ("ipv6 of linux", bytes([10, 0, 0, 0], udp6()), UDP6),
            ("16 bits of irix", bytes([0, 2, 0, 0], tcp4()), TCP4),
            ("ethertype of old linux", bytes([0, 0, 8, 0], tcp4()), TCP4),
            ("ppp", join(&[&[0xff, 3, 0, 0x21], &tcp4()]), TCP4),
            (
                "appletalk",
                bytes([16, 0, 0, 0], vec![0; 8]),
                "non-ip 0x0000",
            ),
            ("cut", vec![2, 0, 0], "malformed loopback: truncated"),
        ],
    )
}

fn sll(hardware: u16, protocol: u16, packet: &[u8]) -> Vec<u8> {
    join(&[
        &[0, 0],
        &hardware.to_be_bytes(),
        &[0, 6, 2, 0, 0, 0, 0, 1, 0, 0],
        &typed(protocol, packet),
    ])
}

fn sll2(hardware: u16, protocol: u16, packet: &[u8]) -> Vec<u8> {
    join(&[
        &protocol.to_be_bytes(),
        &[0, 0, 0, 0, 0, 2],
        &hardware.to_be_bytes(),
        &[0, 6, 2, 0, 0, 0, 0, 1, 0, 0],
        packet,
    ])
}

fn cooked(
    name: &'static str,
    bytes: fn(u16, u16, &[u8]) -> Vec<u8>,
    when_cut: &'static str,
) -> Capture {
    let wireless = join(&[&[8, 1], &[0; 22], &snap(IPV4, &tcp4())]);
    let radiotap = join(&[&[0, 0, 8, 0, 0, 0, 0, 0], &wireless]);
    let frame_relay = join(&[&[0x18, 0x41, 3, 0xcc], &tcp4()]);
    let in_vlan = join(&[&[0, 100], &typed(IPV4, &tcp4())]);
    capture(
        name,
        [
            ("ethernet", bytes(1, IPV4, &tcp4()), TCP4),
            ("loopback", bytes(772, IPV6, &udp6()), UDP6),
            ("a tunnel of ipv4", bytes(768, IPV4, &tcp4()), TCP4),
            (
                "a tunnel without a link layer",
                bytes(65_534, IPV6, &udp6()),
                UDP6,
            ),
            ("gre", bytes(778, IPV4, &tcp4()), TCP4),
            (
                "vlan",
                bytes(1, 0x8100, &in_vlan),
                "10.0.0.1 49152 > 198.51.100.7 443 protocol 6 vlan 100",
            ),
            ("802.2", bytes(1, 4, &snap(IPV4, &tcp4())), TCP4),
            ("ppp", bytes(512, 7, &typed(0x57, &udp6())), UDP6),
            ("a whole frame", bytes(1, 3, &ethernet(IPV4, &tcp4())), TCP4),
            ("802.11", bytes(801, 4, &wireless), TCP4),
            ("radiotap", bytes(803, 4, &radiotap), TCP4),
            ("frame relay", bytes(770, 0, &frame_relay), TCP4),
            ("arp", bytes(1, 0x0806, &arp()), "non-ip 0x0806"),
            ("netlink", bytes(824, 0, &[0; 20]), "non-ip 0x0000"),
            ("can", bytes(280, 0x000c, &[0; 16]), "non-ip 0x000c"),
            ("cut", vec![0; 15], when_cut),
        ],
    )
}

fn nflog() -> Capture {
    let values = |number: fn(u16) -> [u8; 2], packet: &[u8]| {
        let length = u16::try_from(4 + packet.len()).expect("a short packet");
        let prefix = [number(7), number(10)].concat();
        let payload = [number(length), number(9)].concat();
        join(&[&prefix, b"in\0\0", &payload, packet])
    };
    let little =
        |family: u8, packet: &[u8]| join(&[&[family, 0, 0, 1], &values(u16::to_le_bytes, packet)]);
    let big = join(&[&[2, 0, 0, 1], &values(u16::to_be_bytes, &tcp4())]);
    capture(
        "239-nflog.pcap",
        [
            ("ipv4", little(2, &tcp4()), TCP4),
            ("ipv6", little(10, &udp6()), UDP6),
            ("big-endian", big, TCP4),
            ("bridge", little(7, &tcp4()), TCP4),
            ("arp in a bridge", little(7, &arp()), "non-ip 0x0000"),
            ("no packet", vec![2, 0, 0, 1], "malformed nflog: no packet"),
            ("cut", Vec::new(), "malformed nflog: truncated"),
        ],
    )
}

fn pflog() -> Capture {
    let bytes = |length: u8, family: u8, packet: &[u8]| {
        let header = usize::from(length).next_multiple_of(4) - 2;
        join(&[&[length, family], &vec![0; header], packet])
    };
    capture(
        "117-pflog.pcap",
        [
            ("ipv4", bytes(61, 2, &tcp4()), TCP4),
            ("ipv6 of openbsd", bytes(100, 24, &udp6()), UDP6),
            ("ipv6 of freebsd", bytes(69, 28, &udp6()), UDP6),
            ("ipv6 of macos", bytes(61, 30, &udp6()), UDP6),
            ("another family", bytes(61, 16, &[0; 8]), "non-ip 0x0000"),
            (
                "header of 8 bytes",
                bytes(8, 2, &tcp4()),
                "malformed pflog: bad length",
            ),
            ("cut", vec![61], "malformed pflog: truncated"),
        ],
    )
}

fn enc() -> Capture {
    let bytes =
        |family: [u8; 4], packet: &[u8]| join(&[&family, &[0, 0, 0, 9, 0, 0, 0, 1], packet]);
    capture(
        "109-enc.pcap",
        [
            ("ipv4, little-endian", bytes([2, 0, 0, 0], &tcp4()), TCP4),
            ("ipv4, big-endian", bytes([0, 0, 0, 2], &tcp4()), TCP4),
            ("ipv6", bytes([24, 0, 0, 0], &udp6()), UDP6),
            (
                "another family",
                bytes([16, 0, 0, 0], &[0; 8]),
                "non-ip 0x0000",
            ),
            ("cut", vec![2, 0, 0, 0, 0], "malformed enc: truncated"),
        ],
    )
}

fn ipnet() -> Capture {
    let bytes = |family: u8, packet: &[u8]| {
        let length = u32::try_from(packet.len()).expect("a short packet");
        join(&[&[1, family, 0, 1], &length.to_be_bytes(), &[0; 16], packet])
    };
    capture(
        "226-ipnet.pcap",
        [
            ("ipv4", bytes(2, &tcp4()), TCP4),
            ("ipv6", bytes(26, &udp6()), UDP6),
            ("another family", bytes(1, &[0; 8]), "non-ip 0x0000"),
            ("cut", vec![1, 2, 0], "malformed ipnet: truncated"),
        ],
    )
}

fn per_packet() -> Capture {
    let bytes = |link: u8, rest: &[u8]| join(&[&[0, 0, 8, 0, link, 0, 0, 0], rest]);
    let fields = [0, 0, 16, 0, 1, 0, 0, 0, 0xef, 0xbe, 4, 0, 0, 0, 0, 0];
    capture(
        "192-ppi-other-link-types.pcap",
        [
            ("ethernet", bytes(1, &ethernet(IPV4, &tcp4())), TCP4),
            ("fields", join(&[&fields, &ethernet(IPV6, &udp6())]), UDP6),
            ("raw", bytes(101, &tcp4()), TCP4),
            ("itself", bytes(192, &tcp4()), "malformed ppi: nested"),
            (
                "unsupported",
                bytes(189, &[0; 64]),
                "malformed link: unsupported link type",
            ),
            (
                "length 3",
                vec![0, 0, 3, 0, 1, 0, 0, 0],
                "malformed ppi: bad length",
            ),
        ],
    )
}

fn pktap() -> Capture {
    let bytes = |link: u8, rest: &[u8]| {
        join(&[
            &[108, 0, 0, 0, 1, 0, 0, 0, link, 0, 0, 0],
            b"en0",
            &[0; 93],
            rest,
        ])
    };
    let record = with(bytes(1, &[]), &[(4, 2)]);
    capture(
        "258-pktap.pcap",
        [
            ("ethernet", bytes(1, &ethernet(IPV4, &tcp4())), TCP4),
            ("raw", bytes(12, &udp6()), UDP6),
            (
                "loopback",
                bytes(0, &join(&[&[30, 0, 0, 0], &udp6()])),
                UDP6,
            ),
            ("arp", bytes(1, &ethernet(0x0806, &arp())), "non-ip 0x0806"),
            (
                "no packet",
                record,
                "malformed pktap: bad length or no packet",
            ),
            ("cut", vec![108, 0], "malformed pktap: truncated"),
        ],
    )
}

fn juniper(name: &'static str, [first, second]: [Vec<u8>; 2]) -> Capture {
    let extensions = [b'M', b'G', b'C', 0x81, 0, 6, 1, 1, 5, 2, 1, 1];
    capture(
        name,
        [
            ("plain", join(&[b"MGC\x01", &first]), TCP4),
            ("extensions", join(&[&extensions, &second]), UDP6),
            (
                "no link layer",
                join(&[b"MGC\x02\x02\0\0\0", &tcp4()]),
                TCP4,
            ),
            (
                "another magic number",
                vec![0; 64],
                "malformed juniper: truncated or bad magic number",
            ),
            (
                "cut",
                b"MGC".to_vec(),
                "malformed juniper: truncated or bad magic number",
            ),
        ],
    )
}
