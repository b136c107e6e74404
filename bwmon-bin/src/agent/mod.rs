//! `bwmon-agent`: measures one host and reports it.
//!
//! One thread captures and reads the host (`gather`), the main thread delivers (`deliver`), one
//! numbers and keeps what is not delivered (`spool`). Between the first two is a bounded queue that
//! merges instead of waiting (`handoff`); whatever else is full merges too.

mod cli;
mod client;
mod clock;
mod config;
mod deliver;
mod doctor;
mod enrol;
mod enrolment;
mod flows;
mod gather;
mod handoff;
mod host;
mod identity;
mod ladder;
#[cfg(feature = "pcap")]
mod libpcap;
#[cfg(not(feature = "pcap"))]
#[path = "libpcap_absent.rs"]
mod libpcap;
mod live;
mod losses;
mod memory;
mod metrics;
mod observers;
mod outlets;
mod probing;
mod run;
mod schedule;
mod selection;
mod sources;
mod spool;
mod top;
mod vitals;

#[cfg(test)]
mod doubles;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::common::errors::told;
use cli::{Cli, Command, ConfigCommand, Invocation, Tool};
use config::{Config, EXAMPLE};

/// What `bwmon-agent` does: reads the arguments, runs the command, and says what went wrong in one
/// line on standard error.
pub fn main() -> ExitCode {
    memory::bound_allocator();
    let result = match Invocation::from_arguments() {
        Ok(Invocation::Agent(cli)) => execute(&cli),
        Ok(Invocation::Tool(Tool::Flows(arguments))) => flows::run(&arguments),
        Err(code) => return code,
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to do where standard error is closed.
            let _is_written = writeln!(io::stderr(), "bwmon-agent: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: &Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Some(Command::Config {
            command: ConfigCommand::Example,
        }) => return print(EXAMPLE).map(|()| ExitCode::SUCCESS),
        Some(Command::Flows(_)) => bail!(
            "the settings of `run` mean nothing to `flows`: write `bwmon-agent flows`, then its own"
        ),
        _ => {}
    }
    let config = Config::resolve(&cli.options)?;
    if may_log(cli.command.as_ref()) {
        crate::common::log::start(&config.log.0)
            .with_context(|| format!("cannot log as `{}` says", config.log.0))?;
    }
    match &cli.command {
        Some(Command::Doctor { format }) => {
            let report = doctor::examine(&config);
            print(&report.render(*format)?)?;
            Ok(if report.can_report() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Some(Command::Enrol(arguments)) => Ok(enrol::run(&config, arguments)),
        Some(Command::Top(arguments)) => top::run(&config, arguments),
        _ => run::run(&config).map(|()| ExitCode::SUCCESS),
    }
}

/// Lines of a log would stand across a terminal that is drawn on.
fn may_log(command: Option<&Command>) -> bool {
    let draws = matches!(command, Some(Command::Top(arguments)) if arguments.is_interactive());
    !draws || !io::stderr().is_terminal()
}

/// Prints; a reader that went away wanted no more.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot print")
        }
        _ => Ok(()),
    }
}
