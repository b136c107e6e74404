//! Where reports go: the collector, standard output, or both.

use std::future::pending;
use std::io::{self, Stdout, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, anyhow, bail};
use bwmon_core::Sink;
use bwmon_core::collectors::system::BootClock;
use bwmon_core::outbox::Outbox;
use bwmon_core::report::{AgentId, Envelope, Interval};
use bwmon_sinks::Secret;
use bwmon_sinks::driver::{Backlog, Driver, DriverConfig, DriverStats, NotTaken, SpoolQueue, Tap};
use bwmon_sinks::http::{Encoding, HttpConfig, HttpSink, Stamp};
use bwmon_sinks::stdout::{StdoutConfig, StdoutSink};
use tokio::runtime::Builder;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::clock::wall_clock;
use super::config::{CollectorUrl, Config, EncodingChoice};
use super::identity::{Identity, draw_epoch};
use super::spool;
use super::vitals::{Vitals, count};
use crate::common::secret::Secret256;

/// Stack of the thread that prints.
const STACK_BYTES: usize = 256 * 1024;

/// Which collector reports go to, from whom, and what opens it.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    pub(super) agent: AgentId,
    pub(super) collector: CollectorUrl,
    pub(super) credential: Secret256,
}

/// Where records are printed, as long as somebody reads. Shared with the spool's thread, which
/// numbers them.
type Printer = Arc<Mutex<Option<Driver>>>;

/// What a driver says of itself.
pub(super) type Watched = watch::Receiver<DriverStats>;

/// The drivers in use. At least one at the start.
#[derive(Debug)]
pub(super) struct Outlets {
    collector: Option<Collector>,
    stdout: Printer,
    is_printing: bool,
    reader_gone: Arc<Notify>,
    vitals: Arc<Vitals>,
    /// Numbers what no spool numbers.
    outbox: Outbox,
}

#[derive(Debug)]
enum Collector {
    /// What waits is held in memory.
    Memory(Driver),
    /// What waits is on disk; a report that the spool has no time for is merged with the next one.
    Spool {
        driver: Driver<SpoolQueue>,
        waiting: Option<Box<Interval>>,
    },
}

impl Outlets {
    /// Starts what `config` asks for, and the way to `destination` where there is one. Inside a
    /// runtime.
    pub(super) async fn open(
        config: &Config,
        identity: &Identity,
        destination: Option<&Destination>,
        vitals: Arc<Vitals>,
    ) -> anyhow::Result<Self> {
        let reader_gone = Arc::new(Notify::new());
        let mut printer = None;
        if config.stdout {
            printer = Some(print(Arc::clone(&reader_gone)).await?);
        }
        let stdout: Printer = Arc::new(Mutex::new(printer));
        let collector = destination
            .map(|to| Collector::start(config, &identity.folder, to, &stdout))
            .transpose()?;
        // One that is not enrolled only prints, and is nobody.
        let agent = identity.agent().unwrap_or_default();
        let mut outlets = Self {
            collector,
            stdout,
            is_printing: config.stdout,
            reader_gone,
            vitals,
            outbox: Outbox::new(agent, draw_epoch()?),
        };
        if !matches!(outlets.collector, Some(Collector::Spool { .. })) {
            let start = outlets.outbox.start(wall_clock());
            outlets.offer(start);
        }
        Ok(outlets)
    }

    /// Gives a report to everyone. Never waits.
    pub(super) fn report(&mut self, interval: Interval) -> anyhow::Result<()> {
        if let Some(Collector::Spool { driver, waiting }) = &mut self.collector {
            return keep(driver, waiting, interval, &self.vitals);
        }
        let envelope = self.outbox.report(interval);
        self.offer(envelope);
        Ok(())
    }

    fn offer(&self, envelope: Envelope) {
        match (&self.collector, &*printer(&self.stdout)) {
            (Some(Collector::Memory(driver)), Some(printer)) => {
                driver.offer(envelope.clone());
                printer.offer(envelope);
            }
            (Some(Collector::Memory(driver)), None) => driver.offer(envelope),
            (_, Some(printer)) => printer.offer(envelope),
            (_, None) => {}
        }
    }

    /// What became of what was given, as it changes: on the way to the collector, and printed.
    pub(super) fn watch(&self) -> [Option<Watched>; 2] {
        let collector = self.collector.as_ref().map(|collector| match collector {
            Collector::Memory(driver) => driver.watch(),
            Collector::Spool { driver, .. } => driver.watch(),
        });
        let stdout = printer(&self.stdout).as_ref().map(Driver::watch);
        [collector, stdout]
    }

    /// Waits until nobody reads standard output any more.
    pub(super) async fn reader_gone(&self) {
        if self.is_printing {
            self.reader_gone.notified().await;
        } else {
            pending::<()>().await;
        }
    }

    /// Gives printing up; says whether anyone is left.
    pub(super) fn stop_printing(&mut self) -> bool {
        self.is_printing = false;
        *printer(&self.stdout) = None;
        self.collector.is_some()
    }

