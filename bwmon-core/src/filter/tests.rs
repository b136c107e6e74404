use super::*;
use crate::flow::{Counters, Endpoint, Flow, FlowKey};
use crate::frame::{InterfaceId, PerDirection, Tally};
use crate::report::FlowRow;
use crate::time::Timestamp;

const MEGA: u64 = 1_000_000;

fn tally(bytes: u64, packets: u64) -> Tally {
    Tally { bytes, packets }
}

/// HTTPS from 192.0.2.10:50000 to 198.51.100.7:443 on `eth0`: 9 MB in 6000 packets in, 1 MB in 2000
/// packets out.
fn https() -> FlowRow {
    FlowRow {
        interface: Some("eth0".to_owned()),
        protocol: 6,
        local: "192.0.2.10".parse().unwrap(),
        local_port: 50_000,
        remote: "198.51.100.7".parse().unwrap(),
        remote_port: 443,
        traffic: PerDirection {
            ingress: tally(9 * MEGA, 6_000),
            egress: tally(MEGA, 2_000),
        },
        first: Timestamp::EPOCH,
        last: Timestamp::EPOCH,
        tcp_flags: 0,
    }
}

/// ICMPv6, which has no ports, from 2001:db8::1 to 2001:db8::2, seen by a source that knows no
/// interface.
fn ping() -> FlowRow {
    FlowRow {
        interface: None,
        protocol: 58,
        local: "2001:db8::1".parse().unwrap(),
        local_port: 0,
        remote: "2001:db8::2".parse().unwrap(),
        remote_port: 0,
        ..https()
    }
}

fn matches(text: &str, subject: &impl Subject) -> bool {
    match text.parse::<Filter>() {
        Ok(filter) => filter.matches(subject),
        Err(error) => panic!("{error}\n{}", error.excerpt(text)),
    }
}

#[track_caller]
fn assert_holds(subject: &impl Subject, holds: &[&str], fails: &[&str]) {
    for text in holds {
        assert!(matches(text, subject), "does not hold: {text}");
        assert!(!matches(&format!("not ({text})"), subject), "{text}");
    }
    for text in fails {
        assert!(!matches(text, subject), "holds: {text}");
    }
}

fn canonical(text: &str) -> String {
    let filter: Filter = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    let written = filter.to_string();
    assert_eq!(written.parse(), Ok(filter), "{text} -> {written}");
    written
}

#[track_caller]
fn assert_error(text: &str, position: usize, message: &str) {
    let error = text.parse::<Filter>().expect_err(text);
    assert_eq!(
        (error.position, error.message.as_str()),
        (position, message),
        "{text}"
    );
}

#[test]
fn addresses_and_networks_of_either_and_of_one_end() {
    assert_holds(
        &https(),
        &[
            "ip = 192.0.2.10",
            "ip == 198.51.100.7",
            "ip 198.51.100.0/24",
            "net 198.51.100.99/24",
            "local.ip = 192.0.2.0/24",
            "remote.ip in (203.0.113.1, 198.51.100.7)",
            "peer 198.51.100.7",
            "ip = '192.0.2.10'",
            "ip != 192.0.2.11",
            "ip not in (192.0.2.11, 2001:db8::/32)",
        ],
        &[
            "ip = 192.0.2.11",
            "local.ip = 198.51.100.7",
            "remote.ip = 192.0.2.10",
            "ip != 192.0.2.10",
            "ip != 198.51.100.7",
            "ip = ::/0",
        ],
    );
    assert_holds(
        &ping(),
        &["ip = 2001:DB8:0::2", "ip = ::/0"],
        &["ip = 0.0.0.0/0"],
    );
}

#[test]
fn ports_by_number_range_and_order() {
    assert_holds(
        &https(),
        &[
            "port 443",
            "port = 50000",
            "port=443",
            "portrange 440-450",
            "port in (80, 400-500)",
            "port < 1024",
            "port <= 443",
            "port > 49999",
            "port >= 50000",
            "local.port >= 1024",
            "remote.port < 1024",
            "port != 80",
            "port not in (80, 1000-2000)",
        ],
        &[
            "port 80",
            "port < 443",
            "port > 50000",
            "local.port = 443",
            "remote_port = 50000",
            "port != 443",
            "port != 50000",
            "port not in (443, 1)",
        ],
    );
}

