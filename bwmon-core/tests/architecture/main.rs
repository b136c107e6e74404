//! The direction rules of the workspace: who may know whom. A graph in prose rots; this one fails.
//!
//! Edges between packages are read from cargo, edges between modules from the sources. A broken
//! rule is told with the rule, its reason and the place. ARCHITECTURE.md has the rules in prose.

// Reads the sources of the workspace and asks cargo, which nothing in the crate itself may do.
#![allow(clippy::disallowed_methods)]

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use source::{Reference, Source};

/// Which other packages of the workspace a package may depend on, in any way.
const PACKAGES: &[(&str, &[&str])] = &[
    ("bwmon-core", &[]),
    ("bwmon-sinks", &["bwmon-core"]),
    ("bwmon-bin", &["bwmon-core", "bwmon-sinks"]),
    ("bwmon-benches", &["bwmon-core", "bwmon-sinks"]),
    (
        "bwmon-examples",
        &["bwmon-core", "bwmon-sinks", "bwmon-bin"],
    ),
];

/// What the core never pulls in by default: runtimes, databases, capture and system libraries.
const IMPURE: &[&str] = &[
    "axum", "hyper", "libc", "mio", "nix", "pcap", "rusqlite", "rustix", "socket2", "sysinfo",
    "tokio", "tracing", "ureq",
];

/// Modules of the core that may serialise: the wire model, the query model, rules, and the value
/// types that travel inside them.
const SERIALISING: &[&str] = &["alert", "frame", "query", "report", "time"];

#[derive(Debug, Clone, Copy)]
enum May {
    /// May name these modules and no other.
    Only(&'static [&'static str]),
    /// May name any module but these.
    AllBut(&'static [&'static str]),
}

/// Which modules of its own crate each module of the core may name, and why.
const CORE_MODULES: &[(&str, May, &str)] = &[
    ("time", May::Only(&[]), "time stands on nothing"),
    ("frame", May::Only(&["time"]), "a frame knows its time only"),
    (
        "packet",
        May::Only(&["frame", "time"]),
        "packet does not know flow",
    ),
    (
        "flow",
        May::Only(&["frame", "time"]),
        "flow does not know packet, alert or report",
    ),
    (
        "report",
        May::Only(&["frame", "time"]),
        "the wire model stands on values only",
    ),
    (
        "query",
        May::Only(&["report", "frame", "time"]),
        "query stands on the wire model",
    ),
    (
        "protocol",
        May::Only(&[]),
        "names of protocols stand on nothing",
    ),
    (
        "filter",
        May::Only(&["flow", "frame", "protocol", "report", "time"]),
        "a filter judges what was counted, and nobody who counts knows it",
    ),
    ("sink", May::Only(&["report"]), "sink knows only report"),
    (
        "alert",
        May::AllBut(&[
            "packet",
            "monitor",
            "collector",
            "collectors",
            "sink",
            "outbox",
        ]),
        "a rule judges reports and does not gather or deliver",
    ),
    (
        "monitor",
        May::AllBut(&["alert", "collectors", "filter", "query", "sink", "outbox"]),
        "the monitor is pure and only makes intervals",
    ),
    (
        "collector",
        May::AllBut(&[
            "alert",
            "collectors",
            "filter",
            "monitor",
            "query",
            "sink",
            "outbox",
        ]),
        "the trait does not know who implements or uses it",
    ),
    (
        "outbox",
        May::Only(&["report", "time"]),
        "the outbox numbers reports",
    ),
    (
        "collectors",
        May::AllBut(&["alert", "filter", "query", "sink", "outbox"]),
        "a collector gathers; it does not judge, ask or deliver",
    ),
];

/// What of the core no sink and no driver may name.
const NOT_FOR_SINKS: &[&str] = &[
    "alert",
    "collector",
    "collectors",
    "flow",
    "monitor",
    "packet",
];

/// What of the core the server may not name: it receives reports, it does not make them.
const NOT_FOR_THE_SERVER: &[&str] = &["collector", "collectors", "flow", "monitor", "packet"];

