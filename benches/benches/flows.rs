//! The flow table and what is asked of it, without parsing. Elements are frames where the table counts
//! them, and flows elsewhere.

mod support;

use bwmon_benches::trace::{Kind, Trace};
use bwmon_core::flow::{Endpoint, FlowKey, FlowTable, Limits, Seen, Snapshot, View};
use bwmon_core::frame::{Direction, Frame};
use bwmon_core::packet::{self, Parsed};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use support::CpuTime;

/// Rows of a report, and of a list that somebody reads.
const LIMITS: [usize; 2] = [5_000, 20];

/// The flows of a trace's IP frames, and what the table is told of each.
fn observations(kind: Kind) -> Vec<(FlowKey, Seen)> {
    let trace = Trace::for_bench(kind);
    let observe = |frame: Frame<'_>| {
        let Parsed::Ip(view) = packet::parse(frame.link, frame.bytes) else {
            return None;
        };
        let (source_port, destination_port) = view.ports.unwrap_or_default();
        let source = Endpoint {
            address: view.source(),
            port: source_port,
        };
        let destination = Endpoint {
            address: view.destination(),
            port: destination_port,
        };
        let (local, remote) = match frame.direction {
            Direction::Egress => (source, destination),
            Direction::Ingress | Direction::Unknown => (destination, source),
        };
        let seen = Seen {
            place: Some(frame.interface),
            direction: frame.direction,
            at: frame.at,
            wire_len: frame.wire_len,
            tcp_flags: view.tcp_flags,
        };
        Some((FlowKey::new(view.protocol, local, remote), seen))
    };
    trace.frames().filter_map(observe).collect()
}

fn fill(table: &mut FlowTable, observations: &[(FlowKey, Seen)]) {
    for (key, seen) in observations {
        table.frame(key, seen);
    }
}

fn filled(observations: &[(FlowKey, Seen)]) -> FlowTable {
    let mut table = FlowTable::new(Limits::flows(usize::MAX));
    fill(&mut table, observations);
    table
}

/// Frames of flows that the table knows, and frames of flows most of which have no room.
fn table(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("table");
    group.sample_size(20);
    for kind in Kind::ALL {
        let observations = observations(kind);
        group.throughput(Throughput::Elements(observations.len() as u64));
        let mut table = filled(&observations);
        group.bench_function(format!("known/{}", kind.name()), |bencher| {
            bencher.iter(|| fill(&mut table, &observations));
        });
        let mut table = FlowTable::new(Limits::flows(4_096));
        group.bench_function(format!("full/{}", kind.name()), |bencher| {
            bencher.iter(|| fill(&mut table, &observations));
        });
    }
    group.finish();
}

/// Moving the table out, and putting two windows together.
fn rotation(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("rotation");
    group.sample_size(20);
    for kind in [Kind::Mixed, Kind::Worst] {
        let observations = observations(kind);
        let flows = filled(&observations).len();
        group.throughput(Throughput::Elements(flows as u64));
        group.bench_function(format!("rotate/{}", kind.name()), |bencher| {
            bencher.iter_batched_ref(
                || filled(&observations),
                FlowTable::rotate,
                BatchSize::PerIteration,
            );
        });
        let (first, second) = observations.split_at(observations.len() / 2);
        let (first, second) = (filled(first).rotate(), filled(second).rotate());
        group.throughput(Throughput::Elements((first.len() + second.len()) as u64));
        group.bench_function(format!("merge/{}", kind.name()), |bencher| {
            bencher.iter_batched(
                || (first.clone(), second.clone()),
                |(first, second)| first.merge(second),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// The largest flows, alone and with the rest added up, and the flows of each pair as one.
fn views(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("views");
    group.sample_size(20);
    for kind in [Kind::Mixed, Kind::Worst] {
        let snapshot: Snapshot = filled(&observations(kind)).rotate();
        group.throughput(Throughput::Elements(snapshot.len() as u64));
        for limit in LIMITS {
            group.bench_function(format!("top_{limit}/{}", kind.name()), |bencher| {
                bencher.iter(|| snapshot.top(limit));
            });
            group.bench_function(format!("largest_{limit}/{}", kind.name()), |bencher| {
                bencher.iter(|| snapshot.largest(limit));
            });
        }
        group.bench_function(format!("by_pair/{}", kind.name()), |bencher| {
            bencher.iter_with_large_drop(|| snapshot.by(View::Pair, |_| true));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = table, rotation, views
}
criterion_main!(benches);
