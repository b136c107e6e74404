//! The laws of [`AlertRule`](crate::alert) as tests.

use crate::AlertRule;
use crate::alert::{Finding, Findings, RuleContext};
use crate::report::Interval;

/// Checks the laws of a rule on `intervals`, at least one of which must give a finding.
///
/// # Panics
/// With the number of the law that is broken, or because nothing was exercised.
pub fn conformance(rule: &dyn AlertRule, intervals: &[Interval]) {
    let id = rule.id();
    assert!(!id.is_empty(), "a rule without an identifier");
    let has_title = !rule.describe().title.is_empty();
    assert!(has_title, "{id}: a description without a title");
    check(rule, &Interval::default());
    for interval in intervals {
        check(rule, interval);
    }
    let exercised = intervals
        .iter()
        .any(|interval| !judge(rule, interval).is_empty());
    assert!(
        exercised,
        "{id}: no interval gave a finding, so nothing was checked"
    );
}

fn check(rule: &dyn AlertRule, interval: &Interval) {
    let id = rule.id();
    let found = judge(rule, interval);
    let is_number = |finding: &Finding| !finding.value.is_nan() && !finding.limit.is_nan();
    assert!(
        found.iter().all(is_number),
        "{id}: a finding that is not a number"
    );
    assert_eq!(found, judge(rule, interval), "law 1: {id} is not pure");

    let mut subjects: Vec<&str> = found
        .iter()
        .map(|finding| finding.subject.as_str())
        .collect();
    subjects.sort_unstable();
    let twice = subjects.windows(2).find(|pair| pair.first() == pair.get(1));
    assert_eq!(twice, None, "law 2: {id} names a subject twice");

    let absent = judge(rule, &without(interval, |part| is_needed(rule, part)));
    assert_eq!(
        absent,
        [],
        "law 3: {id} finds something where nothing was measured"
    );

    let enough = judge(rule, &without(interval, |part| !is_needed(rule, part)));
    assert_eq!(
        found, enough,
        "law 4: {id} reads more than it says that it needs"
    );
}

fn judge(rule: &dyn AlertRule, interval: &Interval) -> Vec<Finding> {
    let mut findings = Findings::default();
    rule.evaluate(&RuleContext::new(interval), &mut findings);
    findings.as_slice().to_vec()
}

#[derive(Clone, Copy)]
enum Part {
    Host,
    Interfaces,
    Flows,
}

fn is_needed(rule: &dyn AlertRule, part: Part) -> bool {
    let needs = rule.needs();
    match part {
        Part::Host => needs.host,
        Part::Interfaces => needs.interfaces,
        Part::Flows => needs.flows,
    }
}

fn without(interval: &Interval, is_removed: impl Fn(Part) -> bool) -> Interval {
    let mut interval = interval.clone();
    if is_removed(Part::Host) {
        interval.host = None;
    }
    if is_removed(Part::Interfaces) {
        interval.interfaces.clear();
    }
    if is_removed(Part::Flows) {
        interval.flows.clear();
    }
    interval
}
