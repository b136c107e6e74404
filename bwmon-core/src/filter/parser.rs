//! Recursive descent over the grammar in [the module](super), one token ahead. Recursion is bounded by
//! [`MAX_DEPTH`].

use std::fmt::Display;

use super::error::{FilterError, quoted};
use super::expression::{Compare, Filter, Node, Order, Test};
use super::field::{Field, Fields, Kind, Unit};
use super::lexer::{Lexer, Sign, Token};
use super::value::{self, Amount, Expected, Glob, Network, Protocol, Version, VlanSpan};
use super::{MAX_BYTES, MAX_DEPTH, MAX_LIST};
use crate::protocol;

pub(super) fn parse(text: &str, fields: Fields) -> Result<Filter, FilterError> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the filter has {} bytes, of at most {MAX_BYTES}",
            text.len()
        );
        return Err(FilterError::new(
            text.floor_char_boundary(MAX_BYTES),
            0,
            message,
        ));
    }
    let mut parser = Parser::new(text, fields)?;
    let root = parser.any()?;
    if parser.token.sign != Sign::End {
        return Err(parser.after_comparison("the end"));
    }
    let filter = Filter { root };
    // Written out in full it must be a filter too.
    match filter.to_string().len() {
        length if length > MAX_BYTES => {
            let message =
                format!("the filter has {length} bytes in full words, of at most {MAX_BYTES}");
            Err(FilterError::new(text.len(), 0, message))
        }
        _ => Ok(filter),
    }
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// What comes next.
    token: Token<'a>,
    fields: Fields,
    depth: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    In,
    NotIn,
    Ordered(Order),
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, fields: Fields) -> Result<Self, FilterError> {
        let mut lexer = Lexer::new(text);
        let token = lexer.next()?;
        Ok(Self {
            text,
            lexer,
            token,
            fields,
            depth: 0,
        })
    }

    /// Takes the next token.
    fn take(&mut self) -> Result<Token<'a>, FilterError> {
        let following = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, following))
    }

    fn any(&mut self) -> Result<Node, FilterError> {
        let first = self.all()?;
        if self.token.sign != Sign::Or {
            return Ok(first);
        }
        let mut nodes = Vec::new();
        let mut next = first;
        loop {
            match next {
                Node::Any(inner) => nodes.extend(inner),
                other => nodes.push(other),
            }
            if self.token.sign != Sign::Or {
                return Ok(Node::Any(nodes));
            }
            self.take()?;
            next = self.all()?;
        }
    }

    fn all(&mut self) -> Result<Node, FilterError> {
        let first = self.operand()?;
        if self.token.sign != Sign::And {
            return Ok(first);
        }
        let mut nodes = Vec::new();
        let mut next = first;
        loop {
            match next {
                Node::All(inner) => nodes.extend(inner),
                other => nodes.push(other),
            }
            if self.token.sign != Sign::And {
                return Ok(Node::All(nodes));
            }
            self.take()?;
            next = self.operand()?;
        }
    }

    fn operand(&mut self) -> Result<Node, FilterError> {
        match self.token.sign {
            Sign::Not => {
                self.deeper()?;
                self.take()?;
                let node = self.operand()?;
                self.depth -= 1;
                Ok(Node::Not(Box::new(node)))
            }
            Sign::Open => {
                self.deeper()?;
                self.take()?;
                let node = self.any()?;
                if self.token.sign != Sign::Close {
                    return Err(self.after_comparison("`)`"));
                }
                self.take()?;
                self.depth -= 1;
                Ok(node)
            }
            Sign::Word(word) => self.starting_with(word),
            _ => Err(self.unexpected(
                "a comparison such as `port = 443`, a protocol such as `tcp`, `not` or `(`",
            )),
        }
    }

    fn starting_with(&mut self, word: &'a str) -> Result<Node, FilterError> {
        if let Some(field) = Field::named(word) {
            self.known(field)?;
            self.take()?;
            return self.comparison(field);
        }
        if let Some(message) = foreign(word).or_else(|| without_field(word)) {
            return Err(self.wrong(message));
        }
        match protocol::number(word) {
            Some(number) => self.protocol_alone(Protocol(number)),
            None => Err(self.wrong(unknown(word, self.fields))),
        }
    }

    /// `tcp`, or `tcp port 443`, which means both.
    fn protocol_alone(&mut self, protocol: Protocol) -> Result<Node, FilterError> {
        self.known(Field::Protocol)?;
        self.take()?;
        let node = Node::Test(Test::Protocol(vec![protocol]));
        let Some(field) = self.port_field() else {
            return Ok(node);
        };
        // Written out it is in parentheses.
        self.deeper()?;
        self.known(field)?;
        self.take()?;
        let port = self.comparison(field)?;
        self.depth -= 1;
        Ok(Node::All(vec![node, port]))
    }

    fn port_field(&self) -> Option<Field> {
        match self.token.sign {
            Sign::Word(word) => {
                Field::named(word).filter(|field| matches!(field.kind(), Kind::Port(_)))
            }
            _ => None,
        }
    }

    /// What stands behind a field.
    fn comparison(&mut self, field: Field) -> Result<Node, FilterError> {
        let operator = self.operator(field)?;
        let test = match field.kind() {
            Kind::Name(name) => Test::Name(
                name,
                self.any_of(operator, |parser| {
                    let is_quoted = matches!(parser.token.sign, Sign::Quoted(_));
                    parser.value(|text| Glob::parse(name, text, is_quoted))
                })?,
            ),
            Kind::Address(end) => Test::Address(
                end,
                self.any_of(operator, |parser| parser.value(Network::parse))?,
            ),
            Kind::Port(end) => Test::Port(end, self.compare(operator, value::ports, value::port)?),
            Kind::Protocol => {
                Test::Protocol(self.any_of(operator, |parser| parser.value(Protocol::parse))?)
            }
            Kind::Version => {
                Test::Version(self.any_of(operator, |parser| parser.value(Version::parse))?)
            }
            Kind::Vlan => Test::Vlan(self.compare(operator, VlanSpan::parse, value::vlan)?),
            Kind::Amount(unit, way) => Test::Amount(way, unit, self.amounts(operator, unit)?),
        };
        let node = Node::Test(test);
        Ok(match operator {
            Operator::NotEqual | Operator::NotIn => Node::Not(Box::new(node)),
            Operator::Equal | Operator::In | Operator::Ordered(_) => node,
        })
    }

    fn operator(&mut self, field: Field) -> Result<Operator, FilterError> {
        let kind = field.kind();
        let has_order = matches!(kind, Kind::Port(_) | Kind::Vlan | Kind::Amount(..));
        let operator = match &self.token.sign {
            Sign::Equal => Operator::Equal,
            Sign::NotEqual => Operator::NotEqual,
            Sign::In => Operator::In,
            Sign::Not => {
                self.take()?;
                match self.token.sign {
                    Sign::In => Operator::NotIn,
                    _ => return Err(self.unexpected("`in` after `not`")),
                }
            }
            Sign::Less if has_order => Operator::Ordered(Order::Less),
            Sign::AtMost if has_order => Operator::Ordered(Order::AtMost),
            Sign::More if has_order => Operator::Ordered(Order::More),
            Sign::AtLeast if has_order => Operator::Ordered(Order::AtLeast),
            // `port 443`; a number of bytes is hardly ever met exactly.
            Sign::Word(_) | Sign::Quoted(_) if !matches!(kind, Kind::Amount(..)) => {
                return Ok(Operator::Equal);
            }
            _ => return Err(self.unexpected(operators(field, has_order))),
        };
        self.take()?;
        Ok(operator)
    }

    fn compare<V, T>(
        &mut self,
        operator: Operator,
        span: impl Fn(&str) -> Result<V, Expected>,
        limit: impl Fn(&str) -> Result<T, Expected>,
    ) -> Result<Compare<V, T>, FilterError> {
        match operator {
            Operator::Ordered(order) => Ok(Compare::Ordered(order, self.value(limit)?)),
            _ => self
                .any_of(operator, |parser| parser.value(&span))
                .map(Compare::AnyOf),
        }
    }

    fn amounts(
        &mut self,
        operator: Operator,
        unit: Unit,
    ) -> Result<Compare<Amount, Amount>, FilterError> {
        match operator {
            Operator::Ordered(order) => Ok(Compare::Ordered(order, self.amount(unit)?)),
            _ => self
                .any_of(operator, |parser| parser.amount(unit))
                .map(Compare::AnyOf),
        }
    }

    /// One value, or a list of them in parentheses after `in`.
    fn any_of<T>(
        &mut self,
        operator: Operator,
        read: impl Fn(&mut Self) -> Result<T, FilterError>,
    ) -> Result<Vec<T>, FilterError> {
        if !matches!(operator, Operator::In | Operator::NotIn) {
            return Ok(vec![read(self)?]);
        }
        if self.token.sign != Sign::Open {
            return Err(self.unexpected("a list such as `(1, 2)` after `in`"));
        }
        self.take()?;
        let mut values = vec![read(self)?];
        while self.token.sign == Sign::Comma {
            if values.len() == MAX_LIST {
                return Err(self.wrong(format!("a list holds at most {MAX_LIST} values")));
            }
            self.take()?;
            values.push(read(self)?);
        }
        if self.token.sign != Sign::Close {
            return Err(self.unexpected("`,` or `)`"));
        }
        self.take()?;
        Ok(values)
    }

    fn value<T>(&mut self, read: impl Fn(&str) -> Result<T, Expected>) -> Result<T, FilterError> {
        let text = match &self.token.sign {
            Sign::Word(word) => *word,
            Sign::Quoted(text) => &**text,
            // No value is empty, so this says what is expected.
            _ => return Err(self.unexpected(read("").err().unwrap_or("a value"))),
        };
        let value = read(text).map_err(|expected| self.unexpected(expected))?;
        self.take()?;
        Ok(value)
    }

    /// A number whose unit may be a word of its own.
    fn amount(&mut self, unit: Unit) -> Result<Amount, FilterError> {
        let (Sign::Word(_) | Sign::Quoted(_)) = &self.token.sign else {
            return self.value(|text| Amount::parse(unit, text, None));
        };
        let number = self.take()?;
        let text = match &number.sign {
            Sign::Quoted(text) => &**text,
            Sign::Word(word) => *word,
            _ => "",
        };
        let is_bare = text.ends_with(|c: char| c.is_ascii_digit());
        let name = match self.token.sign {
            // `bytes > 5 port 443` lacks an `and`, not a unit.
            Sign::Word(word) if is_bare && !starts_comparison(word) => Some(word),
            _ => None,
        };
        match Amount::parse(unit, text, name) {
            Ok(amount) => {
                if name.is_some() {
                    self.take()?;
                }
                Ok(amount)
            }
            // The number is to blame if it is none by itself.
            Err(expected) => {
                let is_number = Amount::parse(unit, text, None).is_ok();
                let at = if is_number { &self.token } else { &number };
                Err(self.unexpected_at(at, expected))
            }
        }
    }

    fn deeper(&mut self) -> Result<(), FilterError> {
        if self.depth == MAX_DEPTH {
            let message = format!("nested too deeply: at most {MAX_DEPTH} `(` or `not`");
            return Err(self.wrong(message));
        }
        self.depth += 1;
        Ok(())
    }

    fn known(&self, field: Field) -> Result<(), FilterError> {
        if self.fields.contains(field) {
            return Ok(());
        }
        let there_are = listed(self.fields.iter().map(Field::name));
        let message = format!("`{field}` is not known of what is filtered here; {there_are}");
        Err(self.wrong(message))
    }

    /// Something follows a whole comparison.
    fn after_comparison(&self, end: &str) -> FilterError {
        match self.token.sign {
            Sign::Close => self.wrong("found `)` without a `(` before it"),
            Sign::Word(word) => match foreign(word) {
                Some(message) => self.wrong(message),
                None => self.unexpected(format!("`and`, `or` or {end}")),
            },
            _ => self.unexpected(format!("`and`, `or` or {end}")),
        }
    }

    fn unexpected(&self, expected: impl Display) -> FilterError {
        self.unexpected_at(&self.token, expected)
    }

    fn unexpected_at(&self, token: &Token<'_>, expected: impl Display) -> FilterError {
        let found = match self.text.get(token.start..token.end) {
            Some(text) if !text.is_empty() => quoted(text),
            _ => "the end".to_owned(),
        };
        let message = format!("found {found}, expected {expected}");
        FilterError::new(token.start, token.end - token.start, message)
    }

    fn wrong(&self, message: impl Into<String>) -> FilterError {
        let length = self.token.end - self.token.start;
        FilterError::new(self.token.start, length, message)
    }
}

