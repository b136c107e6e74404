//! Seeds of frames, each with the link type that it begins with.

use bwmon_core::packet::{Parsed, parse};
use etherparse::{Ethernet2Header, IpHeaders, PacketBuilder, PacketBuilderStep};

use super::files::{cut, kept, replay, with};
use super::oracles::packet::{LINKS, check, link_of};

const ETHERNET: u32 = 1;
const PPP: u32 = 9;
const AX25: u32 = 3;
const JUNIPER_PPP: u32 = 179;
const NFLOG: u32 = 239;
const RAW_IP: u32 = 101;

#[test]
fn packet_seeds_are_in_git_and_mean_what_they_say() {
    for (name, frame, expected) in packet_seeds() {
        let number = match name.split('-').next() {
            Some("raw") => RAW_IP,
            Some("ppp") => PPP,
            Some("nflog") => NFLOG,
            Some("ax25") => AX25,
            Some("juniper") => JUNIPER_PPP,
            _ => ETHERNET,
        };
        let choice = LINKS.iter().position(|link| *link == number).unwrap();
        let choice = u8::try_from(choice).unwrap();
        let seed = [&[choice, 1], frame.as_slice()].concat();
        assert_eq!(kept("packet", name, &seed), seed, "{name}");
        assert_eq!(told(parse(link_of(choice), &frame)), expected, "{name}");
    }
}

/// As every link type, and cut at every length that the second byte can say.
#[test]
fn every_packet_of_the_corpus_keeps_the_laws() {
    let count = replay("packet", |seed| {
        let frame = seed.get(2..).unwrap_or_default();
        for link in 0..u8::try_from(LINKS.len()).unwrap() {
            for cut in 0..=u8::try_from(frame.len().min(255)).unwrap() {
                check(&[&[link, cut], frame].concat());
            }
        }
    });
    assert!(count >= packet_seeds().len());
}

type PacketSeed = (&'static str, Vec<u8>, &'static str);

fn packet_seeds() -> Vec<PacketSeed> {
    [ipv4_seeds(), ipv6_seeds(), link_seeds()].concat()
}

fn ethernet() -> PacketBuilderStep<Ethernet2Header> {
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
}

fn ipv4() -> PacketBuilderStep<IpHeaders> {
    ethernet().ipv4([10, 0, 0, 1], [198, 51, 100, 7], 64)
}

fn ipv4_seeds() -> Vec<PacketSeed> {
    let mut tcp = Vec::new();
    let step = ipv4().tcp(49_152, 443, 1, 1_000).syn();
    step.write(&mut tcp, b"hello").unwrap();
    let ports_only = cut(&tcp, 38);
    let in_header = cut(&tcp, 30);
    let in_ethernet = cut(&tcp, 13);
    let fragment = with(&tcp, &[(20, 0x00), (21, 0x10)]);
    let version_6 = with(&tcp, &[(14, 0x65)]);
    let mut icmp = Vec::new();
    let step = ipv4().icmpv4_echo_request(1, 1);
    step.write(&mut icmp, b"").unwrap();
    vec![
        ("ipv4-tcp-syn", tcp, "ip 6 49152>443"),
        ("ipv4-tcp-cut-after-ports", ports_only, "ip 6 49152>443"),
        ("ipv4-cut-in-header", in_header, "malformed ipv4: truncated"),
        ("ethernet-cut", in_ethernet, "malformed ethernet: truncated"),
        ("ipv4-later-fragment", fragment, "ip 6"),
        (
            "ipv4-ethertype-over-ipv6-version",
            version_6,
            "malformed ipv4: version is not 4",
        ),
        ("ipv4-icmp", icmp, "ip 1"),
    ]
}

