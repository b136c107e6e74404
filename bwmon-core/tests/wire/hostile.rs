//! Bodies that are wrong or mean harm: the error names the field, and no more memory is taken than is allowed.

use bwmon_core::report::bounds;
use bwmon_core::report::wire::{Reason, decode};

/// A field of `number` with these bytes.
fn nested(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        field.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    field.push(u8::try_from(length).unwrap());
    field.extend_from_slice(content);
    field
}

fn record(body: &[u8]) -> Vec<u8> {
    let head = [nested(1, &[0; 16]), vec![0x10, 1]].concat();
    nested(2, &[head, body.to_vec()].concat())
}

fn report(parts: &[u8]) -> Vec<u8> {
    record(&nested(3, &[nested(1, &[]), parts.to_vec()].concat()))
}

fn document(records: &[u8]) -> Vec<u8> {
    [&[0x08, 1], records].concat()
}

/// Flow rows: `rows` of them, and these fields.
fn flows(rows: &[u8], fields: &[u8]) -> Vec<u8> {
    let content = [&[0x08], rows, fields].concat();
    document(&report(&nested(4, &content)))
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let long = "x".repeat(bounds::STRING_BYTES + 1);
    let interface = |facts: &[u8]| document(&report(&nested(3, &nested(1, facts))));
    let address = nested(2, &[10, 0, 0, 1]);
    let cases = [
        (vec![], "schema", Reason::Missing),
        (b"{}".to_vec(), "schema", Reason::Malformed),
        (vec![0x08], "schema", Reason::Malformed),
        (document(&[0x12, 5, 0]), "", Reason::Malformed),
        (document(&[0x13]), "", Reason::Malformed),
        (
            document(&nested(2, &[])),
            "records[0].body",
            Reason::Missing,
        ),
        (
            document(&nested(2, &nested(1, &[0; 15]))),
            "records[0].epoch",
            Reason::Length { bytes: 15 },
        ),
        (
            document(&nested(2, &[0x12, 0])),
            "records[0].seq",
            Reason::WireType,
        ),
        (
            document(&record(&nested(3, &[]))),
            "records[0].body.report.window",
            Reason::Missing,
        ),
        (
            interface(&nested(2, long.as_bytes())),
            "records[0].body.report.interfaces[0].facts.name",
            Reason::TooLong { bytes: 257 },
        ),
        (
            interface(&nested(2, &[0xff])),
            "records[0].body.report.interfaces[0].facts.name",
            Reason::NotUtf8,
        ),
        (
            document(&report(&nested(2, &nested(3, &[0x0d, 0, 0, 0xc0, 0x7f])))),
            "records[0].body.report.host.cpu.total_percent",
            Reason::OutOfRange,
        ),
        (
            flows(&[1], &[]),
            "records[0].body.report.flows[0].local",
            Reason::OutOfRange,
        ),
        (
            flows(&[1], &[address.clone(), nested(5, &[1])].concat()),
            "records[0].body.report.flows[0].interface",
            Reason::OutOfRange,
        ),
        (
            flows(&[1], &[address.clone(), nested(6, &[0x80, 2])].concat()),
            "records[0].body.report.flows[0].protocol",
            Reason::OutOfRange,
        ),
        (
            flows(&[3], &[address, nested(6, &[1, 2])].concat()),
            "records[0].body.report.flows.protocol",
            Reason::Column { values: 2, rows: 3 },
        ),
        (
            flows(&[1], &nested(2, &[1, 2, 3])),
            "records[0].body.report.flows.addresses_v4",
            Reason::Length { bytes: 3 },
        ),
    ];
    for (bytes, path, reason) in cases {
        let error = decode(&bytes).unwrap_err();
        assert_eq!((error.path(), error.reason()), (path, &reason), "{error}");
        assert!(!error.is_of_another_version());
    }
}

#[test]
fn lists_end_at_their_bound() {
    let many = |count: usize, element: &[u8]| element.repeat(count);
    let parts = document(&report(&many(bounds::PARTS + 1, &nested(3, &[]))));
    let classes = document(&report(&nested(
        3,
        &many(bounds::CLASSES + 1, &nested(4, &[])),
    )));
    let records = document(&many(bounds::RECORDS + 1, &record(&nested(5, &[]))));
    let rows = flows(&[0x81, 0x20], &[]);
    let column = flows(&[1], &nested(6, &vec![6; bounds::FLOWS + 1]));
    for (bytes, path, limit) in [
        (parts, "records[0].body.report.interfaces", bounds::PARTS),
        (
            classes,
            "records[0].body.report.interfaces[0].non_ip",
            bounds::CLASSES,
        ),
        (records, "records", bounds::RECORDS),
        (rows, "records[0].body.report.flows", bounds::FLOWS),
        (
            column,
            "records[0].body.report.flows.protocol",
            bounds::FLOWS,
        ),
    ] {
        let error = decode(&bytes).unwrap_err();
        assert_eq!(
            (error.path(), error.reason()),
            (path, &Reason::TooMany { limit }),
            "{error}"
        );
    }
}

#[test]
fn few_bytes_do_not_become_much_memory() {
    // 4,096 rows that have everything in common are a few bytes; 1,024 such reports are half a GiB.
    let rows = nested(
        4,
        &[&[0x08, 0x80, 0x20][..], &nested(2, &[10, 0, 0, 1])].concat(),
    );
    let bytes = document(&report(&rows).repeat(bounds::RECORDS));
    assert!(bytes.len() < 64 * bounds::RECORDS, "{}", bytes.len());
    let error = decode(&bytes).unwrap_err();
    assert_eq!(error.reason(), &Reason::TooMuch);
    assert!(error.path().starts_with("records["), "{error}");
    // Empty interfaces are two bytes each.
    let interfaces = nested(3, &[]).repeat(bounds::PARTS);
    let bytes = document(&report(&interfaces).repeat(bounds::RECORDS));
    assert_eq!(decode(&bytes).unwrap_err().reason(), &Reason::TooMuch);
}
