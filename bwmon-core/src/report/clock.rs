//! What an agent's clocks that nobody can set say about its clock that people read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::bounds;
use crate::time::Timestamp;

/// The agent's clocks at the end of a window. Within one boot they tell how long ago something was,
/// whatever happened to the wall clock in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClockReading {
    /// Microseconds since the host booted, sleep included (`CLOCK_BOOTTIME`, clock_gettime(2)).
    pub since_boot_us: u64,
    /// The part of them that the host slept.
    #[serde(default)]
    pub suspended_us: u64,
    /// The same clock when the agent's process started.
    #[serde(default)]
    pub process_started_us: u64,
    /// How far the receiver moved the report's times, because the agent's wall clock was off; the
    /// agent's own times are this much earlier. Filled in by a receiver, whatever an agent says.
    #[serde(default)]
    pub moved_us: i64,
}

/// What an agent's clocks say when it sends: the receiver compares them with its own.
///
/// It travels beside the records, as the header [`Sent::HEADER`], because it is about the moment of
/// sending and records are sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// By the wall clock.
    pub at: Timestamp,
    /// Microseconds since the host booted, sleep included.
    pub since_boot_us: u64,
    /// Identifies the boot, as [`HostFacts::boot_id`](super::HostFacts::boot_id) does.
    pub boot_id: String,
}

/// A [`Sent`] that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected at_us=NUMBER, since_boot_us=NUMBER, boot_id=\"TEXT\"")]
pub struct SentError;

impl Sent {
    /// Name of the header that it travels in. Its value is a dictionary (RFC 9651, section 3.2) of two
    /// integers and a string: `at_us=1795000000000000, since_boot_us=86400000000, boot_id="0f9d..."`.
    /// Unknown members are skipped.
    pub const HEADER: &'static str = "bwmon-sent";
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let boot_id = self.boot_id.chars().filter(|c| is_plain(*c));
        write!(
            f,
            "at_us={}, since_boot_us={}, boot_id=\"{}\"",
            self.at.as_micros(),
            self.since_boot_us,
            boot_id.collect::<String>()
        )
    }
}

impl FromStr for Sent {
    type Err = SentError;

    fn from_str(text: &str) -> Result<Self, SentError> {
        let (mut at, mut since_boot_us, mut boot_id) = (None, None, None);
        for member in text.split(',') {
            let (key, value) = member.trim().split_once('=').ok_or(SentError)?;
            let number = || value.parse::<u64>().map_err(|_| SentError);
            match key {
                "at_us" => at = Some(Timestamp::from_micros(number()?)),
                "since_boot_us" => since_boot_us = Some(number()?),
                "boot_id" => boot_id = Some(quoted(value).ok_or(SentError)?),
                _ => {}
            }
        }
        Ok(Self {
            at: at.ok_or(SentError)?,
            since_boot_us: since_boot_us.ok_or(SentError)?,
            boot_id: boot_id.ok_or(SentError)?,
        })
    }
}

fn quoted(value: &str) -> Option<String> {
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    let is_fine = text.len() <= bounds::STRING_BYTES && text.chars().all(is_plain);
    is_fine.then(|| text.to_owned())
}

/// What a quoted string holds without an escape.
const fn is_plain(c: char) -> bool {
    (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | ',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_its_header() {
        let sent = Sent {
            at: Timestamp::from_micros(1_795_000_000_000_001),
            since_boot_us: 86_400_000_000,
            boot_id: "0f9d3c1e-0000-4000-8000-000000000001".to_owned(),
        };
        assert_eq!(sent.to_string().parse(), Ok(sent.clone()));
        let newer = format!("{sent}, precision_us=5");
        assert_eq!(newer.parse(), Ok(sent));
    }

    #[test]
    fn a_header_that_is_none_is_refused() {
        let long = format!("at_us=1, since_boot_us=2, boot_id=\"{}\"", "x".repeat(300));
        for bad in [
            "",
            "at_us",
            "at_us=1, since_boot_us=2",
            "at_us=-1, since_boot_us=2, boot_id=\"x\"",
            "at_us=1, since_boot_us=2, boot_id=x",
            "at_us=1, since_boot_us=2, boot_id=\"a\"b\"",
            &long,
        ] {
            assert_eq!(bad.parse::<Sent>(), Err(SentError), "{bad}");
        }
    }
}
