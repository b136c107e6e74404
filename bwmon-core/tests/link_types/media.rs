//! Serial lines, local networks other than Ethernet, IEEE 802.11.

use super::build::*;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

pub(crate) fn captures() -> Vec<Capture> {
    [serial(), local(), wireless()].concat()
}

/// A header before IPv4, one before IPv6, something that carries no IP, something that is cut.
fn usual(
    name: &'static str,
    ipv4: &[u8],
    ipv6: &[u8],
    other: (Vec<u8>, &'static str),
    cut: (Vec<u8>, &'static str),
) -> Capture {
    capture(
        name,
        [
            ("ipv4", join(&[ipv4, &tcp4()]), TCP4),
            ("ipv6", join(&[ipv6, &udp6()]), UDP6),
            ("no ip", other.0, other.1),
            ("cut", cut.0, cut.1),
        ],
    )
}

fn serial() -> Vec<Capture> {
    let lcp = (vec![0xff, 3, 0xc0, 0x21, 1, 1, 0, 4], "non-ip 0x880b");
    let slarp = (join(&[&[0x8f, 0, 0x80, 0x35], &[0; 18]]), "non-ip 0x8035");
    let hdlc4 = [0x0f, 0, 8, 0];
    let hdlc6 = [0x0f, 0, 0x86, 0xdd];
    let directed = |bytes: &[u8]| join(&[&[1], bytes]);
    vec![
        ppp("9-ppp.pcap"),
        ppp("50-ppp-hdlc.pcap"),
        usual(
            "51-ppp-ether.pcap",
            &[0x11, 0, 0, 9, 0, 42, 0, 0x21],
            &[0x11, 0, 0, 9, 0, 58, 0, 0x57],
            (
                vec![0x11, 0, 0, 9, 0, 6, 0xc0, 0x21, 1, 1, 0, 4],
                "non-ip 0x880b",
            ),
            (vec![0x11, 0, 0, 9], "malformed pppoe: truncated"),
        ),
        usual(
            "166-ppp-pppd.pcap",
            &[0, 3, 0, 0x21],
            &[1, 3, 0, 0x57],
            (vec![1, 3, 0xc0, 0x21, 1, 1, 0, 4], "non-ip 0x880b"),
            (vec![1], "malformed ppp: truncated"),
        ),
        usual(
            "204-ppp-with-direction.pcap",
            &[0, 0xff, 3, 0, 0x21],
            &[1, 0, 0x57],
            (directed(&lcp.0), lcp.1),
            (Vec::new(), "malformed direction: truncated"),
        ),
        usual(
            "104-cisco-hdlc.pcap",
            &hdlc4,
            &hdlc6,
            slarp.clone(),
            (vec![0x0f, 0, 8], "malformed hdlc: truncated"),
        ),
        usual(
            "205-cisco-hdlc-with-direction.pcap",
            &directed(&hdlc4),
            &directed(&hdlc6),
            (directed(&slarp.0), slarp.1),
            (Vec::new(), "malformed direction: truncated"),
        ),
        frame_relay(),
        usual(
            "206-frame-relay-with-direction.pcap",
            &[1, 0x18, 0x41, 3, 0xcc],
            &[0, 0x18, 0x41, 3, 0x8e],
            (vec![1, 0x18, 0x41, 3, 8, 0, 1], "non-ip 0x0000"),
            (Vec::new(), "malformed direction: truncated"),
        ),
        usual(
            "8-slip.pcap",
            &[0, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[1, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            (vec![0; 20], "malformed ip: unknown version"),
            (vec![0; 15], "malformed slip: truncated"),
        ),
    ]
}

fn ppp(name: &'static str) -> Capture {
    capture(
        name,
        [
            ("bare", typed(0x21, &tcp4()), TCP4),
            ("framed", join(&[&[0xff, 3, 0, 0x57], &udp6()]), UDP6),
            ("compressed", join(&[&[0x21], &tcp4()]), TCP4),
            ("an ethertype", join(&[&[0xff, 3, 8, 0], &tcp4()]), TCP4),
            ("cisco", join(&[&[0x0f, 0, 0x86, 0xdd], &udp6()]), UDP6),
            (
                "ipcp",
                vec![0xff, 3, 0x80, 0x21, 1, 1, 0, 4],
                "non-ip 0x880b",
            ),
            ("cut", vec![0xff, 3], "malformed ppp: truncated"),
        ],
    )
}

fn frame_relay() -> Capture {
    let frame = ethernet(IPV4, &tcp4());
    capture(
        "107-frame-relay.pcap",
        [
            ("ipv4", join(&[&[0x18, 0x41, 3, 0xcc], &tcp4()]), TCP4),
            (
                "ipv6, padded",
                join(&[&[0x18, 0x41, 3, 0, 0x8e], &udp6()]),
                UDP6,
            ),
            (
                "address of three bytes",
                join(&[&[0x18, 0x40, 1, 3, 0xcc], &tcp4()]),
                TCP4,
            ),
            (
                "address of four bytes",
                join(&[&[0x18, 0x40, 2, 1, 3, 0xcc], &tcp4()]),
                TCP4,
            ),
            ("cisco", join(&[&[0x18, 0x41], &typed(IPV4, &tcp4())]), TCP4),
            (
                "snap",
                join(&[&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0], &typed(IPV6, &udp6())]),
                UDP6,
            ),
            (
                "bridged",
                join(&[&[0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7], &frame]),
                TCP4,
            ),
            (
                "ppp",
                join(&[&[0x18, 0x41, 3, 0xcf], &typed(0x21, &tcp4())]),
                TCP4,
            ),
            ("q.933", vec![0, 1, 3, 8, 0, 0x75], "non-ip 0x0000"),
            ("cut", vec![0x18], "malformed frame relay: truncated"),
        ],
    )
}

fn local() -> Vec<Capture> {
    let snap4 = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let snap6 = [0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd];
    let in_snap = |head: &[u8]| (join(&[head, &snap4]), join(&[head, &snap6]));
    let (fddi4, fddi6) = in_snap(&join(&[&[0x50], &ADDRESSES]));
    let (ring4, ring6) = in_snap(&join(&[&[0x10, 0x40], &ADDRESSES]));
    let routed = with(join(&[&[0x10, 0x40], &ADDRESSES]), &[(8, 0x82)]);
    let (_, routed6) = in_snap(&join(&[&routed, &[6, 0, 0, 1, 0, 2]]));
    let (channel4, channel6) = in_snap(&[0; 16]);
    let arp_snap = snap(0x0806, &arp());
    let mut ring = usual(
        "6-token-ring.pcap",
        &ring4,
        &ring6,
        (join(&[&[0x10, 0], &ADDRESSES, &[0; 8]]), "non-ip 0x0000"),
        (vec![0x10, 0x40], "malformed token ring: truncated"),
    );
    let source_routed = join(&[&routed6, &udp6()]);
    ring.frames.push(("source-routed", source_routed, UDP6));
    vec![
        ring,
        usual(
            "10-fddi.pcap",
            &fddi4,
            &fddi6,
            (join(&[&[0xc0], &ADDRESSES, &[0; 8]]), "non-ip 0x0000"),
            (vec![0x50, 1], "malformed fddi: truncated"),
        ),
        arcnet(
            "7-arcnet.pcap",
            &[1, 2],
            vec![(
                "exception",
                join(&[&[1, 2, 212, 0xff, 0, 0, 212, 0, 0, 1], &tcp4()]),
                TCP4,
            )],
        ),
        arcnet("129-arcnet-linux.pcap", &[1, 2, 0, 0], Vec::new()),
        atm("100-atm-rfc1483.pcap"),
        {
            let mut clip = usual(
                "106-atm-clip.pcap",
                &snap4,
                &snap6,
                (arp_snap.clone(), "non-ip 0x0806"),
                (vec![0xaa, 0xaa], "malformed llc: truncated"),
            );
            clip.frames.push(("bare", tcp4(), TCP4));
            clip
        },
        usual(
            "122-ip-over-fc.pcap",
            &channel4,
            &channel6,
            (join(&[&[0; 16], &arp_snap]), "non-ip 0x0806"),
            (vec![0; 15], "malformed ip over fc: truncated"),
        ),
        usual(
            "138-apple-ip-over-ieee1394.pcap",
            &join(&[&[7; 16], &[8, 0]]),
            &join(&[&[7; 16], &[0x86, 0xdd]]),
            (join(&[&[7; 16], &[8, 6], &arp()]), "non-ip 0x0806"),
            (vec![7; 17], "malformed ieee 1394: truncated"),
        ),
        {
            let mut infiniband = usual(
                "242-ip-over-infiniband.pcap",
                &[8, 0, 0, 0],
                &[0x86, 0xdd, 0, 0],
                (join(&[&[8, 6, 0, 0], &arp()]), "non-ip 0x0806"),
                (vec![8], "malformed infiniband: truncated"),
            );
            let routed = join(&[&[0x60], &[0; 39], &[8, 0, 0, 0], &tcp4()]);
            infiniband
                .frames
                .push(("with a routing header", routed, TCP4));
            infiniband
        },
        ax25("3-ax25.pcap", &[], "malformed ax.25: no last address"),
        ax25("202-ax25-kiss.pcap", &[0], "malformed kiss: truncated"),
    ]
}

fn arcnet(name: &'static str, addresses: &[u8], more: Vec<Frame>) -> Capture {
    let bytes = |head: &[u8], packet: &[u8]| join(&[addresses, head, packet]);
    let mut frames = vec![
        ("rfc 1051", bytes(&[240], &tcp4()), TCP4),
        ("rfc 1201", bytes(&[212, 0, 0, 1], &tcp4()), TCP4),
        ("ipv6", bytes(&[196, 0, 0, 1], &udp6()), UDP6),
        ("arp", bytes(&[213, 0, 0, 1], &arp()), "non-ip 0x0000"),
        ("cut", addresses.to_vec(), "malformed arcnet: truncated"),
    ];
    frames.extend(more);
    Capture { name, frames }
}

fn atm(name: &'static str) -> Capture {
    let frame = ethernet(IPV4, &tcp4());
    let bridged = join(&[&[0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0], &frame]);
    let mut capture = usual(
        name,
        &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0],
        &[0xfe, 0xfe, 3, 0x8e],
        (join(&[&[0x42, 0x42, 3], &[0; 35]]), "non-ip 0x0000"),
        (vec![0xaa, 0xaa], "malformed llc: truncated"),
    );
    capture.frames.push(("bridged", bridged, TCP4));
    let ppp = join(&[&[0xfe, 0xfe, 3, 0xcf, 0, 0x21], &tcp4()]);
    capture.frames.push(("ppp", ppp, TCP4));
    capture
}

fn ax25(name: &'static str, head: &[u8], when_cut: &'static str) -> Capture {
    let address = |last: u8| [0x82, 0xa0, 0xa4, 0xa6, 0x40, 0x40, last];
    let [to, by, from] = [address(0x60), address(0x62), address(0x61)];
    capture(
        name,
        [
            ("ip", join(&[head, &to, &from, &[3, 0xcc], &tcp4()]), TCP4),
            (
                "digipeated",
                join(&[head, &to, &by, &from, &[3, 0xcc], &udp4()]),
                UDP4,
            ),
            (
                "text",
                join(&[head, &to, &from, &[3, 0xf0], b"hello"]),
                "non-ip 0x0000",
            ),
            ("cut", Vec::new(), when_cut),
        ],
    )
}

/// A frame of 24 bytes from a station, then `rest`.
fn station(control: u8, flags: u8, rest: &[u8]) -> Vec<u8> {
    join(&[
        &[control, flags, 0, 0],
        &ADDRESSES,
        &[2, 0, 0, 0, 0, 9, 0x10, 0],
        rest,
    ])
}

fn wireless() -> Vec<Capture> {
    let under = |name: &'static str, header: &[u8], cut: (Vec<u8>, &'static str)| {
        let frames = [
            ("ipv4", station(8, 1, &snap(IPV4, &tcp4())), TCP4),
            ("ipv6", station(8, 2, &snap(IPV6, &udp6())), UDP6),
            ("beacon", station(0x80, 0, &[0; 12]), "non-ip 0x0000"),
        ];
        let mut frames: Vec<Frame> = frames
            .into_iter()
            .map(|(name, bytes, told)| (name, join(&[header, &bytes]), told))
            .collect();
        frames.push(("cut", cut.0, cut.1));
        Capture { name, frames }
    };
    let prism = join(&[&[0x44, 0, 0, 0, 144, 0, 0, 0], &[0; 136]]);
    let avs = join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56]]);
    let ppi = [0, 0, 8, 0, 105, 0, 0, 0];
    let mut under_prism = under(
        "119-prism.pcap",
        &prism,
        (vec![0x44; 143], "malformed prism: truncated"),
    );
    let avs_instead = join(&[&avs, &station(8, 1, &snap(IPV4, &tcp4()))]);
    under_prism.frames.push(("avs instead", avs_instead, TCP4));
    vec![
        ieee80211(),
        radiotap(),
        under_prism,
        under(
            "163-avs.pcap",
            &avs,
            (vec![0x80, 0x21], "malformed avs: truncated or bad version"),
        ),
        under(
            "192-ppi.pcap",
            &ppi,
            (vec![0; 7], "malformed ppi: truncated or bad version"),
        ),
    ]
}

