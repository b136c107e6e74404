//! A report of 200 flows written and read, in the compact encoding and, beside it, in JSON. Elements are
//! flows.

mod support;

use std::time::Duration;

use bwmon_benches::trace::{Kind, Trace};
use bwmon_core::collector::Observer;
use bwmon_core::monitor::{Monitor, MonitorConfig};
use bwmon_core::report::{Document, Epoch, Record, RecordBody, SCHEMA, wire};
use bwmon_core::time::Timestamp;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::CpuTime;

const FLOWS: usize = 200;

/// What a monitor makes of a trace, cut to its largest flows, and how many those are.
fn document(kind: Kind) -> (Document, usize) {
    let mut monitor = Monitor::new(MonitorConfig::default());
    for frame in Trace::for_bench(kind).frames() {
        monitor.frame(frame);
    }
    let end = Timestamp::from_secs(1_795_000_002);
    let mut interval = monitor.rotate(end, Duration::from_secs(2));
    interval.flows.truncate(FLOWS);
    let flows = interval.flows.len();
    let document = Document {
        schema: SCHEMA,
        records: vec![Record {
            epoch: Epoch(1),
            seq: 1,
            body: RecordBody::Report(Box::new(interval)),
        }],
    };
    (document, flows)
}

fn wire_encodings(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("wire");
    for kind in Kind::ALL {
        let (document, flows) = document(kind);
        let name = kind.name();
        group.throughput(Throughput::Elements(flows as u64));
        group.bench_function(format!("encode_compact/{name}"), |bencher| {
            bencher.iter(|| wire::encode(&document));
        });
        group.bench_function(format!("encode_json/{name}"), |bencher| {
            bencher.iter(|| serde_json::to_vec(&document));
        });
        let compact = wire::encode(&document);
        group.bench_function(format!("decode_compact/{name}"), |bencher| {
            bencher.iter(|| wire::decode(&compact));
        });
        let json = serde_json::to_vec(&document).unwrap_or_default();
        group.bench_function(format!("decode_json/{name}"), |bencher| {
            bencher.iter(|| serde_json::from_slice::<Document>(&json));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = wire_encodings
}
criterion_main!(benches);
