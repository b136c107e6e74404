//! Settings: defaults < TOML file < environment < flags, parsed into types at the edge.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cli::Options;
use crate::common::config::{ConfigError, load, overlay};
use crate::common::duration::HumanDuration;

/// A commented file with every key at its default.
pub(super) const EXAMPLE: &str = include_str!("example.toml");

/// What the agent was told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Absent: the one that the agent is enrolled with.
    pub(super) collector: Option<CollectorUrl>,
    pub(super) interval: ReportInterval,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) encoding: EncodingChoice,
    pub(super) stdout: bool,
    pub(super) max_flows: MaxFlows,
    pub(super) log: LogFilter,
    pub(super) capture: CaptureConfig,
    pub(super) ping: PingSettings,
    pub(super) disks: Names,
    pub(super) interfaces: Names,
    pub(super) spool: SpoolSettings,
    pub(super) metrics: MetricsSettings,
    /// Whether reports are printed and not sent.
    #[serde(skip)]
    pub(super) is_offline: bool,
}

/// `[capture]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CaptureConfig {
    pub(super) interfaces: Vec<String>,
    pub(super) method: MethodChoice,
    pub(super) ring_bytes: RingBytes,
}

/// `[ping]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PingSettings {
    pub(super) enabled: bool,
    pub(super) every: PingInterval,
}

impl Default for PingSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            every: PingInterval::default(),
        }
    }
}

/// `[spool]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SpoolSettings {
    pub(super) enabled: bool,
    /// Absent: within the data folder.
    pub(super) folder: Option<PathBuf>,
    pub(super) core_bytes: LaneBytes,
    pub(super) flow_bytes: LaneBytes,
    pub(super) age: SpoolAge,
}

impl Default for SpoolSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            folder: None,
            core_bytes: LaneBytes(64 << 20),
            flow_bytes: LaneBytes(192 << 20),
            age: SpoolAge::default(),
        }
    }
}

/// `[metrics]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MetricsSettings {
    /// Absent: nowhere.
    pub(super) listen: Option<LoopbackAddress>,
}

/// Names or globs to take and to leave out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Names {
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
}

impl Config {
    /// The file, overlaid with what the environment and the flags say.
    pub(super) fn resolve(options: &Options) -> Result<Self, ConfigError> {
        let mut config: Self = load(options.config.as_deref())?;
        let options = options.clone();
        config.is_offline = options.stdout && options.collector.is_none();
        config.stdout |= options.stdout;
        overlay(&mut config.collector, options.collector.map(Some));
        overlay(&mut config.interval, options.interval);
        overlay(&mut config.data_dir, options.data_dir.map(Some));
        overlay(&mut config.encoding, options.encoding);
        overlay(&mut config.max_flows, options.max_flows);
        overlay(&mut config.log, options.log.map(LogFilter));
        overlay(&mut config.capture.interfaces, options.capture_interfaces);
        overlay(&mut config.capture.method, options.capture_method);
        overlay(&mut config.capture.ring_bytes, options.capture_ring_bytes);
        overlay(&mut config.ping.enabled, options.ping);
        overlay(&mut config.ping.every, options.ping_every);
        overlay(&mut config.spool.enabled, options.spool);
        overlay(&mut config.spool.folder, options.spool_folder.map(Some));
        overlay(&mut config.spool.core_bytes, options.spool_core_bytes);
        overlay(&mut config.spool.flow_bytes, options.spool_flow_bytes);
        overlay(&mut config.spool.age, options.spool_age);
        overlay(&mut config.metrics.listen, options.metrics_listen.map(Some));
        overlay(&mut config.disks.include, options.disks_include);
        overlay(&mut config.disks.exclude, options.disks_exclude);
        overlay(&mut config.interfaces.include, options.interfaces_include);
        overlay(&mut config.interfaces.exclude, options.interfaces_exclude);
        Ok(config)
    }

