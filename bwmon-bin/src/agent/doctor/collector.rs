//! Can the collector be reached, does it let this agent in, and do the clocks agree?

use std::time::Duration;

use bwmon_core::report::SCHEMA;
use bwmon_core::time::Timestamp;
use bwmon_sinks::Secret;
use serde::Deserialize;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::super::clock::wall_clock;
use super::super::config::{CollectorUrl, Config};
use super::super::token;
use super::Check;

/// Longest time that one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;
/// Clocks further apart than this are worth a warning.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);

/// What `GET /api/v1/health` says; callers without a token are told less.
#[derive(Debug, Deserialize)]
struct Health {
    version: String,
    #[serde(default)]
    schema: Option<u32>,
    #[serde(default)]
    server_time_us: Option<u64>,
    #[serde(default)]
    auth_required: bool,
}

pub(super) fn checks(config: &Config) -> Vec<Check> {
    let (token_check, token) = token_file(config);
    let mut checks = Vec::from_iter(token_check);
    if config.is_offline {
        checks.push(Check::ok(
            "collector",
            "none: reports are printed on standard output",
        ));
        return checks;
    }
    let client = Client::new(&config.collector, token);
    let asked = wall_clock();
    match client.health() {
        Ok(health) => {
            let midpoint = asked.plus(wall_clock().since(asked) / 2);
            checks.push(reachable(&config.collector, &health));
            checks.extend(health.server_time_us.map(|time| clock(midpoint, time)));
            checks.push(client.admission(health.auth_required));
        }
        Err(found) => checks.push(Check::failed("collector", found).advise(format!(
            "start bwmon-collector, or say where it is with --collector (now {})",
            config.collector
        ))),
    }
    checks
}

fn token_file(config: &Config) -> (Option<Check>, Option<Secret>) {
    let Some(path) = &config.token_file else {
        return (None, None);
    };
    match token::read(path) {
        Ok(token) => {
            let found = format!("{} can be read", path.display());
            (Some(Check::ok("token file", found)), Some(token))
        }
        Err(error) => (
            Some(Check::failed("token file", format!("{error:#}"))),
            None,
        ),
    }
}

fn reachable(url: &CollectorUrl, health: &Health) -> Check {
    let found = format!("{url} answers, version {}", health.version);
    match health.schema {
        Some(schema) if schema != SCHEMA => Check::failed(
            "collector",
            format!("{found}, but reads schema {schema} and this agent writes schema {SCHEMA}"),
        )
        .advise("bring agent and collector to the same version"),
        _ => Check::ok("collector", found),
    }
}

fn clock(here: Timestamp, there_us: u64) -> Check {
    let there = Timestamp::from_micros(there_us);
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

struct Client<'a> {
    http: Agent,
    url: &'a CollectorUrl,
    token: Option<Secret>,
}

impl<'a> Client<'a> {
    fn new(url: &'a CollectorUrl, token: Option<Secret>) -> Self {
        let http = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .build()
            .new_agent();
        Self { http, url, token }
    }

    fn get(&self, path: &str) -> Result<Response<Body>, ureq::Error> {
        let mut request = self.http.get(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.expose()));
        }
        request.call()
    }

    fn health(&self) -> Result<Health, String> {
        let url = self.url;
        let mut answer = self
            .get("/api/v1/health")
            .map_err(|error| format!("{url} does not answer: {error}"))?;
        if answer.status() != 200 {
            return Err(format!(
                "{url} answers {}: is it a collector?",
                answer.status().as_u16()
            ));
        }
        let body = answer
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_to_vec();
        body.ok()
            .and_then(|body| serde_json::from_slice(&body).ok())
            .ok_or_else(|| format!("{url} answers, but not as a collector does"))
    }

    /// Whether a request with this agent's token is let in.
    fn admission(&self, is_auth_required: bool) -> Check {
        let status = match self.get("/api/v1/hosts") {
            Ok(answer) => answer.status().as_u16(),
            Err(error) => return Check::failed("admission", format!("no answer: {error}")),
        };
        match (status, self.token.is_some()) {
            (200, true) if is_auth_required => Check::ok("admission", "the token is accepted"),
            (200, true) => Check::ok("admission", "the collector asks for no token"),
            (200, false) => Check::ok("admission", "no token is needed"),
            (401 | 403, true) => Check::failed("admission", "the collector refuses the token")
                .advise("put the collector's own token into the token file"),
            (401 | 403, false) => Check::failed("admission", "the collector asks for a token")
                .advise("name a file with it by --token-file or BWMON_TOKEN_FILE"),
            (other, _) => Check::failed("admission", format!("the collector answers {other}")),
        }
    }
}
