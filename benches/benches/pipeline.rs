//! Frames in, flows out: the account that `flows` uses, the monitor of a live agent, and the naive
//! peer in the same run. Elements are frames.

mod support;

use std::time::Duration;

use bwmon_benches::naive::Flows;
use bwmon_benches::trace::{Kind, Trace};
use bwmon_core::collector::Observer;
use bwmon_core::flow::Limits;
use bwmon_core::monitor::{Account, AccountConfig, Detail, Monitor, MonitorConfig};
use bwmon_core::time::Timestamp;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use support::CpuTime;

fn account() -> Account {
    Account::new(AccountConfig::new(Limits::flows(usize::MAX), Detail::Full))
}

fn pipeline(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("pipeline");
    group.sample_size(20);
    for kind in Kind::ALL {
        let trace = Trace::for_bench(kind);
        let name = kind.name();
        group.throughput(Throughput::Elements(trace.totals().frames));

        let mut known = account();
        group.bench_function(format!("account_known_flows/{name}"), |bencher| {
            bencher.iter(|| {
                for frame in trace.frames() {
                    known.frame(&frame);
                }
            });
        });
        group.bench_function(format!("account_from_empty/{name}"), |bencher| {
            bencher.iter_batched_ref(
                account,
                |account| {
                    for frame in trace.frames() {
                        account.frame(&frame);
                    }
                    account.rotate()
                },
                BatchSize::PerIteration,
            );
        });
        let mut monitor = Monitor::new(MonitorConfig::default());
        group.bench_function(format!("monitor_window/{name}"), |bencher| {
            bencher.iter(|| {
                for frame in trace.frames() {
                    monitor.frame(frame);
                }
                monitor.rotate(Timestamp::from_secs(1_795_000_002), Duration::from_secs(2))
            });
        });
        group.bench_function(format!("naive_from_empty/{name}"), |bencher| {
            bencher.iter_batched_ref(
                Flows::default,
                |naive| {
                    for frame in trace.frames() {
                        naive.frame(frame.bytes, frame.wire_len);
                    }
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = pipeline
}
criterion_main!(benches);
