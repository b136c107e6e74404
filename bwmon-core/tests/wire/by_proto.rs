//! What is written is what `bwmon.proto` describes: a library that knows nothing but that file reads it.

use std::path::Path;

use bwmon_core::report::wire::{decode, decode_receipt, encode, encode_receipt};
use bwmon_core::report::{
    CaptureMethod, Document, Dropped, FlowsLost, InterfaceKind, Interval, OperState, ProbeKind,
    RecordBody,
};
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _, Value,
};

use super::values::{DROP_REASONS, full_document, full_receipt};

pub(crate) fn message(name: &str) -> MessageDescriptor {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/wire");
    let files = protox::compile(["bwmon.proto"], [folder]).unwrap();
    let pool = DescriptorPool::from_file_descriptor_set(files).unwrap();
    pool.get_message_by_name(&format!("bwmon.v1.{name}"))
        .unwrap()
}

#[test]
fn a_document_is_read_by_the_proto_file_and_written_by_it() {
    let bytes = encode(&full_document());
    let document = DynamicMessage::decode(message("Document"), bytes.as_slice()).unwrap();
    assert_eq!(unknown_fields(&document), 0);
    let flows = at(&document, &["records", "1", "report", "flows"]);
    for (path, expected) in [
        ("rows", "3"),
        ("interfaces", r#"["eth0", "wg0"]"#),
        ("interface", "[1, 0, 2]"),
        ("local", "[0, 0, 1]"),
        ("remote", "[1, 2, -1]"),
        ("remote_port", "[443, 443, 53]"),
        ("first_us", "[0, 1000000, 0]"),
        ("last_us", "[1000000, -1003000, 1000000]"),
    ] {
        let flows = flows.as_message().unwrap();
        assert_eq!(
            plain(&flows.get_field_by_name(path).unwrap()),
            expected,
            "{path}"
        );
    }
    for (path, expected) in [
        ("records/0/epoch_start/started_us", "1700000000000000"),
        (
            "records/1/report/interfaces/0/conservation/ingress/residual_bytes",
            "-60",
        ),
        ("records/1/report/host/cpu/cores_percent/1", "5.0"),
        ("records/1/report/host/load/fifteen", "0.125"),
        ("records/1/report/capture/method", "2"),
        ("records/1/report/flows_lost/rows", "4096"),
        ("records/1/report/flows_lost/reason", "3"),
        ("records/2/dropped/reason", "1"),
    ] {
        let path: Vec<_> = path.split('/').collect();
        assert_eq!(plain(&at(&document, &path)), expected, "{path:?}");
    }
    // The library writes its own way, with the same meaning.
    let rewritten = decode(&document.encode_to_vec()).unwrap();
    assert_eq!(rewritten.document, full_document());
}

#[test]
fn a_receipt_is_read_by_the_proto_file_and_written_by_it() {
    let bytes = encode_receipt(&full_receipt());
    let receipt = DynamicMessage::decode(message("Receipt"), bytes.as_slice()).unwrap();
    assert_eq!(unknown_fields(&receipt), 0);
    assert_eq!(plain(&at(&receipt, &["fates", "2", "kind"])), "3");
    assert_eq!(
        plain(&at(&receipt, &["streams", "0", "missing"])),
        "[302, 304, 400, 400]"
    );
    assert_eq!(
        decode_receipt(&receipt.encode_to_vec()).unwrap(),
        full_receipt()
    );
}

/// Each variant has, under its number, the name that JSON gives it.
#[test]
fn enumerations_have_the_numbers_of_the_proto_file() {
    use CaptureMethod::{AfPacket, Counters, HostPairs, Libpcap, SockDiag};
    use OperState::{Dormant, Down, LowerLayerDown, Unknown, Up};
    for method in [Counters, AfPacket, Libpcap, SockDiag, HostPairs] {
        let document = with_interval(|interval| interval.capture.method = method);
        let name = enumeration(&document, &["records", "1", "report", "capture"], "method");
        assert_eq!(name, proto_name("CAPTURE_METHOD", &method));
    }
    let facts = ["records", "1", "report", "interfaces", "0", "facts"];
    for state in [Unknown, Up, Down, Dormant, LowerLayerDown] {
        let document = with_interval(|interval| interval.interfaces[0].facts.state = state);
        let name = enumeration(&document, &facts, "state");
        assert_eq!(name, proto_name("OPER_STATE", &state));
    }
    for kind in [
        InterfaceKind::Other,
        InterfaceKind::Physical,
        InterfaceKind::Wireless,
        InterfaceKind::Loopback,
        InterfaceKind::Bridge,
        InterfaceKind::Bond,
        InterfaceKind::Vlan,
        InterfaceKind::Veth,
        InterfaceKind::Tunnel,
    ] {
        let document = with_interval(|interval| interval.interfaces[0].facts.kind = kind);
        let name = enumeration(&document, &facts, "kind");
        assert_eq!(name, proto_name("INTERFACE_KIND", &kind));
    }
    for kind in [ProbeKind::Other, ProbeKind::Icmp, ProbeKind::TcpConnect] {
        let document = with_interval(|interval| interval.probes[0].kind = kind);
        let name = enumeration(
            &document,
            &["records", "1", "report", "probes", "0"],
            "kind",
        );
        assert_eq!(name, proto_name("PROBE_KIND", &kind));
    }
    for reason in DROP_REASONS {
        let mut document = full_document();
        document.records[2].body = RecordBody::Dropped(Dropped {
            from_seq: 3,
            reports: 3,
            reason,
        });
        let name = enumeration(&document, &["records", "2", "dropped"], "reason");
        assert_eq!(name, proto_name("DROP_REASON", &reason));
        let lost = FlowsLost { rows: 1, reason };
        let document = with_interval(|interval| interval.flows_lost = Some(lost));
        let name = enumeration(
            &document,
            &["records", "1", "report", "flows_lost"],
            "reason",
        );
        assert_eq!(name, proto_name("DROP_REASON", &reason));
    }
}

fn with_interval(change: impl FnOnce(&mut Interval)) -> Document {
    let mut document = full_document();
    let RecordBody::Report(interval) = &mut document.records[1].body else {
        panic!()
    };
    change(interval);
    document
}

/// The name of an enumeration's value in the message at `path`.
fn enumeration(document: &Document, path: &[&str], field: &str) -> String {
    let bytes = encode(document);
    let document = DynamicMessage::decode(message("Document"), bytes.as_slice()).unwrap();
    let inner = at(&document, path);
    let inner = inner.as_message().unwrap();
    let number = inner.get_field_by_name(field).unwrap().as_enum_number();
    let Kind::Enum(kind) = inner.descriptor().get_field_by_name(field).unwrap().kind() else {
        panic!("{field}")
    };
    kind.get_value(number.unwrap()).unwrap().name().to_owned()
}

fn proto_name(prefix: &str, variant: &impl serde::Serialize) -> String {
    let name = serde_json::to_value(variant).unwrap();
    format!("{prefix}_{}", name.as_str().unwrap().to_uppercase())
}

/// Fields that the proto file does not have, at any depth.
fn unknown_fields(message: &DynamicMessage) -> usize {
    let own = message.unknown_fields().count();
    let below = message.fields().map(|(_, value)| match value {
        Value::Message(inner) => unknown_fields(inner),
        Value::List(list) => list
            .iter()
            .filter_map(Value::as_message)
            .map(unknown_fields)
            .sum(),
        _ => 0,
    });
    own + below.sum::<usize>()
}

fn at(message: &DynamicMessage, path: &[&str]) -> Value {
    let mut value = Value::Message(message.clone());
    for step in path {
        value = match &value {
            Value::List(list) => list[step.parse::<usize>().unwrap()].clone(),
            other => {
                let message = other.as_message().unwrap();
                assert!(message.has_field_by_name(step), "{step} of {path:?}");
                message.get_field_by_name(step).unwrap().into_owned()
            }
        };
    }
    value
}

fn plain(value: &Value) -> String {
    match value {
        Value::U32(number) => number.to_string(),
        Value::U64(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::F32(number) => format!("{number:?}"),
        Value::F64(number) => format!("{number:?}"),
        Value::EnumNumber(number) => number.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::List(list) => {
            let parts: Vec<_> = list.iter().map(plain).collect();
            format!("[{}]", parts.join(", "))
        }
        other => panic!("{other:?}"),
    }
}
