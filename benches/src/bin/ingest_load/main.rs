//! Sends reports of 12 samples as fast as a server acknowledges them, and says how fast that is.
//!
//! `ingest_load bwmon|log|victoria ADDRESS CONNECTIONS SECONDS`, used by `make bench-ingest`. Each
//! connection is kept and has one request under way at a time. 512 hosts report in turn, by connection.
//! Prints the acknowledged reports, the seconds, and the median and the 99th percentile of the time from
//! a request to its answer in microseconds. An answer other than 200 and 204 ends it with an error.

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
    let usage = "usage: ingest_load bwmon|log|victoria ADDRESS CONNECTIONS SECONDS";
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [target, address, connections, seconds] = words.as_slice() else {
        return Err(usage.to_owned());
    };
    let number = |word: &String| word.parse::<u32>().map_err(|_| usage.to_owned());
    Ok(Arguments {
        target: target.parse().map_err(|()| usage.to_owned())?,
        address: address.clone(),
        connections: number(connections)? as usize,
        length: Duration::from_secs(number(seconds)?.into()),
    })
}

async fn load(arguments: &Arguments) -> Result<String, String> {
    let started = Instant::now();
    let end = started + arguments.length;
    let mut tasks = Vec::new();
    for number in 0..arguments.connections {
        let connection = Connection::open(&arguments.address).await?;
        let hosts = Hosts::new(arguments.target, number, arguments.connections, HOSTS);
        tasks.push(tokio::spawn(send(connection, hosts, end)));
    }
    let mut latencies = Latencies::new();
    for task in tasks {
        latencies.extend(task.await.map_err(|error| error.to_string())??);
    }
    let seconds = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    Ok(format!(
        "{} {seconds:.3} {} {}",
        latencies.len(),
        percentile(&latencies, 50),
        percentile(&latencies, 99)
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

fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(0)
}
