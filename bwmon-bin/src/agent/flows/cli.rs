//! The command line of `bwmon-agent flows`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

use crate::common::duration::{DurationError, HumanDuration};

const EXAMPLES: &str = "\
Examples:
  bwmon-agent flows capture.pcap                        the 20 largest flows
  bwmon-agent flows capture.pcapng.gz --by host         who moved how much
  tcpdump -i eth0 -w - | bwmon-agent flows -            what another program captures
  bwmon-agent flows --interface eth0 --duration 10s     the next ten seconds, live
  bwmon-agent flows -i eth0 --interval 1s --by pair --top 5
  bwmon-agent flows capture.pcap --filter 'udp port 53 or icmp' --by host
  bwmon-agent flows capture.pcap --format json | jq '.pairs[0]'
Exit code: 0 all was read; 2 the capture is damaged, and what precedes the damage was printed;
1 it is no capture, or another error.";

/// Memory for the flows of a file.
const FILE_MEMORY: Memory = Memory(512 << 20);
/// Memory for the flows of a live capture.
const LIVE_MEMORY: Memory = Memory(64 << 20);

/// What `flows` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    group(ArgGroup::new("source").required(true).args(["file", "interfaces"]))
)]
pub(in crate::agent) struct Arguments {
    /// Capture file (pcap or pcapng, as it is or compressed with gzip or zstd); - reads standard input
    #[arg(value_name = "FILE|-", conflicts_with = "interfaces")]
    pub(super) file: Option<PathBuf>,
    /// Capture live on this interface, may be repeated; needs the right to capture
    #[arg(
        short,
        long = "interface",
        value_name = "IF",
        value_delimiter = ',',
        conflicts_with = "file"
    )]
    pub(super) interfaces: Vec<String>,
    /// End a live capture after this time, such as 10s [default: at Ctrl-C]
    #[arg(long, value_name = "DURATION", conflicts_with = "file")]
    pub(super) duration: Option<Span>,
    /// What a row stands for
    #[arg(long, value_enum, default_value_t = By::Flow)]
    pub(super) by: By,
    /// Most rows, the largest first, or `all` [default: 20 in a table on a terminal, else all]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) top: Option<Top>,
    /// A result for each span of capture time, such as 1s, besides the totals of all
    #[arg(long, value_name = "DURATION")]
    pub(super) interval: Option<Span>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Show only what this takes, such as `tcp port 443 and not ip 10.0.0.0/8`; the totals stay whole
    #[arg(long, value_name = "FILTER")]
    pub(super) filter: Option<String>,
    /// Most memory for flows; what has no room is counted as overflow [default: 512MiB for a file,
    /// 64MiB live]
    #[arg(long, value_name = "BYTES")]
    pub(super) max_memory: Option<Memory>,
}

impl Arguments {
    /// Most memory for flows, in bytes.
    ///
    /// Live it is less: a large table takes longer to clean up than the ring of frames lasts.
    pub(super) fn max_memory(&self) -> usize {
        let default = if self.file.is_some() {
            FILE_MEMORY
        } else {
            LIVE_MEMORY
        };
        self.max_memory.unwrap_or(default).0
    }
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    /// Both addresses, protocol and ports
    Flow,
    /// Two addresses
    Pair,
    /// One address; a frame counts for both of its addresses
    Host,
    /// Protocol and the lower of two ports
    Port,
    /// IP protocol
    Protocol,
    /// VLAN
    Vlan,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// One document, schema bwmon-flows/1; with --interval one per line
    Json,
    /// A row per group, after a header (RFC 4180)
    Csv,
}

/// How many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Top(pub(super) usize);

impl Top {
    /// Every row there is.
    pub(super) const ALL: Self = Self(usize::MAX);
}

impl FromStr for Top {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::ALL),
            _ => text
                .parse()
                .map(Self)
                .map_err(|_| "write a whole number from 0 on, or `all`".to_owned()),
        }
    }
}

/// A span of time of at least a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

/// A text that is no [`Span`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SpanError {
    /// It is no duration.
    #[error(transparent)]
    Unreadable(#[from] DurationError),
    /// It is no time at all.
    #[error("it must be 1ms at least")]
    Zero,
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let HumanDuration(span) = text.parse()?;
        if span.is_zero() {
            return Err(SpanError::Zero);
        }
        Ok(Self(span))
    }
}

/// An amount of memory in bytes, 1 MiB at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Memory(pub(super) usize);

/// Units of memory, in bytes.
const UNITS: [(&str, usize); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("M", 1 << 20),
    ("G", 1 << 30),
    ("", 1),
];

impl FromStr for Memory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let bytes = number.parse::<usize>().ok().and_then(|number| {
            let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
            number.checked_mul(*factor)
        });
        match bytes {
            Some(bytes) if bytes >= 1 << 20 => Ok(Self(bytes)),
            Some(_) => Err("it must be 1MiB at least".to_owned()),
            None => Err("write bytes or a number with a unit, such as 64MiB or 2GiB".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_with_its_unit() {
        for (text, bytes) in [
            ("1048576", Some(1 << 20)),
            ("64MiB", Some(64 << 20)),
            ("2 GB", Some(2_000_000_000)),
            ("1G", Some(1 << 30)),
            ("1023KiB", None),
            ("0", None),
            ("lots", None),
            ("-1", None),
            ("99999999999GiB", None),
            ("64XiB", None),
        ] {
            assert_eq!(text.parse().ok(), bytes.map(Memory), "{text}");
        }
    }

    #[test]
    fn spans_are_not_empty() {
        assert_eq!("250ms".parse(), Ok(Span(Duration::from_millis(250))));
        assert_eq!("0s".parse::<Span>(), Err(SpanError::Zero));
        assert!("soon".parse::<Span>().is_err());
    }

    #[test]
    fn all_rows_can_be_asked_for() {
        assert_eq!("all".parse(), Ok(Top::ALL));
        assert_eq!("0".parse(), Ok(Top(0)));
        assert!("-1".parse::<Top>().is_err());
    }
}