fn ieee80211() -> Capture {
    let four = |rest: &[u8]| station(0x88, 3, &join(&[&[2, 0, 0, 0, 0, 8], rest]));
    let mesh = |extension: u8, rest: usize| {
        four(&join(&[
            &[0, 1, extension],
            &vec![0; rest],
            &snap(IPV4, &tcp4()),
        ]))
    };
    let aggregate = join(&[&[0x80, 0], &ADDRESSES, &[0, 48], &snap(IPV4, &tcp4())]);
    let data = station(8, 1, &snap(IPV4, &tcp4()));
    capture(
        "105-ieee80211.pcap",
        [
            ("to the distribution system", data.clone(), TCP4),
            ("from it", station(8, 2, &snap(IPV6, &udp6())), UDP6),
            (
                "four addresses",
                station(8, 3, &join(&[&[2, 0, 0, 0, 0, 8], &snap(IPV4, &tcp4())])),
                TCP4,
            ),
            (
                "quality of service",
                station(0x88, 1, &join(&[&[0, 0], &snap(IPV4, &tcp4())])),
                TCP4,
            ),
            (
                "high throughput control",
                station(0x88, 0x81, &join(&[&[0; 6], &snap(IPV4, &tcp4())])),
                TCP4,
            ),
            ("aggregate", station(0x88, 1, &aggregate), TCP4),
            ("mesh", mesh(0, 5), TCP4),
            ("mesh with one address more", mesh(1, 11), TCP4),
            ("mesh with two addresses more", mesh(2, 17), TCP4),
            (
                "mesh to a group",
                with(
                    station(
                        0x88,
                        2,
                        &join(&[&[0, 1, 0, 0, 0, 0, 0, 0], &snap(IPV4, &tcp4())]),
                    ),
                    &[(4, 3)],
                ),
                TCP4,
            ),
            (
                "a power-save bit in the place of the mesh bit",
                station(0x88, 2, &join(&[&[0, 1], &snap(IPV4, &tcp4())])),
                TCP4,
            ),
            ("first fragment", with(data.clone(), &[(1, 5)]), TCP4),
            (
                "later fragment",
                with(data.clone(), &[(22, 0x11)]),
                "non-ip 0x0000",
            ),
            (
                "protected",
                with(data.clone(), &[(1, 0x41)]),
                "non-ip 0x0000",
            ),
            ("no data", station(0x48, 1, &[]), "non-ip 0x0000"),
            ("beacon", station(0x80, 0, &[0; 12]), "non-ip 0x0000"),
            (
                "version 1",
                with(data.clone(), &[(0, 9)]),
                "malformed 802.11: unknown version",
            ),
            ("cut", cut(data, 20), "malformed 802.11: truncated"),
        ],
    )
}