#[test]
fn packages_depend_only_downwards() {
    let broken = broken_package_edges(&workspace_packages());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_core_has_no_default_features_and_only_optional_io() {
    let packages = workspace_packages();
    let core = find(&packages, "bwmon-core");
    assert_eq!(
        core.features.get("default").map(Vec::len),
        Some(0),
        "rule: bwmon-core is pure by default. Its default features must be empty."
    );
    let broken: Vec<_> = core
        .dependencies
        .iter()
        .filter(|d| d.kind == DependencyKind::Normal && !d.optional)
        .filter(|d| IMPURE.contains(&d.name.as_str()))
        .map(|d| format!("bwmon-core/Cargo.toml: `{}` must be optional", d.name))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// What is really pulled in, indirect dependencies included.
#[test]
fn the_tree_of_the_core_is_pure_by_default() {
    let tree = normal_tree_of_core(&[]);
    let found: Vec<_> = IMPURE.iter().filter(|name| tree.contains(**name)).collect();
    assert!(
        found.is_empty(),
        "rule: bwmon-core is pure by default. `cargo tree -p bwmon-core -e normal` shows {found:?}."
    );
    let with_all = normal_tree_of_core(&["--all-features"]);
    for name in ["pcap", "sysinfo"] {
        assert!(
            with_all.contains(name),
            "{name} was not found where it must be"
        );
    }
}

#[test]
fn modules_of_the_core_know_only_what_they_may() {
    let sources = Source::of_package(&workspace(), "bwmon-core");
    let broken = broken_core_modules(&sources, &reexports(&sources));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn only_the_wire_query_and_rule_types_serialise() {
    let sources = Source::of_package(&workspace(), "bwmon-core");
    let broken = broken_serialising(&sources);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn no_sink_knows_another() {
    let sources = Source::of_package(&workspace(), "bwmon-sinks");
    let broken = broken_sinks(&sources);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn agent_and_server_do_not_know_each_other() {
    let sources = Source::of_package(&workspace(), "bwmon-bin");
    let broken = broken_binaries(&sources);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn no_feature_is_asked_for_inside_a_function() {
    let broken: Vec<_> = ["bwmon-core", "bwmon-sinks", "bwmon-bin"]
        .iter()
        .flat_map(|package| Source::of_package(&workspace(), package))
        .flat_map(|source| features_in_functions(&source))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Clippy reads one file per package, so the core's, which adds the banned methods, repeats the
/// workspace's.
#[test]
fn the_lint_settings_of_the_core_repeat_those_of_the_workspace() {
    let read = |file: PathBuf| std::fs::read_to_string(file).expect("clippy.toml is readable");
    let of_core = read(workspace().join("bwmon-core/clippy.toml"));
    let missing: Vec<_> = read(workspace().join("clippy.toml"))
        .lines()
        .filter(|line| line.contains(" = ") && !of_core.contains(line))
        .map(|line| format!("bwmon-core/clippy.toml: missing `{line}` of the workspace's file"))
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    for banned in [
        "std::time::Instant::now",
        "std::time::SystemTime::now",
        "std::thread::spawn",
    ] {
        assert!(
            of_core.contains(banned),
            "bwmon-core/clippy.toml must ban {banned}"
        );
    }
}

/// The rules themselves are held against broken sources, so that they are known to bite.
mod rules_bite {
    use super::*;

    fn source(file: &str, text: &str) -> Source {
        let (_, module) = file.split_once("/src/").expect("a file below src");
        Source::new(Path::new(file), Path::new(module), text)
    }

    #[test]
    fn on_a_module_that_names_what_it_may_not() {
        let reexports = BTreeMap::from([("Monitor".to_owned(), "monitor".to_owned())]);
        for (text, line) in [
            ("use crate::flow::FlowKey;", 1),
            (
                "\nuse crate::{frame::LinkType, report::{self, Interval}};",
                2,
            ),
            ("fn f() {\n    super::super::flow::go();\n}", 2),
            ("use crate::Monitor;", 1),
        ] {
            let broken =
                broken_core_modules(&[source("bwmon-core/src/packet/vlan.rs", text)], &reexports);
            let place = format!("bwmon-core/src/packet/vlan.rs:{line}");
            assert!(
                broken.len() == 1 && broken[0].starts_with(&place),
                "{text}: {broken:?}"
            );
        }
    }

    #[test]
    fn on_code_and_not_on_prose() {
        let text = "//! [`crate::flow`]\n/* crate::flow /* crate::flow */ */\n\
                    const A: &str = \"crate::flow \\\" crate::flow\";\nconst B: &str = r#\"crate::flow\"#;\n\
                    const C: char = '\"';\nfn f<'a>(_: &'a str) {}\nuse super::frame::LinkType;";
        let sources = [source("bwmon-core/src/packet/mod.rs", text)];
        assert!(broken_core_modules(&sources, &BTreeMap::new()).is_empty());
        assert_eq!(sources[0].names_at_own_root().len(), 1);
    }

    #[test]
    fn on_sinks_binaries_and_serialisation() {
        let sqlite = source("bwmon-sinks/src/sqlite/sink.rs", "use crate::http::Url;");
        let stdout = source("bwmon-sinks/src/stdout/sink.rs", "use bwmon_core::Monitor;");
        let http = source("bwmon-sinks/src/http/sink.rs", "use bwmon_core::Sink;");
        assert_eq!(broken_sinks(&[sqlite, stdout, http]).len(), 2);

        let agent = source(
            "bwmon-bin/src/agent/run.rs",
            "use crate::{common, server::State};",
        );
        let server = source(
            "bwmon-bin/src/server/mod.rs",
            "use bwmon_core::collectors::system;",
        );
        let common = source("bwmon-bin/src/common/mod.rs", "use super::agent::Config;");
        assert_eq!(broken_binaries(&[agent, server, common]).len(), 3);

        let flow = source(
            "bwmon-core/src/flow/key.rs",
            "#[derive(serde::Serialize)]\nstruct A;",
        );
        assert_eq!(broken_serialising(&[flow]).len(), 1);
    }

    #[test]
    fn on_features_inside_functions_only() {
        let text = "#[cfg(feature = \"a\")]\nfn f(_: [u8; 4]) {\n    #[cfg(feature = \"b\")]\n    g();\n}\n\
                    #[cfg(feature = \"c\")]\nmod c;\ntype P = Option<fn(u8) -> u8>;\nfn h() -> bool { cfg!(all(feature = \"d\", unix)) }";
        assert_eq!(
            source("a/src/b.rs", text).features_in_functions(),
            vec![3, 9]
        );
    }
}

fn workspace() -> PathBuf {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    core.parent()
        .expect("the workspace is above the core")
        .to_owned()
}

fn workspace_packages() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(workspace().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata answers");
    metadata.packages
}

fn find<'a>(packages: &'a [Package], name: &str) -> &'a Package {
    let found = packages.iter().find(|package| package.name == name);
    found.unwrap_or_else(|| panic!("no package {name} in the workspace"))
}

fn broken_package_edges(packages: &[Package]) -> Vec<String> {
    let members: BTreeSet<&str> = packages.iter().map(|p| p.name.as_str()).collect();
    let mut broken = Vec::new();
    for package in packages {
        let rule = PACKAGES
            .iter()
            .find(|(name, _)| *name == package.name.as_str());
        let Some((_, may)) = rule else {
            broken.push(format!("{}: no rule says what it may know", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            // A package's tests may ask for its own features.
            let is_itself = name == package.name.as_str();
            if members.contains(name) && !may.contains(&name) && !is_itself {
                broken.push(format!(
                    "{}: rule: {} may depend on {may:?} of the workspace, and not on {name}",
                    package.manifest_path, package.name
                ));
            }
        }
    }
    broken
}

fn normal_tree_of_core(more: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .current_dir(workspace())
        .args([
            "tree",
            "-p",
            "bwmon-core",
            "-e",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--locked", "--format", "{p}"])
        .args(more)
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree failed: {errors}");
    let tree = String::from_utf8_lossy(&output.stdout);
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

/// The names that the crate's root gives to items of its modules: `pub use sink::Sink`.
fn reexports(sources: &[Source]) -> BTreeMap<String, String> {
    let root = sources.iter().find(|source| source.room() == "lib");
    let root = root.expect("the crate has a lib.rs");
    let rooms: BTreeSet<String> = sources.iter().map(Source::room).collect();
    let mut names = BTreeMap::new();
    for room in rooms {
        for Reference { name, .. } in root.names_after(&room) {
            names.insert(name, room.clone());
        }
    }
    names
}

fn broken_core_modules(sources: &[Source], reexports: &BTreeMap<String, String>) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources {
        let room = source.room();
        let Some((_, may, why)) = CORE_MODULES.iter().find(|(name, ..)| *name == room) else {
            continue;
        };
        for reference in source.names_at_own_root() {
            let name = reexports.get(&reference.name).unwrap_or(&reference.name);
            let is_room = CORE_MODULES.iter().any(|(room, ..)| room == name) || name == "testkit";
            let is_allowed = match may {
                May::Only(list) => list.contains(&name.as_str()),
                May::AllBut(list) => !list.contains(&name.as_str()),
            };
            if is_room && *name != room && !is_allowed {
                broken.push(told(source, &reference, why));
            }
        }
    }
    broken
}

fn broken_serialising(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources {
        if SERIALISING.contains(&source.room().as_str()) {
            continue;
        }
        for line in source.lines_with("Serialize") {
            broken.push(format!(
                "{}:{line}: rule: only {SERIALISING:?} serialise in the core; what is reported \
                 belongs there",
                source.file.display()
            ));
        }
    }
    broken
}

fn broken_sinks(sources: &[Source]) -> Vec<String> {
    let is_folder = |source: &&Source| source.module.components().count() > 1;
    let folders: BTreeSet<String> = sources.iter().filter(is_folder).map(Source::room).collect();
    let sinks: BTreeSet<&String> = folders
        .iter()
        .filter(|folder| {
            let sink = Path::new(folder.as_str()).join("sink.rs");
            sources.iter().any(|source| source.module == sink)
        })
        .collect();
    let mut broken = Vec::new();
    for source in sources.iter().filter(is_folder) {
        let room = source.room();
        for reference in source.names_at_own_root() {
            let is_other = reference.name != room && folders.contains(&reference.name);
            if is_other && (sinks.contains(&reference.name) || sinks.contains(&room)) {
                broken.push(told(
                    source,
                    &reference,
                    "no sink knows another, nor the driver",
                ));
            }
        }
        broken.extend(core_names(source, NOT_FOR_SINKS, "sink knows only report"));
    }
    broken
}

fn broken_binaries(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources {
        let (foreign, why): (&[&str], _) = match source.room().as_str() {
            "agent" => (&["server"], "agent never imports server"),
            "server" => (&["agent"], "server never imports agent"),
            "common" => (&["agent", "server"], "what both share knows neither"),
            _ => continue,
        };
        for reference in source.names_at_own_root() {
            if foreign.contains(&reference.name.as_str()) {
                broken.push(told(source, &reference, why));
            }
        }
        if source.room() == "server" {
            let why = "agent and server share report and query, nothing else";
            broken.extend(core_names(source, NOT_FOR_THE_SERVER, why));
        }
    }
    broken
}

fn core_names(source: &Source, foreign: &[&str], why: &str) -> Vec<String> {
    let reexported = |name: &str| match name {
        "Monitor" => "monitor".to_owned(),
        "Collector" | "Observer" => "collector".to_owned(),
        "AlertRule" => "alert".to_owned(),
        other => other.to_owned(),
    };
    source
        .names_after("bwmon_core")
        .iter()
        .filter(|reference| foreign.contains(&reexported(&reference.name).as_str()))
        .map(|reference| told(source, reference, why))
        .collect()
}

fn features_in_functions(source: &Source) -> Vec<String> {
    let told = |line| {
        format!(
            "{}:{line}: rule: no cfg(feature) inside a function body; put it on a module or item",
            source.file.display()
        )
    };
    source
        .features_in_functions()
        .into_iter()
        .map(told)
        .collect()
}

fn told(source: &Source, reference: &Reference, why: &str) -> String {
    format!(
        "{}:{}: rule: {why}. `{}` is named here.",
        source.file.display(),
        reference.line,
        reference.name
    )
}