fn operators(field: Field, has_order: bool) -> String {
    match field.kind() {
        Kind::Amount(..) => {
            format!("=, !=, <, <=, >, >=, `in` or `not in` after `{field}`, as in `{field} > 10 k`")
        }
        _ if has_order => format!("a value, =, !=, <, <=, >, >=, `in` or `not in` after `{field}`"),
        _ => format!("a value, =, !=, `in` or `not in` after `{field}`"),
    }
}

fn starts_comparison(word: &str) -> bool {
    Field::named(word).is_some() || protocol::number(word).is_some()
}

/// Words of other filter languages that would mean something else here, or nothing.
fn foreign(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let head = lower.split(['.', '_']).next().unwrap_or_default();
    match head {
        "src" | "dst" | "source" | "destination" | "sport" | "dport" => Some(format!(
            "a flow is both directions of a conversation and has no {}: write local.ip, local.port, \
             remote.ip or remote.port, or ip and port for either end",
            quoted(word)
        )),
        "ip4" | "ip6" | "ipv4" | "ipv6" => {
            let version = if head.ends_with('4') { 4 } else { 6 };
            Some(format!(
                "{} alone could mean two things: write `version = {version}` for the version of IP, \
                 or `protocol = ipv{version}` for what is carried within another IP packet",
                quoted(word)
            ))
        }
        _ => None,
    }
}

