//! The numbers under their names.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bwmon_core::report::CaptureMethod;
use bwmon_sinks::driver::DriverStats;
use bwmon_sinks::spool::SpoolStats;

use super::Sources;
use super::process::Process;
use crate::agent::outlets::Watched;
use crate::agent::vitals::{CaptureSums, Vitals};
use crate::common::exposition::Kind::{Counter, Gauge};
use crate::common::exposition::{Exposition, Kind, float};

/// All metrics as they are now.
pub(super) fn of(sources: &Sources) -> String {
    let read = |watched: &Option<Watched>| -> DriverStats {
        let stats = watched.as_ref().map(|watched| watched.borrow().clone());
        stats.unwrap_or_default()
    };
    let collector = read(&sources.collector);
    let capture = sources.vitals.capture();
    let mut text = Exposition::default();
    text.labelled(
        Gauge,
        "bwmon_agent_info",
        "The agent's version; the value is always 1.",
        "version",
        &[(env!("CARGO_PKG_VERSION"), 1.0)],
    );
    process(&mut text, &Process::look());
    intervals(&mut text, &capture, collector.unnumbered, &sources.vitals);
    flows(&mut text, &capture, sources.max_flows);
    records(&mut text, &collector);
    delivery(&mut text, &collector);
    spool(&mut text, collector.spool.as_ref());
    stdout(&mut text, &read(&sources.stdout));
    text.finish()
}

fn process(text: &mut Exposition, process: &Process) {
    for (kind, name, help, value) in [
        (
            Gauge,
            "bwmon_agent_process_resident_memory_bytes",
            "Memory that the agent has in RAM.",
            process.resident_bytes,
        ),
        (
            Counter,
            "bwmon_agent_process_cpu_seconds_total",
            "Processor time of the agent, user and system.",
            process.cpu_seconds,
        ),
        (
            Gauge,
            "bwmon_agent_process_threads",
            "Threads of the agent.",
            process.threads,
        ),
        (
            Gauge,
            "bwmon_agent_process_open_files",
            "File descriptors that are open.",
            process.open_files,
        ),
    ] {
        if let Some(value) = value {
            text.value(kind, name, help, value);
        }
    }
}

fn intervals(text: &mut Exposition, capture: &CaptureSums, unnumbered: u64, vitals: &Vitals) {
    text.value(
        Counter,
        "bwmon_agent_intervals_total",
        "Intervals that were measured.",
        float(capture.intervals),
    );
    text.labelled(
        Counter,
        "bwmon_agent_intervals_merged_total",
        "Intervals that were merged with the one before because a queue was full, by what it is before.",
        "before",
        &[
            ("delivery", float(capture.merged)),
            ("spool", load(&vitals.spool_merged)),
        ],
    );
    text.labelled(
        Gauge,
        "bwmon_agent_queue_intervals",
        "Intervals that wait between threads, by what the queue is before.",
        "before",
        &[
            ("delivery", float(capture.waiting)),
            ("spool", float(unnumbered)),
        ],
    );
    for (name, help, time) in [
        (
            "bwmon_agent_interval_late_seconds_total",
            "How much later than planned intervals ended.",
            capture.late,
        ),
        (
            "bwmon_agent_interval_close_seconds_total",
            "Time that closing intervals took: reading the host, emptying the ring, moving the flows out.",
            capture.closing,
        ),
        (
            "bwmon_agent_host_read_seconds_total",
            "The part of it that reading the host took.",
            capture.reading,
        ),
    ] {
        text.value(Counter, name, help, time.as_secs_f64());
    }
    text.value(
        Counter,
        "bwmon_agent_pings_dropped_total",
        "Results of pings that had to wait too long.",
        load(&vitals.pings_dropped),
    );
}