    /// Sends what waits until `deadline`, then ends; logs what is left.
    pub(super) async fn close(mut self, deadline: Instant) {
        if let Some(collector) = &mut self.collector {
            // A disk that hangs must not keep the agent from ending.
            let _is_kept = timeout_at(deadline, collector.settle()).await;
        }
        let stdout = printer(&self.stdout).take();
        tokio::join!(
            async {
                match self.collector {
                    Some(Collector::Memory(driver)) => close(driver, deadline).await,
                    Some(Collector::Spool { driver, .. }) => close(driver, deadline).await,
                    None => {}
                }
            },
            async {
                if let Some(driver) = stdout {
                    close(driver, deadline).await;
                }
            }
        );
    }
}

fn printer(stdout: &Printer) -> MutexGuard<'_, Option<Driver>> {
    stdout.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Collector {
    fn start(
        config: &Config,
        data: &Path,
        destination: &Destination,
        stdout: &Printer,
    ) -> anyhow::Result<Self> {
        let sink = http(destination, config.encoding)?;
        if !config.spool.enabled {
            return Ok(Self::Memory(Driver::spawn(sink, DriverConfig::default())));
        }
        let tap = config.stdout.then(|| {
            let stdout = Arc::clone(stdout);
            Box::new(move |envelope: &Envelope| {
                if let Some(printer) = &*printer(&stdout) {
                    printer.offer(envelope.clone());
                }
            }) as Tap
        });
        let queue = spool::start(&config.spool, destination.agent, data, tap)?;
        Ok(Self::Spool {
            driver: Driver::with_spool(sink, DriverConfig::default(), queue),
            waiting: None,
        })
    }

    /// Waits until the spool has everything.
    async fn settle(&mut self) {
        let Self::Spool { driver, waiting } = self else {
            return;
        };
        driver.sync().await;
        if let Some(interval) = waiting.take() {
            // It has just said that it is not behind any more.
            let _is_taken = driver.report(*interval);
            driver.sync().await;
        }
    }
}

fn keep(
    driver: &Driver<SpoolQueue>,
    waiting: &mut Option<Box<Interval>>,
    interval: Interval,
    vitals: &Vitals,
) -> anyhow::Result<()> {
    let interval = match waiting.take() {
        Some(mut earlier) => {
            count(&vitals.spool_merged);
            earlier.absorb(interval);
            *earlier
        }
        None => interval,
    };
    match driver.report(interval) {
        Ok(()) => Ok(()),
        Err(NotTaken::Busy(interval)) => {
            *waiting = Some(interval);
            Ok(())
        }
        Err(NotTaken::Ended) => {
            bail!("the thread of the spool ended by itself; please report what it printed")
        }
    }
}

async fn close<Q: Backlog>(driver: Driver<Q>, deadline: Instant) {
    let stats = driver.watch();
    let left = deadline.saturating_duration_since(Instant::now());
    // A little less for the queue, so that the sink itself has time to close.
    match timeout_at(deadline, driver.close(left.mul_f64(0.9))).await {
        Ok(closed) => {
            if let Err(error) = closed.sink {
                tracing::warn!("the end of delivery: {error}");
            }
        }
        Err(_) => tracing::warn!("delivery did not end in time"),
    }
    let stats = stats.borrow().clone();
    let left = stats.queued + stats.in_flight;
    if left == 0 {
        return;
    }
    let reason = stats
        .last_error
        .unwrap_or_else(|| "no time was left".to_owned());
    match stats.spool {
        Some(spool) if spool.memory_mode.is_none() => {
            tracing::info!("{left} records stay in the spool for the next start: {reason}");
        }
        _ => tracing::warn!("{left} records were not delivered: {reason}"),
    }
}

fn http(destination: &Destination, encoding: EncodingChoice) -> anyhow::Result<Box<dyn Sink>> {
    let credential = Secret::new(destination.credential.expose());
    let mut http = HttpConfig::new(destination.collector.as_str(), credential);
    http.encoding = match encoding {
        EncodingChoice::Compact => Encoding::Compact,
        EncodingChoice::Json => Encoding::Json,
    };
    http.stamp = BootClock::new().map(|clock| Stamp::new(move || clock.sent()));
    let sink = HttpSink::new(&http).context("reports cannot be sent")?;
    Ok(Box::new(sink))
}

/// Prints on a thread and a runtime of its own: writing to a pipe takes as long as its reader
/// likes, and nothing else may wait for that.
async fn print(reader_gone: Arc<Notify>) -> anyhow::Result<Driver> {
    let (ready, is_ready) = oneshot::channel();
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let serve = move || {
        runtime.block_on(async move {
            let output = Output {
                inner: io::stdout(),
                reader_gone,
            };
            let sink: Box<dyn Sink> = Box::new(StdoutSink::new(output, StdoutConfig::default()));
            if ready
                .send(Driver::spawn(sink, DriverConfig::default()))
                .is_ok()
            {
                pending::<()>().await;
            }
        });
    };
    thread::Builder::new()
        .name("stdout".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(serve)
        .context("cannot start the thread that prints")?;
    is_ready
        .await
        .map_err(|_| anyhow!("the thread that prints ended"))
}

/// Standard output that tells when its reader went away.
#[derive(Debug)]
struct Output {
    inner: Stdout,
    reader_gone: Arc<Notify>,
}

impl Output {
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        {
            self.reader_gone.notify_one();
        }
        result
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.inner.write(bytes);
        self.note(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.note(result)
    }
}