/// A value where a comparison starts.
fn without_field(word: &str) -> Option<String> {
    let field = if Network::parse(word).is_ok() {
        Field::Ip
    } else if value::ports(word).is_ok() {
        Field::Port
    } else {
        return None;
    };
    Some(format!(
        "found the value {} without a field: each comparison names one, as in `{field} = {word}` or \
         `{field} in ({word}, ...)`",
        quoted(word)
    ))
}

fn unknown(word: &str, fields: Fields) -> String {
    let found = quoted(word);
    match similar(word, fields).as_slice() {
        [] => format!(
            "{found} is no field; {}",
            listed(fields.iter().map(Field::name))
        ),
        names => format!("{found} is no field; did you mean {}?", names.join(" or ")),
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    match names.collect::<Vec<_>>().as_slice() {
        [] => "there are no fields".to_owned(),
        names => format!("there are {}", names.join(", ")),
    }
}

/// Names of fields and protocols that are nearest to a misspelt one, at most three.
fn similar(word: &str, fields: Fields) -> Vec<String> {
    const LONGEST: usize = 24;
    if word.len() > LONGEST {
        return Vec::new();
    }
    let word = word.to_ascii_lowercase().replace('_', ".");
    let of_fields = fields.iter().flat_map(|field| {
        [field.name()]
            .into_iter()
            .chain(field.aliases().iter().copied())
    });
    let of_protocols = ["tcp", "udp", "icmp", "icmpv6", "sctp", "esp", "gre"].into_iter();
    let tolerated = (word.chars().count() / 3).max(1);
    let near: Vec<(usize, &str)> = of_fields
        .chain(of_protocols.filter(|_| fields.contains(Field::Protocol)))
        .map(|name| (strsim::osa_distance(&word, name), name))
        .filter(|(distance, _)| *distance <= tolerated)
        .collect();
    let least = near.iter().map(|(distance, _)| *distance).min();
    near.iter()
        .filter(|(distance, _)| Some(*distance) == least)
        .take(3)
        .map(|(_, name)| format!("`{name}`"))
        .collect()
}
