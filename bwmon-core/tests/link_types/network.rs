//! IPv4 and IPv6 themselves, without a link layer.

use super::build::*;

const ESP: &str = "10.0.0.1 > 198.51.100.7 protocol 50";
const TCP4_WITHOUT_PORTS: &str = "10.0.0.1 > 198.51.100.7 protocol 6";
const UDP4_WITHOUT_PORTS: &str = "10.0.0.1 > 198.51.100.7 protocol 17";
const TCP6_WITHOUT_PORTS: &str = "2001:db8::1 > 2001:db8::7 protocol 6";
const TCP: u8 = 6;
const UDP: u8 = 17;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const OPTIONS: u8 = 60;

pub(crate) fn captures() -> Vec<Capture> {
    vec![raw(), ipv4_only(), ipv6_only(), lengths(), extensions()]
}

fn raw() -> Capture {
    capture(
        "101-raw.pcap",
        [
            ("ipv4", tcp4(), TCP4),
            ("ipv6", udp6(), UDP6),
            ("neither", vec![0x10; 40], "malformed ip: unknown version"),
            ("empty", Vec::new(), "malformed ip: truncated"),
        ],
    )
}

fn authentication(next: u8, rest: &[u8]) -> Vec<u8> {
    join(&[&[next, 4, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1], &[0; 12], rest])
}

fn ipv4_only() -> Capture {
    let fragment = |high, low| with(tcp4(), &[(6, high), (7, low)]);
    let with_options = with(ipv4(TCP, &[&[1; 4][..], &tcp()].concat()), &[(0, 0x46)]);
    capture(
        "228-ipv4.pcap",
        [
            ("tcp", tcp4(), TCP4),
            ("udp", udp4(), UDP4),
            (
                "icmp",
                ipv4(1, &[8, 0, 0, 0, 0, 0, 0, 1]),
                "10.0.0.1 > 198.51.100.7 protocol 1",
            ),
            ("options", with_options, TCP4),
            ("first fragment", fragment(0x20, 0), TCP4),
            ("later fragment", fragment(0x20, 1), TCP4_WITHOUT_PORTS),
            ("last fragment", fragment(0, 9), TCP4_WITHOUT_PORTS),
            (
                "authentication",
                ipv4(AUTHENTICATION, &authentication(TCP, &tcp())),
                TCP4,
            ),
            (
                "two authentications",
                ipv4(
                    AUTHENTICATION,
                    &authentication(AUTHENTICATION, &authentication(UDP, &udp())),
                ),
                UDP4,
            ),
            ("esp", ipv4(50, &[0; 24]), ESP),
            (
                "udp-lite",
                ipv4(136, &udp()),
                "10.0.0.1 > 198.51.100.7 protocol 136",
            ),
            (
                "sctp",
                ipv4(132, &[0; 16]),
                "10.0.0.1 > 198.51.100.7 protocol 132",
            ),
            (
                "tunnel of ipv4",
                ipv4(4, &udp4()),
                "10.0.0.1 > 198.51.100.7 protocol 4",
            ),
            (
                "tunnel of ipv6",
                ipv4(41, &udp6()),
                "10.0.0.1 > 198.51.100.7 protocol 41",
            ),
            ("tcp data offset 0", with(tcp4(), &[(32, 0)]), TCP4),
            ("udp length 0", with(udp4(), &[(24, 0), (25, 0)]), UDP4),
            ("tcp, cut after its ports", cut(tcp4(), 24), TCP4),
            ("tcp, cut in its ports", cut(tcp4(), 23), TCP4_WITHOUT_PORTS),
            (
                "header of 16 bytes",
                with(tcp4(), &[(0, 0x44)]),
                "malformed ipv4: bad header length",
            ),
            ("ipv6", udp6(), "malformed ipv4: version is not 4"),
            ("cut", cut(tcp4(), 19), "malformed ipv4: truncated"),
        ],
    )
}

fn ipv6_only() -> Capture {
    capture(
        "229-ipv6.pcap",
        [
            ("tcp", tcp6(), TCP6),
            ("udp", udp6(), UDP6),
            (
                "icmp",
                ipv6(58, &[128, 0, 0, 0, 0, 0, 0, 1]),
                "2001:db8::1 > 2001:db8::7 protocol 58",
            ),
            (
                "no next header",
                ipv6(59, &[]),
                "2001:db8::1 > 2001:db8::7 protocol 59",
            ),
            (
                "esp",
                ipv6(50, &[0; 24]),
                "2001:db8::1 > 2001:db8::7 protocol 50",
            ),
            (
                "tunnel of ipv4",
                ipv6(4, &udp4()),
                "2001:db8::1 > 2001:db8::7 protocol 4",
            ),
            ("ipv4", tcp4(), "malformed ipv6: version is not 6"),
            ("cut", cut(tcp6(), 39), "malformed ipv6: truncated"),
        ],
    )
}

