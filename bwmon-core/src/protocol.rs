//! Names of IP protocols, by IANA's list "Assigned Internet Protocol Numbers".

use etherparse::IpNumber;

/// Names that differ from the list's keyword: the usual ones, and keywords without the list's
/// remarks, so that each name is one word.
const FAMILIAR: [(u8, &str); 8] = [
    (13, "ARGUS"),
    (53, "SWIPE"),
    (58, "ICMPv6"),
    (89, "OSPF"),
    (95, "MICP"),
    (122, "SM"),
    (124, "ISIS"),
    (135, "Mobility-Header"),
];

/// Further names that are understood: keywords that [`FAMILIAR`] replaces, and usual spellings.
const ALIASES: [(&str, u8); 5] = [
    ("IPv6-ICMP", 58),
    ("ICMP6", 58),
    ("OSPFIGP", 89),
    ("IPENCAP", 4),
    ("UDP-Lite", 136),
];

/// The number that the list reserves; it names no protocol.
const RESERVED: u8 = 255;

/// The name of a protocol number, such as `TCP` for 6; absent where IANA assigned none.
pub fn name(protocol: u8) -> Option<&'static str> {
    match FAMILIAR.iter().find(|(number, _)| *number == protocol) {
        Some((_, name)) => Some(name),
        None if protocol == RESERVED => None,
        None => IpNumber(protocol).keyword_str(),
    }
}

/// The number of a protocol by its name, in upper or lower case: what [`name`] gives, or another
/// usual spelling such as `ipv6-icmp`. Digits are not a name.
pub fn number(name: &str) -> Option<u8> {
    names()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, number)| number)
}

/// Every name that [`number`] understands, with its number.
pub fn names() -> impl Iterator<Item = (&'static str, u8)> {
    (0..=u8::MAX)
        .filter_map(|number| name(number).map(|name| (name, number)))
        .chain(ALIASES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn usual_protocols_have_their_usual_names() {
        for (number_of_it, name_of_it) in [
            (1, "ICMP"),
            (2, "IGMP"),
            (4, "IPv4"),
            (6, "TCP"),
            (17, "UDP"),
            (41, "IPv6"),
            (47, "GRE"),
            (50, "ESP"),
            (51, "AH"),
            (58, "ICMPv6"),
            (89, "OSPF"),
            (103, "PIM"),
            (112, "VRRP"),
            (132, "SCTP"),
        ] {
            assert_eq!(name(number_of_it), Some(name_of_it));
            assert_eq!(
                number(&name_of_it.to_ascii_lowercase()),
                Some(number_of_it),
                "{name_of_it}"
            );
        }
        assert_eq!(number("ipv6-icmp"), Some(58));
        assert_eq!((name(253), name(255)), (None, None));
        assert_eq!((number("6"), number("")), (None, None));
    }

    #[test]
    fn every_name_is_one_word_of_one_protocol() {
        let mut seen = BTreeMap::new();
        for (name, number_of_it) in names() {
            let is_word = |c: char| c.is_ascii_alphanumeric() || "+-./".contains(c);
            assert!(!name.is_empty() && name.chars().all(is_word), "{name}");
            assert_eq!(number(name), Some(number_of_it), "{name}");
            assert_eq!(seen.insert(name.to_ascii_lowercase(), number_of_it), None);
        }
    }
}
