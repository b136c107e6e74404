//! Random expressions and rows from small worlds, so that they meet, and an evaluator that is written
//! for plainness: addresses as strings of bits, wildcards by trying everything.

use std::net::IpAddr;

use bwmon_core::filter::{Fields, Subject, Vlan};
use bwmon_core::frame::{PerDirection, Tally};
use proptest::prelude::*;

/// A subject of which anything may be absent.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    host: Option<String>,
    interface: Option<String>,
    local: Option<IpAddr>,
    remote: Option<IpAddr>,
    local_port: Option<u16>,
    remote_port: Option<u16>,
    protocol: Option<u8>,
    vlan: Option<Vlan>,
    traffic: Option<PerDirection<Tally>>,
}

impl Subject for Row {
    const FIELDS: Fields = Fields::ALL;

    fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }

    fn local(&self) -> Option<IpAddr> {
        self.local
    }

    fn remote(&self) -> Option<IpAddr> {
        self.remote
    }

    fn local_port(&self) -> Option<u16> {
        self.local_port
    }

    fn remote_port(&self) -> Option<u16> {
        self.remote_port
    }

    fn protocol(&self) -> Option<u8> {
        self.protocol
    }

    fn vlan(&self) -> Option<Vlan> {
        self.vlan
    }

    fn traffic(&self) -> Option<PerDirection<Tally>> {
        self.traffic
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Compare(Comparison),
}

#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    subject: About,
    operator: Operator,
    /// One or more; `in` takes them all, the others the first.
    values: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Host,
    Interface,
    Address(usize),
    Port(usize),
    Protocol,
    Version,
    Vlan,
    Bytes(usize),
    Packets(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    NotIn,
}

#[derive(Debug, Clone)]
enum Value {
    Pattern(String),
    Network(IpAddr, usize),
    Range(u64, u64),
    /// With a unit to write it in.
    Amount(u64, &'static str),
    Untagged,
}

/// Names of the fields, by [`About`] and its end or direction: either, local, remote; both, ingress,
/// egress.
const ADDRESSES: [&[&str]; 3] = [
    &["ip", "net", "ADDRESS"],
    &["local.ip", "local", "local_net"],
    &["remote.ip", "peer", "Remote.Address"],
];
const PORTS: [&[&str]; 3] = [
    &["port", "portrange", "PORT"],
    &["local.port", "local_port"],
    &["remote.port", "peer.port"],
];
const BYTES: [&[&str]; 3] = [
    &["bytes"],
    &["ingress.bytes", "bytes.in"],
    &["egress.bytes", "bytes_out"],
];
const PACKETS: [&[&str]; 3] = [
    &["packets"],
    &["ingress.packets", "packets.in"],
    &["egress.packets", "packets.out"],
];
const PROTOCOLS: [(u8, &str); 5] = [
    (1, "icmp"),
    (6, "TCP"),
    (17, "udp"),
    (58, "ICMPv6"),
    (47, "gre"),
];

impl Expression {
    pub(crate) fn holds(&self, row: &Row) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(row)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(row)),
            Self::Not(part) => !part.holds(row),
            Self::Compare(comparison) => comparison.holds(row),
        }
    }

    /// As text, in one of many ways.
    pub(crate) fn written(&self, style: u64) -> String {
        self.write(&mut Style(style))
    }

    fn write(&self, style: &mut Style) -> String {
        match self {
            Self::And(parts) => Self::joined(parts, &["and", "AND", "&&"], style),
            Self::Or(parts) => Self::joined(parts, &["or", "Or", "||"], style),
            Self::Not(part) => format!(
                "{}{}",
                style.pick(&["not ", "NOT ", "!", "! "]),
                part.operand(style)
            ),
            Self::Compare(comparison) => comparison.write(style),
        }
    }

    fn joined(parts: &[Self], words: &[&str], style: &mut Style) -> String {
        let parts: Vec<String> = parts.iter().map(|part| part.operand(style)).collect();
        let word = style.pick(words);
        parts.join(&format!(" {word} "))
    }

    /// Within another expression: in parentheses, needed or not, unless it is a comparison or `not`.
    fn operand(&self, style: &mut Style) -> String {
        let text = self.write(style);
        let is_simple = matches!(self, Self::Compare(_) | Self::Not(_));
        match is_simple && style.below(4) > 0 {
            true => text,
            false => format!("({text})"),
        }
    }
}

