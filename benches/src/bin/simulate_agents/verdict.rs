//! What is printed, and whether it is good enough.

use std::fmt::Write as _;
use std::time::Duration;

use bwmon_benches::ingest::{per_tenth, percentile};

use crate::arguments::Arguments;
use crate::run::Outcome;

/// Longest time to acknowledgement of 99 in 100.
const MOST_P99: Duration = Duration::from_secs(1);
/// Most memory, in KiB.
const MOST_KIB: u64 = 512 * 1024;
/// Longest time until all agents report again.
const MOST_FRESH: Duration = Duration::from_secs(60);
/// Most connections in a tenth of a second, in terms of their mean.
const MOST_PEAK: f64 = 3.0;

/// A line for each figure.
pub(crate) fn table(arguments: &Arguments, outcome: &Outcome) -> String {
    let Outcome {
        steady, recovery, ..
    } = outcome;
    let seconds = outcome.steady_length.as_secs_f64();
    let reports = steady.latencies.len();
    let (mean, peak) = spread(outcome);
    let rows = [
        (
            "agents, each with a credential",
            arguments.agents.to_string(),
        ),
        (
            "interval, flows per report",
            format!("{:?}, {}", arguments.interval, arguments.flows),
        ),
        ("deliveries/s", format!("{:.0}", reports as f64 / seconds)),
        (
            "stored, duplicate, refused, turned away",
            format!(
                "{}, {}, {}, {}",
                steady.stored, steady.duplicate, steady.refused, steady.turned_away
            ),
        ),
        (
            "to acknowledgement, p50, p99, most",
            latencies(&steady.latencies),
        ),
        (
            "collector's processor time per delivery",
            format!("{:.0} us", outcome.ran as f64 / 1e3 / reports.max(1) as f64),
        ),
        (
            "collector's memory, most",
            format!("{} MiB", outcome.peak_kib.div_ceil(1024)),
        ),
        (
            "`GET /api/v1/hosts`",
            format!(
                "{:.0} ms, {:.1} MB",
                outcome.list.took.as_secs_f64() * 1e3,
                outcome.list.bytes as f64 / 1e6
            ),
        ),
        (
            "killed and started again: answers after",
            format!("{:.1} s", outcome.away.as_secs_f64()),
        ),
        ("all agents fresh after", fresh(outcome)),
        (
            "connections per 100 ms meanwhile, mean, most",
            format!("{mean:.1}, {peak} ({:.1}x)", f64::from(peak) / mean),
        ),
        (
            "to acknowledgement meanwhile, p50, p99, most",
            latencies(&recovery.latencies),
        ),
        (
            "reports made, hosts compared with the store, of them wrong",
            format!(
                "{}, {}, {}",
                outcome.all.made,
                outcome.audit.hosts,
                outcome.audit.wrong.len()
            ),
        ),
    ];
    let mut text = String::from("| | |\n|---|---:|\n");
    for (name, value) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text
}

fn fresh(outcome: &Outcome) -> String {
    match outcome.fresh_after {
        Some(after) => format!("{:.1} s", after.as_secs_f64()),
        None => format!("{} only", outcome.recovery.fresh),
    }
}

fn latencies(micros: &[u32]) -> String {
    let mut sorted = micros.to_vec();
    sorted.sort_unstable();
    let at = |percent| f64::from(percentile(&sorted, percent)) / 1e3;
    format!("{:.1} ms, {:.1} ms, {:.1} ms", at(50), at(99), at(100))
}

/// Mean and most of the connections per tenth of a second while agents came back.
fn spread(outcome: &Outcome) -> (f64, u32) {
    let bins = per_tenth(&outcome.recovery.connects);
    let all: u32 = bins.iter().sum();
    let mean = f64::from(all) / bins.len().max(1) as f64;
    (mean, bins.iter().copied().max().unwrap_or(0))
}

/// Says which goals are missed.
pub(crate) fn missed(arguments: &Arguments, outcome: &Outcome) -> Result<(), String> {
    let mut missed = counts(arguments, outcome);
    if arguments.is_timed {
        missed.extend(times(outcome));
    }
    if missed.is_empty() {
        return Ok(());
    }
    Err(format!("missed: {}", missed.join("; ")))
}

fn counts(arguments: &Arguments, outcome: &Outcome) -> Vec<String> {
    let Outcome {
        steady, list, all, ..
    } = outcome;
    let agents = arguments.agents;
    // Each agent has one record besides its reports.
    let expected = all.made + agents as u64;
    let settled = all.stored + all.duplicate;
    let checks = [
        (
            steady.refused + steady.turned_away + steady.unanswered == 0,
            {
                let (refused, turned, none) =
                    (steady.refused, steady.turned_away, steady.unanswered);
                let words = &steady.words;
                format!(
                    "{refused} records refused, {turned} deliveries turned away ({words}), {none} unanswered"
                )
            },
        ),
        (
            steady.duplicate == 0,
            format!(
                "{} duplicates before the collector was ended",
                steady.duplicate
            ),
        ),
        (list.up == agents, format!("{} hosts are up", list.up)),
        (
            outcome.fresh_after.is_some(),
            format!("{} agents report again", outcome.recovery.fresh),
        ),
        (
            all.refused + all.dropped == 0,
            format!(
                "{} records refused, {} dropped in all",
                all.refused, all.dropped
            ),
        ),
        (
            settled == expected,
            format!("{settled} records acknowledged of {expected}"),
        ),
        (
            outcome.audit.wrong.is_empty(),
            outcome.audit.wrong.join(", "),
        ),
    ];
    failed(checks)
}

fn times(outcome: &Outcome) -> Vec<String> {
    let mut sorted = outcome.steady.latencies.clone();
    sorted.sort_unstable();
    let p99 = Duration::from_micros(percentile(&sorted, 99).into());
    let (mean, peak) = spread(outcome);
    failed([
        (p99 <= MOST_P99, format!("p99 is {p99:?}")),
        (
            outcome.peak_kib <= MOST_KIB,
            format!("the collector took {} MiB", outcome.peak_kib.div_ceil(1024)),
        ),
        (
            outcome.fresh_after.is_some_and(|after| after <= MOST_FRESH),
            format!("all agents are fresh after {}", fresh(outcome)),
        ),
        (
            f64::from(peak) <= MOST_PEAK * mean,
            format!("{peak} connections within 100 ms, {mean:.1} on average"),
        ),
    ])
}

fn failed<const N: usize>(checks: [(bool, String); N]) -> Vec<String> {
    let failed = checks.into_iter().filter(|(is_good, _)| !is_good);
    failed.map(|(_, message)| message).collect()
}
