//! Durations as people write them: `500ms`, `2s`, `5m`, `24h`, `7d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration that is written as a whole number and a unit: `ms`, `s`, `m`, `h`, `d` or `w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HumanDuration(pub Duration);

/// A text that is no [`HumanDuration`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no duration: write a whole number and a unit, such as 500ms, 2s, 5m, 24h or 7d"
)]
pub struct DurationError {
    text: String,
}

/// Units from the largest, in milliseconds.
const UNITS: [(&str, u64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl HumanDuration {
    /// A duration of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl FromStr for HumanDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let trimmed = text.trim();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = trimmed.split_at(digits);
        let parsed = number.parse::<u64>().ok().and_then(|number| {
            let unit = unit.trim_start();
            let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
            number.checked_mul(*factor)
        });
        match parsed {
            Some(millis) => Ok(Self(Duration::from_millis(millis))),
            None => Err(DurationError {
                text: trimmed.chars().take(40).collect(),
            }),
        }
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        if millis == 0 {
            return f.write_str("0s");
        }
        let whole = UNITS
            .iter()
            .skip(1)
            .find(|(_, factor)| millis.is_multiple_of(u128::from(*factor)));
        match whole {
            Some((unit, factor)) => write!(f, "{}{unit}", millis / u128::from(*factor)),
            None => write!(f, "{millis}ms"),
        }
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_written() {
        for (text, millis) in [
            ("500ms", 500),
            ("2s", 2_000),
            ("5m", 300_000),
            ("24h", 86_400_000),
            ("7 d", 604_800_000),
            ("1w", 604_800_000),
            ("0s", 0),
        ] {
            let parsed: HumanDuration = text.parse().unwrap();
            assert_eq!(parsed.0, Duration::from_millis(millis), "{text}");
            assert_eq!(parsed.to_string().parse::<HumanDuration>().unwrap(), parsed);
        }
    }

    #[test]
    fn anything_else_is_an_error_that_says_how_to_write_it() {
        for bad in [
            "",
            "7",
            "d",
            "-1s",
            "1.5s",
            "7 days",
            "99999999999999999999s",
            "é",
        ] {
            let message = bad.parse::<HumanDuration>().unwrap_err().to_string();
            assert!(message.contains("such as 500ms"), "{message}");
        }
    }

    #[test]
    fn the_largest_whole_unit_is_printed() {
        assert_eq!(HumanDuration::from_secs(604_800).to_string(), "7d");
        assert_eq!(HumanDuration::from_secs(120).to_string(), "2m");
        assert_eq!(HumanDuration::from_secs(90).to_string(), "90s");
    }
}
