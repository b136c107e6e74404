//! Seeds of header stacks: for every link type one, and for each way to stack.

use super::files::{kept, replay};
use super::oracles::link_layers::{build, check};
use super::oracles::packet::LINKS;

/// Places in the list of EtherTypes that a recipe chooses from.
const IPV6: u8 = 1;
const VLAN: u8 = 2;
const QINQ: u8 = 3;
const MPLS: u8 = 6;
const PPPOE: u8 = 8;
const PPP: u8 = 9;
const PBB: u8 = 10;
const VNTAG: u8 = 11;
const FABRICPATH: u8 = 12;
const NSH: u8 = 13;
const MACSEC: u8 = 14;
const LLC: u8 = 15;
const ETAG: u8 = 16;
const HSR: u8 = 18;
const TRILL: u8 = 20;
const BATMAN: u8 = 21;
const BRIDGED: u8 = 22;
const ARP: u8 = 23;
const NEITHER: u8 = 26;

/// An Ethernet header: not ISL; eleven bytes of addresses; no length, but a type, which follows.
const ETHERNET: &[u8] = &[0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0];
const TAG: &[u8] = &[100, 0, 0];
/// A label that another one follows.
const LABEL: &[u8] = &[0, 1, 0, 64, 3];

#[test]
fn stack_seeds_are_in_git_and_mean_what_they_say() {
    for (name, recipe, headers) in seeds() {
        assert_eq!(kept("link_layers", &name, &recipe), recipe, "{name}");
        assert_eq!(build(&recipe).headers.join(" "), headers, "{name}");
    }
}

#[test]
fn every_stack_of_the_corpus_keeps_the_laws() {
    let count = replay("link_layers", |recipe| {
        let mut recipe = recipe.to_owned();
        let length = build(&recipe).frame.len();
        recipe.resize(recipe.len().max(2), 0);
        for cut in 0..=u8::try_from(length.min(255)).unwrap() {
            recipe[1] = cut;
            check(&recipe);
        }
    });
    assert!(count >= seeds().len());
}

