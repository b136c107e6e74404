//! Bytes of a newer writer: what is not known is skipped and counted, wherever it stands.

use bwmon_core::report::wire::{Reason, decode, decode_receipt, encode, encode_receipt};
use bwmon_core::report::{CaptureMethod, DropReason, RecordBody};
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, Value};

use super::by_proto::message;
use super::values::{full_document, full_receipt};

/// Field 99, as text; field 100, as a number; field 101, in eight bytes; field 102, in four.
const NEWER: &[u8] = &[
    0x9a, 0x06, 3, b'n', b'e', b'w', // 99
    0xa0, 0x06, 0x96, 0x01, // 100
    0xa9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, // 101
    0xb5, 0x06, 1, 2, 3, 4, // 102
];

#[test]
fn fields_from_the_future_are_skipped_and_counted_at_every_level() {
    let known = encode(&full_document());
    let (newer, messages) = with_newer_fields("Document", &known);
    assert!(messages > 40, "{messages} messages");
    let decoded = decode(&newer).unwrap();
    assert_eq!(decoded.document, full_document());
    assert_eq!(decoded.unknown_fields, 4 * messages);
}

#[test]
fn a_receipt_from_the_future_is_read() {
    let (newer, messages) = with_newer_fields("Receipt", &encode_receipt(&full_receipt()));
    assert_eq!(messages, 5);
    assert_eq!(decode_receipt(&newer).unwrap(), full_receipt());
}

#[test]
fn enumerations_from_the_future_are_their_last_variant() {
    let mut document =
        DynamicMessage::decode(message("Document"), encode(&full_document()).as_slice()).unwrap();
    set(
        &mut document,
        &["records", "1", "report", "capture", "method"],
        Value::EnumNumber(99),
    );
    for path in [
        &["records", "2", "dropped", "reason"][..],
        &["records", "1", "report", "flows_lost", "reason"],
    ] {
        set(&mut document, path, Value::EnumNumber(99));
    }
    let decoded = decode(&document.encode_to_vec()).unwrap().document;
    let RecordBody::Report(interval) = &decoded.records[1].body else {
        panic!()
    };
    assert_eq!(interval.capture.method, CaptureMethod::Counters);
    let lost = interval.flows_lost.unwrap();
    assert_eq!((lost.rows, lost.reason), (4_096, DropReason::Other));
    let RecordBody::Dropped(dropped) = &decoded.records[2].body else {
        panic!()
    };
    assert_eq!(dropped.reason, DropReason::Other);
}

#[test]
fn another_schema_is_named_even_if_the_rest_means_nothing() {
    for bytes in [&[0x08, 2][..], &[0x08, 2, 0xff], &[0x12, 1, 0xff, 0x08, 2]] {
        let error = decode(bytes).unwrap_err();
        assert_eq!(error.reason(), &Reason::Schema { found: 2 });
        assert!(error.is_of_another_version());
        assert_eq!(
            error.to_string(),
            "document has schema 2, this version reads schema 1"
        );
    }
}

#[test]
fn a_kind_of_record_from_the_future_is_another_version() {
    let mut bytes = vec![0x08, 1, 0x12, 22, 0x0a, 16];
    bytes.extend([0; 16]);
    bytes.extend([0x10, 1, 0x32, 0]); // seq 1, field 6
    let error = decode(&bytes).unwrap_err();
    assert_eq!(
        (error.path(), error.reason()),
        ("records[0].body", &Reason::UnknownKind)
    );
    assert!(error.is_of_another_version());
}

/// The same with [`NEWER`] at the end of every message; says how many there are.
fn with_newer_fields(name: &str, bytes: &[u8]) -> (Vec<u8>, u64) {
    let mut message = DynamicMessage::decode(message(name), bytes).unwrap();
    let mut count = 0;
    extend(&mut message, &mut count);
    (message.encode_to_vec(), count)
}

fn extend(message: &mut DynamicMessage, count: &mut u64) {
    *count += 1;
    for (_, value) in message.fields_mut() {
        match value {
            Value::Message(inner) => extend(inner, count),
            Value::List(list) => list
                .iter_mut()
                .filter_map(Value::as_message_mut)
                .for_each(|inner| extend(inner, count)),
            _ => {}
        }
    }
    message.merge(NEWER).unwrap();
}

fn set(message: &mut DynamicMessage, path: &[&str], new: Value) {
    let (name, rest) = path.split_first().unwrap();
    if rest.is_empty() {
        message.set_field_by_name(name, new);
        return;
    }
    match message.get_field_by_name_mut(name).unwrap() {
        Value::List(list) => {
            let (index, rest) = rest.split_first().unwrap();
            let inner = list[index.parse::<usize>().unwrap()]
                .as_message_mut()
                .unwrap();
            set(inner, rest, new);
        }
        inner => set(inner.as_message_mut().unwrap(), rest, new),
    }
}