fn ipv6_seeds() -> Vec<PacketSeed> {
    let mut udp = Vec::new();
    let step = ethernet().ipv6([1; 16], [2; 16], 64).udp(5_353, 53);
    step.write(&mut udp, b"question").unwrap();
    let too_long = with(&udp, &[(20, 0), (55, 255)]);
    let second = with(&udp, &[(20, 0), (54, 0), (55, 0)]);
    let mut raw = Vec::new();
    let step = PacketBuilder::ipv6([1; 16], [2; 16], 64).tcp(80, 50_000, 1, 1);
    step.write(&mut raw, b"").unwrap();
    vec![
        ("ipv6-udp", udp, "ip 17 5353>53"),
        ("ipv6-hop-by-hop-longer-than-frame", too_long, "ip 20"),
        ("ipv6-second-hop-by-hop", second, "ip 113"),
        ("raw-ipv6-tcp", raw, "ip 6 80>50000"),
        ("raw-empty", Vec::new(), "malformed ip: truncated"),
    ]
}

fn link_seeds() -> Vec<PacketSeed> {
    let mut tagged = Vec::new();
    let (outer, inner) = (100_u16.try_into().unwrap(), 7_u16.try_into().unwrap());
    let step = ethernet().double_vlan(outer, inner);
    let step = step.ipv4([10, 0, 0, 1], [198, 51, 100, 7], 64).udp(1, 2);
    step.write(&mut tagged, b"").unwrap();
    let in_tag = cut(&tagged, 16);
    let mut arp = vec![0xff; 12];
    arp.extend([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
    arp.resize(60, 0);
    let mut ppp = vec![0xff, 0x03, 0x00, 0x21];
    let step = PacketBuilder::ipv4([10, 0, 0, 1], [198, 51, 100, 7], 64).udp(1, 2);
    step.write(&mut ppp, b"").unwrap();
    let in_address = cut(&ppp, 1);
    let ax25 = [&[0x40; 6][..], &[0x60], &[0x42; 6], &[0x61], &[0x03]].concat();
    let juniper = b"MGC\x80\x01".to_vec();
    let nflog = vec![7, 0, 0, 0, 40, 0, 9, 0];
    vec![
        ("nflog-orders", nflog_orders(), "ip 17 1>2"),
        // Was taken for a frame without IP, as if all of it were there.
        (
            "ax25-cut-before-protocol",
            ax25,
            "malformed ax.25: truncated",
        ),
        (
            "juniper-cut-in-extensions",
            juniper,
            "malformed juniper: truncated",
        ),
        ("nflog-cut-in-packet", nflog, "malformed nflog: truncated"),
        ("ppp-ipv4-udp", ppp, "ip 17 1>2"),
        // Was taken for a compressed protocol number: a packet that is not IP.
        ("ppp-cut-in-address", in_address, "malformed ppp: truncated"),
        ("double-vlan-ipv4-udp", tagged, "ip 17 vlan 100 1>2"),
        ("vlan-cut", in_tag, "malformed vlan: truncated"),
        ("arp", arp, "non-ip 0x0806"),
    ]
}

/// A log whose values can be read in both byte orders, which gave two packets: one to who saw the whole
/// frame, the other to who saw its beginning.
fn nflog_orders() -> Vec<u8> {
    let mut packet = Vec::new();
    let step = PacketBuilder::ipv4([10, 0, 0, 1], [198, 51, 100, 7], 64).udp(1, 2);
    step.write(&mut packet, &[0; 900]).unwrap();
    let mut log = vec![2, 0, 0, 0, 0, 4, 0, 1];
    log.extend(u16::try_from(packet.len() + 4).unwrap().to_be_bytes());
    log.extend([0, 9]);
    log.extend(packet);
    // The other order skips the first 1,024 bytes, which are not there, or finds a packet here.
    log.resize(4 + 1_024, 0);
    log.extend([8, 0, 9, 0, 0x45, 0, 0, 0]);
    log
}

fn told(parsed: Parsed) -> String {
    match parsed {
        Parsed::Ip(view) => {
            let vlan = view.vlan.map(|vlan| format!(" vlan {vlan}"));
            let ports = view.ports.map(|(from, to)| format!(" {from}>{to}"));
            let [vlan, ports] = [vlan, ports].map(Option::unwrap_or_default);
            format!("ip {}{vlan}{ports}", view.protocol)
        }
        Parsed::NonIp(ethertype) => format!("non-ip {ethertype:#06x}"),
        Parsed::Malformed(why) => format!("malformed {}: {}", why.layer, why.reason),
    }
}
