//! Any body is refused or read without a panic, and what was read can be written and read again.

use bwmon_core::report::{Document, bounds};

pub fn check(body: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Document>(body) else {
        return;
    };
    assert!(document.records.len() <= bounds::RECORDS);
    let written = serde_json::to_vec(&document).expect("what was read can be written");
    let again = serde_json::from_slice::<Document>(&written).expect("what was written can be read");
    assert_eq!(again, document);
}