fn lengths() -> Capture {
    let of_total = |total: u16, packet: Vec<u8>| {
        let [high, low] = total.to_be_bytes();
        with(packet, &[(2, high), (3, low)])
    };
    let of_payload = |length: u8, packet: Vec<u8>| with(packet, &[(4, 0), (5, length)]);
    let jumbo = [&[TCP, 0, 0xc2, 4, 0, 1, 0x11, 0x8c][..], &tcp()].concat();
    capture(
        "101-lengths.pcap",
        [
            ("total length 0", of_total(0, tcp4()), TCP4),
            (
                "total length beyond the frame",
                of_total(1_500, tcp4()),
                TCP4,
            ),
            (
                "total length of the header",
                of_total(20, tcp4()),
                TCP4_WITHOUT_PORTS,
            ),
            (
                "total length within the ports",
                of_total(23, udp4()),
                UDP4_WITHOUT_PORTS,
            ),
            ("total length behind the ports", of_total(24, udp4()), UDP4),
            (
                "total length below the header",
                of_total(19, tcp4()),
                "malformed ipv4: bad total length",
            ),
            ("payload length 0", of_payload(0, tcp6()), TCP6),
            ("jumbogram", of_payload(0, ipv6(HOP_BY_HOP, &jumbo)), TCP6),
            (
                "payload length within the ports",
                of_payload(3, tcp6()),
                TCP6_WITHOUT_PORTS,
            ),
            (
                "payload length behind the ports",
                of_payload(4, tcp6()),
                TCP6,
            ),
            (
                "payload length within an extension",
                of_payload(7, ipv6(OPTIONS, &[&options(TCP)[..], &tcp()].concat())),
                TCP6_WITHOUT_PORTS,
            ),
        ],
    )
}

fn options(next: u8) -> [u8; 8] {
    [next, 0, 1, 4, 0, 0, 0, 0]
}

fn fragment(next: u8, offset: u16) -> [u8; 8] {
    let [high, low] = (offset << 3 | 1).to_be_bytes();
    [next, 0, high, low, 0, 0, 0, 5]
}

fn extensions() -> Capture {
    let one = |kind: u8, header: &[u8]| ipv6(kind, &join(&[header, &tcp()]));
    let chain = join(&[
        &options(OPTIONS),
        &options(ROUTING),
        &[FRAGMENT, 2, 4, 0, 0, 0, 0, 0],
        &[0; 16],
        &fragment(AUTHENTICATION, 0),
        &authentication(OPTIONS, &options(UDP)),
        &udp(),
    ]);
    let many = join(&[&options(OPTIONS).repeat(90), &options(TCP), &tcp()]);
    capture(
        "229-ipv6-extensions.pcap",
        [
            ("hop by hop", one(HOP_BY_HOP, &options(TCP)), TCP6),
            ("destination options", one(OPTIONS, &options(TCP)), TCP6),
            (
                "routing",
                one(
                    ROUTING,
                    &[
                        TCP, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                    ],
                ),
                TCP6,
            ),
            (
                "authentication",
                ipv6(AUTHENTICATION, &authentication(TCP, &tcp())),
                TCP6,
            ),
            ("all", ipv6(HOP_BY_HOP, &chain), UDP6),
            ("91 headers", ipv6(OPTIONS, &many), TCP6),
            ("first fragment", one(FRAGMENT, &fragment(TCP, 0)), TCP6),
            (
                "atomic fragment",
                one(FRAGMENT, &[TCP, 0, 0, 0, 0, 0, 0, 5]),
                TCP6,
            ),
            (
                "later fragment",
                one(FRAGMENT, &fragment(TCP, 9)),
                TCP6_WITHOUT_PORTS,
            ),
            (
                "mobility",
                one(135, &[59, 0, 5, 0, 0, 0, 0, 0]),
                "2001:db8::1 > 2001:db8::7 protocol 59",
            ),
            ("shim6", one(140, &[TCP, 0, 0x80, 0, 0, 0, 0, 1]), TCP6),
            (
                "host identity",
                one(139, &[59, 0, 1, 0x11, 0, 0, 0, 0]),
                "2001:db8::1 > 2001:db8::7 protocol 59",
            ),
            (
                "longer than the frame",
                ipv6(OPTIONS, &[TCP, 255, 1, 4, 0, 0, 0, 0]),
                TCP6_WITHOUT_PORTS,
            ),
        ],
    )
}
