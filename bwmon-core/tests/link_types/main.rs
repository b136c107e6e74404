//! A small capture of our own for every link type and encapsulation, and what must be found in it.
//!
//! The captures are made here and kept in git under `tests/data`, where other tests and the fuzzer
//! find them. `BWMON_WRITE_CAPTURES=1 cargo test -p bwmon-core --features capture_file --test
//! link_types` writes them anew. `docs/packet-coverage.md` lists them.
#![cfg(feature = "capture_file")]
// Reads files and the environment, which nothing in the crate itself may do.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod build;
mod ethernet;
mod media;
mod network;
mod pseudo;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use build::{Capture, TCP4, TCP6, UDP4, UDP6};
use bwmon_core::collectors::capture_file::CaptureFile;
use bwmon_core::frame::{Frame, LinkType};
use bwmon_core::packet::{Parsed, parse, parse_long};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn captures() -> Vec<Capture> {
    [
        ethernet::captures(),
        network::captures(),
        media::captures(),
        pseudo::captures(),
    ]
    .concat()
}

fn told(link: LinkType, bytes: &[u8]) -> String {
    match parse(link, bytes) {
        Parsed::Ip(view) => {
            let [from, to] = view
                .ports
                .map_or([String::new(), String::new()], |(from, to)| {
                    [format!(" {from}"), format!(" {to}")]
                });
            let vlan = view.vlan.map(|vlan| format!(" vlan {vlan}"));
            let (source, destination, protocol) =
                (view.source(), view.destination(), view.protocol);
            let vlan = vlan.unwrap_or_default();
            format!("{source}{from} > {destination}{to} protocol {protocol}{vlan}")
        }
        Parsed::NonIp(ethertype) => format!("non-ip {ethertype:#06x}"),
        Parsed::Malformed(why) => format!("malformed {}: {}", why.layer, why.reason),
    }
}

/// Reads a capture from git and compares what each frame is said to be.
fn check(captures: &[Capture]) {
    for capture in captures {
        let path = folder().join(capture.name);
        if std::env::var_os("BWMON_WRITE_CAPTURES").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, capture.file()).unwrap();
        }
        let file = fs::read(&path).unwrap_or_else(|error| {
            panic!(
                "{}: {error}. BWMON_WRITE_CAPTURES=1 writes it",
                path.display()
            )
        });
        assert_eq!(
            file,
            capture.file(),
            "{} is not what is made here",
            capture.name
        );
        let mut found = Vec::new();
        let mut reader = CaptureFile::open(file.as_slice()).unwrap();
        while reader
            .next_frame(|frame| found.push(told(frame.link, frame.bytes)))
            .unwrap()
        {}
        assert_eq!(found.len(), capture.frames.len(), "{}", capture.name);
        for ((name, _, expected), found) in capture.frames.iter().zip(&found) {
            assert_eq!(found, expected, "{}: {name}", capture.name);
        }
    }
}

#[test]
fn ethernet_and_what_is_stacked_in_it() {
    check(&ethernet::captures());
}

#[test]
fn ip_headers_extension_headers_fragments_and_lengths() {
    check(&network::captures());
}

#[test]
fn serial_lines_local_networks_and_wireless() {
    check(&media::captures());
}

#[test]
fn headers_that_capturing_systems_made_up() {
    check(&pseudo::captures());
}

#[test]
fn every_link_type_that_is_parsed_has_a_capture_with_ip_and_is_documented() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/packet-coverage.md");
    let page = fs::read_to_string(page).unwrap();
    let captures = captures();
    for number in 0..=400 {
        let link = LinkType::from_linktype(number);
        if matches!(link, LinkType::Unsupported(_)) {
            continue;
        }
        let of_link: Vec<_> = captures.iter().filter(|of| of.link() == link).collect();
        let says = |what: [&str; 2]| {
            let mut frames = of_link.iter().flat_map(|capture| &capture.frames);
            frames.any(|(_, _, told)| what.iter().any(|start| told.starts_with(start)))
        };
        assert!(
            says([TCP4, UDP4]) || says([TCP6, UDP6]),
            "no IP: {number} {link:?}"
        );
        assert!(
            says(["malformed", "malformed"]),
            "nothing malformed: {number} {link:?}"
        );
        let is_listed = page
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
            .any(|cell| cell.split(", ").any(|listed| listed == number.to_string()));
        assert!(is_listed, "docs/packet-coverage.md lacks {number} {link:?}");
    }
    for capture in &captures {
        let is_named = page.contains(&format!("`{}`", capture.name));
        assert!(is_named, "docs/packet-coverage.md lacks {}", capture.name);
    }
}

