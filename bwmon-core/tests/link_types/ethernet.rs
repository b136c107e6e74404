//! Ethernet: tags, labels, sessions, LLC, switch tags, preambles.

use super::build::*;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const TCP4_VLAN100: &str = "10.0.0.1 49152 > 198.51.100.7 443 protocol 6 vlan 100";
const UDP6_VLAN100: &str = "2001:db8::1 5353 > 2001:db8::7 53 protocol 17 vlan 100";

pub(crate) fn captures() -> Vec<Capture> {
    vec![
        plain(),
        vlans(),
        mpls_in_ethernet(),
        pppoe(),
        provider_tags(),
        fabrics(),
        llc(),
        capture(
            "219-mpls.pcap",
            [
                ("one label", join(&[&label(100, true), &tcp4()]), TCP4),
                (
                    "two labels",
                    join(&[&label(100, false), &label(101, true), &udp6()]),
                    UDP6,
                ),
                ("cut", vec![0, 6], "malformed mpls: truncated"),
            ],
        ),
        mpackets(),
        epon(),
        netanalyzer("240-netanalyzer.pcap", &[]),
        netanalyzer("241-netanalyzer-transparent.pcap", &PREAMBLE),
        switch_tags("281-broadcom-tag.pcap", &[0, 0, 1, 7]),
        broadcom_prepended(),
        dsa("284-dsa-tag.pcap", &[]),
        dsa("285-edsa-tag.pcap", &[0xda, 0xda, 0, 0]),
    ]
}

fn plain() -> Capture {
    capture(
        "1-ethernet.pcap",
        [
            ("ipv4", ethernet(IPV4, &tcp4()), TCP4),
            ("ipv6", ethernet(IPV6, &udp6()), UDP6),
            ("padded", join(&[&ethernet(IPV4, &tcp4()), &[0; 6]]), TCP4),
            ("arp", ethernet(0x0806, &arp()), "non-ip 0x0806"),
            ("lldp", ethernet(0x88cc, &[0; 46]), "non-ip 0x88cc"),
            (
                "neither a length nor a type",
                ethernet(1_501, &snap(IPV4, &tcp4())),
                "non-ip 0x05dd",
            ),
            (
                "ipv4 with the type of ipv6",
                ethernet(IPV6, &tcp4()),
                "malformed ipv6: version is not 6",
            ),
            (
                "cut",
                cut(ethernet(IPV4, &tcp4()), 13),
                "malformed ethernet: truncated",
            ),
        ],
    )
}

fn tag(kind: u16, identifier: u16, rest: &[u8]) -> Vec<u8> {
    join(&[&kind.to_be_bytes(), &identifier.to_be_bytes(), rest])
}

fn addressed(rest: &[u8]) -> Vec<u8> {
    join(&[&ADDRESSES, rest])
}

fn vlans() -> Capture {
    let packet = typed(IPV4, &tcp4());
    let deep = (0..20).fold(typed(IPV6, &udp6()), |inner, _| tag(0x8100, 100, &inner));
    let too_deep = (0..96).fold(packet.clone(), |inner, _| tag(0x8100, 100, &inner));
    let isl = join(&[
        &[
            1, 0, 0x0c, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 74, 0xaa, 0xaa, 3, 0, 0, 0x0c,
        ],
        &[0, 200, 0, 0, 0, 0],
        &ethernet(IPV4, &tcp4()),
    ]);
    capture(
        "1-vlan.pcap",
        [
            (
                "802.1q",
                addressed(&tag(0x8100, 0x6064, &packet)),
                TCP4_VLAN100,
            ),
            (
                "802.1ad",
                addressed(&tag(0x88a8, 100, &packet)),
                TCP4_VLAN100,
            ),
            (
                "0x9100",
                addressed(&tag(0x9100, 100, &packet)),
                TCP4_VLAN100,
            ),
            (
                "0x9200",
                addressed(&tag(0x9200, 100, &packet)),
                TCP4_VLAN100,
            ),
            (
                "qinq",
                addressed(&tag(0x88a8, 100, &tag(0x8100, 7, &packet))),
                TCP4_VLAN100,
            ),
            ("20 tags", addressed(&deep), UDP6_VLAN100),
            ("isl", isl, TCP4_VLAN100),
            (
                "over llc",
                addressed(&tag(0x8100, 100, &typed(48, &snap(IPV4, &tcp4())))),
                TCP4_VLAN100,
            ),
            (
                "96 tags",
                addressed(&too_deep),
                "malformed link: too many headers",
            ),
            (
                "cut",
                addressed(&[0x81, 0, 0, 100, 8]),
                "malformed vlan: truncated",
            ),
        ],
    )
}

