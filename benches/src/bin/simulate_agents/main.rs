//! Plays many agents against a collector, ends the collector and starts it again, and says how that went.
//!
//! Used by `make simulate`, which says what is measured; `scripts/simulate.sh` has the arguments. Each agent
//! has a credential and a connection of its own, reports at its own moment of each interval, and comes
//! back by the law of the agent's driver ([`bwmon_sinks::driver::Backoff`]). Prints a table, and ends with
//! an error where a goal is missed.

mod agent;
mod arguments;
mod audit;
mod collector;
mod report;
mod run;
mod tally;
mod verdict;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = Arguments::read(std::env::args().skip(1)).and_then(|arguments| {
        let runtime = runtime.map_err(|error| error.to_string())?;
        let outcome = runtime.block_on(run::simulate(&arguments))?;
        print!("{}", verdict::table(&arguments, &outcome));
        verdict::missed(&arguments, &outcome)
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("simulate_agents: {message}");
            ExitCode::FAILURE
        }
    }
}