#[test]
fn protocols_by_name_and_number() {
    assert_holds(
        &https(),
        &[
            "tcp",
            "TCP",
            "protocol = tcp",
            "proto 6",
            "protocol in (udp, tcp)",
            "protocol != udp",
        ],
        &["udp", "icmp", "protocol != 6", "not tcp", "!tcp"],
    );
    assert_holds(
        &ping(),
        &["icmpv6", "icmp6", "protocol = ipv6-icmp", "protocol = 58"],
        &["icmp", "tcp"],
    );
    assert_holds(
        &https(),
        &[
            "tcp port 443",
            "tcp remote.port 443 and tcp local.port > 1024",
        ],
        &["udp port 443", "tcp port 80", "not tcp port 443"],
    );
}

#[test]
fn versions_of_ip() {
    assert_holds(
        &https(),
        &["version = 4", "version != 6", "version in (4, 6)"],
        &["version 6"],
    );
    assert_holds(&ping(), &["version 6"], &["version = 4"]);
}

#[test]
fn amounts_of_bytes_and_packets() {
    assert_holds(
        &https(),
        &[
            "bytes = 10 MB",
            "bytes >= 10MB",
            "bytes > 9.5 MiB",
            "bytes <= 10000000",
            "bytes < 1GB",
            "bytes in (1, 10 MB)",
            "ingress.bytes = 9 MB",
            "bytes.in = 9 MB",
            "egress.bytes = 1 MB",
            "bytes.out != 9 MB",
            "packets = 8 k",
            "packets > 7999",
            "ingress_packets = 6k",
            "packets.out = 2000",
        ],
        &[
            "bytes > 10 MB",
            "bytes < 10 MB",
            "bytes != 10 MB",
            "packets > 8 k",
            "packets in (1, 2)",
        ],
    );
}

#[test]
fn names_with_wildcards() {
    assert_holds(
        &https(),
        &[
            "interface = eth0",
            "interface eth*",
            "iface = 'eth?'",
            "interface in (wlan0, e*0)",
            "interface != eth1",
        ],
        &[
            "interface = eth",
            "interface = ETH0",
            "interface = eth1",
            "interface != *",
        ],
    );
    let row = https();
    let named = Named {
        subject: &row,
        host: Some("Web-01"),
        interface: None,
    };
    assert_holds(
        &named,
        &[
            "host = web-01",
            "host WEB-*",
            "host = \"web-0?\"",
            "host web-01 and interface eth0",
        ],
        &["host = web", "host != web-01", "host = \"\\\"\""],
    );
    let renamed = Named {
        interface: Some("wan"),
        ..named
    };
    assert_holds(
        &renamed,
        &["interface = wan", "tcp port 443", "bytes = 10 MB"],
        &["interface eth0"],
    );
}

#[test]
fn and_binds_more_tightly_than_or_and_not_most_tightly() {
    assert_holds(
        &https(),
        &[
            "tcp or udp and port 80",
            "udp and port 80 or tcp",
            "not udp and tcp",
            "!udp && (port 80 || port 443)",
            "NOT (udp OR icmp) AND port 443",
            "not not tcp",
            "((((tcp))))",
        ],
        &[
            "(tcp or udp) and port 80",
            "not (udp or tcp)",
            "not udp and icmp",
        ],
    );
}

#[test]
fn what_is_absent_equals_nothing() {
    let absent: [&str; 8] = [
        "port = 0",
        "port < 70",
        "port 0-65535",
        "local.port >= 0",
        "interface = *",
        "host = *",
        "vlan = none",
        "vlan < 4095",
    ];
    for text in absent {
        assert!(!matches(text, &ping()), "{text}");
    }
    for text in [
        "port != 0",
        "port not in (0, 1)",
        "interface != *",
        "host != web",
        "vlan != none",
    ] {
        assert!(matches(text, &ping()), "{text}");
    }
}

#[derive(Debug, Default)]
struct Tagged(Option<Vlan>);

impl Subject for Tagged {
    const FIELDS: Fields = Fields::NONE.with(Field::Vlan);
    fn host(&self) -> Option<&str> {
        None
    }
    fn interface(&self) -> Option<&str> {
        None
    }
    fn local(&self) -> Option<std::net::IpAddr> {
        None
    }
    fn remote(&self) -> Option<std::net::IpAddr> {
        None
    }
    fn local_port(&self) -> Option<u16> {
        None
    }
    fn remote_port(&self) -> Option<u16> {
        None
    }
    fn protocol(&self) -> Option<u8> {
        None
    }
    fn vlan(&self) -> Option<Vlan> {
        self.0
    }
    fn traffic(&self) -> Option<PerDirection<Tally>> {
        None
    }
}