/// A name in the page that no test has proves nothing.
#[test]
fn the_tests_that_the_page_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../docs/packet-coverage.md")).unwrap();
    let mut named = BTreeSet::new();
    for (module, function) in page.split('`').filter_map(|code| code.rsplit_once("::")) {
        let module = module.replace("::", "/");
        let text = [
            "tests/M.rs",
            "tests/M/main.rs",
            "src/M.rs",
            "src/collectors/M.rs",
        ]
        .iter()
        .find_map(|place| fs::read_to_string(root.join(place.replace('M', &module))).ok());
        let text = text.unwrap_or_else(|| panic!("no module {module} for {function}"));
        let is_there = function == "*" || text.contains(&format!("fn {function}("));
        assert!(is_there, "no test {function} in {module}");
        named.insert(function);
    }
    assert!(named.len() > 15, "only {named:?}");
}

#[test]
fn the_folder_holds_these_captures_and_no_others() {
    let made: BTreeSet<String> = captures().iter().map(|of| of.name.to_owned()).collect();
    let kept: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(kept, made);
}

/// Segmentation offload and BIG TCP deliver packets that no header field can measure.
#[test]
fn a_packet_of_more_than_64_kib_is_ordinary() {
    for (packet, expected) in [
        (build::with(build::tcp4(), &[(2, 0), (3, 0)]), TCP4),
        (build::with(build::tcp6(), &[(4, 0), (5, 0)]), TCP6),
    ] {
        let giant = build::join(&[&packet, &vec![0; 200_000]]);
        let capture = build::capture("101-giant.pcap", [("giant", giant, expected)]);
        let file = capture.file();
        let mut reader = CaptureFile::open(file.as_slice()).unwrap();
        let is_read = reader.next_frame(|frame| {
            assert_eq!(told(frame.link, frame.bytes), expected);
            assert_eq!(frame.wire_len as usize, packet.len() + 200_000);
        });
        assert!(is_read.unwrap());
    }
}

/// A snapshot length takes bytes away, never facts that the rest would contradict.
#[test]
fn the_start_of_a_frame_says_nothing_that_the_whole_frame_denies() {
    for capture in captures() {
        for (name, bytes, _) in &capture.frames {
            let Parsed::Ip(whole) = parse(capture.link(), bytes) else {
                continue;
            };
            for end in 0..bytes.len() {
                let start = bytes.get(..end).unwrap_or_default();
                let Parsed::Ip(view) = parse(capture.link(), start) else {
                    continue;
                };
                let at = format!("{}: {name}: first {end} bytes", capture.name);
                assert_eq!(view.addresses, whole.addresses, "{at}");
                assert_eq!(view.vlan, whole.vlan, "{at}");
                assert!(view.ports.is_none() || view.ports == whole.ports, "{at}");
            }
        }
    }
}

/// Common shapes take a short way; it must judge as the long way does, also where a frame was cut.
#[test]
fn the_short_way_gives_the_answer_of_the_long_way_for_every_beginning_of_every_frame() {
    let mut frames = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let file = fs::read(&path).unwrap();
        let mut reader = CaptureFile::open(file.as_slice()).unwrap();
        let mut compare = |frame: Frame<'_>| {
            frames += 1;
            for end in 0..=frame.bytes.len() {
                let start = &frame.bytes[..end];
                // Whatever they came as: the bytes of other link types are odd Ethernet.
                for link in [frame.link, LinkType::Ethernet] {
                    let (short, long) = (parse(link, start), parse_long(link, start));
                    assert_eq!(short, long, "{}: {link:?}: {start:02x?}", path.display());
                }
            }
        };
        while reader.next_frame(&mut compare).unwrap() {}
    }
    let kept: usize = captures().iter().map(|of| of.frames.len()).sum();
    assert_eq!(frames, kept);
}
