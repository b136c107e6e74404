//! Values: read from a word of a filter, written so that they are read as the same again.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wildmatch::WildMatch;

use super::field::{Name, Unit};
use super::lexer;
use super::subject::Vlan;
use crate::protocol;

/// What was expected where a value could not be read.
pub(super) type Expected = &'static str;

/// An address, or all addresses that share a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    V4 { bits: u32, mask: u32 },
    V6 { bits: u128, mask: u128 },
}

impl Network {
    /// An address, or CIDR notation; bits beyond the prefix are cleared.
    pub(super) fn parse(text: &str) -> Result<Self, Expected> {
        const EXPECTED: Expected =
            "an address such as 192.0.2.7 or 2001:db8::7, or a network such as 10.0.0.0/8";
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| EXPECTED)?;
        match (address, prefix) {
            (_, None) => Ok(Self::host(address)),
            (IpAddr::V4(address), Some(prefix)) => {
                let prefix = number::<u32>(prefix).filter(|prefix| *prefix <= 32);
                let prefix = prefix.ok_or("a prefix length from 0 to 32, as in 10.0.0.0/8")?;
                let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
                let bits = address.to_bits() & mask;
                Ok(Self::V4 { bits, mask })
            }
            (IpAddr::V6(address), Some(prefix)) => {
                let prefix = number::<u32>(prefix).filter(|prefix| *prefix <= 128);
                let prefix = prefix.ok_or("a prefix length from 0 to 128, as in 2001:db8::/32")?;
                let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
                let bits = address.to_bits() & mask;
                Ok(Self::V6 { bits, mask })
            }
        }
    }

    fn host(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4 {
                bits: address.to_bits(),
                mask: u32::MAX,
            },
            IpAddr::V6(address) => Self::V6 {
                bits: address.to_bits(),
                mask: u128::MAX,
            },
        }
    }

    pub(super) fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { bits, mask }, IpAddr::V4(address)) => address.to_bits() & mask == bits,
            (Self::V6 { bits, mask }, IpAddr::V6(address)) => address.to_bits() & mask == bits,
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4 { bits, mask } => {
                write!(f, "{}", Ipv4Addr::from_bits(bits))?;
                prefix(f, mask.count_ones(), u32::BITS)
            }
            Self::V6 { bits, mask } => {
                write!(f, "{}", Ipv6Addr::from_bits(bits))?;
                prefix(f, mask.count_ones(), u128::BITS)
            }
        }
    }
}

fn prefix(f: &mut fmt::Formatter<'_>, length: u32, full: u32) -> fmt::Result {
    if length < full {
        write!(f, "/{length}")?;
    }
    Ok(())
}

/// Numbers from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u16,
    pub(super) last: u16,
}

impl Span {
    pub(super) const fn contains(self, number: u16) -> bool {
        self.first <= number && number <= self.last
    }

    fn parse(
        text: &str,
        read: impl Fn(&str) -> Option<u16>,
        expected: Expected,
    ) -> Result<Self, Expected> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (Some(first), Some(last)) = (read(first), read(last)) else {
            return Err(expected);
        };
        if first > last {
            return Err("a range from the lower to the higher number");
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

pub(super) fn ports(text: &str) -> Result<Span, Expected> {
    Span::parse(
        text,
        number,
        "a port from 0 to 65535, or a range such as 1000-2000",
    )
}

pub(super) fn port(text: &str) -> Result<u16, Expected> {
    number(text).ok_or("a port from 0 to 65535")
}

/// What a VLAN comparison may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VlanSpan {
    Untagged,
    Tagged(Span),
}

impl VlanSpan {
    pub(super) fn parse(text: &str) -> Result<Self, Expected> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self::Untagged);
        }
        let expected = "a VLAN from 0 to 4095, a range such as 100-199, or `none`";
        Span::parse(text, vlan_number, expected).map(Self::Tagged)
    }

    pub(super) const fn contains(self, vlan: Vlan) -> bool {
        match (self, vlan) {
            (Self::Untagged, Vlan::Untagged) => true,
            (Self::Tagged(span), Vlan::Tagged(number)) => span.contains(number),
            _ => false,
        }
    }
}

impl fmt::Display for VlanSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untagged => f.write_str("none"),
            Self::Tagged(span) => span.fmt(f),
        }
    }
}

pub(super) fn vlan(text: &str) -> Result<u16, Expected> {
    vlan_number(text).ok_or("a VLAN from 0 to 4095")
}

/// IEEE 802.1Q, clause 9.6: twelve bits.
fn vlan_number(text: &str) -> Option<u16> {
    number(text).filter(|vlan| *vlan < 4096)
}