fn mpls_in_ethernet() -> Capture {
    let stack =
        |labels: &[[u8; 4]], payload: &[u8]| ethernet(0x8847, &join(&[&labels.concat(), payload]));
    let channel = |kind: u8, payload: &[u8]| {
        stack(&[label(100, true)], &join(&[&[0x10, 0, 0, kind], payload]))
    };
    capture(
        "1-mpls.pcap",
        [
            ("one label", stack(&[label(100, true)], &tcp4()), TCP4),
            (
                "three labels",
                stack(&[label(1, false), label(2, false), label(3, true)], &udp6()),
                UDP6,
            ),
            (
                "multicast",
                ethernet(0x8848, &join(&[&label(100, true), &tcp4()])),
                TCP4,
            ),
            ("associated channel of ipv4", channel(0x21, &udp4()), UDP4),
            ("associated channel of ipv6", channel(0x57, &udp6()), UDP6),
            (
                "associated channel of bfd",
                channel(0x07, &[0; 24]),
                "non-ip 0x8847",
            ),
            (
                "generic associated channel label",
                stack(&[label(13, true)], &tcp4()),
                "non-ip 0x8847",
            ),
            (
                "oam alert label",
                stack(&[label(14, true)], &tcp4()),
                "non-ip 0x8847",
            ),
            (
                "pseudowire",
                stack(
                    &[label(100, true)],
                    &join(&[&[0; 4], &ethernet(IPV4, &tcp4())]),
                ),
                "non-ip 0x8847",
            ),
            (
                "cut",
                stack(&[label(100, true)], &[]),
                "malformed mpls: truncated",
            ),
        ],
    )
}

fn session(ppp: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(ppp.len())
        .expect("a short packet")
        .to_be_bytes();
    ethernet(0x8864, &join(&[&[0x11, 0, 0, 9, high, low], ppp]))
}

fn pppoe() -> Capture {
    let in_vlan = tag(
        0x8100,
        100,
        session(&typed(0x57, &udp6())).get(12..).expect("a type"),
    );
    let bridged = |flags: u8, number: &[u8]| {
        session(&join(&[
            &[0, 0x31, flags, 1],
            number,
            &ethernet(IPV4, &tcp4()),
        ]))
    };
    let multilink =
        |flags: u8| session(&join(&[&[0, 0x3d, flags, 0, 0, 1], &typed(0x21, &tcp4())]));
    capture(
        "1-pppoe.pcap",
        [
            ("ipv4", session(&typed(0x21, &tcp4())), TCP4),
            ("ipv6", session(&typed(0x57, &udp6())), UDP6),
            (
                "compressed protocol",
                session(&join(&[&[0x21], &tcp4()])),
                TCP4,
            ),
            ("in a vlan", addressed(&in_vlan), UDP6_VLAN100),
            (
                "mpls",
                session(&typed(0x281, &join(&[&label(100, true), &tcp4()]))),
                TCP4,
            ),
            ("bridged", bridged(0, &[]), TCP4),
            ("bridged with a number", bridged(0x40, &[0, 0, 0, 1]), TCP4),
            ("multilink, whole", multilink(0xc0), TCP4),
            ("multilink, first", multilink(0x80), TCP4),
            ("multilink, later", multilink(0x40), "non-ip 0x880b"),
            ("lcp", session(&[0xc0, 0x21, 1, 1, 0, 4]), "non-ip 0x880b"),
            (
                "discovery",
                ethernet(0x8863, &[0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0]),
                "non-ip 0x8863",
            ),
            (
                "version 2",
                with(session(&typed(0x21, &tcp4())), &[(14, 0x21)]),
                "malformed pppoe: bad version or code",
            ),
            (
                "cut",
                cut(session(&typed(0x21, &tcp4())), 18),
                "malformed pppoe: truncated",
            ),
        ],
    )
}

