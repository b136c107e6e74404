//! The library inside a service that has a loop of its own: it samples this host three times, half
//! a second apart, judges each report, and delivers them through a sink of its own.
//!
//! `cargo run -p bwmon-examples --example embed_in_service`

use std::error::Error;
use std::time::Duration;

use bwmon_core::alert::{Findings, RuleContext, Threshold, ThresholdMetric};
use bwmon_core::collectors::system::{System, SystemConfig};
use bwmon_core::monitor::MonitorConfig;
use bwmon_core::outbox::Outbox;
use bwmon_core::report::{AgentId, Epoch, Interval};
use bwmon_core::time::Timestamp;
use bwmon_core::{AlertRule, Collector, Monitor};
use bwmon_examples::custom_sink;
use bwmon_sinks::Clock;
use bwmon_sinks::driver::{Driver, DriverConfig};
use tokio::time::{Instant, MissedTickBehavior, interval};

const INTERVALS: u32 = 3;
const LENGTH: Duration = Duration::from_millis(500);
/// What a sample may take; this collector takes one at once.
const BUDGET: Duration = Duration::from_millis(100);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("reports.jsonl");
    let driver = Driver::spawn(custom_sink::open(&path), DriverConfig::default());
    let reports = serve(&driver).await?;

    let closed = driver.close(Duration::from_secs(10)).await;
    closed.sink?;
    let stored = custom_sink::keys(&path);
    println!(
        "{} records in the file, {} offered",
        stored.len(),
        closed.stats.offered
    );
    // The start of the epoch and each report.
    if stored.len() != reports.len() + 1 || reports.iter().any(|report| report.host.is_none()) {
        return Err("not every report arrived with the host's health".into());
    }
    Ok(())
}

/// The loop of the service.
async fn serve(driver: &Driver) -> Result<Vec<Interval>, Box<dyn Error>> {
    let clock = Clock::default();
    let mut collector = System::new(&SystemConfig::default())?;
    let mut monitor = Monitor::new(MonitorConfig::default());
    // A real service is given the first when it enrols, and draws the second at random.
    let mut outbox = Outbox::new(
        AgentId(0x05e4_11ce),
        Epoch(u128::from(clock.now().as_nanos())),
    );
    driver.offer(outbox.start(clock.now()));

    let mut ticks = interval(LENGTH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut opened = ticks.tick().await;
    // What happened before now is in the counters already and belongs to no report.
    close_interval(&mut collector, &mut monitor, &mut opened, clock.now())?;
    let mut reports = Vec::new();
    for _ in 0..INTERVALS {
        ticks.tick().await;
        let report = close_interval(&mut collector, &mut monitor, &mut opened, clock.now())?;
        judge(&report);
        driver.offer(outbox.report(report.clone()));
        reports.push(report);
    }
    Ok(reports)
}

fn close_interval(
    collector: &mut dyn Collector,
    monitor: &mut Monitor,
    opened: &mut Instant,
    now: Timestamp,
) -> Result<Interval, Box<dyn Error>> {
    collector.collect(BUDGET, monitor)?;
    monitor.set_losses(&collector.losses());
    let length = opened.elapsed();
    *opened += length;
    Ok(monitor.rotate(now, length))
}

fn judge(report: &Interval) {
    for (id, metric) in [
        ("cpu", ThresholdMetric::CpuPercent),
        ("memory", ThresholdMetric::MemoryPercent),
    ] {
        let rule = Threshold::new(id, metric, 90.0);
        let mut findings = Findings::default();
        rule.evaluate(&RuleContext::new(report), &mut findings);
        for finding in findings.as_slice() {
            let state = if finding.is_firing { "FIRING" } else { "fine" };
            println!(
                "{}: {:.1} % is {state}",
                rule.describe().title,
                finding.value
            );
        }
    }
}
