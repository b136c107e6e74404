//! Runs the binary.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::capture::Capture;

/// `bwmon-agent flows`, with an environment in which settings of the agent would be wrong.
pub(crate) fn flows() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bwmon-agent"));
    command
        .arg("flows")
        .env("BWMON_INTERVAL", "nonsense")
        .env("BWMON_CONFIG", "/nowhere")
        .stdin(Stdio::null());
    command
}

/// A folder with `capture` as `capture.pcap`.
pub(crate) fn folder_with(capture: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("capture.pcap"), capture).unwrap();
    folder
}

/// Runs it over a file.
pub(crate) fn over(path: &Path, arguments: &[&str]) -> Output {
    flows().arg(path).args(arguments).output().unwrap()
}

/// Runs it over a capture, which must be whole; what it prints.
pub(crate) fn printed(capture: &Capture, arguments: &[&str]) -> String {
    let folder = folder_with(capture.bytes());
    let output = over(&folder.path().join("capture.pcap"), arguments);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert_eq!(errors, "");
    text(&output.stdout)
}

/// Runs it over a capture, which must be whole; the document that it prints.
pub(crate) fn document(capture: &Capture, arguments: &[&str]) -> Value {
    let arguments = [&["--format", "json"], arguments].concat();
    serde_json::from_str(&printed(capture, &arguments)).unwrap()
}

/// Runs it over bytes on standard input.
pub(crate) fn piped(input: &[u8], arguments: &[&str]) -> Output {
    let mut child = flows()
        .arg("-")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // Who refuses the input does not read it to its end.
        let _is_wanted = pipe.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
