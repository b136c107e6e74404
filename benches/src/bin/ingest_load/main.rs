//! Sends reports of 12 samples as fast as a server acknowledges them, and says how fast that is.
//!
//! `ingest_load bwmon|log|victoria ADDRESS CONNECTIONS SECONDS PID`, used by `make bench-ingest`. Each
//! connection is kept and has one request under way at a time. 512 hosts report in turn, by connection; for
//! bwmon they are enrolled first, with a token that is read from standard input.
//! Prints the acknowledged reports, the seconds, the median and the 99th percentile of the time from a
//! request to its answer in microseconds, and what the server's threads ran meanwhile in nanoseconds
//! (`/proc/PID/task/*/schedstat`). An answer other than 200 and 204 ends it with an error.

mod enrol;
mod http;
mod payload;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use http::Connection;
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
        Target::Bwmon => enrol::all(&arguments.address, HOSTS).await?,
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
        connection.ask(request).await?;
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}

/// What the threads of a process have run so far, in nanoseconds (proc(5), schedstat). Those that ended
/// are not in it: servers keep theirs.
fn run_time(process: u32) -> Result<u64, String> {
    let folder = format!("/proc/{process}/task");
    let tasks = std::fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
    let ran = tasks.flatten().filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Ok(ran.sum())
}

fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(0)
}