type Seed = (String, Vec<u8>, &'static str);
/// A name, a link type, a recipe in parts, and the headers.
type Stack = (&'static str, u32, Vec<&'static [u8]>, &'static str);

fn seeds() -> Vec<Seed> {
    let choice = |link: u32| {
        let choice = LINKS.iter().position(|number| *number == link);
        u8::try_from(choice.unwrap()).unwrap()
    };
    let plain = LINKS.map(|number| {
        let name = format!("linktype-{number}");
        (name, vec![choice(number)], plain_headers(number))
    });
    let stacks = [tagged(), labelled(), bridged(), captured(), networks()].concat();
    let stacks = stacks.into_iter().map(|(name, link, recipe, headers)| {
        let recipe = [&[choice(link), 30], recipe.concat().as_slice()].concat();
        (name.to_owned(), recipe, headers)
    });
    plain.into_iter().chain(stacks).collect()
}

/// What the shortest recipe of a link type gives.
fn plain_headers(number: u32) -> &'static str {
    match number {
        101 | 106 | 228 => "ipv4 tcp",
        229 => "ipv6 tcp",
        0 => "null ipv4 tcp",
        1 => "ethernet ipv4 tcp",
        3 => "ax.25 ipv4 tcp",
        6 => "token ring llc snap ipv4 tcp",
        7 | 129 => "arcnet ipv4 tcp",
        8 => "slip ipv4 tcp",
        9 | 50 => "ppp ipv4 tcp",
        10 => "fddi llc snap ipv4 tcp",
        51 => "pppoe ppp ipv4 tcp",
        100 => "llc snap ipv4 tcp",
        104 => "hdlc ipv4 tcp",
        105 => "802.11 llc snap ipv4 tcp",
        107 => "frame relay ipv4 tcp",
        109 => "enc ipv4 tcp",
        113 => "sll ipv4 tcp",
        117 => "pflog ipv4 tcp",
        119 => "prism 802.11 llc snap ipv4 tcp",
        122 => "fibre channel llc snap ipv4 tcp",
        127 => "radiotap 802.11 llc snap ipv4 tcp",
        138 => "ieee 1394 ipv4 tcp",
        163 => "avs 802.11 llc snap ipv4 tcp",
        166 | 204 => "direction ppp ipv4 tcp",
        178 => "juniper ethernet ipv4 tcp",
        179 => "juniper ppp ipv4 tcp",
        180 => "juniper frame relay ipv4 tcp",
        181 => "juniper hdlc ipv4 tcp",
        192 => "ppi ethernet ipv4 tcp",
        202 => "kiss ax.25 ipv4 tcp",
        205 => "direction hdlc ipv4 tcp",
        206 => "direction frame relay ipv4 tcp",
        219 => "mpls ipv4 tcp",
        226 => "ipnet ipv4 tcp",
        239 => "nflog ipv4 tcp",
        240 | 241 => "netanalyzer ethernet ipv4 tcp",
        242 => "infiniband ipv4 tcp",
        258 => "pktap ethernet ipv4 tcp",
        259 => "epon ethernet ipv4 tcp",
        274 => "mpacket ethernet ipv4 tcp",
        276 => "sll2 ipv4 tcp",
        281 => "broadcom tag ipv4 tcp",
        282 => "broadcom tag ethernet ipv4 tcp",
        284 | 285 => "dsa tag ipv4 tcp",
        _ => "",
    }
}

#[rustfmt::skip] // a table
fn tagged() -> Vec<Stack> {
    vec![
        ("vlan-ipv6", 1, vec![ETHERNET, &[VLAN], TAG, &[IPV6]], "ethernet vlan ipv6 tcp"),
        (
            "five-tags", 1,
            vec![ETHERNET, &[QINQ], TAG, &[VLAN], TAG, &[QINQ], TAG, &[4], TAG, &[5], TAG],
            "ethernet vlan vlan vlan vlan vlan ipv4 tcp",
        ),
        ("arp", 1, vec![ETHERNET, &[ARP]], "ethernet"),
        ("neither-type-nor-length", 1, vec![ETHERNET, &[NEITHER]], "ethernet"),
        (
            "isl", 1,
            vec![&[15, 1, 2, 200, 0, 3], ETHERNET, &[VLAN], TAG],
            "isl ethernet vlan ipv4 tcp",
        ),
        (
            "pbb-with-customer-tag", 1,
            vec![ETHERNET, &[PBB], &[7; 16], &[0, VLAN], TAG],
            "ethernet pbb vlan ipv4 tcp",
        ),
        (
            "vntag", 1,
            vec![ETHERNET, &[VNTAG], &[1, 2, 3, 4], &[0, VLAN], TAG],
            "ethernet vntag vlan ipv4 tcp",
        ),
        ("e-tag", 1, vec![ETHERNET, &[ETAG], &[1; 6], &[0, IPV6]], "ethernet e-tag ipv6 tcp"),
        ("hsr", 1, vec![ETHERNET, &[HSR], &[1; 4], &[0, VLAN], TAG], "ethernet hsr vlan ipv4 tcp"),
        (
            "macsec-with-channel", 1,
            vec![ETHERNET, &[MACSEC], &[0, 1], &[9; 12], &[0, VLAN], TAG],
            "ethernet macsec vlan ipv4 tcp",
        ),
        ("macsec-encrypted", 1, vec![ETHERNET, &[MACSEC], &[0, 2]], "ethernet macsec"),
        ("dsa-vlan", 284, vec![&[0; 11], &[1, 100, 0]], "dsa tag ipv4 tcp"),
    ]
}

#[rustfmt::skip] // a table
fn labelled() -> Vec<Stack> {
    vec![
        (
            "mpls-of-three-labels", 1,
            vec![ETHERNET, &[MPLS], LABEL, LABEL, &[0, 1, 0, 64, 1]],
            "ethernet mpls mpls mpls ipv6 tcp",
        ),
        ("mpls-pseudowire", 1, vec![ETHERNET, &[MPLS], &[0, 1, 0, 64, 2]], "ethernet mpls"),
        (
            "mpls-associated-channel", 1,
            vec![ETHERNET, &[MPLS], &[0, 1, 0, 64, 5]],
            "ethernet mpls ipv6 tcp",
        ),
        (
            "pppoe-in-qinq", 1,
            vec![ETHERNET, &[QINQ], TAG, &[VLAN], TAG, &[PPPOE], &[1, 0, 40, 0, 0, 2]],
            "ethernet vlan vlan pppoe ppp ipv6 tcp",
        ),
        (
            "ppp-with-mpls", 1,
            vec![ETHERNET, &[PPP], &[1, 0, 4], &[0, 1, 0, 64, 0]],
            "ethernet ppp mpls ipv4 tcp",
        ),
        ("ppp-multilink", 9, vec![&[0, 1, 0, 10, 1, 1, 2]], "ppp ppp ipv6 tcp"),
        (
            "ppp-bridged-with-network", 9,
            vec![&[0, 0, 9], ETHERNET, &[VLAN], TAG],
            "ppp ethernet vlan ipv4 tcp",
        ),
        (
            "nsh-in-nsh", 1,
            vec![ETHERNET, &[NSH], &[4, 3, 0], &[0, 1, 0]],
            "ethernet nsh nsh ipv6 tcp",
        ),
    ]
}

#[rustfmt::skip] // a table
fn bridged() -> Vec<Stack> {
    vec![
        (
            "fabricpath", 1,
            vec![ETHERNET, &[FABRICPATH], &[1, 2], ETHERNET],
            "ethernet fabricpath ethernet ipv4 tcp",
        ),
        (
            "trill-with-options", 1,
            vec![ETHERNET, &[TRILL], &[3, 10, 1, 2, 3, 4, 5], ETHERNET, &[VLAN], TAG],
            "ethernet trill ethernet vlan ipv4 tcp",
        ),
        (
            "batman-unicast", 1,
            vec![ETHERNET, &[BATMAN], &[1, 9], ETHERNET],
            "ethernet batman ethernet ipv4 tcp",
        ),
        (
            "transparent-bridging", 1,
            vec![ETHERNET, &[BRIDGED], ETHERNET, &[IPV6]],
            "ethernet ethernet ipv6 tcp",
        ),
        (
            "length-llc-snap", 1,
            vec![&ETHERNET[..12], &[7, 40, 0], &[0, 1, 1]],
            "ethernet llc snap ipv6 tcp",
        ),
        (
            "length-llc-network-layer-identifier", 1,
            vec![&ETHERNET[..12], &[7, 40, 0], &[2, 2, 0, 2]],
            "ethernet llc nlpid ppp ipv6 tcp",
        ),
        (
            "jumbo-llc-bridged-ethernet", 1,
            vec![ETHERNET, &[LLC], &[0, 3, 0], ETHERNET],
            "ethernet llc snap ethernet ipv4 tcp",
        ),
        (
            "atm-bridged-ethernet", 100,
            vec![&[0, 2, 9], ETHERNET, &[VLAN], TAG],
            "llc snap ethernet vlan ipv4 tcp",
        ),
        (
            "frame-relay-bridged-ethernet", 107,
            vec![&[1, 4, 8, 9, 2, 1, 3, 0], ETHERNET],
            "frame relay snap ethernet ipv4 tcp",
        ),
    ]
}

#[rustfmt::skip] // a table
fn captured() -> Vec<Stack> {
    vec![
        (
            "sll-radiotap-padded", 113,
            vec![&[6, 0, 0, 0], &[0; 8], &[1, 1, 20, 9], &[5, 2], &[0; 16]],
            "sll radiotap 802.11 llc snap ipv4 tcp",
        ),
        ("sll-ethernet", 113, vec![&[0, 6, 0], &[0; 8], ETHERNET], "sll ethernet ipv4 tcp"),
        ("sll2-llc", 276, vec![&[0, 7], &[0; 14], &[1]], "sll2 llc ipv4 tcp"),
        ("ppi-nflog", 192, vec![&[4, 16, 0, 1, 1]], "ppi nflog ipv6 tcp"),
        (
            "nflog-big-endian-with-values", 239,
            vec![&[1, 1, 2, 3, 8, 0, 5, 250, 1, 5, 20, 2, 5]],
            "nflog ipv6 tcp",
        ),
        ("pktap-sll", 258, vec![&[96, 5, 1]], "pktap sll ipv4 tcp"),
        (
            "juniper-without-link-layer", 178,
            vec![&[1, 3, 20, 9, 1, 2, 3, 4, 1]],
            "juniper ipv6 tcp",
        ),
        ("null-with-ppp", 0, vec![&[5]], "ppp ipv6 tcp"),
        ("null-of-16-bits", 0, vec![&[7, 1]], "null ipv4 tcp"),
    ]
}

#[rustfmt::skip] // a table
fn networks() -> Vec<Stack> {
    vec![
        // Transport, options, authentication, whole; a length of more, exact, of less.
        ("ipv4-options", 101, vec![&[0, 1, 10, 0, 0, 5]], "ipv4 udp"),
        ("ipv4-authentication", 101, vec![&[0, 1, 0, 3, 0, 0]], "ipv4 authentication udp"),
        ("ipv4-ends-within-ports", 101, vec![&[0, 0, 2, 0, 0, 7, 3]], "ipv4 tcp"),
        ("ipv4-ends-before-flags", 101, vec![&[0, 0, 2, 0, 0, 7, 13]], "ipv4 tcp"),
        ("ipv4-first-fragment", 101, vec![&[0, 1, 0, 0, 1]], "ipv4 udp"),
        ("ipv4-later-fragment-of-authentication", 101, vec![&[0, 1, 0, 3, 2]], "ipv4"),
        (
            "ipv6-chain-with-first-fragment", 229,
            vec![&[1, 5, 0, 2, 1, 3, 4, 0], &[0; 35], &[1, 5, 1, 5, 1, 5, 1]],
            "ipv6 ipv6 extension ipv6 extension ipv6 extension ipv6 fragment authentication udp",
        ),
        (
            "ipv6-later-fragment", 229,
            vec![&[1, 1, 3, 0], &[0; 35], &[2, 5]],
            "ipv6 ipv6 fragment",
        ),
        ("ipv6-ends-within-ports", 229, vec![&[0, 0, 7, 2]], "ipv6 tcp"),
        ("ipv6-jumbogram", 229, vec![&[1, 0, 4]], "ipv6 udp"),
    ]
}
