//! `enrol-token` and `agents`: they work on the registry while the collector runs, and without it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bwmon_core::report::AgentId;
use bwmon_core::time::Timestamp;
use bwmon_sinks::Clock;
use clap::{Args, Subcommand, ValueEnum, value_parser};
use serde::Serialize;

use super::config::Config;
use super::registry::{AgentState, NewToken, RegisteredAgent, Registry, Revocation};
use super::run::make_folder;
use super::store::registry_path;
use crate::common::duration::HumanDuration;
use crate::common::enrolment::{EnrolToken, TokenId, address_of};
use crate::common::secret::Secret256;

/// Shortest and longest life of a token.
const LIFETIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(30 * 86_400);

/// What a token is to be good for.
#[derive(Debug, Clone, Args)]
pub struct TokenArguments {
    /// How many agents it enrols, 1 to 10000
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=10_000))]
    uses: u32,
    /// How long it is good, 1m to 30d
    #[arg(long = "for", value_name = "DURATION", default_value = "1h")]
    lifetime: HumanDuration,
    /// Where agents reach the collector [default: the address of --listen]
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
}

/// What is to be done with agents.
#[derive(Debug, Clone, Subcommand)]
pub enum AgentsCommand {
    /// List every agent that has enrolled
    List {
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// End an agent's right to report; it takes effect within a second
    Revoke {
        /// The agent's identity, 32 hexadecimal digits
        id: AgentId,
    },
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

/// Prints a token on standard output, and what it is good for on standard error.
///
/// # Errors
/// When the token cannot be what it is to be, or the registry cannot be written.
pub fn print_token(config: &Config, arguments: &TokenArguments) -> anyhow::Result<()> {
    let TokenArguments { uses, lifetime, .. } = *arguments;
    if !LIFETIMES.contains(&lifetime.0) {
        bail!("a token cannot be good for {lifetime}: --for takes 1m to 30d");
    }
    let address = token_address(config.listen, arguments.address.as_deref())?;
    let token = EnrolToken {
        address: address_of(&address).ok_or_else(|| no_address(&address))?,
        id: TokenId::draw().context("the system gives no random numbers")?,
        secret: Secret256::draw().context("the system gives no random numbers")?,
    };
    make_folder(&config.data_dir)?;
    let now = Clock::default().now();
    let accepted = NewToken {
        id: token.id,
        secret: token.secret.fingerprint(),
        expires: now.plus(lifetime.0),
        uses,
    };
    Registry::open(&registry_path(&config.data_dir))?.accept(&accepted, now)?;
    print(&format!("{}\n", token.expose()))?;
    eprintln!("{}", explanation(&address, uses, lifetime));
    Ok(())
}

fn token_address(listen: SocketAddr, told: Option<&str>) -> anyhow::Result<String> {
    match told {
        Some(address) => Ok(address.to_owned()),
        None if listen.ip().is_unspecified() || listen.port() == 0 => Err(anyhow!(
            "the collector listens on {listen}, which is no address that an agent can be sent to: \
             name one with --address HOST:PORT"
        )),
        None => Ok(listen.to_string()),
    }
}

fn no_address(text: &str) -> anyhow::Error {
    anyhow!(
        "--address {} is not of the form HOST:PORT, such as monitor.example:8000 or \
         [2001:db8::1]:8000",
        text.escape_debug()
    )
}

fn explanation(address: &str, uses: u32, lifetime: HumanDuration) -> String {
    let agents = match uses {
        1 => "one agent".to_owned(),
        _ => format!("{uses} agents"),
    };
    let mut text = format!(
        "The token enrols {agents} with {address} and expires in {lifetime}. Where the agent is, run \
         `bwmon-agent enrol` and paste it; who has it can enrol, so show it to nobody else."
    );
    let is_loopback = address
        .parse()
        .is_ok_and(|address: SocketAddr| address.ip().is_loopback());
    if is_loopback {
        text.push_str(
            " Its address is reached from this machine only: --address HOST:PORT names another.",
        );
    }
    text
}

/// Lists or revokes.
///
/// # Errors
/// When the registry cannot be used, or knows no such agent.
pub fn agents(config: &Config, command: &AgentsCommand) -> anyhow::Result<()> {
    let mut registry = existing(&config.data_dir)?;
    match command {
        AgentsCommand::List { format } => {
            let agents = registry.agents()?;
            print(&match format {
                Format::Table => table(&agents),
                Format::Json => json(&agents)?,
            })
        }
        AgentsCommand::Revoke { id } => match registry.revoke(*id, Clock::default().now())? {
            Revocation::Done => print(&format!(
                "agent {id} is revoked: what it sends from now on is refused, what it sent stays\n"
            )),
            Revocation::Already => print(&format!("agent {id} was revoked before\n")),
            Revocation::Unknown => bail!(
                "no agent has the identity {id}; `bwmon-collector agents list` shows those that \
                 have enrolled"
            ),
        },
    }
}

/// A registry that is there: a mistyped folder must not look like one without agents.
fn existing(folder: &Path) -> anyhow::Result<Registry> {
    let path = registry_path(folder);
    if !path.exists() {
        bail!(
            "there is no registry of agents in {}: is --data-dir that of the collector?",
            folder.display()
        );
    }
    Ok(Registry::open(&path)?)
}

fn table(agents: &[RegisteredAgent]) -> String {
    let mut text = format!(
        "{:<32}  {:<20}  {:<28}  NAME\n",
        "AGENT", "ENROLLED", "STATE"
    );
    for agent in agents {
        let state = match agent.state {
            AgentState::Enrolled => "enrolled".to_owned(),
            AgentState::Revoked(at) => format!("revoked {}", moment(at)),
        };
        // Writing to a String cannot fail.
        let _is_written = writeln!(
            text,
            "{}  {:<20}  {state:<28}  {}",
            agent.agent,
            moment(agent.enrolled),
            agent.name
        );
    }
    text
}

fn moment(at: Timestamp) -> humantime::Rfc3339Timestamp {
    let since = Duration::from_micros(at.as_micros());
    humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + since)
}

#[derive(Serialize)]
struct Listed<'a> {
    agent: AgentId,
    name: &'a str,
    enrolled_us: u64,
    revoked_us: Option<u64>,
}

fn json(agents: &[RegisteredAgent]) -> anyhow::Result<String> {
    let listed: Vec<Listed<'_>> = agents
        .iter()
        .map(|agent| Listed {
            agent: agent.agent,
            name: &agent.name,
            enrolled_us: agent.enrolled.as_micros(),
            revoked_us: match agent.state {
                AgentState::Enrolled => None,
                AgentState::Revoked(at) => Some(at.as_micros()),
            },
        })
        .collect();
    let text = serde_json::to_string_pretty(&listed).context("cannot write JSON")?;
    Ok(text + "\n")
}

/// Prints on standard output.
///
/// # Errors
/// When nobody reads it.
pub fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}
