//! Bytes of each version, recorded once and kept. `BWMON_WRITE_WIRE=1` writes what is not there yet; what
//! is there is never written again, because agents of that version are out there.

use std::fs;
use std::path::{Path, PathBuf};

use bwmon_core::report::wire::{decode, decode_receipt, encode, encode_receipt};
use bwmon_core::report::{Document, Receipt, SCHEMA};
use bwmon_core::testkit;

use super::values::{EPOCH, full_document, full_receipt, losses};

#[test]
fn recorded_documents_say_what_their_json_says() {
    record(
        "v1-everything",
        &encode(&full_document()),
        &json(&full_document()),
    );
    // The former has what there was before clocks and lost rows.
    record(
        "v1-clocks-and-losses",
        &encode(&full_document()),
        &json(&full_document()),
    );
    record(
        "v1-one-report",
        &encode(&one_report()),
        &json(&one_report()),
    );
    record("v1-losses", &encode(&losses()), &json(&losses()));
    let mut read = 0;
    for (name, bytes, text) in recorded(|name| name != "v1-receipt") {
        let expected: Document = serde_json::from_str(&text).unwrap();
        let decoded = decode(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(decoded.document, expected, "{name}");
        assert_eq!(decoded.unknown_fields, 0, "{name}");
        // What is written today is read as the same.
        assert_eq!(
            decode(&encode(&expected)).unwrap().document,
            expected,
            "{name}"
        );
        read += 1;
    }
    assert!(read >= 3);
}

#[test]
fn recorded_receipts_say_what_their_json_says() {
    record(
        "v1-receipt",
        &encode_receipt(&full_receipt()),
        &json(&full_receipt()),
    );
    let receipts = recorded(|name| name == "v1-receipt");
    assert_eq!(receipts.len(), 1);
    for (_, bytes, text) in receipts {
        let expected: Receipt = serde_json::from_str(&text).unwrap();
        assert_eq!(decode_receipt(&bytes).unwrap(), expected);
        assert_eq!(
            decode_receipt(&encode_receipt(&expected)).unwrap(),
            expected
        );
    }
}

fn one_report() -> Document {
    let mut record = testkit::record(1);
    record.epoch = EPOCH;
    Document {
        schema: SCHEMA,
        records: vec![record],
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/data")
}

fn record(name: &str, bytes: &[u8], json: &str) {
    let file = folder().join(format!("{name}.bin"));
    if std::env::var_os("BWMON_WRITE_WIRE").is_some() && !file.exists() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&file, bytes).unwrap();
        fs::write(file.with_extension("json"), json).unwrap();
    }
}

fn recorded(is_wanted: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if file.extension().is_some_and(|kind| kind == "bin") && is_wanted(&name) {
            let json = fs::read_to_string(file.with_extension("json")).unwrap();
            found.push((name, fs::read(&file).unwrap(), json));
        }
    }
    found
}
