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
const ARP: u8 = 16;

/// An Ethernet header: twelve bytes of addresses; then no length, but a type, which follows.
const ETHERNET: &[u8] = &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0];

#[test]
fn stack_seeds_are_in_git_and_mean_what_they_say() {
    for (name, recipe, headers) in seeds() {
        assert_eq!(kept("link_layers", &name, &recipe), recipe, "{name}");
        let built = build(&recipe);
        assert_eq!(built.headers.join(" "), headers, "{name}");
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

fn seeds() -> Vec<Seed> {
    let mut seeds = plain();
    seeds.extend(stacked().map(|(name, link, recipe, headers)| {
        let choice = LINKS.iter().position(|number| *number == link).unwrap();
        let start = [u8::try_from(choice).unwrap(), 30];
        (
            name.to_owned(),
            [&start, recipe.concat().as_slice()].concat(),
            headers,
        )
    }));
    seeds
}

/// The shortest recipe of every link type.
fn plain() -> Vec<Seed> {
    let headers = [
        (1, "ethernet ipv4 tcp"),
        (101, "ipv4 tcp"),
        (228, "ipv4 tcp"),
        (229, "ipv6 tcp"),
        (0, "null ipv4 tcp"),
        (113, "sll ipv4 tcp"),
        (276, "sll2 ipv4 tcp"),
        (9, "ppp ipv4 tcp"),
        (50, "ppp ipv4 tcp"),
        (104, "hdlc ipv4 tcp"),
        (107, "frame relay ipv4 tcp"),
        (10, "fddi llc snap ipv4 tcp"),
        (129, "arcnet ipv4 tcp"),
        (105, "802.11 llc snap ipv4 tcp"),
        (127, "radiotap 802.11 llc snap ipv4 tcp"),
        (192, "ppi ethernet ipv4 tcp"),
        (239, "nflog ipv4 tcp"),
        (147, ""),
    ];
    assert_eq!(headers.map(|(number, _)| number), LINKS);
    let seed = |(choice, (number, headers)): (usize, (u32, &'static str))| {
        let recipe = vec![u8::try_from(choice).unwrap()];
        (format!("linktype-{number}"), recipe, headers)
    };
    headers.into_iter().enumerate().map(seed).collect()
}

fn stacked() -> [(&'static str, u32, Vec<&'static [u8]>, &'static str); 22] {
    const TAG: &[u8] = &[100, 0, 0];
    const LABEL: &[u8] = &[0, 1, 0, 64, 3];
    [
        (
            "vlan-ipv6",
            1,
            vec![ETHERNET, &[VLAN], TAG, &[IPV6]],
            "ethernet vlan ipv6 tcp",
        ),
        (
            "five-tags",
            1,
            vec![
                ETHERNET,
                &[QINQ],
                TAG,
                &[VLAN],
                TAG,
                &[QINQ],
                TAG,
                &[4],
                TAG,
                &[5],
                TAG,
            ],
            "ethernet vlan vlan vlan vlan vlan ipv4 tcp",
        ),
        ("arp", 1, vec![ETHERNET, &[ARP]], "ethernet"),
        (
            "mpls-of-three-labels",
            1,
            vec![ETHERNET, &[MPLS], LABEL, LABEL, &[0, 1, 0, 64, 1]],
            "ethernet mpls mpls mpls ipv6 tcp",
        ),
        (
            "mpls-pseudowire",
            1,
            vec![ETHERNET, &[MPLS], &[0, 1, 0, 64, 2]],
            "ethernet mpls",
        ),
        (
            "pppoe-in-qinq",
            1,
            vec![
                ETHERNET,
                &[QINQ],
                TAG,
                &[VLAN],
                TAG,
                &[PPPOE],
                &[1, 0, 40, 0, 0, 2],
            ],
            "ethernet vlan vlan pppoe ppp ipv6 tcp",
        ),
        (
            "ppp-over-ethernet-type-with-mpls",
            1,
            vec![ETHERNET, &[PPP], &[1, 4], &[0, 1, 0, 64, 0]],
            "ethernet ppp mpls ipv4 tcp",
        ),
        (
            "pbb-with-customer-tag",
            1,
            vec![ETHERNET, &[PBB], &[7; 16], &[0, VLAN], TAG],
            "ethernet pbb vlan ipv4 tcp",
        ),
        (
            "vntag",
            1,
            vec![ETHERNET, &[VNTAG], &[1, 2, 3, 4], &[0, VLAN], TAG],
            "ethernet vntag vlan ipv4 tcp",
        ),
        (
            "fabricpath",
            1,
            vec![ETHERNET, &[FABRICPATH], &[1, 2], ETHERNET],
            "ethernet fabricpath ethernet ipv4 tcp",
        ),
        (
            "nsh-with-ethernet",
            1,
            vec![ETHERNET, &[NSH], &[4, 2, 0], ETHERNET],
            "ethernet nsh ethernet ipv4 tcp",
        ),
        (
            "macsec-with-channel",
            1,
            vec![ETHERNET, &[MACSEC], &[0, 1], &[9; 12], &[0, VLAN], TAG],
            "ethernet macsec vlan ipv4 tcp",
        ),
        (
            "macsec-encrypted",
            1,
            vec![ETHERNET, &[MACSEC], &[0, 2]],
            "ethernet macsec",
        ),
        (
            "length-llc-snap",
            1,
            vec![&ETHERNET[..12], &[7, 40, 0], &[0, 1, 1]],
            "ethernet llc snap ipv6 tcp",
        ),
        (
            "jumbo-llc-bridged-ethernet",
            1,
            vec![ETHERNET, &[LLC], &[0, 3], ETHERNET],
            "ethernet llc snap ethernet ipv4 tcp",
        ),
        (
            "sll-radiotap",
            113,
            vec![&[7, 0, 0, 0], &[0; 8], &[20, 0], &[5, 3], &[0; 15]],
            "sll radiotap 802.11 llc snap ipv4 tcp",
        ),
        (
            "sll2-llc",
            276,
            vec![&[0, 7], &[0; 14], &[1]],
            "sll2 llc ipv4 tcp",
        ),
        (
            "ppi-nflog",
            192,
            vec![&[4, 16, 0, 1, 1]],
            "ppi nflog ipv6 tcp",
        ),
        (
            "nflog-big-endian-with-values",
            239,
            vec![&[1, 1, 3, 8, 0, 5, 3, 1, 5, 20, 2, 5]],
            "nflog ipv6 tcp",
        ),
        (
            "ipv4-options-and-authentication",
            101,
            vec![&[0, 1, 10, 3, 0]],
            "ipv4 authentication udp",
        ),
        (
            "ipv6-chain-with-first-fragment",
            229,
            vec![&[1, 5, 0, 2, 1, 3, 4], &[0; 37], &[1, 5, 1, 5, 1, 5, 1]],
            "ipv6 ipv6 extension ipv6 extension ipv6 extension ipv6 fragment authentication udp",
        ),
        (
            "ipv6-later-fragment",
            229,
            vec![&[1, 1, 3], &[0; 37], &[2, 5]],
            "ipv6 ipv6 fragment",
        ),
    ]
}
