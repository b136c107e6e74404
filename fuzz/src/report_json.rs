//! Any body is refused or read without a panic, and what was read is written and read again as the same.

use bwmon_core::report::{Document, bounds};

pub fn check(body: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Document>(body) else {
        return;
    };
    assert!(document.records.len() <= bounds::RECORDS);
    let written = serde_json::to_vec(&document).expect("what was read can be written");
    let again = serde_json::from_slice::<Document>(&written).expect("what was written can be read");
    // Times beyond the year 2554 are cut to it, and parts of a microsecond are not written: once.
    let rewritten = serde_json::to_vec(&again).expect("what was read can be written");
    assert_eq!(String::from_utf8(rewritten), String::from_utf8(written));
}
