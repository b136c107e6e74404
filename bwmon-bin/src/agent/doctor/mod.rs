//! `bwmon-agent doctor`: what works, what does not, why, and what to do.
//!
//! It opens what `run` would open and closes it again, sends nothing but two requests to the
//! collector, and shows no secret.

mod collector;
mod local;
mod render;

use bwmon_core::report::{AgentId, InterfaceFacts, MountUsage};
use serde::Serialize;

use super::config::Config;
use super::selection::Selection;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    agent_version: &'static str,
    agent_id: Option<AgentId>,
    can_report: bool,
    checks: Vec<Check>,
    interfaces: Vec<Interface>,
    mounts: Vec<MountUsage>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    /// What was found.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    /// It works less well than it could.
    Warning,
    /// Reports cannot be made or sent.
    Failed,
}

#[derive(Debug, Serialize)]
struct Interface {
    #[serde(flatten)]
    facts: InterfaceFacts,
    is_chosen: bool,
}

impl Report {
    /// Whether `run` would report with these settings.
    pub(super) const fn can_report(&self) -> bool {
        self.can_report
    }
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            status: Status::Ok,
            found: found.into(),
            advice: None,
        }
    }

    fn warning(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            status: Status::Warning,
            ..Self::ok(name, found)
        }
    }

    fn failed(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            status: Status::Failed,
            ..Self::ok(name, found)
        }
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Looks at everything that `run` needs.
pub(super) fn examine(config: &Config) -> Report {
    let local::Host {
        check,
        interfaces: facts,
        mounts,
    } = local::host(config);
    let selection = super::selection::select(&config.capture.interfaces, &facts);
    let mut checks = vec![check, local::capability()];
    checks.extend(local::capture(config, &facts, &selection));
    let (enrolment, enrolled) = local::enrolment(config);
    checks.extend(enrolment);
    checks.push(local::spool(config));
    checks.extend(collector::checks(config, enrolled.as_ref()));
    Report {
        agent_version: env!("CARGO_PKG_VERSION"),
        agent_id: enrolled.map(|enrolled| enrolled.agent),
        can_report: checks.iter().all(|check| check.status != Status::Failed),
        checks,
        interfaces: with_choice(facts, &selection),
        mounts,
    }
}

fn with_choice(facts: Vec<InterfaceFacts>, selection: &Selection) -> Vec<Interface> {
    let with_choice = |facts: InterfaceFacts| Interface {
        is_chosen: selection.names.contains(&facts.name),
        facts,
    };
    facts.into_iter().map(with_choice).collect()
}