#[test]
fn vlans_by_number_range_and_none() {
    assert_holds(
        &Tagged(Some(Vlan::Tagged(100))),
        &[
            "vlan 100",
            "vlan in (none, 100-199)",
            "vlan > 99",
            "vlan != none",
        ],
        &["vlan none", "vlan = 101", "vlan < 100", "vlan != 100"],
    );
    assert_holds(
        &Tagged(Some(Vlan::Untagged)),
        &[
            "vlan = none",
            "vlan NONE",
            "vlan != 100",
            "vlan not in (1-4095)",
        ],
        &["vlan = 0", "vlan < 4095", "vlan >= 0", "vlan != none"],
    );
    assert_holds(
        &Tagged(None),
        &[
            "version != 4",
            "bytes != 0",
            "protocol != tcp",
            "ip != ::/0",
            "vlan != none",
        ],
        &[
            "vlan none",
            "vlan 1",
            "bytes >= 0",
            "packets < 1",
            "version in (4, 6)",
            "ip = ::/0",
        ],
    );
}

#[test]
fn flows_of_the_table_are_judged_as_their_rows_are() {
    let row = https();
    let end = |address, port| Endpoint { address, port };
    let flow = Flow {
        place: Some(InterfaceId(2)),
        key: FlowKey::new(
            row.protocol,
            end(row.local, row.local_port),
            end(row.remote, row.remote_port),
        ),
        counters: Counters::new(Timestamp::EPOCH, row.traffic, 0),
    };
    for text in [
        "tcp",
        "local.port = 50000",
        "remote.port = 443",
        "local.ip = 192.0.2.10",
        "remote.ip = 198.51.100.7",
        "bytes.in = 9 MB",
        "packets.out = 2 k",
        "interface != *",
    ] {
        assert!(matches(text, &flow), "{text}");
    }
    assert_holds(&flow, &["vlan = none"], &["vlan = 7"]);
    let mut tagged = flow;
    tagged.key.vlan = Some(7);
    assert_holds(&tagged, &["vlan = 7"], &["vlan = none"]);

    let mut unread = flow;
    unread.key.has_ports = false;
    let mut zero = flow;
    zero.key.local.port = 0;
    zero.key.remote.port = 0;
    for without_ports in [unread, zero] {
        assert_holds(
            &without_ports,
            &["port != 0"],
            &["port < 1024", "port >= 0"],
        );
    }

    let named = Named {
        subject: &flow,
        host: None,
        interface: Some("eth0"),
    };
    assert!(matches("interface = eth0 and host != a", &named));
}

#[test]
fn only_fields_that_the_subject_has_are_taken() {
    let error = |text: &str, fields| {
        let error = Filter::parse_for(text, fields).expect_err(text);
        (error.position, error.message)
    };
    assert!(Filter::parse_for("interface = eth0", FlowRow::FIELDS).is_ok());
    let (position, message) = error("tcp and vlan = 5", FlowRow::FIELDS);
    assert_eq!(position, 8);
    assert!(
        message
            .starts_with("`vlan` is not known of what is filtered here; there are interface, ip,")
    );
    assert_eq!(error("iface = eth0", Flow::FIELDS).0, 0);
    assert!(Filter::parse_for("host = a or interface = b", Named::<Flow>::FIELDS).is_ok());
    let no_protocol = Fields::ALL.without(Field::Protocol);
    assert_eq!(error("port 1 and tcp", no_protocol).0, 11);
    assert_eq!(error("tcp port 1", Fields::ALL.without(Field::Port)).0, 4);
    let only = Fields::of(&[Field::Bytes]);
    assert_eq!(
        error("pot = 1", only).1,
        "`pot` is no field; there are bytes"
    );
}

