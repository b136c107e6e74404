//! The command line. Flags stand over the environment, which stands over the file.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::FalseyValueParser;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::config::{
    CollectorUrl, EncodingChoice, LaneBytes, LoopbackAddress, MaxFlows, MethodChoice, PingInterval,
    ReportInterval, RingBytes, SpoolAge,
};
use super::enrol::EnrolArguments;
use super::flows;
use super::top::TopArguments;

const ABOUT: &str = "Reports this host's health and traffic to a bwmon-collector";
const EXAMPLES: &str = "\
Examples:
  bwmon-agent enrol                               take a token of `bwmon-collector enrol-token`
  bwmon-agent                                     report to that collector every 2 s
  bwmon-agent --stdout --interval 5s              print reports as JSON lines, no collector
  bwmon-agent --capture-interfaces 'eth*,wg0'     capture on these interfaces
  bwmon-agent top                                 who uses my bandwidth, live in the terminal
  bwmon-agent doctor                              what works, what does not, and what to do
  bwmon-agent flows capture.pcap                  the largest flows of a capture file
  bwmon-agent config example > agent.toml         a commented configuration file
Settings: file (--config) < environment (BWMON_...) < flags.";

const ENROL_HELP: &str = "\
The token is read from standard input, or from a file; never from an argument or the environment.
Examples:
  bwmon-agent enrol                               asks for the token
  bwmon-agent enrol --token-file FILE
  ssh collector bwmon-collector enrol-token --address collector:8000 | bwmon-agent enrol
Exit codes: 0 enrolled; 1 refused; 2 the command or the token is wrong; 75 the collector could not be
asked, the same token can be tried again.";

/// What the process was asked for.
#[derive(Debug)]
pub(super) enum Invocation {
    /// Something about reporting this host.
    Agent(Box<Cli>),
    /// To show traffic.
    Tool(Tool),
}

impl Invocation {
    /// Reads the process's arguments.
    ///
    /// # Errors
    /// The code to end with, after help or what is wrong was printed.
    pub(super) fn from_arguments() -> Result<Self, ExitCode> {
        if !names_a_tool(std::env::args_os().skip(1)) {
            return Ok(Self::Agent(Box::new(Cli::parse())));
        }
        match Tools::try_parse() {
            Ok(tools) => Ok(Self::Tool(tools.tool)),
            Err(error) => {
                // Where that cannot be printed, the code still tells.
                let _is_printed = error.print();
                Err(ExitCode::from(u8::from(error.use_stderr())))
            }
        }
    }
}

/// Whether the command, or the one that `help` is asked for, is one of [`Tool`].
fn names_a_tool(arguments: impl Iterator<Item = OsString>) -> bool {
    let mut words = arguments.skip_while(|word| word == "help");
    let tools = Tools::command();
    words
        .next()
        .is_some_and(|word| tools.find_subcommand(word).is_some())
}

/// The command line of what shows traffic. It stands apart because none of the agent's settings
/// apply, and `--interval` is another one there.
#[derive(Debug, Parser)]
#[command(name = "bwmon-agent", version)]
struct Tools {
    #[command(subcommand)]
    tool: Tool,
}

/// Shows traffic, and needs neither a collector nor a configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Tool {
    /// Show who talks to whom in a capture file, or live on an interface
    Flows(flows::Arguments),
}

/// The whole command line of the agent.
#[derive(Debug, Parser)]
#[command(name = "bwmon-agent", version, about = ABOUT, after_help = EXAMPLES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) options: Options,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Command {
    /// Measure, capture and report until stopped (the default)
    Run,
    /// Get an identity from a collector, with a token that it has printed
    #[command(after_help = ENROL_HELP)]
    Enrol(EnrolArguments),
    /// Show interfaces, peers and flows live in the terminal; needs no collector
    Top(TopArguments),
    /// Say what works, what does not, why, and what to do
    Doctor {
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Help with the configuration file
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Show who talks to whom in a capture file, or live on an interface
    #[command(disable_help_flag = true)]
    Flows(AfterSettings),
}

/// What follows a [`Tool`] that does not come first; see [`Tools`].
#[derive(Debug, Clone, Args)]
pub(super) struct AfterSettings {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print a commented configuration file with every key at its default
    Example,
}

/// How `doctor` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