fn provider_tags() -> Capture {
    let packet = typed(IPV4, &tcp4());
    let frame = ethernet(IPV6, &udp6());
    capture(
        "1-provider-tags.pcap",
        [
            (
                "pbb",
                ethernet(0x88e7, &join(&[&[0, 1, 2, 3], &frame])),
                UDP6,
            ),
            (
                "pbb in a vlan, around a vlan",
                addressed(&tag(
                    0x88a8,
                    100,
                    &typed(
                        0x88e7,
                        &join(&[&[0, 1, 2, 3], &addressed(&tag(0x8100, 7, &packet))]),
                    ),
                )),
                TCP4_VLAN100,
            ),
            (
                "vn-tag",
                ethernet(0x8926, &join(&[&[0, 1, 0, 2], &packet])),
                TCP4,
            ),
            ("e-tag", ethernet(0x893f, &join(&[&[0; 6], &packet])), TCP4),
            (
                "r-tag",
                ethernet(0xf1c1, &join(&[&[0, 0, 0, 9], &packet])),
                TCP4,
            ),
            (
                "hsr",
                ethernet(0x892f, &join(&[&[0x10, 46, 0, 9], &packet])),
                TCP4,
            ),
            (
                "cisco metadata",
                ethernet(0x8909, &join(&[&[1, 1, 0, 1, 0, 9], &packet])),
                TCP4,
            ),
            (
                "macsec, not encrypted",
                ethernet(
                    0x88e5,
                    &join(&[&[0x20, 0, 0, 0, 0, 1], &[7; 8], &packet, &[0; 16]]),
                ),
                TCP4,
            ),
            (
                "macsec without a channel",
                ethernet(0x88e5, &join(&[&[0, 0, 0, 0, 0, 1], &packet, &[0; 16]])),
                TCP4,
            ),
            (
                "macsec, encrypted",
                ethernet(0x88e5, &join(&[&[0x2c, 0, 0, 0, 0, 1], &[7; 40]])),
                "non-ip 0x88e5",
            ),
            (
                "pbb, cut",
                ethernet(0x88e7, &[0; 16]),
                "malformed pbb: truncated",
            ),
            (
                "e-tag, cut",
                ethernet(0x893f, &[0; 6]),
                "malformed e-tag: truncated",
            ),
        ],
    )
}

