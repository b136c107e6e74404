//! Seeds of the compact encoding: bytes as they travel, and recipes of documents.

use bwmon_core::report::wire::{Reason, decode, encode, encode_receipt};
use bwmon_core::report::{
    Document, DropReason, Dropped, EpochStart, Fate, Receipt, Record, RecordBody, SCHEMA,
};

use super::files::{cut, kept, replay};
use super::oracles::wire::check;
use super::report_json::{interval, record};

#[test]
fn wire_seeds_are_in_git_and_mean_what_they_say() {
    for (name, bytes, expected) in wire_seeds() {
        assert_eq!(kept("wire", name, &bytes), bytes, "{name}");
        let read = decode(&bytes).map(|decoded| decoded.unknown_fields);
        let read = read.map_err(|error| error.reason().clone());
        assert_eq!(read, expected, "{name}");
    }
}

#[test]
fn everything_of_the_wire_corpus_keeps_the_laws() {
    let count = replay("wire", check);
    assert!(count >= wire_seeds().len());
}

fn wire_seeds() -> Vec<(&'static str, Vec<u8>, Result<u64, Reason>)> {
    let report = || RecordBody::Report(Box::new(interval()));
    let full = document(vec![
        record(1, RecordBody::EpochStart(EpochStart::default())),
        record(2, report()),
        record(
            5,
            RecordBody::Dropped(Dropped {
                from_seq: 3,
                reports: 3,
                reason: DropReason::QueueFull,
            }),
        ),
    ]);
    let receipt = encode_receipt(&Receipt::new(vec![
        Fate::Stored,
        Fate::Refused("no".to_owned()),
    ]));
    // Rows of one value each, and the field that says how many: 4,096.
    let mut many = interval();
    many.flows = vec![many.flows[0].clone(); 4_096];
    let many = document(vec![record(1, RecordBody::Report(Box::new(many)))]);
    let newer = [full.as_slice(), &[0x9a, 0x06, 1, 7]].concat();
    let endless = [&[0x08, 1], [0xff; 11].as_slice()].concat();
    let group = vec![0x08, 1, 0x13, 0x14];
    let lying = vec![0x08, 1, 0x12, 0xff, 0xff, 0xff, 0xff, 0x0f];
    let cut_off = cut(&full, full.len() / 2);
    vec![
        ("three-records", full, Ok(0)),
        ("no-records", document(Vec::new()), Ok(0)),
        ("rows-in-common", many, Ok(0)),
        ("unknown-field", newer, Ok(1)),
        (
            "newer-schema",
            vec![0x08, 2, 0xff],
            Err(Reason::Schema { found: 2 }),
        ),
        ("receipt", receipt, Err(Reason::Missing)),
        ("endless-number", endless, Err(Reason::Malformed)),
        ("group", group, Err(Reason::Malformed)),
        ("length-beyond-the-end", lying, Err(Reason::Malformed)),
        ("cut-off", cut_off, Err(Reason::Malformed)),
        // One record, a report with a host, two interfaces and two flows, and whatever follows.
        ("recipe", recipe(), Err(Reason::Malformed)),
    ]
}

/// Bytes that make choices of every kind.
fn recipe() -> Vec<u8> {
    (0..1_500_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn document(records: Vec<Record>) -> Vec<u8> {
    encode(&Document {
        schema: SCHEMA,
        records,
    })
}