#[test]
fn one_text_stands_for_all_that_mean_the_same() {
    for (given, written) in [
        ("TCP", "protocol = tcp"),
        ("tcp port 443", "protocol = tcp and port = 443"),
        ("not port 443", "port != 443"),
        ("port != 443", "port != 443"),
        ("not port != 443", "not port != 443"),
        ("not port in (1, 2-3)", "port not in (1, 2-3)"),
        ("port in (443)", "port = 443"),
        ("port 443-443", "port = 443"),
        ("not bytes>1000k", "not bytes > 1 MB"),
        (
            "(tcp and (udp and icmp)) and gre",
            "protocol = tcp and protocol = udp and protocol = icmp and protocol = gre",
        ),
        (
            "tcp or (udp or icmp)",
            "protocol = tcp or protocol = udp or protocol = icmp",
        ),
        (
            "(tcp and port 1) or udp",
            "protocol = tcp and port = 1 or protocol = udp",
        ),
        (
            "tcp&&(port 1||port 2)",
            "protocol = tcp and (port = 1 or port = 2)",
        ),
        ("not tcp port 1", "not (protocol = tcp and port = 1)"),
        ("!!tcp", "not protocol != tcp"),
        ("not (tcp or udp)", "not (protocol = tcp or protocol = udp)"),
        ("peer 10.1.2.3/8", "remote.ip = 10.0.0.0/8"),
        ("proto 200", "protocol = 200"),
        ("proto ospfigp", "protocol = ospf"),
        ("vlan NONE", "vlan = none"),
        ("host 'web 01'", "host = \"web 01\""),
        ("host \"web-01\"", "host = web-01"),
        ("host 'and'", "host = \"and\""),
        ("host '10.0.0.1'", "host = \"10.0.0.1\""),
        ("host 'a\\'\"\\\\b'", "host = \"a'\\\"\\\\b\""),
        ("host a**b", "host = a*b"),
        ("bytes.in in (1, 1 KiB)", "ingress.bytes in (1, 1 KiB)"),
        ("packets > 10k", "packets > 10000"),
    ] {
        assert_eq!(canonical(given), written, "{given}");
    }
}

#[test]
fn errors_say_where_what_was_found_and_what_was_expected() {
    let comparison = "a comparison such as `port = 443`, a protocol such as `tcp`, `not` or `(`";
    assert_error("", 0, &format!("found the end, expected {comparison}"));
    assert_error("  ", 2, &format!("found the end, expected {comparison}"));
    assert_error(
        "tcp and",
        7,
        &format!("found the end, expected {comparison}"),
    );
    assert_error(
        "tcp or or udp",
        7,
        &format!("found `or`, expected {comparison}"),
    );
    assert_error("()", 1, &format!("found `)`, expected {comparison}"));
    assert_error("(tcp", 4, "found the end, expected `and`, `or` or `)`");
    assert_error("tcp)", 3, "found `)` without a `(` before it");
    assert_error("tcp 443", 4, "found `443`, expected `and`, `or` or the end");
    assert_error(
        "bytes > 5 port 1",
        10,
        "found `port`, expected `and`, `or` or the end",
    );
}

#[test]
fn errors_in_values_say_what_the_field_takes() {
    let port = "a port from 0 to 65535, or a range such as 1000-2000";
    assert_error(
        "port = https",
        7,
        &format!("found `https`, expected {port}"),
    );
    assert_error(
        "port = 65536",
        7,
        &format!("found `65536`, expected {port}"),
    );
    assert_error("port in (1, )", 12, &format!("found `)`, expected {port}"));
    assert_error("port =", 6, &format!("found the end, expected {port}"));
    assert_error(
        "port 9-1",
        5,
        "found `9-1`, expected a range from the lower to the higher number",
    );
    assert_error(
        "port < 1-2",
        7,
        "found `1-2`, expected a port from 0 to 65535",
    );
    assert_error(
        "port in 1",
        8,
        "found `1`, expected a list such as `(1, 2)` after `in`",
    );
    assert_error("port in (1 2)", 11, "found `2`, expected `,` or `)`");
    assert_error("port not 1", 9, "found `1`, expected `in` after `not`");
    assert_error(
        "vlan and tcp",
        5,
        "found `and`, expected a value, =, !=, <, <=, >, >=, `in` or `not in` after `vlan`",
    );
    assert_error(
        "ip < 10.0.0.1",
        3,
        "found `<`, expected a value, =, !=, `in` or `not in` after `ip`",
    );
    assert_error(
        "bytes 5",
        6,
        "found `5`, expected =, !=, <, <=, >, >=, `in` or `not in` after `bytes`, as in `bytes > 10 k`",
    );
    assert_error(
        "bytes > 1 Gb",
        10,
        "found `Gb`, expected a unit of bytes such as kB, MB or GB; `b` would be bits",
    );
    assert_error(
        "bytes > x GB",
        8,
        "found `x`, expected a number of bytes such as 1500, 10 kB, 1.5 GB or 2 GiB",
    );
    assert_error("version = v6", 10, "found `v6`, expected 4 or 6");
    assert_error(
        "host 10.0.0.1",
        5,
        "found `10.0.0.1`, expected the name of a monitored host; for an address write `ip`, as in `ip = 192.0.2.7`",
    );
    assert_error("tcp & udp", 4, "found a single `&`: write `and` or `&&`");
    assert_error(
        "host = 'a",
        7,
        "this quote is not closed: expected another '",
    );
}