fn radiotap() -> Capture {
    let data = station(8, 1, &snap(IPV4, &tcp4()));
    let padded = station(0x88, 1, &join(&[&[0, 0], &[0, 0], &snap(IPV6, &udp6())]));
    let bare = join(&[&[0, 0, 8, 0, 0, 0, 0, 0], &data]);
    capture(
        "127-radiotap.pcap",
        [
            ("no fields", bare.clone(), TCP4),
            (
                "flags",
                join(&[&[0, 0, 9, 0, 2, 0, 0, 0, 0x10], &data, &[0; 4]]),
                TCP4,
            ),
            (
                "padding",
                join(&[&[0, 0, 9, 0, 2, 0, 0, 0, 0x20], &padded]),
                UDP6,
            ),
            (
                "padding after a time",
                join(&[&[0, 0, 17, 0, 3, 0, 0, 0], &[0; 8], &[0x20], &padded]),
                UDP6,
            ),
            (
                "padding after a second word",
                join(&[&[0, 0, 13, 0, 2, 0, 0, 0x80, 0, 0, 0, 0, 0x20], &padded]),
                UDP6,
            ),
            (
                "beacon",
                join(&[&[0, 0, 8, 0, 0, 0, 0, 0], &station(0x80, 0, &[])]),
                "non-ip 0x0000",
            ),
            (
                "version 1",
                with(bare.clone(), &[(0, 1)]),
                "malformed radiotap: truncated or bad version",
            ),
            (
                "longer than the frame",
                with(bare, &[(3, 9)]),
                "malformed radiotap: bad length",
            ),
        ],
    )
}