fn fabrics() -> Capture {
    let frame = ethernet(IPV4, &tcp4());
    let service = |next: u8, rest: &[u8]| {
        ethernet(0x894f, &join(&[&[0x0f, 0xc2, 2, next, 0, 0, 1, 255], rest]))
    };
    let mesh = |head: &[u8], rest: usize| ethernet(0x4305, &join(&[head, &vec![0; rest], &frame]));
    capture(
        "1-fabrics.pcap",
        [
            (
                "fabricpath",
                ethernet(0x8903, &join(&[&[0, 9], &frame])),
                TCP4,
            ),
            (
                "trill",
                ethernet(0x22f3, &join(&[&[0, 0x3f, 0, 1, 0, 2], &frame])),
                TCP4,
            ),
            (
                "trill with options",
                ethernet(0x22f3, &join(&[&[0, 0x7f, 0, 1, 0, 2], &[0; 4], &frame])),
                TCP4,
            ),
            ("bridged", ethernet(0x6558, &frame), TCP4),
            ("nsh over ipv4", service(1, &tcp4()), TCP4),
            ("nsh over ipv6", service(2, &udp6()), UDP6),
            ("nsh over ethernet", service(3, &frame), TCP4),
            (
                "nsh over nsh",
                service(4, service(1, &udp4()).get(14..).expect("a header")),
                UDP4,
            ),
            (
                "nsh over mpls",
                service(5, &join(&[&label(9, true), &udp6()])),
                UDP6,
            ),
            ("batman broadcast", mesh(&[0x01, 15], 12), TCP4),
            ("batman unicast", mesh(&[0x40, 15], 8), TCP4),
            ("batman with both ends", mesh(&[0x42, 15], 16), TCP4),
            (
                "batman announcement",
                mesh(&[0x00, 15], 22),
                "non-ip 0x4305",
            ),
            (
                "trill of version 1",
                ethernet(0x22f3, &join(&[&[0x40, 0x3f, 0, 1, 0, 2], &frame])),
                "malformed trill: unknown version",
            ),
            (
                "nsh of no length",
                ethernet(0x894f, &[0x0f, 0xc0, 2, 1, 0, 0, 1, 255]),
                "malformed nsh: bad length",
            ),
        ],
    )
}

fn llc() -> Capture {
    let of_length = |bytes: Vec<u8>| {
        let length = u16::try_from(bytes.len()).expect("a short frame");
        ethernet(length, &bytes)
    };
    let frame = ethernet(IPV4, &tcp4());
    capture(
        "1-llc.pcap",
        [
            ("snap", of_length(snap(IPV4, &tcp4())), TCP4),
            ("snap over ipv6", of_length(snap(IPV6, &udp6())), UDP6),
            (
                "802.1h",
                of_length(with(snap(IPV4, &tcp4()), &[(5, 0xf8)])),
                TCP4,
            ),
            (
                "snap over a vlan",
                of_length(snap(0x8100, &join(&[&[0, 100], &typed(IPV4, &tcp4())]))),
                TCP4_VLAN100,
            ),
            ("ip", of_length(join(&[&[6, 6, 3], &tcp4()])), TCP4),
            (
                "ipv4 by its identifier",
                of_length(join(&[&[0xfe, 0xfe, 3, 0xcc], &tcp4()])),
                TCP4,
            ),
            (
                "ipv6 by its identifier",
                of_length(join(&[&[0xfe, 0xfe, 3, 0x8e], &udp6()])),
                UDP6,
            ),
            ("jumbo frame", ethernet(0x8870, &snap(IPV4, &tcp4())), TCP4),
            (
                "bridged",
                of_length(join(&[&[0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0], &frame])),
                TCP4,
            ),
            (
                "spanning tree",
                of_length(join(&[&[0x42, 0x42, 3], &[0; 35]])),
                "non-ip 0x0000",
            ),
            (
                "cisco discovery",
                of_length(join(&[
                    &[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0],
                    &[2, 180, 0, 0],
                ])),
                "non-ip 0x2000",
            ),
            (
                "cut",
                of_length(vec![0xaa, 0xaa]),
                "malformed llc: truncated",
            ),
            (
                "snap, cut",
                of_length(vec![0xaa, 0xaa, 3, 0, 0, 0, 8]),
                "malformed snap: truncated",
            ),
        ],
    )
}

const PREAMBLE: [u8; 8] = [0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5];

fn mpackets() -> Capture {
    let started = |delimiter: u8, rest: &[u8]| join(&[&[0x55; 7], &[delimiter], rest, &[0; 4]]);
    let frame = ethernet(IPV4, &tcp4());
    capture(
        "274-ethernet-mpacket.pcap",
        [
            ("express", started(0xd5, &frame), TCP4),
            (
                "preemptable, first",
                started(0xe6, &ethernet(IPV6, &udp6())),
                UDP6,
            ),
            ("short preamble", started(0xd5, &frame).split_off(2), TCP4),
            ("preemptable, later", started(0x61, &frame), "non-ip 0x0000"),
            ("cut", vec![0x55; 7], "malformed mpacket: truncated"),
        ],
    )
}

