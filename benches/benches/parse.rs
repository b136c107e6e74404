//! From a frame's first byte to addresses and ports, for each trace.

mod support;

use std::hint::black_box;

use bwmon_benches::trace::{Kind, Trace};
use bwmon_core::packet;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::CpuTime;

fn parse(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("parse");
    group.sample_size(20);
    for kind in Kind::ALL {
        let trace = Trace::for_bench(kind);
        group.throughput(Throughput::Elements(trace.totals().frames));
        group.bench_function(kind.name(), |bencher| {
            bencher.iter(|| {
                for frame in trace.frames() {
                    black_box(packet::parse(frame.link, frame.bytes));
                }
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = parse
}
criterion_main!(benches);
