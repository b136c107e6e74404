//! The command line of `bwmon-collector`.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use super::assets::Page;
use super::commands::{self, AgentsCommand, TokenArguments, print};
use super::config::{Config, EXAMPLE, Overrides};
use super::{Server, files, openapi};
use crate::common::errors::told;
use crate::common::{log, memory};

/// Exit code for a wrong command line or configuration, as clap has it.
const USAGE: u8 = 2;

/// Arenas of the allocator: what one thread decodes another lets go of, minutes later.
const ARENAS: u8 = 2;

const ABOUT: &str = "Takes in what agents report, stores it, and shows it in a browser";
const EXAMPLES: &str = "\
Examples:
  bwmon-collector                                 serve on http://127.0.0.1:8000, data in ./data
  bwmon-collector --listen 0.0.0.0:8000 --token-file token
  bwmon-collector enrol-token --address monitor.example:8000
                                                  a token for `bwmon-agent enrol` on another host
  bwmon-collector agents list                     who has enrolled
  bwmon-collector --retention 30d --data-dir /var/lib/bwmon
  bwmon-collector config example > collector.toml a commented configuration file
Settings: file (--config) < environment (BWMON_...) < flags.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "bwmon-collector", version, about = ABOUT, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve ingest, API and page (the default)
    Serve,
    /// Print a token with which an agent enrols
    EnrolToken(TokenArguments),
    /// List or revoke the agents that have enrolled
    Agents {
        #[command(subcommand)]
        command: AgentsCommand,
    },
    /// About the configuration file
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the OpenAPI document
    Openapi,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print a commented file with the defaults
    Example,
}

impl Cli {
    /// Does what the command line asks for.
    pub fn run(self) -> ExitCode {
        let result = match self.command {
            None | Some(Command::Serve) => return serve(self.overrides),
            Some(Command::EnrolToken(arguments)) => {
                return with_config(self.overrides, |config| {
                    commands::print_token(config, &arguments)
                });
            }
            Some(Command::Agents { command }) => {
                return with_config(self.overrides, |config| commands::agents(config, &command));
            }
            Some(Command::Config {
                command: ConfigCommand::Example,
            }) => print(EXAMPLE),
            Some(Command::Openapi) => openapi::to_json()
                .context("cannot write the document")
                .and_then(|text| print(&text)),
        };
        end(result)
    }
}

fn with_config(overrides: Overrides, work: impl FnOnce(&Config) -> anyhow::Result<()>) -> ExitCode {
    match Config::read(overrides) {
        Ok(config) => end(work(&config)),
        Err(error) => usage(&error),
    }
}

fn serve(overrides: Overrides) -> ExitCode {
    let config = match Config::read(overrides) {
        Ok(config) => config,
        Err(error) => return usage(&error),
    };
    if let Err(error) = log::start(&config.log) {
        return usage(&format!("log = \"{}\": {error}", config.log.escape_debug()));
    }
    end(start_and_run(config))
}

fn start_and_run(config: Config) -> anyhow::Result<()> {
    memory::bound_arenas(ARENAS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to SIGINT")?;
        files::raise_limit(config.limits.connections);
        let data = config.data_dir.display().to_string();
        let retention = config.retention;
        let server = Server::start(config, Page::embedded()).await?;
        let version = env!("CARGO_PKG_VERSION");
        tracing::info!("bwmon-collector {version}: data in {data}, kept for {retention}");
        print(&format!(
            "bwmon-collector listens on http://{}\n",
            server.address()
        ))?;
        let until = async {
            tokio::select! {
                _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
                _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
            }
        };
        server.run(until).await.context("cannot close the database")
    });
    // A question to the store that still runs only reads.
    runtime.shutdown_background();
    result
}

fn usage(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("bwmon-collector: {error}");
    ExitCode::from(USAGE)
}

fn end(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bwmon-collector: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}