fn epon() -> Capture {
    let frame = ethernet(IPV4, &tcp4());
    let preamble = [0x55, 0x55, 0xd5, 0x55, 0x55, 0, 1, 9];
    capture(
        "259-epon.pcap",
        [
            ("whole preamble", join(&[&preamble, &frame]), TCP4),
            (
                "last six bytes",
                join(&[
                    preamble.get(2..).expect("six bytes"),
                    &ethernet(IPV6, &udp6()),
                ]),
                UDP6,
            ),
            (
                "arp",
                join(&[&preamble, &ethernet(0x0806, &arp())]),
                "non-ip 0x0806",
            ),
            (
                "no preamble",
                frame,
                "malformed epon: truncated or bad preamble",
            ),
        ],
    )
}

fn netanalyzer(name: &'static str, preamble: &[u8]) -> Capture {
    let bytes = |frame: &[u8]| join(&[&[0, 4, 70, 0], preamble, frame, &[0; 4]]);
    capture(
        name,
        [
            ("ipv4", bytes(&ethernet(IPV4, &tcp4())), TCP4),
            ("ipv6", bytes(&ethernet(IPV6, &udp6())), UDP6),
            ("arp", bytes(&ethernet(0x0806, &arp())), "non-ip 0x0806"),
            ("cut", vec![0, 4], "malformed netanalyzer: truncated"),
        ],
    )
}

fn switch_tags(name: &'static str, between: &[u8]) -> Capture {
    let bytes = |kind: u16, payload: &[u8]| join(&[&ADDRESSES, between, &typed(kind, payload)]);
    capture(
        name,
        [
            ("ipv4", bytes(IPV4, &tcp4()), TCP4),
            ("ipv6", bytes(IPV6, &udp6()), UDP6),
            ("arp", bytes(0x0806, &arp()), "non-ip 0x0806"),
            (
                "cut",
                ADDRESSES.to_vec(),
                "malformed broadcom tag: truncated",
            ),
        ],
    )
}

fn broadcom_prepended() -> Capture {
    let bytes = |frame: &[u8]| join(&[&[0, 0, 1, 7], frame]);
    capture(
        "282-broadcom-tag-prepended.pcap",
        [
            ("ipv4", bytes(&ethernet(IPV4, &tcp4())), TCP4),
            ("ipv6", bytes(&ethernet(IPV6, &udp6())), UDP6),
            ("arp", bytes(&ethernet(0x0806, &arp())), "non-ip 0x0806"),
            ("cut", vec![0, 0, 1], "malformed broadcom tag: truncated"),
        ],
    )
}

fn dsa(name: &'static str, own_type: &[u8]) -> Capture {
    let bytes = |tag: [u8; 4], kind: u16, payload: &[u8]| {
        join(&[&ADDRESSES, own_type, &tag, &typed(kind, payload)])
    };
    capture(
        name,
        [
            ("untagged", bytes([0xc0, 8, 0, 100], IPV4, &tcp4()), TCP4),
            (
                "tagged",
                bytes([0xe0, 8, 0, 100], IPV4, &tcp4()),
                TCP4_VLAN100,
            ),
            (
                "ipv6",
                bytes([0xe0, 8, 0, 100], IPV6, &udp6()),
                UDP6_VLAN100,
            ),
            (
                "arp",
                bytes([0xc0, 8, 0, 1], 0x0806, &arp()),
                "non-ip 0x0806",
            ),
            ("cut", ADDRESSES.to_vec(), "malformed dsa tag: truncated"),
        ],
    )
}
