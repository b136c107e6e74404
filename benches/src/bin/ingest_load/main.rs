//! Sends reports of 12 samples as fast as a server acknowledges them, and says how fast that is.
//!
//! `ingest_load bwmon|log|victoria ADDRESS CONNECTIONS SECONDS PID`, used by `make bench-ingest`. Each
//! connection is kept and has one request under way at a time. 512 hosts report in turn, by connection; for
//! bwmon they are enrolled first, with a token that is read from standard input.
//! Prints the acknowledged reports, the seconds, the median and the 99th percentile of the time from a
//! request to its answer in microseconds, and what the server's threads ran meanwhile in nanoseconds
//! (`/proc/PID/task/*/schedstat`). An answer other than 200 and 204 ends it with an error.

mod payload;

use std::io::read_to_string;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bwmon_benches::ingest::process::run_time;
use bwmon_benches::ingest::{Connection, enrol, percentile};
use payload::{Hosts, Target};

/// Hosts that report.
const HOSTS: usize = 512;

struct Arguments {
    target: Target,
    address: String,
    connections: usize,
    length: Duration,
    /// The server's process.
    server: u32,
}

/// What came of a connection: the time that each acknowledgement took, in microseconds.
type Latencies = Vec<u32>;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = arguments().and_then(|arguments| {
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(load(&arguments))
    });
    match result {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("ingest_load: {message}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<Arguments, String> {
    let usage = "usage: ingest_load bwmon|log|victoria ADDRESS CONNECTIONS SECONDS PID";
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [target, address, connections, seconds, server] = words.as_slice() else {
        return Err(usage.to_owned());
    };
    let number = |word: &String| word.parse::<u32>().map_err(|_| usage.to_owned());
    Ok(Arguments {
        target: target.parse().map_err(|()| usage.to_owned())?,
        address: address.clone(),
        connections: number(connections)? as usize,
        length: Duration::from_secs(number(seconds)?.into()),
        server: number(server)?,
    })
}

async fn load(arguments: &Arguments) -> Result<String, String> {
    let credentials = match arguments.target {
        Target::Bwmon => {
            let token = read_to_string(std::io::stdin()).map_err(|error| error.to_string())?;
            enrol(&arguments.address, &token, 0..HOSTS).await?
        }
        Target::Log | Target::Victoria => Vec::new(),
    };
    let ran_before = run_time(arguments.server)?;
    let started = Instant::now();
    let end = started + arguments.length;
    let mut tasks = Vec::new();
    for number in 0..arguments.connections {
        let connection = Connection::open(&arguments.address).await?;
        let numbers = (number..HOSTS.max(number + 1)).step_by(arguments.connections);
        let hosts = Hosts::new(arguments.target, numbers, &credentials);
        tasks.push(tokio::spawn(send(connection, hosts, end)));
    }
    let mut latencies = Latencies::new();
    for task in tasks {
        latencies.extend(task.await.map_err(|error| error.to_string())??);
    }
    let seconds = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    Ok(format!(
        "{} {seconds:.3} {} {} {}",
        latencies.len(),
        percentile(&latencies, 50),
        percentile(&latencies, 99),
        run_time(arguments.server)?.saturating_sub(ran_before)
    ))
}

async fn send(
    mut connection: Connection,
    mut hosts: Hosts,
    end: Instant,
) -> Result<Latencies, String> {
    let mut latencies = Latencies::new();
    while Instant::now() < end {
        let request = hosts.next();
        let sent = Instant::now();
        let answer = connection.ask(request).await?;
        if !matches!(answer.status, 200 | 204) {
            return Err(format!(
                "refused: {} {}",
                answer.head,
                String::from_utf8_lossy(answer.body)
            ));
        }
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}