/// What the environment and the flags may say.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings")]
pub(super) struct Options {
    /// TOML file with settings; see `bwmon-agent config example`
    #[arg(long, global = true, env = "BWMON_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Where reports go [default: the collector that the agent is enrolled with]
    #[arg(long, global = true, env = "BWMON_COLLECTOR", value_name = "URL")]
    pub(super) collector: Option<CollectorUrl>,
    /// Time between two reports, 1s to 5m [default: 2s]
    #[arg(long, global = true, env = "BWMON_INTERVAL", value_name = "DURATION")]
    pub(super) interval: Option<ReportInterval>,
    /// Folder for the agent's credential [default: /var/lib/bwmon-agent, or
    /// ~/.local/share/bwmon-agent where that cannot be written]
    #[arg(long, global = true, env = "BWMON_DATA", value_name = "FOLDER")]
    pub(super) data_dir: Option<PathBuf>,
    /// Interfaces to capture on, names or globs [default: those with a default route, else all
    /// that are up, without loopback]
    #[arg(
        long,
        global = true,
        env = "BWMON_CAPTURE_INTERFACES",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub(super) capture_interfaces: Option<Vec<String>>,
    /// How flows are seen [default: auto, the best that is permitted]
    #[arg(
        long,
        global = true,
        env = "BWMON_CAPTURE_METHOD",
        value_enum,
        value_name = "METHOD"
    )]
    pub(super) capture_method: Option<MethodChoice>,
    /// Size of the capture ring in bytes [default: 8388608]
    #[arg(
        long,
        global = true,
        env = "BWMON_CAPTURE_RING_BYTES",
        value_name = "BYTES"
    )]
    pub(super) capture_ring_bytes: Option<RingBytes>,
    /// Whether to ping other agents' hosts and the collector, true or false [default: true]
    #[arg(
        long,
        global = true,
        env = "BWMON_PING",
        action = clap::ArgAction::Set,
        value_name = "BOOL"
    )]
    pub(super) ping: Option<bool>,
    /// Time between two rounds of pings, 5s to 1h [default: 60s]
    #[arg(long, global = true, env = "BWMON_PING_EVERY", value_name = "DURATION")]
    pub(super) ping_every: Option<PingInterval>,
    /// Whether undelivered reports wait on disk, true or false [default: true]
    #[arg(
        long,
        global = true,
        env = "BWMON_SPOOL",
        action = clap::ArgAction::Set,
        value_name = "BOOL"
    )]
    pub(super) spool: Option<bool>,
    /// Folder for undelivered reports [default: spool, in the data folder]
    #[arg(long, global = true, env = "BWMON_SPOOL_FOLDER", value_name = "FOLDER")]
    pub(super) spool_folder: Option<PathBuf>,
    /// Most bytes on disk of undelivered reports without their flow rows [default: 67108864]
    #[arg(
        long,
        global = true,
        env = "BWMON_SPOOL_CORE_BYTES",
        value_name = "BYTES"
    )]
    pub(super) spool_core_bytes: Option<LaneBytes>,
    /// Most bytes on disk of their flow rows [default: 201326592]
    #[arg(
        long,
        global = true,
        env = "BWMON_SPOOL_FLOW_BYTES",
        value_name = "BYTES"
    )]
    pub(super) spool_flow_bytes: Option<LaneBytes>,
    /// How long reports wait for delivery at most, 1h to 30d [default: 72h]
    #[arg(long, global = true, env = "BWMON_SPOOL_AGE", value_name = "DURATION")]
    pub(super) spool_age: Option<SpoolAge>,
    /// Address of loopback where the agent serves its own metrics, at /metrics [default: nowhere]
    #[arg(
        long,
        global = true,
        env = "BWMON_METRICS_LISTEN",
        value_name = "ADDRESS"
    )]
    pub(super) metrics_listen: Option<LoopbackAddress>,
    /// Disks to report, names or globs [default: all]
    #[arg(
        long,
        global = true,
        env = "BWMON_DISKS_INCLUDE",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub(super) disks_include: Option<Vec<String>>,
    /// Disks to leave out of reports, names or globs
    #[arg(
        long,
        global = true,
        env = "BWMON_DISKS_EXCLUDE",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub(super) disks_exclude: Option<Vec<String>>,
    /// Interfaces whose counters are reported, names or globs [default: all]
    #[arg(
        long,
        global = true,
        env = "BWMON_INTERFACES_INCLUDE",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub(super) interfaces_include: Option<Vec<String>>,
    /// Interfaces to leave out of reports, names or globs
    #[arg(
        long,
        global = true,
        env = "BWMON_INTERFACES_EXCLUDE",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub(super) interfaces_exclude: Option<Vec<String>>,
    /// Most flows told apart within one interval [default: 65536]
    #[arg(long, global = true, env = "BWMON_MAX_FLOWS", value_name = "COUNT")]
    pub(super) max_flows: Option<MaxFlows>,
    /// How reports travel; compact falls back to JSON where the collector reads nothing else [default: compact]
    #[arg(long, global = true, env = "BWMON_ENCODING", value_name = "ENCODING")]
    pub(super) encoding: Option<EncodingChoice>,
    /// Print reports as JSON lines instead of sending them, or besides where --collector is given
    #[arg(long, global = true, env = "BWMON_STDOUT", value_parser = FalseyValueParser::new())]
    pub(super) stdout: bool,
    /// What to log on standard error: a level, or directives [default: info]
    #[arg(long, global = true, env = "BWMON_LOG", value_name = "FILTER")]
    pub(super) log: Option<String>,
}