    /// Folders for the agent's credential, best first.
    pub(super) fn data_dirs(&self) -> Vec<PathBuf> {
        match &self.data_dir {
            Some(told) => vec![told.clone()],
            None => default_data_dirs(std::env::var_os("HOME").map(PathBuf::from).as_deref()),
        }
    }
}

fn default_data_dirs(home: Option<&Path>) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("/var/lib/bwmon-agent")];
    folders.extend(home.map(|home| home.join(".local/share/bwmon-agent")));
    folders
}

/// How reports travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(super) enum EncodingChoice {
    /// Protobuf; JSON where the collector does not read that
    #[default]
    Compact,
    /// JSON
    Json,
}

/// How flows are to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(super) enum MethodChoice {
    /// The best that is permitted
    #[default]
    Auto,
    /// Every frame, from a Linux packet ring (needs CAP_NET_RAW)
    AfPacket,
    /// Every frame, through libpcap, where it was compiled in (needs CAP_NET_RAW)
    Libpcap,
    /// TCP connections only, payload bytes (needs nothing)
    SockDiag,
    /// No flows: interface counters only
    Counters,
}

/// A value that is outside of what makes sense, or no value at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct ValueError(String);

/// Where reports go: an `http` URL without credentials, query or fragment, and without the slash at
/// its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CollectorUrl(String);

impl CollectorUrl {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port.
    pub(super) fn authority(&self) -> &str {
        let (_, rest) = self.0.split_once("://").unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }
}