impl Comparison {
    fn holds(&self, row: &Row) -> bool {
        let found: Vec<Found> = match self.subject {
            About::Host => row
                .host
                .iter()
                .map(|name| Found::Name(name.to_lowercase()))
                .collect(),
            About::Interface => row.interface.iter().cloned().map(Found::Name).collect(),
            About::Address(end) => ends(end, row.local, row.remote)
                .into_iter()
                .map(Found::Address)
                .collect(),
            About::Port(end) => ends(end, row.local_port, row.remote_port)
                .into_iter()
                .map(|port| Found::Number(port.into()))
                .collect(),
            About::Protocol => row
                .protocol
                .iter()
                .map(|n| Found::Number((*n).into()))
                .collect(),
            About::Version => [row.local, row.remote]
                .into_iter()
                .flatten()
                .take(1)
                .map(|address| Found::Number(if address.is_ipv4() { 4 } else { 6 }))
                .collect(),
            About::Vlan => row
                .vlan
                .iter()
                .map(|vlan| match vlan {
                    Vlan::Tagged(number) => Found::Number((*number).into()),
                    Vlan::Untagged => Found::Untagged,
                })
                .collect(),
            About::Bytes(way) => amount(row, way, |tally| tally.bytes),
            About::Packets(way) => amount(row, way, |tally| tally.packets),
        };
        let any = |test: &dyn Fn(&Found, &Value) -> bool| {
            found.iter().any(|found| match self.operator {
                Operator::In | Operator::NotIn => {
                    self.values.iter().any(|value| test(found, value))
                }
                _ => test(found, &self.values[0]),
            })
        };
        let is_host = self.subject == About::Host;
        match self.operator {
            Operator::Equal | Operator::In => any(&|f, v| f.equals(v, is_host)),
            Operator::NotEqual | Operator::NotIn => !any(&|f, v| f.equals(v, is_host)),
            Operator::Less => any(&|f, v| f.number().zip(v.number()).is_some_and(|(a, b)| a < b)),
            Operator::AtMost => {
                any(&|f, v| f.number().zip(v.number()).is_some_and(|(a, b)| a <= b))
            }
            Operator::More => any(&|f, v| f.number().zip(v.number()).is_some_and(|(a, b)| a > b)),
            Operator::AtLeast => {
                any(&|f, v| f.number().zip(v.number()).is_some_and(|(a, b)| a >= b))
            }
        }
    }

    fn write(&self, style: &mut Style) -> String {
        let field = match self.subject {
            About::Host => "host",
            About::Interface => style.pick(&["interface", "iface"]),
            About::Address(end) => style.pick(ADDRESSES[end]),
            About::Port(end) => style.pick(PORTS[end]),
            About::Protocol => style.pick(&["protocol", "proto"]),
            About::Version => "version",
            About::Vlan => "vlan",
            About::Bytes(way) => style.pick(BYTES[way]),
            About::Packets(way) => style.pick(PACKETS[way]),
        };
        let first = self.write_value(&self.values[0], style);
        let is_amount = matches!(self.subject, About::Bytes(_) | About::Packets(_));
        let sign = match self.operator {
            Operator::Equal if !is_amount => style.pick(&[" = ", "=", " == ", " "]),
            Operator::Equal => "==",
            Operator::NotEqual => style.pick(&[" != ", "!="]),
            Operator::Less => style.pick(&[" < ", "<"]),
            Operator::AtMost => " <= ",
            Operator::More => style.pick(&[" > ", ">"]),
            Operator::AtLeast => " >= ",
            Operator::In | Operator::NotIn => {
                let values: Vec<String> = self
                    .values
                    .iter()
                    .map(|value| self.write_value(value, style))
                    .collect();
                let not = if self.operator == Operator::NotIn {
                    "not "
                } else {
                    ""
                };
                let list = values.join(style.pick(&[", ", ",", " , "]));
                return format!("{field} {not}{} ({list})", style.pick(&["in", "IN"]));
            }
        };
        format!("{field}{sign}{first}")
    }

    fn write_value(&self, value: &Value, style: &mut Style) -> String {
        let text = match value {
            Value::Pattern(pattern) => return written_name(pattern, style),
            Value::Network(address, prefix) => {
                let full = if address.is_ipv4() { 32 } else { 128 };
                match *prefix == full && style.below(2) == 0 {
                    true => address.to_string(),
                    false => format!("{address}/{prefix}"),
                }
            }
            Value::Range(first, last) if first == last => match self.subject {
                About::Protocol if style.below(2) == 0 => PROTOCOLS
                    .iter()
                    .find(|(number, _)| u64::from(*number) == *first)
                    .map_or(first.to_string(), |(_, name)| (*name).to_owned()),
                _ => first.to_string(),
            },
            Value::Range(first, last) => format!("{first}-{last}"),
            Value::Untagged => "none".to_owned(),
            Value::Amount(number, unit) => {
                return format!("{number}{}{unit}", style.pick(&["", " "]));
            }
        };
        match style.below(6) {
            0 => format!("\"{text}\""),
            _ => text,
        }
    }
}

