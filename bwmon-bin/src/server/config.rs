//! What the collector can be told: defaults < TOML file < environment < flags.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;

use crate::common::config::{ConfigError, load, overlay};
use crate::common::duration::HumanDuration;

/// The configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the database lies.
    pub data_dir: PathBuf,
    /// How long reports are kept.
    pub retention: HumanDuration,
    /// How often older ones are removed.
    pub clean_up_interval: HumanDuration,
    /// After how long without a report a host counts as stale.
    pub stale_after: HumanDuration,
    /// File with the shared token.
    pub token_file: Option<PathBuf>,
    /// What is logged.
    pub log: String,
    /// Bounds.
    pub limits: Limits,
    /// Agents of the original program.
    pub legacy: LegacyConfig,
}

/// Whether and how agents of the original program are let in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LegacyConfig {
    /// Whether they are.
    pub enabled: bool,
    /// Where to listen for them.
    pub listen: SocketAddr,
    /// From which networks they may report.
    pub allow: Vec<IpNet>,
    /// Most hosts of them.
    pub max_hosts: usize,
}

/// Bounds of what clients can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Most connections at once; more wait to be accepted.
    pub connections: usize,
    /// Most event streams at once; more are answered 503.
    pub event_streams: usize,
}

/// Flags, and the environment behind them.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Overrides {
    /// Configuration file (TOML); `bwmon-collector config example` prints one
    #[arg(long, env = "BWMON_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Address and port to listen on; any but loopback needs --token-file [default: 127.0.0.1:8000]
    #[arg(long, env = "BWMON_LISTEN", value_name = "ADDRESS:PORT", global = true)]
    listen: Option<SocketAddr>,
    /// Folder of the database; made if it is not there [default: ./data]
    #[arg(long, env = "BWMON_DATA", value_name = "FOLDER", global = true)]
    data_dir: Option<PathBuf>,
    /// How long reports are kept, such as 30d [default: 7d]
    #[arg(long, env = "BWMON_RETENTION", value_name = "DURATION", global = true)]
    retention: Option<HumanDuration>,
    /// How often reports that are too old are removed, such as 12h [default: 24h]
    #[arg(
        long,
        env = "BWMON_CLEAN_UP_INTERVAL",
        value_name = "DURATION",
        global = true
    )]
    clean_up_interval: Option<HumanDuration>,
    /// After how long without a report a host counts as stale, such as 5m [default: 2m]
    #[arg(
        long,
        env = "BWMON_STALE_AFTER",
        value_name = "DURATION",
        global = true
    )]
    stale_after: Option<HumanDuration>,
    /// File with the shared token of people and their programs
    #[arg(long, env = "BWMON_TOKEN_FILE", value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// What is logged: a level, or directives such as warn,bwmon_bin=debug [default: info]
    #[arg(long, env = "BWMON_LOG", value_name = "FILTER", global = true)]
    log: Option<String>,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The file.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A value is out of its range.
    #[error("{name} is {value}, it must be {range}")]
    Range {
        /// Name in the file.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        range: &'static str,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            data_dir: PathBuf::from("./data"),
            retention: HumanDuration::from_secs(7 * 86_400),
            clean_up_interval: HumanDuration::from_secs(86_400),
            stale_after: HumanDuration::from_secs(120),
            token_file: None,
            log: "info".to_owned(),
            limits: Limits::default(),
            legacy: LegacyConfig::default(),
        }
    }
}

impl Default for LegacyConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 8002)),
            allow: vec![
                IpNet::new_assert(IpAddr::from([127, 0, 0, 0]), 8),
                IpNet::new_assert(IpAddr::from(Ipv6Addr::LOCALHOST), 128),
            ],
            max_hosts: 256,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            event_streams: 256,
        }
    }
}

impl Config {
    /// Reads all layers.
    ///
    /// # Errors
    /// When the file is not as it must be, or a value is out of its range.
    pub fn read(overrides: Overrides) -> Result<Self, Unusable> {
        let mut config: Self = load(overrides.config.as_deref())?;
        overlay(&mut config.listen, overrides.listen);
        overlay(&mut config.data_dir, overrides.data_dir);
        overlay(&mut config.retention, overrides.retention);
        overlay(&mut config.clean_up_interval, overrides.clean_up_interval);
        overlay(&mut config.stale_after, overrides.stale_after);
        overlay(&mut config.token_file, overrides.token_file.map(Some));
        overlay(&mut config.log, overrides.log);
        config.within_ranges()
    }

    fn within_ranges(self) -> Result<Self, Unusable> {
        let at_least = |name, value: HumanDuration, seconds, range| {
            if value.0 >= Duration::from_secs(seconds) {
                Ok(())
            } else {
                Err(Unusable::Range {
                    name,
                    value: value.to_string(),
                    range,
                })
            }
        };
        at_least("retention", self.retention, 60, "1m or more")?;
        at_least(
            "clean_up_interval",
            self.clean_up_interval,
            60,
            "1m or more",
        )?;
        at_least("stale_after", self.stale_after, 1, "1s or more")?;
        let counts = [
            (
                "limits.connections",
                self.limits.connections,
                65_536,
                "1 to 65536",
            ),
            (
                "limits.event_streams",
                self.limits.event_streams,
                65_536,
                "1 to 65536",
            ),
            (
                "legacy.max_hosts",
                self.legacy.max_hosts,
                10_000,
                "1 to 10000",
            ),
        ];
        for (name, value, most, range) in counts {
            if !(1..=most).contains(&value) {
                return Err(Unusable::Range {
                    name,
                    value: value.to_string(),
                    range,
                });
            }
        }
        Ok(self)
    }
}

/// A commented file that says what holds without one.
pub const EXAMPLE: &str = include_str!("example.toml");

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_example_says_what_holds_without_it() {
        let parsed: Config = crate::common::config::parse(EXAMPLE, Path::new("example")).unwrap();
        assert_eq!(parsed, Config::default());
    }

    #[test]
    fn the_example_shows_every_key() {
        let keys = [
            "listen",
            "data_dir",
            "retention",
            "clean_up_interval",
            "stale_after",
            "token_file",
            "log",
            "connections",
            "event_streams",
            "enabled",
            "allow",
            "max_hosts",
        ];
        for key in keys {
            let line = |line: &str| {
                line.trim_start_matches("# ")
                    .starts_with(&format!("{key} = "))
            };
            assert!(EXAMPLE.lines().any(line), "{key}");
        }
        let uncommented = EXAMPLE.replace("# token_file", "token_file");
        let parsed: Config =
            crate::common::config::parse(&uncommented, Path::new("example")).unwrap();
        assert!(parsed.token_file.is_some());
    }

    #[test]
    fn flags_lie_over_the_file_and_ranges_hold() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("collector.toml");
        std::fs::write(&file, "retention = \"1d\"\nstale_after = \"5m\"\n").unwrap();
        let read = |retention: Option<&str>| {
            Config::read(Overrides {
                config: Some(file.clone()),
                retention: retention.map(|text| text.parse().unwrap()),
                ..Overrides::default()
            })
        };
        let config = read(None).unwrap();
        assert_eq!(config.retention.to_string(), "1d");
        assert_eq!(config.stale_after.to_string(), "5m");
        assert_eq!(read(Some("2d")).unwrap().retention.to_string(), "2d");
        let message = read(Some("1s")).unwrap_err().to_string();
        assert_eq!(message, "retention is 1s, it must be 1m or more");
    }
}