fn flows(text: &mut Exposition, capture: &CaptureSums, max_flows: usize) {
    use CaptureMethod::{AfPacket, Counters, Libpcap, SockDiag};
    let is = |method| f64::from(u8::from(capture.method == method));
    text.labelled(
        Gauge,
        "bwmon_agent_capture_method",
        "How flows were seen in the last interval: 1 for the method in use.",
        "method",
        &[
            ("af_packet", is(AfPacket)),
            ("libpcap", is(Libpcap)),
            ("sock_diag", is(SockDiag)),
            ("counters", is(Counters)),
        ],
    );
    text.value(
        Counter,
        "bwmon_agent_capture_failures_total",
        "Times that a way to see flows ended by itself; another one took over.",
        float(capture.failures),
    );
    let seen = capture
        .packets_received
        .saturating_sub(capture.packets_lost);
    text.labelled(
        Counter,
        "bwmon_agent_capture_packets_total",
        "Packets on captured interfaces, by whether the capture saw or lost them.",
        "fate",
        &[("seen", float(seen)), ("lost", float(capture.packets_lost))],
    );
    let bytes = &capture.bytes;
    text.labelled(
        Counter,
        "bwmon_agent_capture_bytes_total",
        "Bytes that the capture saw, by where they are counted; overflow is beyond the flow table or the report.",
        "term",
        &[
            ("attributed", float(bytes.attributed)),
            ("overflow", float(bytes.overflow)),
            ("non_ip", float(bytes.non_ip)),
            ("malformed", float(bytes.malformed)),
        ],
    );
    for (kind, name, help, value) in [
        (
            Gauge,
            "bwmon_agent_flow_table_rows",
            "Flows that the table told apart in the last interval.",
            float(capture.flows),
        ),
        (
            Gauge,
            "bwmon_agent_flow_table_limit_rows",
            "Flows that the table tells apart at most.",
            float(max_flows as u64),
        ),
        (
            Gauge,
            "bwmon_agent_report_flow_rows",
            "Flow rows of the last report.",
            float(capture.rows),
        ),
        (
            Counter,
            "bwmon_agent_report_flow_rows_total",
            "Flow rows of all reports.",
            float(capture.rows_sum),
        ),
    ] {
        text.value(kind, name, help, value);
    }
}

fn records(text: &mut Exposition, stats: &DriverStats) {
    text.value(
        Counter,
        "bwmon_agent_records_emitted_total",
        "Records for the collector, those found on disk at the start included.",
        float(stats.offered),
    );
    text.labelled(
        Counter,
        "bwmon_agent_records_total",
        "Records that the collector answered, by what it said; refused ones are in quarantine.",
        "fate",
        &[
            ("stored", float(stats.stored)),
            ("duplicate", float(stats.duplicate)),
            ("refused", float(stats.refused)),
        ],
    );
    let dropped = stats.spool.as_ref().map(|spool| spool.dropped);
    let of_spool = dropped.unwrap_or_default();
    let of_queue = if dropped.is_some() { 0 } else { stats.dropped };
    text.labelled(
        Counter,
        "bwmon_agent_records_dropped_total",
        "Records that were given up, by why.",
        "reason",
        &[
            ("queue_full", float(of_queue)),
            ("spool_full", float(of_spool.spool_full)),
            ("too_old", float(of_spool.too_old)),
            ("damage", float(of_spool.damage)),
        ],
    );
    text.labelled(
        Gauge,
        "bwmon_agent_records_waiting",
        "Records that the collector has not answered yet, by where they are.",
        "state",
        &[
            ("queued", float(stats.queued)),
            ("in_flight", float(stats.in_flight)),
        ],
    );
    text.value(
        Gauge,
        "bwmon_agent_loss_notices_waiting",
        "Losses that the collector has not been told of yet.",
        float(stats.notices),
    );
    text.labelled(
        Counter,
        "bwmon_agent_loss_notices_total",
        "Losses by whether the collector was told of them; it asks for what it misses.",
        "fate",
        &[
            ("told", float(stats.notices_delivered)),
            ("untold", float(stats.notices_lost)),
        ],
    );
}