/// Bare where that can be, or in quotes of either kind.
fn written_name(pattern: &str, style: &mut Style) -> String {
    let is_plain = pattern
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "*?-.".contains(c));
    let is_keyword = ["and", "or", "not", "in"].contains(&pattern.to_lowercase().as_str());
    let quote = style.pick(&["\"", "'", ""]);
    if quote.is_empty() && is_plain && !is_keyword {
        return pattern.to_owned();
    }
    let quote = if quote.is_empty() { "'" } else { quote };
    let escaped = pattern
        .replace('\\', "\\\\")
        .replace(quote, &format!("\\{quote}"));
    format!("{quote}{escaped}{quote}")
}

#[derive(Debug)]
enum Found {
    Name(String),
    Address(IpAddr),
    Number(u64),
    Untagged,
}

impl Found {
    fn equals(&self, value: &Value, has_no_case: bool) -> bool {
        match (self, value) {
            (Self::Name(name), Value::Pattern(pattern)) => {
                let pattern = if has_no_case {
                    pattern.to_lowercase()
                } else {
                    pattern.clone()
                };
                let characters = |text: &str| text.chars().collect::<Vec<_>>();
                is_like(&characters(&pattern), &characters(name))
            }
            (Self::Address(address), Value::Network(network, prefix)) => {
                let (address, network) = (bits(*address), bits(*network));
                address.len() == network.len() && address[..*prefix] == network[..*prefix]
            }
            (Self::Number(number), Value::Range(first, last)) => (first..=last).contains(&number),
            (Self::Number(number), Value::Amount(..)) => Some(*number) == value.number(),
            (Self::Untagged, Value::Untagged) => true,
            _ => false,
        }
    }

    fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl Value {
    fn number(&self) -> Option<u64> {
        match self {
            Self::Range(number, _) => Some(*number),
            Self::Amount(number, unit) => Some(
                number
                    * match *unit {
                        "" | "B" => 1,
                        "k" | "kB" => 1_000,
                        "KiB" => 1_024,
                        "MB" | "M" => 1_000_000,
                        "MiB" => 1_048_576,
                        other => panic!("no such unit: {other}"),
                    },
            ),
            _ => None,
        }
    }
}

fn bits(address: IpAddr) -> String {
    let bytes = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    bytes.iter().map(|byte| format!("{byte:08b}")).collect()
}

fn is_like(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', rest @ ..] => (0..=name.len()).any(|taken| is_like(rest, &name[taken..])),
        ['?', rest @ ..] => !name.is_empty() && is_like(rest, &name[1..]),
        [first, rest @ ..] => name.first() == Some(first) && is_like(rest, &name[1..]),
    }
}

fn ends<T>(end: usize, local: Option<T>, remote: Option<T>) -> Vec<T> {
    let chosen = match end {
        1 => [local, None],
        2 => [None, remote],
        _ => [local, remote],
    };
    chosen.into_iter().flatten().collect()
}

fn amount(row: &Row, way: usize, of: impl Fn(&Tally) -> u64) -> Vec<Found> {
    let number = |traffic: &PerDirection<Tally>| match way {
        1 => of(&traffic.ingress),
        2 => of(&traffic.egress),
        _ => of(&traffic.ingress) + of(&traffic.egress),
    };
    row.traffic
        .iter()
        .map(|traffic| Found::Number(number(traffic)))
        .collect()
}

/// Choices among ways to write, from one number.
struct Style(u64);

impl Style {
    fn below(&mut self, bound: usize) -> usize {
        // Knuth's multiplier; the high bits are the good ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.below(among.len())]
    }
}

pub(crate) fn expressions() -> impl Strategy<Value = Expression> {
    let leaf = comparisons().prop_map(Expression::Compare);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several.clone().prop_map(Expression::And),
            several.prop_map(Expression::Or),
            inner.prop_map(|part| Expression::Not(Box::new(part))),
        ]
    })
}

