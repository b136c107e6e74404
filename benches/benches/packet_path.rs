//! One window of a generated trace through the packet path, against a naive peer in the same run.
//! Throughput is in frames per second. `cargo bench -p bwmon-benches`

use std::hint::black_box;
use std::time::Duration;

use bwmon_benches::naive::NaiveFlows;
use bwmon_benches::trace::Trace;
use bwmon_core::collector::Observer;
use bwmon_core::monitor::{Monitor, MonitorConfig};
use bwmon_core::packet;
use bwmon_core::time::Timestamp;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const FRAMES: usize = 100_000;
const FLOWS: usize = 10_000;
const SEED: u64 = 20_261_101;

fn packet_path(criterion: &mut Criterion) {
    let trace = Trace::mixed(FRAMES, FLOWS, SEED);
    let mut group = criterion.benchmark_group("packet_path");
    group.throughput(Throughput::Elements(FRAMES as u64));

    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            for frame in trace.frames() {
                black_box(packet::parse(frame.link, frame.bytes));
            }
        });
    });

    let mut monitor = Monitor::new(MonitorConfig::default());
    group.bench_function("monitor", |bencher| {
        bencher.iter(|| {
            for frame in trace.frames() {
                monitor.frame(frame);
            }
            monitor.rotate(Timestamp::from_secs(1_795_000_002), Duration::from_secs(2))
        });
    });

    let mut naive = NaiveFlows::default();
    group.bench_function("naive", |bencher| {
        bencher.iter(|| {
            for frame in trace.frames() {
                naive.frame(frame.bytes, frame.wire_len);
            }
            naive.take()
        });
    });
    group.finish();
}

criterion_group!(benches, packet_path);
criterion_main!(benches);