fn delivery(text: &mut Exposition, stats: &DriverStats) {
    text.value(
        Counter,
        "bwmon_agent_deliveries_total",
        "Deliveries that the collector took.",
        float(stats.deliveries),
    );
    let failures = &stats.failures;
    text.labelled(
        Counter,
        "bwmon_agent_delivery_retries_total",
        "Deliveries that failed and are tried again, by why.",
        "reason",
        &[
            ("unavailable", float(failures.unavailable)),
            ("busy", float(failures.busy)),
            ("unauthorised", float(failures.unauthorised)),
            ("incompatible", float(failures.incompatible)),
            ("other", float(failures.other)),
        ],
    );
    text.value(
        Gauge,
        "bwmon_agent_backoff_seconds",
        "The wait before the next try after the last delivery failed; 0 since one was taken.",
        seconds(stats.wait),
    );
    text.value(
        Gauge,
        "bwmon_agent_credit_records",
        "Records of a backlog that the collector takes with the next delivery.",
        float(stats.credit.unwrap_or(0)),
    );
    let last = stats
        .last_success
        .map_or(0, |at| at.as_micros() / 1_000_000);
    text.value(
        Gauge,
        "bwmon_agent_last_delivery_timestamp_seconds",
        "When the collector took a delivery last, in seconds since 1970; 0 if never.",
        float(last),
    );
    let oldest = stats.spool.as_ref().and_then(|spool| spool.oldest);
    text.value(
        Gauge,
        "bwmon_agent_delivery_lag_seconds",
        "How long the oldest record in the spool has waited.",
        seconds(oldest),
    );
}

fn spool(text: &mut Exposition, stats: Option<&SpoolStats>) {
    let is_off = stats.is_none();
    let stats = stats.cloned().unwrap_or_default();
    let is_memory = stats.memory_mode.is_some();
    let flag = |is: bool| f64::from(u8::from(is));
    text.labelled(
        Gauge,
        "bwmon_agent_spool_mode",
        "Where undelivered records wait: 1 for what holds; memory means that the disk cannot be used.",
        "mode",
        &[
            ("disk", flag(!is_off && !is_memory)),
            ("memory", flag(is_memory)),
            ("off", flag(is_off)),
        ],
    );
    lanes(text, &stats);
    held(text, &stats);
}

fn lanes(text: &mut Exposition, stats: &SpoolStats) {
    let (core, flow) = (&stats.core, &stats.flow);
    for (name, help, of_core, of_flow) in [
        (
            "bwmon_agent_spool_bytes",
            "Bytes of the spool on disk.",
            float(core.bytes),
            float(flow.bytes),
        ),
        (
            "bwmon_agent_spool_limit_bytes",
            "Most bytes of the spool on disk.",
            float(core.limit_bytes),
            float(flow.limit_bytes),
        ),
        (
            "bwmon_agent_spool_records",
            "Undelivered records on disk.",
            float(core.records),
            float(flow.records),
        ),
        (
            "bwmon_agent_spool_oldest_seconds",
            "Age of the oldest segment with an undelivered record.",
            seconds(core.oldest),
            seconds(flow.oldest),
        ),
    ] {
        text.labelled(
            Gauge,
            name,
            help,
            "lane",
            &[("core", of_core), ("flow", of_flow)],
        );
    }
}

fn held(text: &mut Exposition, stats: &SpoolStats) {
    let sizes: [(Kind, &str, &str, u64); 4] = [
        (
            Gauge,
            "bwmon_agent_spool_memory_bytes",
            "Bytes that are held in memory because the disk cannot be used.",
            stats.memory_bytes,
        ),
        (
            Gauge,
            "bwmon_agent_spool_memory_records",
            "Records that are held in memory for that reason.",
            stats.memory_records,
        ),
        (
            Gauge,
            "bwmon_agent_spool_unsynced_bytes",
            "Bytes that a loss of power would take.",
            stats.unsynced_bytes,
        ),
        (
            Counter,
            "bwmon_agent_spool_flow_parts_lost_total",
            "Reports whose flow rows were given up or damaged.",
            stats.flows_lost,
        ),
    ];
    for (kind, name, help, value) in sizes {
        text.value(kind, name, help, float(value));
    }
}

fn stdout(text: &mut Exposition, stats: &DriverStats) {
    text.labelled(
        Counter,
        "bwmon_agent_stdout_records_total",
        "Records for standard output, by what became of them.",
        "fate",
        &[
            ("printed", float(stats.stored)),
            ("dropped", float(stats.dropped)),
        ],
    );
    text.value(
        Gauge,
        "bwmon_agent_stdout_queue_records",
        "Records that wait to be printed.",
        float(stats.queued),
    );
}

fn load(counter: &AtomicU64) -> f64 {
    float(counter.load(Ordering::Relaxed))
}

fn seconds(time: Option<Duration>) -> f64 {
    time.unwrap_or_default().as_secs_f64()
}
