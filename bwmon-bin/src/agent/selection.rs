//! Which interfaces frames are captured on.

use bwmon_core::report::{InterfaceFacts, InterfaceKind, OperState};
use wildmatch::WildMatch;

/// The interfaces that were chosen, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Selection {
    /// Their names, in the kernel's order.
    pub(super) names: Vec<String>,
    /// Why these, or why none, in a few words.
    pub(super) reason: String,
}

/// A name, not a glob, that no interface has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no interface `{name}` to capture on; there are: {existing}. Name one of them in \
     capture.interfaces, or none to let the agent choose"
)]
pub(super) struct UnknownInterface {
    name: String,
    existing: String,
}

/// Chooses among `interfaces`: those that `wanted` names or matches; without a word, those with a
/// default route, else all that are up, loopback excepted.
pub(super) fn select(wanted: &[String], interfaces: &[InterfaceFacts]) -> Selection {
    if wanted.is_empty() {
        return by_default(interfaces);
    }
    let is_wanted = |facts: &&InterfaceFacts| {
        wanted
            .iter()
            .any(|w| WildMatch::new(w).matches(&facts.name))
    };
    let names = names(interfaces.iter().filter(is_wanted));
    let reason = if names.is_empty() {
        format!(
            "no interface matches {}; there are: {}",
            wanted.join(", "),
            existing(interfaces)
        )
    } else {
        "named in capture.interfaces".to_owned()
    };
    Selection { names, reason }
}

/// Refuses a plain name that no interface has. Globs may match nothing: what they are for may come.
pub(super) fn check_names(
    wanted: &[String],
    interfaces: &[InterfaceFacts],
) -> Result<(), UnknownInterface> {
    let exists = |name: &str| interfaces.iter().any(|facts| facts.name == name);
    match wanted.iter().find(|name| !is_glob(name) && !exists(name)) {
        Some(name) => Err(UnknownInterface {
            name: name.clone(),
            existing: existing(interfaces),
        }),
        None => Ok(()),
    }
}

fn is_glob(name: &str) -> bool {
    name.contains(['*', '?'])
}

fn by_default(interfaces: &[InterfaceFacts]) -> Selection {
    let routed = names(interfaces.iter().filter(|facts| facts.has_default_route));
    if !routed.is_empty() {
        return Selection {
            names: routed,
            reason: "carries a default route".to_owned(),
        };
    }
    let is_up = |facts: &&InterfaceFacts| {
        facts.kind != InterfaceKind::Loopback
            && matches!(facts.state, OperState::Up | OperState::Unknown)
    };
    let up = names(interfaces.iter().filter(is_up));
    let reason = if up.is_empty() {
        format!("no interface is up; there are: {}", existing(interfaces))
    } else {
        "up, and no interface carries a default route".to_owned()
    };
    Selection { names: up, reason }
}

fn names<'a>(interfaces: impl Iterator<Item = &'a InterfaceFacts>) -> Vec<String> {
    interfaces.map(|facts| facts.name.clone()).collect()
}

fn existing(interfaces: &[InterfaceFacts]) -> String {
    if interfaces.is_empty() {
        return "none".to_owned();
    }
    names(interfaces.iter()).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Vec<InterfaceFacts> {
        let facts = |name: &str, kind, state, has_default_route| InterfaceFacts {
            name: name.to_owned(),
            kind,
            state,
            has_default_route,
            ..InterfaceFacts::default()
        };
        vec![
            facts("lo", InterfaceKind::Loopback, OperState::Unknown, false),
            facts("eth0", InterfaceKind::Physical, OperState::Up, true),
            facts("eth1", InterfaceKind::Physical, OperState::Down, false),
            facts("tun0", InterfaceKind::Tunnel, OperState::Unknown, false),
        ]
    }

    fn wanted(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn without_a_word_the_default_route_decides_then_what_is_up() {
        let mut host = host();
        assert_eq!(select(&[], &host).names, ["eth0"]);
        host[1].has_default_route = false;
        assert_eq!(select(&[], &host).names, ["eth0", "tun0"]);
        let down = [host[0].clone(), host[2].clone()];
        let none = select(&[], &down);
        assert!(
            none.names.is_empty() && none.reason.contains("lo, eth1"),
            "{none:?}"
        );
    }

    #[test]
    fn loopback_is_taken_only_when_asked_for() {
        assert_eq!(
            select(&wanted(&["lo", "eth*"]), &host()).names,
            ["lo", "eth0", "eth1"]
        );
    }

    #[test]
    fn an_unknown_name_is_refused_and_a_glob_without_a_match_is_not() {
        let message = check_names(&wanted(&["eth7"]), &host())
            .unwrap_err()
            .to_string();
        assert!(message.contains("`eth7`") && message.contains("lo, eth0, eth1, tun0"));
        assert_eq!(check_names(&wanted(&["wg*", "eth0"]), &host()), Ok(()));
        let none = select(&wanted(&["wg*"]), &host());
        assert!(
            none.names.is_empty() && none.reason.contains("wg*") && none.reason.contains("tun0")
        );
    }
}
