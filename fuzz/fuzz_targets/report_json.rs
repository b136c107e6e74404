//! Any body is refused or read without a panic, and what was read can be written and read again.
#![no_main]

use bwmon_core::report::{Document, bounds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(document) = serde_json::from_slice::<Document>(body) else {
        return;
    };
    assert!(document.records.len() <= bounds::RECORDS);
    let written = serde_json::to_vec(&document).expect("what was read can be written");
    serde_json::from_slice::<Document>(&written).expect("what was written can be read");
});
