use std::path::PathBuf;
use std::time::Duration;

/// What is played.
#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    /// The binary of the collector.
    pub(crate) collector: PathBuf,
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// Its port on loopback.
    pub(crate) port: u16,
    pub(crate) agents: usize,
    /// How often each agent reports.
    pub(crate) interval: Duration,
    /// Flows of each report.
    pub(crate) flows: usize,
    /// How long they report before the collector is ended.
    pub(crate) length: Duration,
    /// Whether times and memory are goals too, or only what was counted.
    pub(crate) is_timed: bool,
}

const USAGE: &str =
    "usage: simulate_agents COLLECTOR DATA PORT AGENTS INTERVAL_MS FLOWS SECONDS timed|counted";

impl Arguments {
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let words: Vec<String> = words.collect();
        let [
            collector,
            data,
            port,
            agents,
            interval,
            flows,
            seconds,
            goals,
        ] = words.as_slice()
        else {
            return Err(USAGE.to_owned());
        };
        let number = |word: &String| match word.parse::<u32>() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(USAGE.to_owned()),
        };
        Ok(Self {
            collector: collector.into(),
            data: data.into(),
            port: port.parse().map_err(|_| USAGE.to_owned())?,
            agents: number(agents)? as usize,
            interval: Duration::from_millis(number(interval)?.into()),
            flows: number(flows)? as usize,
            length: Duration::from_secs(number(seconds)?.into()),
            is_timed: match goals.as_str() {
                "timed" => true,
                "counted" => false,
                _ => return Err(USAGE.to_owned()),
            },
        })
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