/// A protocol by its number; read from a name as well, and written by it where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Protocol(pub(super) u8);

impl Protocol {
    pub(super) fn parse(text: &str) -> Result<Self, Expected> {
        number(text)
            .or_else(|| protocol::number(text))
            .map(Self)
            .ok_or("a protocol: a name such as tcp, udp or icmpv6, or a number from 0 to 255")
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match protocol::name(self.0) {
            Some(name) => name
                .chars()
                .try_for_each(|character| f.write_char(character.to_ascii_lowercase())),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A version of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

impl Version {
    pub(super) fn parse(text: &str) -> Result<Self, Expected> {
        match text {
            "4" => Ok(Self::V4),
            "6" => Ok(Self::V6),
            _ => Err("4 or 6"),
        }
    }

    pub(super) const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "4",
            Self::V6 => "6",
        })
    }
}

/// A pattern of names: `*` stands for any text, `?` for any one character. Names of hosts have no
/// case (RFC 4343), names of interfaces do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glob(WildMatch);

/// Patterns are compared by their characters, which are never unequal to themselves.
impl Eq for Glob {}

impl Glob {
    pub(super) fn parse(name: Name, text: &str, is_quoted: bool) -> Result<Self, Expected> {
        if text.is_empty() {
            return Err("a name");
        }
        if name == Name::Host && !is_quoted && Network::parse(text).is_ok() {
            return Err(
                "the name of a monitored host; for an address write `ip`, as in `ip = 192.0.2.7`",
            );
        }
        Ok(Self(match name {
            Name::Host => WildMatch::new_case_insensitive(text),
            Name::Interface => WildMatch::new(text),
        }))
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
    }

    fn needs_quotes(&self) -> bool {
        let text = self.0.pattern();
        !text.chars().all(lexer::is_word)
            || lexer::keyword(&text).is_some()
            || Network::parse(&text).is_ok()
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.needs_quotes() {
            return write!(f, "{}", self.0);
        }
        f.write_char('"')?;
        for character in self.0.pattern_chars() {
            if matches!(character, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(*character)?;
        }
        f.write_char('"')
    }
}

/// A number of bytes or packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) value: u64,
    pub(super) unit: Unit,
}

/// Prefixes by their letter: SI (1 kB = 1000 B), and with an `i` IEC (1 KiB = 1024 B). From the
/// largest to the smallest.
const PREFIXES: [(&str, u64); 12] = [
    ("EiB", 1 << 60),
    ("EB", 1_000_000_000_000_000_000),
    ("PiB", 1 << 50),
    ("PB", 1_000_000_000_000_000),
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
];

impl Amount {
    /// Digits, perhaps a fraction, perhaps a unit: `1.5GB`. Where the unit is a word of its own it
    /// is `after`. Fractions of a byte are rounded to the nearest.
    pub(super) fn parse(unit: Unit, text: &str, after: Option<&str>) -> Result<Self, Expected> {
        let expected = match unit {
            Unit::Bytes => "a number of bytes such as 1500, 10 kB, 1.5 GB or 2 GiB",
            Unit::Packets => "a number of packets such as 1500, 10 k or 1.5 M",
        };
        let digits = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (digits, attached) = text.split_at(digits);
        let attached = attached.trim_start();
        let name = match after {
            Some(after) if attached.is_empty() => after,
            _ => attached,
        };
        if !is_decimal(digits) || name.starts_with('-') {
            return Err(expected);
        }
        let scale = match unit {
            Unit::Bytes => scale_of_bytes(name)?,
            Unit::Packets => scale_of_packets(name)?,
        };
        scaled(digits, scale)
            .map(|value| Self { value, unit })
            .ok_or("a smaller number, below 16 EiB (2^64)")
    }
}

/// Bytes with the largest unit that divides them, packets without one.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let divides = |scale: &u64| self.value.is_multiple_of(*scale);
        let unit = PREFIXES.iter().find(|(_, scale)| divides(scale));
        match (self.unit, unit) {
            (Unit::Bytes, Some((name, scale))) if self.value > 0 => {
                write!(f, "{} {name}", self.value / scale)
            }
            _ => write!(f, "{}", self.value),
        }
    }
}

fn scale_of_bytes(name: &str) -> Result<u64, Expected> {
    match name {
        "" | "B" => Ok(1),
        "KB" => Ok(1_000),
        _ if name.ends_with('b') && name.len() > 1 => {
            Err("a unit of bytes such as kB, MB or GB; `b` would be bits")
        }
        _ => PREFIXES
            .iter()
            .find(|(unit, _)| *unit == name)
            .map(|(_, scale)| *scale)
            .or_else(|| scale_of_prefix(name))
            .ok_or("a unit of bytes: B, kB, MB, GB, TB, PB, EB, KiB, MiB, GiB, TiB, PiB or EiB"),
    }
}