impl FromStr for CollectorUrl {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let refuse = |why: &str| ValueError(format!("{why}; write it like http://192.0.2.7:8000"));
        let uri: ureq::http::Uri = text
            .trim()
            .parse()
            .map_err(|_| refuse("the collector's address is no URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(refuse("this version speaks http only")),
            _ => return Err(refuse("the collector's address must start with http://")),
        }
        let authority = uri
            .authority()
            .map(|authority| authority.as_str())
            .unwrap_or_default();
        if authority.is_empty() || authority.contains('@') {
            return Err(refuse(
                "the collector's address needs a host, and holds no credentials",
            ));
        }
        if uri.query().is_some() {
            return Err(refuse("the collector's address has no query"));
        }
        Ok(Self(text.trim().trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for CollectorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for CollectorUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// An address and port that only this host reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LoopbackAddress(SocketAddr);

impl LoopbackAddress {
    pub(super) const fn address(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for LoopbackAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let address: SocketAddr = text.trim().parse().map_err(|_| {
            ValueError("an address and a port are needed, such as 127.0.0.1:9463".to_owned())
        })?;
        if address.ip().is_loopback() {
            Ok(Self(address))
        } else {
            Err(ValueError(format!(
                "{address} can be reached from elsewhere, and nobody is asked there who they are: \
                 take an address of loopback, such as 127.0.0.1:{}",
                address.port()
            )))
        }
    }
}

/// Time between two reports, 1 s to 300 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReportInterval(HumanDuration);

impl ReportInterval {
    const LEAST: Duration = Duration::from_secs(1);
    const MOST: Duration = Duration::from_secs(300);

    pub(super) const fn duration(self) -> Duration {
        self.0.0
    }
}

impl Default for ReportInterval {
    fn default() -> Self {
        Self(HumanDuration::from_secs(2))
    }
}

impl FromStr for ReportInterval {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        duration_within(text, Self::LEAST, Self::MOST, "1s to 5m").map(Self)
    }
}

impl fmt::Display for ReportInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Time between two rounds of pings, 5 s to 1 h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PingInterval(HumanDuration);

impl PingInterval {
    const LEAST: Duration = Duration::from_secs(5);
    const MOST: Duration = Duration::from_secs(3_600);

    pub(super) const fn duration(self) -> Duration {
        self.0.0
    }
}

impl Default for PingInterval {
    fn default() -> Self {
        Self(HumanDuration::from_secs(60))
    }
}

impl FromStr for PingInterval {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        duration_within(text, Self::LEAST, Self::MOST, "5s to 1h").map(Self)
    }
}

/// Size of the capture ring in bytes, 1 MiB to 1 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RingBytes(usize);

impl RingBytes {
    pub(super) const fn bytes(self) -> usize {
        self.0
    }
}

impl Default for RingBytes {
    fn default() -> Self {
        Self(8 << 20)
    }
}

impl TryFrom<u64> for RingBytes {
    type Error = ValueError;

    fn try_from(bytes: u64) -> Result<Self, ValueError> {
        in_bounds(bytes, 1 << 20, 1 << 30, "a ring", "bytes").map(Self)
    }
}

/// Most bytes on disk of one lane of the spool, 8 MiB to 1 TiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneBytes(u64);

impl LaneBytes {
    pub(super) const fn bytes(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for LaneBytes {
    type Error = ValueError;

    fn try_from(bytes: u64) -> Result<Self, ValueError> {
        in_bounds(bytes, 8 << 20, 1 << 40, "a budget", "bytes").map(|_| Self(bytes))
    }
}

/// How long reports wait for delivery at most, 1 h to 30 d.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpoolAge(HumanDuration);

impl SpoolAge {
    const LEAST: Duration = Duration::from_secs(3_600);
    const MOST: Duration = Duration::from_secs(30 * 86_400);

    pub(super) const fn duration(self) -> Duration {
        self.0.0
    }
}

impl Default for SpoolAge {
    fn default() -> Self {
        Self(HumanDuration::from_secs(72 * 3_600))
    }
}

impl FromStr for SpoolAge {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        duration_within(text, Self::LEAST, Self::MOST, "1h to 30d").map(Self)
    }
}

/// Most flows told apart within one interval, 16 to 1,048,576.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MaxFlows(usize);

impl MaxFlows {
    pub(super) const fn count(self) -> usize {
        self.0
    }
}

impl Default for MaxFlows {
    fn default() -> Self {
        Self(65_536)
    }
}

impl TryFrom<u64> for MaxFlows {
    type Error = ValueError;

    fn try_from(count: u64) -> Result<Self, ValueError> {
        in_bounds(count, 16, 1 << 20, "a table", "flows").map(Self)
    }
}

fn duration_within(
    text: &str,
    least: Duration,
    most: Duration,
    bounds: &str,
) -> Result<HumanDuration, ValueError> {
    let told: HumanDuration = text
        .parse()
        .map_err(|error| ValueError(format!("{error}; {bounds} make sense")))?;
    if (least..=most).contains(&told.0) {
        Ok(told)
    } else {
        Err(ValueError(format!(
            "a time of {told} is out of bounds: {bounds}"
        )))
    }
}

fn in_bounds(
    value: u64,
    least: u64,
    most: u64,
    what: &str,
    unit: &str,
) -> Result<usize, ValueError> {
    let error = || {
        ValueError(format!(
            "{what} of {value} {unit} is out of bounds: {least} to {most}"
        ))
    };
    if !(least..=most).contains(&value) {
        return Err(error());
    }
    usize::try_from(value).map_err(|_| error())
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct LogFilter(pub(super) String);

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

macro_rules! from_text {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
from_text!(
    CollectorUrl,
    LoopbackAddress,
    PingInterval,
    ReportInterval,
    SpoolAge
);

macro_rules! from_number {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                u64::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                let digits = text.trim().replace('_', "");
                let number: u64 = digits
                    .parse()
                    .map_err(|_| ValueError("expected a whole number".to_owned()))?;
                number.try_into()
            }
        }
    )*};
}
from_number!(LaneBytes, MaxFlows, RingBytes);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::config::parse;

