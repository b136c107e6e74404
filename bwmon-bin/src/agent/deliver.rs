//! The async side: gives intervals to the outlets, and ends in an orderly way.

use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};
use bwmon_core::report::Interval;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};

use super::memory::release_startup_code;
use super::outlets::Outlets;

/// Longest time from the signal to the end of the process; 2 s is promised.
const GRACE: Duration = Duration::from_millis(1_800);
/// The part of it within which the open interval must be closed: reading a dead network file system
/// may hang the capture thread, and the reports before must still be sent.
const CLOSING: Duration = Duration::from_millis(1_400);

/// Delivers until a signal ends it. Dropping `stop` ends the capture thread.
pub(super) async fn deliver(
    mut outlets: Outlets,
    mut intervals: Receiver<Interval>,
    stop: mpsc::Sender<()>,
) -> anyhow::Result<()> {
    let mut signals = Signals::new().context("cannot listen to signals")?;
    let mut is_starting = true;
    loop {
        tokio::select! {
            interval = intervals.recv() => match interval {
                Some(interval) => {
                    outlets.report(interval)?;
                    if std::mem::take(&mut is_starting) {
                        release_startup_code();
                    }
                }
                None => bail!("the capture thread ended by itself; please report what it printed"),
            },
            name = signals.next() => {
                tracing::info!("{name}: sending the open interval, then ending");
                break;
            }
            () = outlets.reader_gone() => {
                tracing::info!("nobody reads standard output any more");
                if !outlets.stop_printing() {
                    return Ok(());
                }
            }
        }
    }
    let signalled = Instant::now();
    drop(stop);
    while let Ok(Some(interval)) = timeout_at(signalled + CLOSING, intervals.recv()).await {
        outlets.report(interval)?;
    }
    outlets.close(signalled + GRACE).await;
    Ok(())
}

/// What asks the agent to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