pub(crate) fn rows() -> impl Strategy<Value = Row> {
    let address = || prop::option::weighted(0.9, addresses());
    let port = || prop::option::weighted(0.8, 0u16..6);
    let tally =
        || (0u64..3_000_000, 0u64..3_000).prop_map(|(bytes, packets)| Tally { bytes, packets });
    let vlan = prop_oneof![
        Just(None),
        Just(Some(Vlan::Untagged)),
        (0u16..6).prop_map(|number| Some(Vlan::Tagged(number))),
    ];
    let names = (prop::option::of(names()), prop::option::of(names()));
    let protocol = prop::option::weighted(0.9, prop::sample::select(vec![1u8, 6, 17, 58, 47, 200]));
    let traffic = prop::option::weighted(0.9, (tally(), tally()));
    (
        names,
        (address(), address()),
        (port(), port()),
        protocol,
        vlan,
        traffic,
    )
        .prop_map(
            |(
                (host, interface),
                (local, remote),
                (local_port, remote_port),
                protocol,
                vlan,
                traffic,
            )| Row {
                host,
                interface,
                local,
                remote,
                local_port,
                remote_port,
                protocol,
                vlan,
                traffic: traffic.map(|(ingress, egress)| PerDirection { ingress, egress }),
            },
        )
}

fn names() -> impl Strategy<Value = String> {
    "[aAb]{1,3}".prop_map(String::from)
}

fn addresses() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[bool; 4]>().prop_map(|[a, b, c, d]| {
            IpAddr::from([
                if a { 10 } else { 11 },
                u8::from(b) << 7,
                u8::from(c),
                u8::from(d),
            ])
        }),
        any::<[bool; 3]>().prop_map(|[a, b, c]| {
            IpAddr::from([
                0x2001,
                if a { 0xdb8 } else { 0 },
                0,
                0,
                u16::from(b) << 15,
                0,
                0,
                c.into(),
            ])
        }),
    ]
}

fn comparisons() -> impl Strategy<Value = Comparison> {
    let about = prop_oneof![
        Just(About::Host),
        Just(About::Interface),
        (0usize..3).prop_map(About::Address),
        (0usize..3).prop_map(About::Port),
        Just(About::Protocol),
        Just(About::Version),
        Just(About::Vlan),
        (0usize..3).prop_map(About::Bytes),
        (0usize..3).prop_map(About::Packets),
    ];
    about.prop_flat_map(|subject| {
        operators(subject).prop_flat_map(move |operator| {
            let is_ordered = matches!(
                operator,
                Operator::Less | Operator::AtMost | Operator::More | Operator::AtLeast
            );
            proptest::collection::vec(values(subject, is_ordered), 1..4).prop_map(move |values| {
                Comparison {
                    subject,
                    operator,
                    values,
                }
            })
        })
    })
}

fn operators(subject: About) -> impl Strategy<Value = Operator> {
    let mut known = vec![
        Operator::Equal,
        Operator::NotEqual,
        Operator::In,
        Operator::NotIn,
    ];
    if matches!(
        subject,
        About::Port(_) | About::Vlan | About::Bytes(_) | About::Packets(_)
    ) {
        known.extend([
            Operator::Less,
            Operator::AtMost,
            Operator::More,
            Operator::AtLeast,
        ]);
    }
    prop::sample::select(known)
}

fn values(subject: About, is_ordered: bool) -> BoxedStrategy<Value> {
    let span = (0u64..6, 0u64..6).prop_map(move |(a, b)| match is_ordered {
        true => Value::Range(a, a),
        false => Value::Range(a.min(b), a.max(b)),
    });
    match subject {
        About::Host | About::Interface => {
            prop_oneof!["[aAb*?]{1,4}", "and|OR|a b|a,b|\\\\\"'|a=b|é[*]"]
                .prop_map(Value::Pattern)
                .boxed()
        }
        About::Address(_) => (addresses(), any::<prop::sample::Index>())
            .prop_map(|(address, prefix)| {
                let full = if address.is_ipv4() { 32 } else { 128 };
                Value::Network(address, prefix.index(full + 1))
            })
            .boxed(),
        About::Port(_) => span.boxed(),
        About::Vlan if is_ordered => span.boxed(),
        About::Vlan => prop_oneof![span, Just(Value::Untagged)].boxed(),
        About::Protocol => prop::sample::select(vec![1, 6, 17, 58, 47, 200])
            .prop_map(|number| Value::Range(number, number))
            .boxed(),
        About::Version => prop::sample::select(vec![4, 6])
            .prop_map(|number| Value::Range(number, number))
            .boxed(),
        About::Bytes(_) => amounts(vec!["", "B", "kB", "KiB", "MB", "MiB", "k", "M"]).boxed(),
        About::Packets(_) => amounts(vec!["", "k"]).boxed(),
    }
}

fn amounts(units: Vec<&'static str>) -> impl Strategy<Value = Value> {
    (0u64..2_000, prop::sample::select(units))
        .prop_map(|(number, unit)| Value::Amount(number, unit))
}
