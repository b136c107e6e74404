//! What may be handed to it: whole and damaged captures, compressed ones, other files, pipes.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::capture::sample;
use crate::run::{folder_with, over, piped, text};

fn json(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn standard_input_is_read_as_a_file_is() {
    let output = piped(sample().bytes(), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document = json(&output);
    assert_eq!(document["file"], "-");
    assert_eq!(document["totals"]["bytes"], 13_592);
    assert_eq!(document["pairs"].as_array().unwrap().len(), 4);
}

#[test]
fn a_damaged_file_yields_what_precedes_the_damage() {
    let whole = sample();
    let cut = &whole.bytes()[..whole.bytes().len() - 5];
    let folder = folder_with(cut);
    let path = folder.path().join("capture.pcap");
    let output = over(&path, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let document = json(&output);
    assert_eq!(document["complete"], false);
    assert_eq!(document["totals"]["frames"], 9);
    // The last record is 16 + 20 bytes.
    let offset = whole.bytes().len() - 36;
    let error = document["error"].as_str().unwrap();
    assert!(
        error.starts_with(&format!("damaged at byte {offset}:")),
        "{error}"
    );
    let errors = text(&output.stderr);
    assert!(
        errors.contains(error) && errors.contains("capture.pcap"),
        "{errors}"
    );

    let table = over(&path, &[]);
    assert_eq!(table.status.code(), Some(2));
    let last = text(&table.stdout);
    assert!(last.ends_with(&format!("Incomplete: {error}\n")), "{last}");
}

#[test]
fn a_file_that_is_cut_within_its_header_is_damaged_and_empty() {
    let folder = folder_with(&sample().bytes()[..10]);
    let output = over(&folder.path().join("capture.pcap"), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let document = json(&output);
    assert_eq!(document["totals"]["frames"], 0);
    assert_eq!(document["pairs"], serde_json::json!([]));
}

#[test]
fn what_is_no_capture_is_told_with_its_name() {
    let text_file = folder_with(b"#!/bin/sh\necho this is no capture\n");
    let empty_file = folder_with(b"");
    for (folder, why) in [
        (&text_file, "not a capture file"),
        (&empty_file, "not a capture file"),
    ] {
        let output = over(&folder.path().join("capture.pcap"), &["--format", "json"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stdout), "");
        let errors = text(&output.stderr);
        assert!(
            errors.contains(why) && errors.contains("capture.pcap"),
            "{errors}"
        );
    }
    let folder = text_file.path();
    for (path, why) in [
        (folder.join("nothing.pcap"), "No such file"),
        (folder.to_owned(), "Is a directory"),
    ] {
        let output = over(&path, &[]);
        assert_eq!(output.status.code(), Some(1));
        let errors = text(&output.stderr);
        assert!(
            errors.contains(why) && errors.contains(&*path.to_string_lossy()),
            "{errors}"
        );
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_captures_are_read_as_they_are() {
    for packed in [
        gzip(sample().bytes()),
        zstd::encode_all(sample().bytes(), 1).unwrap(),
    ] {
        let output = piped(&packed, &["--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(json(&output)["totals"]["frames"], 10);

        let output = piped(&packed[..packed.len() - 9], &["--format", "json"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert_eq!(json(&output)["complete"], false);
    }
}

#[test]
fn what_unpacks_other_compressed_files_is_said() {
    let folder = folder_with(b"\xfd7zXZ\0 and so on");
    let path = folder.path().join("capture.pcap");
    let output = over(&path, &[]);
    assert_eq!(output.status.code(), Some(1));
    let command = format!("xz -dc '{}' | bwmon-agent flows -", path.display());
    let errors = text(&output.stderr);
    assert!(errors.contains(&command), "{errors}");
}

#[test]
fn nothing_is_written_beside_the_capture() {
    let folder = folder_with(sample().bytes());
    over(&folder.path().join("capture.pcap"), &[]);
    let names = |path: &Path| std::fs::read_dir(path).unwrap().count();
    assert_eq!(names(folder.path()), 1);
}
