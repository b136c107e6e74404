//! Quantities as people read them: SI prefixes, three significant digits.

use std::time::Duration;

const PREFIXES: [&str; 6] = ["k", "M", "G", "T", "P", "E"];

/// A quantity with its SI prefix and `unit`: `93.1 Mbit/s`, `1.23 GB`, `0 B`.
pub(super) fn with_unit(value: f64, unit: &str) -> String {
    let (digits, prefix) = scaled(value);
    format!("{digits} {prefix}{unit}")
}

/// The same for columns whose title has the unit: `93.1 M`, `0`; at most six characters.
pub(super) fn short(value: f64) -> String {
    let (digits, prefix) = scaled(value);
    if prefix.is_empty() {
        digits
    } else {
        format!("{digits} {prefix}")
    }
}

/// Bytes: `1.23 GB`; at most eight characters.
pub(super) fn bytes(bytes: u64) -> String {
    with_unit(bytes as f64, "B")
}

/// A part of a whole as a percentage that never rounds to a claim: what is not all is not `100 %`,
/// and what is not nothing is not `0 %`.
pub(super) fn percent(part: f64) -> String {
    let percent = part * 100.0;
    if percent <= 0.0 {
        "0 %".to_owned()
    } else if percent >= 100.0 {
        "100 %".to_owned()
    } else if percent < 0.1 {
        "<0.1 %".to_owned()
    } else if percent > 99.9 {
        ">99.9 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// A span of time: `0:07`, `12:31`, `1:02:31`, `3d 01:02:31`.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, second) = (seconds / 60, seconds % 60);
    let (hours, minute) = (minutes / 60, minutes % 60);
    let (days, hour) = (hours / 24, hours % 24);
    match (days, hours) {
        (0, 0) => format!("{minute}:{second:02}"),
        (0, _) => format!("{hour}:{minute:02}:{second:02}"),
        _ => format!("{days}d {hour:02}:{minute:02}:{second:02}"),
    }
}

/// Text of an outside origin (names of hosts and interfaces) without what a terminal would obey.
pub(super) fn harmless(text: &str) -> String {
    let replace = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(replace).collect()
}

/// Digits and prefix.
fn scaled(value: f64) -> (String, &'static str) {
    if value <= 0.0 || !value.is_finite() {
        return ("0".to_owned(), "");
    }
    if value < 0.5 {
        return ("<1".to_owned(), "");
    }
    if value < 999.5 {
        return (format!("{value:.0}"), "");
    }
    let mut value = value;
    let mut prefix = "";
    for next in PREFIXES {
        value /= 1_000.0;
        prefix = next;
        if value < 999.5 {
            break;
        }
    }
    let digits = if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    };
    (digits, prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits_and_an_si_prefix() {
        for (value, expected) in [
            (0.0, "0 bit/s"),
            (-3.0, "0 bit/s"),
            (f64::NAN, "0 bit/s"),
            (0.2, "<1 bit/s"),
            (8.0, "8 bit/s"),
            (999.4, "999 bit/s"),
            (999.6, "1.00 kbit/s"),
            (1_234.0, "1.23 kbit/s"),
            (9_996.0, "10.0 kbit/s"),
            (99_960.0, "100 kbit/s"),
            (999_600.0, "1.00 Mbit/s"),
            (93_100_000.0, "93.1 Mbit/s"),
            (400e9, "400 Gbit/s"),
        ] {
            assert_eq!(with_unit(value, "bit/s"), expected, "{value}");
        }
    }

    #[test]
    fn columns_hold_every_value() {
        let mut value = 0.01;
        while value < 1e21 {
            assert!(short(value).chars().count() <= 6, "{value}");
            value *= 1.37;
        }
        assert_eq!(bytes(u64::MAX), "18.4 EB");
    }

    #[test]
    fn a_percentage_claims_no_more_than_there_is() {
        for (part, expected) in [
            (0.0, "0 %"),
            (1e-9, "<0.1 %"),
            (0.0123, "1.2 %"),
            (0.9995, ">99.9 %"),
            (0.999_999, ">99.9 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(part), expected, "{part}");
        }
    }

    #[test]
    fn spans_grow_with_time() {
        for (seconds, expected) in [
            (7, "0:07"),
            (751, "12:31"),
            (3_751, "1:02:31"),
            (262_951, "3d 01:02:31"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_terminal_obeys_no_name() {
        assert_eq!(harmless("eth\u{1b}[2J"), "eth\u{fffd}[2J");
    }
}
