//! Numbers as people read them.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bwmon_core::flow::Endpoint;
use bwmon_core::time::{Timestamp, Window};
use humantime::{format_rfc3339_micros, format_rfc3339_millis, format_rfc3339_seconds};

/// SI prefixes, largest first.
const PREFIXES: [(f64, &str); 6] = [
    (1e18, "E"),
    (1e15, "P"),
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
];

/// A value with three digits and an SI prefix, such as `1.23 MB`; the unit may be empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Si(pub(super) f64, pub(super) &'static str);

impl Si {
    /// Bytes.
    pub(super) fn bytes(bytes: u64) -> Self {
        Self(bytes as f64, "B")
    }

    /// A number of things.
    pub(super) fn count(count: u64) -> Self {
        Self(count as f64, "")
    }
}

impl fmt::Display for Si {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, unit) = *self;
        // What rounds to 1000 of a prefix has the next one.
        let found = PREFIXES.iter().find(|(factor, _)| value >= 0.9995 * factor);
        let Some((factor, prefix)) = found else {
            let text = format!("{value:.0} {unit}");
            return f.write_str(text.trim_end());
        };
        let scaled = value / factor;
        write!(f, "{scaled:.*} {prefix}{unit}", decimals(scaled))
    }
}

/// How many decimals make three digits of a value below 1,000.
const fn decimals(value: f64) -> usize {
    match value {
        small if small < 9.995 => 2,
        large if large < 99.95 => 1,
        _ => 0,
    }
}

/// A part of a whole in percent, without the sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Percent {
    pub(super) part: u64,
    pub(super) whole: u64,
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.part as f64 / self.whole.max(1) as f64 * 100.0;
        match percent {
            _ if self.part == 0 => f.write_str("0"),
            small if small < 0.05 => f.write_str("<0.1"),
            large if large >= 99.95 => write!(f, "{large:.0}"),
            other => write!(f, "{other:.1}"),
        }
    }
}

/// A whole number with its digits in groups, such as `1,234,567`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grouped(pub(super) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

/// A number of things, with the plural that ends in s.
pub(super) fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", Grouped(count))
}

/// An address with its port where it has one.
#[derive(Debug, Clone, Copy)]
pub(super) struct End(pub(super) Endpoint, pub(super) bool);

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Endpoint { address, port }, has_ports) = *self;
        if has_ports {
            write!(f, "{}", SocketAddr::new(address, port))
        } else {
            write!(f, "{address}")
        }
    }
}

/// The bits per second that `bytes` are over `window`; absent where it has no length.
pub(super) fn rate(window: &Window, bytes: u64, unit: &'static str) -> Option<Si> {
    window.bits_per_second(bytes).map(|rate| Si(rate, unit))
}

/// A moment by RFC 3339 in UTC, to the microsecond.
pub(super) fn moment(at: Timestamp) -> impl fmt::Display {
    format_rfc3339_micros(system_time(at))
}

