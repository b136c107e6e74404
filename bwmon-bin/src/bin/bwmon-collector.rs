//! Takes in what agents report, stores it, and shows it in a browser.

use std::process::ExitCode;

use bwmon_bin::server::cli::Cli;
use clap::Parser;

fn main() -> ExitCode {
    Cli::parse().run()
}
