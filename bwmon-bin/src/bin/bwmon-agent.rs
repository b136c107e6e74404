//! Reports this host's health and traffic to a bwmon-collector.

use std::process::ExitCode;

fn main() -> ExitCode {
    bwmon_bin::agent::main()
}