#[test]
fn errors_in_quotes_and_in_what_is_no_word_say_so() {
    assert_error(
        "host = 'a\\\u{1b}'",
        10,
        "found a control character within quotes",
    );
    assert_error(
        "host = 'a\\",
        7,
        "this quote is not closed: expected another '",
    );
    assert_error(
        "é = 1",
        0,
        "`é` is no field; there are host, interface, ip, local.ip, remote.ip, port, local.port, remote.port, protocol, version, vlan, bytes, ingress.bytes, egress.bytes, packets, ingress.packets, egress.packets",
    );
}

#[test]
fn misspelt_and_foreign_words_get_an_answer() {
    assert_error(
        "prot 443",
        0,
        "`prot` is no field; did you mean `port` or `proto`?",
    );
    assert_error(
        "tcp and interfaec = a",
        8,
        "`interfaec` is no field; did you mean `interface`?",
    );
    assert_error("ucp", 0, "`ucp` is no field; did you mean `tcp` or `udp`?");
    assert_error(
        "remote_prot = 1",
        0,
        "`remote_prot` is no field; did you mean `remote.port`?",
    );
    assert_error(
        "tcp or 443",
        7,
        "found the value `443` without a field: each comparison names one, as in `port = 443` or `port in (443, ...)`",
    );
    assert_error(
        "10.0.0.0/8",
        0,
        "found the value `10.0.0.0/8` without a field: each comparison names one, as in `ip = 10.0.0.0/8` or `ip in (10.0.0.0/8, ...)`",
    );
    for (text, position) in [
        ("src port 80", 0),
        ("tcp dst port 80", 4),
        ("dst.ip = ::1", 0),
    ] {
        let error = text.parse::<Filter>().expect_err(text);
        assert_eq!(error.position, position, "{text}");
        assert!(
            error.message.contains("write local.ip"),
            "{}",
            error.message
        );
    }
    let error = "ip6".parse::<Filter>().unwrap_err();
    assert!(
        error.message.contains("write `version = 6`"),
        "{}",
        error.message
    );
}

#[test]
fn an_error_shows_the_text_and_the_place() {
    let text = "tcp and port = abc";
    let error = text.parse::<Filter>().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the filter is wrong at byte 15: found `abc`, expected a port")
    );
    assert_eq!(
        error.excerpt(text),
        "tcp and port = abc\n               ^^^"
    );
}

#[test]
fn depth_length_and_lists_are_bounded() {
    let nested = |depth: usize| format!("{}tcp{}", "(".repeat(depth), ")".repeat(depth));
    assert!(nested(MAX_DEPTH).parse::<Filter>().is_ok());
    assert_error(
        &nested(MAX_DEPTH + 1),
        MAX_DEPTH,
        "nested too deeply: at most 32 `(` or `not`",
    );
    assert!(
        format!("{}tcp", "!".repeat(MAX_DEPTH))
            .parse::<Filter>()
            .is_ok()
    );
    assert_error(
        &"!".repeat(4000),
        MAX_DEPTH,
        "nested too deeply: at most 32 `(` or `not`",
    );
    // Written out, the short form has parentheses of its own.
    canonical(&format!("{}tcp port 1", "!".repeat(MAX_DEPTH - 1)));
    assert!(
        format!("{}tcp port 1", "!".repeat(MAX_DEPTH))
            .parse::<Filter>()
            .is_err()
    );

    let list = |count: usize| format!("port in ({})", vec!["7"; count].join(","));
    assert!(list(MAX_LIST).parse::<Filter>().is_ok());
    assert_error(
        &list(MAX_LIST + 1),
        8 + 1 + 2 * MAX_LIST - 1,
        "a list holds at most 256 values",
    );

    let long = format!("tcp{}", " ".repeat(MAX_BYTES - 3));
    assert!(long.parse::<Filter>().is_ok());
    assert_error(
        &format!("{long} "),
        MAX_BYTES,
        "the filter has 4097 bytes, of at most 4096",
    );
    let short_forms = vec!["tcp"; 300].join("||");
    let error = short_forms.parse::<Filter>().unwrap_err();
    assert!(
        error.message.contains("5396 bytes in full words"),
        "{error}"
    );
}
