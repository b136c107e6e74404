//! What an agent does not take, and how it says so: one line, and exit code 1 (2 for the arguments).
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod agent_support;

use std::fs;
use std::net::TcpListener;
use std::process::Output;

use agent_support::{Agent, Collector, as_nobody};

fn run(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Agent::command(&folder.path().join("data"));
    command.args(arguments);
    Agent::output(command)
}

fn run_with_file(text: &str, arguments: &[&str]) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    fs::write(&file, text).unwrap();
    let mut command = Agent::command(&folder.path().join("data"));
    command.env("BWMON_CONFIG", &file).args(arguments);
    (Agent::output(command), file.display().to_string())
}

fn last_line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn an_unknown_key_is_named_with_line_and_column() {
    let (output, file) = run_with_file("interval = \"2s\"\n\n[capture]\n  intrefaces = []\n", &[]);
    assert_eq!(output.status.code(), Some(1));
    let line = last_line(&output);
    let expected = format!("bwmon-agent: {file}:4:3: unknown field `intrefaces`");
    assert!(line.starts_with(&expected), "{line}");
}

#[test]
fn an_interval_out_of_bounds_is_refused_wherever_it_comes_from() {
    for bad in ["999ms", "301s", "0s", "soon"] {
        let output = run(&["--interval", bad]);
        assert_eq!(output.status.code(), Some(2), "{bad}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("1s to 5m"),
            "{bad}"
        );
        let (output, file) = run_with_file(&format!("interval = \"{bad}\""), &[]);
        assert_eq!(output.status.code(), Some(1), "{bad}");
        let line = last_line(&output);
        assert!(
            line.contains(&format!("{file}:1:12")) && line.contains("1s to 5m"),
            "{line}"
        );
    }
}

#[test]
fn metrics_are_served_on_loopback_only_and_a_taken_port_is_told() {
    let output = run(&["--metrics-listen", "0.0.0.0:9463"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("127.0.0.1:9463"), "{text}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let counters = ["--stdout", "--capture-method", "counters"];
    let output = run(&[&counters[..], &["--metrics-listen", &address]].concat());
    assert_eq!(output.status.code(), Some(1));
    let line = last_line(&output);
    assert!(
        line.contains(&address) && line.contains("--metrics-listen"),
        "{line}"
    );
}

#[test]
fn flags_stand_over_the_environment_and_the_environment_over_the_file() {
    let layers = |flag: Option<&str>, variable: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.toml");
        fs::write(&file, "collector = \"http://from-file.invalid\"").unwrap();
        let mut command = Agent::command(&folder.path().join("data"));
        command.args(["doctor", "--config"]).arg(&file);
        command.args(flag.map(|url| format!("--collector={url}")));
        command.envs(variable.map(|url| ("BWMON_COLLECTOR", url)));
        String::from_utf8(Agent::output(command).stdout).unwrap()
    };
    let (flag, variable) = (
        "http://from-flag.invalid",
        "http://from-environment.invalid",
    );
    assert!(layers(None, None).contains("http://from-file.invalid"));
    assert!(layers(None, Some(variable)).contains(variable));
    assert!(layers(Some(flag), Some(variable)).contains(flag));
}

#[test]
fn an_interface_that_does_not_exist_brings_the_names_of_those_that_do() {
    let output = run(&["--stdout", "--capture-interfaces", "eth77"]);
    assert_eq!(output.status.code(), Some(1));
    let line = last_line(&output);
    assert!(
        line.contains("`eth77`") && line.contains("there are: lo"),
        "{line}"
    );
}

#[test]
fn a_data_folder_that_cannot_be_written_is_one_line() {
    let mut command = Agent::command("/proc/bwmon-agent".as_ref());
    command.arg("run");
    let output = Agent::output(command);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains("/proc/bwmon-agent") && text.contains("--data-dir"),
        "{text}"
    );
}

#[test]
fn two_agents_do_not_share_an_identity() {
    let collector = Collector::start(None);
    let agent = Agent::start(&collector.url(), &["--capture-method", "counters"]);
    collector.wait_for(1);
    let output = Agent::output(Agent::command(agent.data()));
    assert_eq!(output.status.code(), Some(1));
    let line = last_line(&output);
    assert!(line.contains("another bwmon-agent runs"), "{line}");
    agent.stop();
}

#[test]
fn an_agent_that_is_not_enrolled_says_how_to_enrol() {
    let output = run(&["--collector", "http://127.0.0.1:9"]);
    assert_eq!(output.status.code(), Some(1));
    let line = last_line(&output);
    assert!(
        line.contains("bwmon-collector enrol-token") && line.contains("bwmon-agent enrol"),
        "{line}"
    );
}

#[test]
fn a_method_that_was_asked_for_is_used_or_refused_with_the_reason() {
    let (folder, mut command) = as_nobody();
    command.args([
        "--capture-method",
        "af_packet",
        "--capture-interfaces",
        "lo",
    ]);
    let output = Agent::output(command);
    assert_eq!(output.status.code(), Some(1));
    let line = last_line(&output);
    let binary = folder.path().join("bwmon-agent");
    let grant = format!("sudo setcap cap_net_raw+ep {}", binary.display());
    assert!(
        line.contains("af_packet") && line.contains(&grant),
        "{line}"
    );
}

#[test]
fn the_example_is_a_configuration_file() {
    let output = run(&["config", "example"]);
    assert!(output.status.success());
    let example = String::from_utf8(output.stdout).unwrap();
    let (output, _) = run_with_file(&example, &["doctor"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("data folder"), "{table}");
}

#[test]
fn version_and_help_are_there() {
    let version = String::from_utf8(run(&["--version"]).stdout).unwrap();
    assert_eq!(
        version.trim(),
        format!("bwmon-agent {}", env!("CARGO_PKG_VERSION"))
    );
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    assert!(
        help.contains("Examples:") && help.contains("BWMON_COLLECTOR"),
        "{help}"
    );
}