    fn parsed(text: &str) -> Result<Config, String> {
        parse(text, Path::new("agent.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_is_the_defaults_and_names_every_key() {
        assert_eq!(parsed(EXAMPLE).unwrap(), Config::default());
        let uncommented = EXAMPLE
            .replace("\n#data_dir", "\ndata_dir")
            .replace("\n#collector", "\ncollector")
            .replace("\n#folder", "\nfolder")
            .replace("\n#listen", "\nlisten");
        let config = parsed(&uncommented).unwrap();
        assert_eq!(config.data_dir, Some("/var/lib/bwmon-agent".into()));
        assert_eq!(config.collector.unwrap().as_str(), "http://192.0.2.7:8000");
        let folder = "/var/lib/bwmon-agent/spool";
        assert_eq!(config.spool.folder, Some(folder.into()));
        let listen = config.metrics.listen.unwrap().address();
        assert_eq!(listen, "127.0.0.1:9463".parse().unwrap());
    }

    #[test]
    fn values_out_of_bounds_are_refused_where_they_stand() {
        for (text, place, bound) in [
            ("interval = \"500ms\"", "agent.toml:1:12", "1s to 5m"),
            ("interval = \"301s\"", "agent.toml:1:12", "1s to 5m"),
            ("[ping]\nevery = \"1s\"", "agent.toml:2:9", "5s to 1h"),
            ("max_flows = 3", "agent.toml:1:13", "16 to 1048576"),
            (
                "[capture]\nring_bytes = 4096",
                "agent.toml:2:14",
                "1048576 to 1073741824",
            ),
            (
                "[capture]\nmethod = \"magic\"",
                "agent.toml:2:10",
                "af_packet",
            ),
            ("encoding = \"xml\"", "agent.toml:1:12", "compact"),
            (
                "[spool]\ncore_bytes = 4096",
                "agent.toml:2:14",
                "8388608 to 1099511627776",
            ),
            (
                "[metrics]\nlisten = \"0.0.0.0:9463\"",
                "agent.toml:2:10",
                "127.0.0.1:9463",
            ),
            ("[spool]\nage = \"5m\"", "agent.toml:2:7", "1h to 30d"),
            ("collector = \"ftp://h\"", "agent.toml:1:13", "http://"),
        ] {
            let message = parsed(text).unwrap_err();
            assert!(
                message.starts_with(place) && message.contains(bound),
                "{message}"
            );
        }
    }

    #[test]
    fn a_collector_address_holds_no_credentials_and_messages_show_none() {
        let message = "http://me:geheim@h:1"
            .parse::<CollectorUrl>()
            .unwrap_err()
            .to_string();
        assert!(!message.contains("geheim"), "{message}");
        let url: CollectorUrl = "http://[2001:db8::1]:8000/".parse().unwrap();
        assert_eq!(url.as_str(), "http://[2001:db8::1]:8000");
    }

    #[test]
    fn the_spool_is_set_by_flags_as_by_the_file() {
        let options = Options {
            spool: Some(false),
            spool_folder: Some("/srv/spool".into()),
            spool_core_bytes: Some("16_777_216".parse().unwrap()),
            spool_flow_bytes: Some("33554432".parse().unwrap()),
            spool_age: Some("24h".parse().unwrap()),
            ..Options::default()
        };
        let file = "[spool]\nenabled = false\nfolder = \"/srv/spool\"\ncore_bytes = 16777216\n\
                    flow_bytes = 33554432\nage = \"24h\"";
        let resolved = Config::resolve(&options).unwrap().spool;
        assert_eq!(resolved, parsed(file).unwrap().spool);
        assert!("7_000_000".parse::<LaneBytes>().is_err());
        assert!("59m".parse::<SpoolAge>().is_err());
    }

    #[test]
    fn printing_replaces_sending_unless_a_collector_is_named() {
        let mut options = Options {
            stdout: true,
            ..Options::default()
        };
        assert!(Config::resolve(&options).unwrap().is_offline);
        options.collector = Some("http://192.0.2.7:8000".parse().unwrap());
        let both = Config::resolve(&options).unwrap();
        assert!(both.stdout && !both.is_offline);
    }
}
