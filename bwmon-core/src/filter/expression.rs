use std::fmt;
use std::str::FromStr;

use super::error::FilterError;
use super::field::{End, Field, Fields, Kind, Name, Unit, Way};
use super::parser;
use super::subject::{Subject, Vlan};
use super::value::{Amount, Glob, Network, Protocol, Span, Version, VlanSpan};

/// A filter, ready to judge. See [the module](super) for its language.
///
/// Equal filters were written in the same way but for case, spaces, aliases, short forms and
/// parentheses that change nothing. `Display` writes the one text that stands for all of them; it is
/// parsed to an equal filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub(super) root: Node,
}

impl Filter {
    /// Parses a filter over `fields`: any other field is an error at its place, instead of a
    /// comparison that is silently false. [`Subject::FIELDS`] has those of a kind of subject.
    ///
    /// # Errors
    ///
    /// Says where the text goes wrong, what was expected there, and what to write instead. A text
    /// without any comparison is an error: to filter nothing is not to have a filter.
    pub fn parse_for(text: &str, fields: Fields) -> Result<Self, FilterError> {
        parser::parse(text, fields)
    }

    /// Whether the subject passes. Allocates nothing; the cost grows with the length of the filter.
    pub fn matches<S: Subject>(&self, subject: &S) -> bool {
        self.root.matches(subject)
    }
}

/// Parses a filter over every field; see [`Filter::parse_for`].
impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse_for(text, Fields::ALL)
    }
}

/// Neither `All` directly within `All` nor `Any` directly within `Any`; both hold two or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    /// `!=` and `not in` as well: they are nothing else.
    Not(Box<Node>),
    Test(Test),
}

impl Node {
    fn matches<S: Subject>(&self, subject: &S) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.matches(subject)),
            Self::Any(nodes) => nodes.iter().any(|node| node.matches(subject)),
            Self::Not(node) => !node.matches(subject),
            Self::Test(test) => test.matches(subject),
        }
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Name(Name, Vec<Glob>),
    Address(End, Vec<Network>),
    Port(End, Compare<Span, u16>),
    Protocol(Vec<Protocol>),
    Version(Vec<Version>),
    Vlan(Compare<VlanSpan, u16>),
    Amount(Way, Unit, Compare<Amount, Amount>),
}

/// Equal to one of some values, or beyond one on an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compare<V, T> {
    AnyOf(Vec<V>),
    Ordered(Order, T),
}

impl Compare<Span, u16> {
    fn holds(&self, port: u16) -> bool {
        match self {
            Self::AnyOf(spans) => spans.iter().any(|span| span.contains(port)),
            Self::Ordered(order, limit) => order.holds(port, *limit),
        }
    }
}

impl Compare<VlanSpan, u16> {
    /// The absence of a tag is neither less nor more than any tag.
    fn holds(&self, vlan: Vlan) -> bool {
        match (self, vlan) {
            (Self::AnyOf(spans), _) => spans.iter().any(|span| span.contains(vlan)),
            (Self::Ordered(order, limit), Vlan::Tagged(number)) => order.holds(number, *limit),
            (Self::Ordered(..), Vlan::Untagged) => false,
        }
    }
}

impl Compare<Amount, Amount> {
    fn holds(&self, value: u64) -> bool {
        match self {
            Self::AnyOf(amounts) => amounts.iter().any(|amount| amount.value == value),
            Self::Ordered(order, limit) => order.holds(value, limit.value),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Order {
    fn holds<T: PartialOrd + Copy>(self, value: T, limit: T) -> bool {
        match self {
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
            Self::More => value > limit,
            Self::AtLeast => value >= limit,
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        })
    }
}

impl Test {
    pub(super) const fn field(&self) -> Field {
        match self {
            Self::Name(name, _) => Kind::Name(*name),
            Self::Address(end, _) => Kind::Address(*end),
            Self::Port(end, _) => Kind::Port(*end),
            Self::Protocol(_) => Kind::Protocol,
            Self::Version(_) => Kind::Version,
            Self::Vlan(_) => Kind::Vlan,
            Self::Amount(way, unit, _) => Kind::Amount(*unit, *way),
        }
        .field()
    }

    fn matches<S: Subject>(&self, subject: &S) -> bool {
        match self {
            Self::Name(name, globs) => match name {
                Name::Host => subject.host(),
                Name::Interface => subject.interface(),
            }
            .is_some_and(|name| globs.iter().any(|glob| glob.matches(name))),
            Self::Address(end, networks) => {
                end.passes(subject.local(), subject.remote(), |address| {
                    networks.iter().any(|network| network.contains(address))
                })
            }
            Self::Port(end, compare) => {
                end.passes(subject.local_port(), subject.remote_port(), |port| {
                    compare.holds(port)
                })
            }
            Self::Protocol(protocols) => subject
                .protocol()
                .is_some_and(|protocol| protocols.contains(&Protocol(protocol))),
            Self::Version(versions) => subject
                .local()
                .or_else(|| subject.remote())
                .is_some_and(|address| versions.contains(&Version::of(address))),
            Self::Vlan(compare) => subject.vlan().is_some_and(|vlan| compare.holds(vlan)),
            Self::Amount(way, unit, compare) => {
                amount(subject, *way, *unit).is_some_and(|value| compare.holds(value))
            }
        }
    }
}

fn amount<S: Subject>(subject: &S, way: Way, unit: Unit) -> Option<u64> {
    let traffic = subject.traffic()?;
    let mut tally = match way {
        Way::Both | Way::Ingress => traffic.ingress,
        Way::Egress => traffic.egress,
    };
    if way == Way::Both {
        tally.add(traffic.egress);
    }
    Some(match unit {
        Unit::Bytes => tally.bytes,
        Unit::Packets => tally.packets,
    })
}
