//! Real captures against an independent oracle: every frame's class, addresses and ports.
//!
//! `BWMON_PCAPS` names the folder of captures with its `manifest.json` and `oracle/`.
#![cfg(feature = "capture_file")]
// Reads files and the environment, which nothing in the crate itself may do.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use bwmon_core::collectors::capture_file::CaptureFile;
use bwmon_core::frame::Frame;
use bwmon_core::packet::{self, Parsed};
use serde_json::Value;

/// Captures on which we differ from the oracle on purpose, and why.
const EXPLAINED: [(&str, &str); 1] = [(
    "zeek__cisco-fabric-path.pcap",
    "packet 114 and seven more: the oracle takes the last four bytes for a checksum; they are the address",
)];

fn folder() -> PathBuf {
    let folder = std::env::var_os("BWMON_PCAPS")
        .expect("BWMON_PCAPS must name the folder of captures with manifest.json and oracle/");
    PathBuf::from(folder)
}

/// One row of an oracle: wire length, class, addresses, ports.
#[derive(Debug, PartialEq)]
struct Row {
    len: u64,
    is_ip: bool,
    addresses: Option<(IpAddr, IpAddr)>,
    ports: Option<(u16, u16)>,
}

fn seen(frame: &Frame<'_>) -> Row {
    let len = u64::from(frame.wire_len);
    match packet::parse(frame.link, frame.bytes) {
        Parsed::Ip(view) => Row {
            len,
            is_ip: true,
            addresses: Some((view.source(), view.destination())),
            ports: view.ports,
        },
        Parsed::NonIp(_) | Parsed::Malformed(_) => Row {
            len,
            is_ip: false,
            addresses: None,
            ports: None,
        },
    }
}

fn oracle_rows(path: &Path) -> Vec<Row> {
    let text = fs::read_to_string(path).expect("an oracle of frames");
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let &[
                _,
                _,
                len,
                _,
                class,
                _,
                source,
                destination,
                transport,
                from,
                to,
                ..,
            ] = fields.as_slice()
            else {
                panic!("{}: {line}", path.display());
            };
            let is_ip = class == "ip";
            let has_ports = matches!(transport, "tcp" | "udp");
            Row {
                len: len.parse().expect("a length"),
                is_ip,
                addresses: is_ip
                    .then(|| Some((source.parse().ok()?, destination.parse().ok()?)))
                    .flatten(),
                ports: has_ports
                    .then(|| Some((from.parse().ok()?, to.parse().ok()?)))
                    .flatten(),
            }
        })
        .collect()
}

fn differences(entry: &Value) -> Option<String> {
    let name = entry["name"].as_str().expect("a name");
    let file = File::open(folder().join(name)).expect("the capture");
    let mut rows = Vec::new();
    let error = match CaptureFile::open(file) {
        Ok(mut capture) => {
            let error = loop {
                match capture.next_frame(|frame| rows.push(seen(&frame))) {
                    Ok(true) => {}
                    Ok(false) => break None,
                    Err(error) => break Some(error),
                }
            };
            let again = capture.next_frame(|frame| panic!("{name}: after its end {frame:?}"));
            assert!(matches!(again, Ok(false)), "{name}: {again:?}");
            error
        }
        Err(error) => Some(error),
    };
    let told = &entry["libpcap"];
    if let Some(count) = told["packets"].as_u64().filter(|_| told["error"].is_null())
        && count != rows.len() as u64
    {
        return Some(format!("{} frames, libpcap {count}", rows.len()));
    }
    let expectation = entry["oracle_use"].as_str().expect("a use");
    let is_odd = entry["exclude_packets"]
        .as_array()
        .is_some_and(|list| !list.is_empty());
    if expectation == "none" || is_odd {
        return None;
    }
    let should_fail = expectation == "exact-up-to-damage";
    if error.is_some() != should_fail {
        return Some(format!("error {error:?}, expected one: {should_fail}"));
    }
    let expected = oracle_rows(&folder().join("oracle").join(format!("{name}.frames.tsv")));
    let first = rows
        .iter()
        .zip(&expected)
        .position(|(have, want)| have != want);
    match first {
        Some(at) => Some(format!(
            "packet {}: {:?}, oracle {:?}",
            at + 1,
            rows.get(at),
            expected.get(at)
        )),
        None if rows.len() != expected.len() => {
            Some(format!("{} frames, oracle {}", rows.len(), expected.len()))
        }
        None => None,
    }
}

#[test]
fn every_capture_agrees_with_the_oracle() {
    if std::env::var_os("BWMON_SKIP_PCAP_TESTS").is_some_and(|value| value == "1") {
        eprintln!("SKIPPED every_capture_agrees_with_the_oracle: BWMON_SKIP_PCAP_TESTS=1 is set");
        return;
    }
    let manifest = fs::read_to_string(folder().join("manifest.json")).expect("manifest.json");
    let manifest: Value = serde_json::from_str(&manifest).expect("a manifest");
    let wrong: BTreeMap<&str, String> = manifest["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|entry| Some((entry["name"].as_str()?, differences(entry)?)))
        .collect();
    for (name, why) in &wrong {
        eprintln!("{name}: {why}");
    }
    let explained = EXPLAINED.map(|(name, _)| name);
    assert_eq!(wrong.keys().copied().collect::<Vec<_>>(), explained);
}