/// The same with only as many digits as it needs.
pub(super) fn short_moment(at: Timestamp) -> String {
    let micros = at.as_micros();
    if micros.is_multiple_of(1_000_000) {
        format_rfc3339_seconds(system_time(at)).to_string()
    } else if micros.is_multiple_of(1_000) {
        format_rfc3339_millis(system_time(at)).to_string()
    } else {
        moment(at).to_string()
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(at.as_micros())
}

/// A length of time with three digits, such as `12.3 s`; from a minute on in whole seconds, such as
/// `1 h 5 s`; from a day on in whole hours, such as `3,777 d 4 h`.
pub(super) fn length(window: &Window) -> String {
    let seconds = window.duration().as_secs_f64();
    if seconds >= 60.0 {
        return long_length(window.duration().as_secs());
    }
    let units = [(1.0, "s"), (1e3, "ms"), (1e6, "us")];
    let fits = |(factor, _): &&(f64, &str)| seconds * factor >= 0.9995;
    let (factor, unit) = units.iter().find(fits).unwrap_or(&(1.0, "s"));
    let scaled = seconds * factor;
    format!("{scaled:.*} {unit}", decimals(scaled))
}

fn long_length(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let units = if days > 0 {
        [(days, "d"), (hours, "h"), (0, "")]
    } else {
        [
            (hours, "h"),
            (seconds / 60 % 60, "min"),
            (seconds % 60, "s"),
        ]
    };
    let mut text = String::new();
    for (count, unit) in units.into_iter().filter(|(count, _)| *count > 0) {
        // Writing to a String does not fail.
        let _is_written = write!(text, "{} {unit} ", Grouped(count));
    }
    text.trim_end().to_owned()
}

/// The name of an IP protocol in lower case, else its number.
pub(super) fn protocol(number: u8) -> impl fmt::Display {
    Protocol(number)
}

struct Protocol(u8);

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match bwmon_core::protocol::name(self.0) {
            Some(name) => f.pad(&name.to_ascii_lowercase()),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_three_digits() {
        for (value, text) in [
            (0.0, "0 B"),
            (999.0, "999 B"),
            (1_000.0, "1.00 kB"),
            (9_994.0, "9.99 kB"),
            (9_996.0, "10.0 kB"),
            (99_960.0, "100 kB"),
            (999_499.0, "999 kB"),
            (999_500.0, "1.00 MB"),
            (1.234e9, "1.23 GB"),
            (1.8e19, "18.0 EB"),
        ] {
            assert_eq!(Si(value, "B").to_string(), text);
        }
        assert_eq!(Si::count(12).to_string(), "12");
        assert_eq!(Si::count(12_345).to_string(), "12.3 k");
    }

    #[test]
    fn parts_are_never_hidden_by_rounding() {
        let percent = |part, whole| Percent { part, whole }.to_string();
        assert_eq!(percent(0, 10), "0");
        assert_eq!(percent(1, 1_000_000), "<0.1");
        assert_eq!(percent(1, 3), "33.3");
        assert_eq!(percent(10, 10), "100");
        assert_eq!(percent(20, 10), "200");
        assert_eq!(percent(0, 0), "0");
    }

    #[test]
    fn digits_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(Grouped(number).to_string(), text);
        }
        assert_eq!(format!("{:>6}", Grouped(12)), "    12");
    }

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!(counted(1, "frame"), "1 frame");
        assert_eq!(counted(0, "frame"), "0 frames");
        assert_eq!(counted(1_000, "frame"), "1,000 frames");
    }

    #[test]
    fn moments_and_lengths_read_as_usual() {
        let at = Timestamp::from_micros(1_700_000_000_000_001);
        assert_eq!(moment(at).to_string(), "2023-11-14T22:13:20.000001Z");
        assert_eq!(short_moment(at), "2023-11-14T22:13:20.000001Z");
        assert_eq!(
            short_moment(Timestamp::from_micros(1_700_000_000_500_000)),
            "2023-11-14T22:13:20.500Z"
        );
        assert_eq!(
            short_moment(Timestamp::from_secs(1_700_000_000)),
            "2023-11-14T22:13:20Z"
        );
        // The last moment that there is must not end the program.
        assert!(
            moment(Timestamp::from_nanos(u64::MAX))
                .to_string()
                .starts_with("2554-")
        );
        let length = |span| length(&Window::new(Timestamp::EPOCH, span));
        assert_eq!(length(Duration::from_micros(12)), "12.0 us");
        assert_eq!(length(Duration::from_micros(999_999)), "1.00 s");
        assert_eq!(length(Duration::from_millis(250)), "250 ms");
        assert_eq!(length(Duration::ZERO), "0.00 s");
        assert_eq!(length(Duration::from_millis(12_345)), "12.3 s");
        assert_eq!(length(Duration::from_secs(3_661)), "1 h 1 min 1 s");
        assert_eq!(length(Duration::from_secs(60)), "1 min");
        assert_eq!(length(Duration::from_secs(86_399)), "23 h 59 min 59 s");
        assert_eq!(length(Duration::from_secs(86_400)), "1 d");
        assert_eq!(length(Duration::from_secs(326_345_678)), "3,777 d 3 h");
    }

    #[test]
    fn protocols_without_a_name_are_told_by_number() {
        assert_eq!(protocol(6).to_string(), "tcp");
        assert_eq!(protocol(58).to_string(), "icmpv6");
        assert_eq!(protocol(253).to_string().len(), "253".len());
    }
}