fn scale_of_packets(name: &str) -> Result<u64, Expected> {
    match name {
        "" => Ok(1),
        _ => scale_of_prefix(name).ok_or("no unit, or k, M, G, T or P as in 10 k"),
    }
}

/// A prefix alone, as in `10k`.
fn scale_of_prefix(name: &str) -> Option<u64> {
    let name = if name == "K" { "k" } else { name };
    PREFIXES
        .iter()
        .find(|(unit, _)| unit.strip_suffix('B') == Some(name))
        .map(|(_, scale)| *scale)
}

/// Digits, and perhaps a point and more digits.
fn is_decimal(text: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole) && is_digits(fraction)
}

/// A decimal number times `scale`, rounded to the nearest; nothing if that does not fit.
fn scaled(decimal: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, "0"));
    let whole = u128::from(number::<u64>(whole)?) * u128::from(scale);
    // Digits beyond the twentieth are below any rounding: the largest scale has nineteen.
    let fraction = fraction.get(..20).unwrap_or(fraction);
    let denominator = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    // Below 10^20 * 2^60, which fits.
    let part = (number::<u128>(fraction)? * u128::from(scale) + denominator / 2) / denominator;
    u64::try_from(whole + part).ok()
}

/// Digits only: no sign and nothing else that `parse` would take.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Result<u64, Expected> {
        let (number, unit) = match text.split_once(' ') {
            Some((number, unit)) => (number, Some(unit)),
            None => (text, None),
        };
        Amount::parse(Unit::Bytes, number, unit).map(|amount| amount.value)
    }

    #[test]
    fn amounts_have_si_and_iec_units() {
        for (text, expected) in [
            ("0", 0),
            ("1500", 1500),
            ("7 B", 7),
            ("1kB", 1000),
            ("1 KB", 1000),
            ("1 k", 1000),
            ("10M", 10_000_000),
            ("1 KiB", 1024),
            ("1Ki", 1024),
            ("1.5 GB", 1_500_000_000),
            ("2.5 GiB", 5 << 29),
            ("0.1 KiB", 102),
            ("0.5", 1),
            ("18446744073709551615", u64::MAX),
            (
                "1.00000000000000000000000000001 EB",
                1_000_000_000_000_000_000,
            ),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn bits_and_other_units_are_refused_by_name() {
        assert!(bytes("1 Gb").unwrap_err().contains("bits"));
        assert!(bytes("1gb").unwrap_err().contains("bits"));
        assert!(bytes("1 mB").unwrap_err().starts_with("a unit of bytes"));
        assert!(bytes("1kBx").unwrap_err().starts_with("a unit of bytes"));
        for text in ["", ".5", "1.", "1.2.3", "x", "-1", "1-2", "kB"] {
            assert!(
                bytes(text).unwrap_err().starts_with("a number of bytes"),
                "{text}: {:?}",
                bytes(text)
            );
        }
        assert!(bytes("18446744073709551616").unwrap_err().contains("2^64"));
        assert!(
            bytes("99999999999999999999999 EB")
                .unwrap_err()
                .contains("2^64")
        );
        // Rounded up to 2^64.
        assert!(bytes("15.99999999999999999999999 EiB").is_err());
        assert!(Amount::parse(Unit::Packets, "1", Some("kB")).is_err());
    }

    #[test]
    fn amounts_are_written_with_the_largest_unit_that_divides_them() {
        for (value, text) in [
            (0, "0"),
            (1, "1"),
            (1500, "1500"),
            (2000, "2 kB"),
            (1 << 30, "1 GiB"),
            (1_500_000_000, "1500 MB"),
            (1_024_000, "1000 KiB"),
        ] {
            let unit = Unit::Bytes;
            assert_eq!(Amount { value, unit }.to_string(), text);
        }
    }

    #[test]
    fn networks_contain_what_shares_their_prefix() {
        let contains = |network: &str, address: &str| {
            Network::parse(network)
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(contains("10.1.2.3/8", "10.255.0.1"));
        assert!(!contains("10.0.0.0/8", "11.0.0.0"));
        assert!(contains("0.0.0.0/0", "255.255.255.255"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(contains("::/0", "ffff::") && !contains("::1", "::2"));
        assert_eq!(
            Network::parse("10.1.2.3/8").unwrap().to_string(),
            "10.0.0.0/8"
        );
        assert_eq!(Network::parse("::7/128").unwrap().to_string(), "::7");
        for text in [
            "10",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "::/129",
            "1.2.3.4/",
            "fe80::1%eth0",
            "/8",
        ] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }
}
