//! Can the collector be reached, does it know this agent, and do the clocks agree?

use std::time::Duration;

use bwmon_core::report::SCHEMA;
use bwmon_core::time::Timestamp;
use serde::Deserialize;

use super::super::client::Client;
use super::super::clock::wall_clock;
use super::super::config::{CollectorUrl, Config};
use super::super::enrolment::Enrolled;
use super::Check;
use crate::common::enrolment::{AGENT_PATH, ENROL_AGAIN, KnownAgent};

/// Longest time that one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Clocks further apart than this are worth a warning.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);

/// What `GET /api/v1/health` tells everybody.
#[derive(Debug, Deserialize)]
struct Health {
    version: String,
}

pub(super) fn checks(config: &Config, enrolled: Option<&Enrolled>) -> Vec<Check> {
    if config.is_offline {
        return vec![Check::ok(
            "collector",
            "none: reports are printed on standard output",
        )];
    }
    let known = enrolled.map(|enrolled| &enrolled.collector);
    let Some(url) = config.collector.as_ref().or(known) else {
        // That the agent is not enrolled was said.
        return Vec::new();
    };
    let client = Client::new(url, PATIENCE);
    let reached = reached(&client, url);
    let answers = reached.status != super::Status::Failed;
    let mut checks = vec![reached];
    if let (true, Some(enrolled)) = (answers, enrolled) {
        checks.extend(admission(&client, enrolled));
    }
    checks
}

fn reached(client: &Client<'_>, url: &CollectorUrl) -> Check {
    let found = match client.get("/api/v1/health", None) {
        Ok(answer) if answer.status == 200 => match answer.json::<Health>() {
            Some(health) => {
                let found = format!("{url} answers, version {}", health.version);
                return Check::ok("collector", found);
            }
            None => format!("{url} answers, but not as a collector does"),
        },
        Ok(answer) => format!("{url} answers {}: is it a collector?", answer.status),
        Err(error) => format!("{url} does not answer: {error}"),
    };
    Check::failed("collector", found).advise(format!(
        "start bwmon-collector, or say where it is with --collector (now {url})"
    ))
}

/// Whether the collector takes what this agent sends; if so also its schema and its clock.
fn admission(client: &Client<'_>, enrolled: &Enrolled) -> Vec<Check> {
    let asked = wall_clock();
    let answer = match client.get(AGENT_PATH, Some(&enrolled.credential)) {
        Ok(answer) => answer,
        Err(error) => {
            let found = format!("no answer: {error}");
            return vec![Check::failed("admission", found)];
        }
    };
    let midpoint = asked.plus(wall_clock().since(asked) / 2);
    let failed = |found: String| vec![Check::failed("admission", found)];
    match (answer.status, answer.json::<KnownAgent>()) {
        (200, Some(known)) => vec![
            admitted(known, enrolled),
            schema(known.schema),
            clock(midpoint, known.server_time),
        ],
        (401, _) => vec![
            Check::failed("admission", "the collector does not know this agent")
                .advise(ENROL_AGAIN),
        ],
        (403, _) => vec![
            Check::failed("admission", "the collector has revoked this agent").advise(ENROL_AGAIN),
        ],
        (status, _) => failed(format!(
            "the collector answers {status} ({}): is it of this version?",
            answer.words()
        )),
    }
}

fn admitted(known: KnownAgent, enrolled: &Enrolled) -> Check {
    if known.agent == enrolled.agent {
        return Check::ok("admission", "the collector knows this agent");
    }
    let found = format!("the collector knows this agent as {}", known.agent);
    Check::failed("admission", found).advise(ENROL_AGAIN)
}

fn schema(read: u32) -> Check {
    match read {
        SCHEMA => Check::ok("schema", format!("both sides speak version {SCHEMA}")),
        _ => Check::failed(
            "schema",
            format!("the collector reads version {read}, and this agent writes {SCHEMA}"),
        )
        .advise("bring agent and collector to the same version"),
    }
}

fn clock(here: Timestamp, there: Timestamp) -> Check {
    let (difference, word) = if there > here {
        (there.since(here), "behind")
    } else {
        (here.since(there), "ahead of")
    };
    let found = format!("{:.3} s {word} the collector's", difference.as_secs_f64());
    if difference > CLOCK_TOLERANCE {
        Check::warning("clock", found).advise("set the clocks of both hosts, for instance with NTP")
    } else {
        Check::ok("clock", found)
    }
}
