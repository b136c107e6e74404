//! Where numbered reports go: the collector, standard output, or both.

use std::future::pending;
use std::io::{self, Stdout, Write};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, anyhow};
use bwmon_core::Sink;
use bwmon_core::collectors::system::BootClock;
use bwmon_core::report::Envelope;
use bwmon_sinks::Secret;
use bwmon_sinks::driver::{Driver, DriverConfig};
use bwmon_sinks::http::{Encoding, HttpConfig, HttpSink, Stamp};
use bwmon_sinks::stdout::{StdoutConfig, StdoutSink};
use tokio::runtime::Builder;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use super::config::{CollectorUrl, Config, EncodingChoice};
use crate::common::secret::Secret256;

/// Stack of the thread that prints.
const STACK_BYTES: usize = 256 * 1024;

/// Which collector reports go to, and what opens it.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    pub(super) collector: CollectorUrl,
    pub(super) credential: Secret256,
}

/// The drivers in use. At least one at the start.
#[derive(Debug)]
pub(super) struct Outlets {
    collector: Option<Driver>,
    stdout: Option<Driver>,
    reader_gone: Arc<Notify>,
}

impl Outlets {
    /// Starts what `config` asks for, and the way to `destination` where there is one. Inside a
    /// runtime.
    pub(super) async fn open(
        config: &Config,
        destination: Option<&Destination>,
    ) -> anyhow::Result<Self> {
        let collector = destination
            .map(|destination| http(destination, config.encoding))
            .transpose()?;
        let reader_gone = Arc::new(Notify::new());
        let stdout = if config.stdout {
            Some(print(Arc::clone(&reader_gone)).await?)
        } else {
            None
        };
        Ok(Self {
            collector,
            stdout,
            reader_gone,
        })
    }

    /// Queues a record for everyone.
    pub(super) fn offer(&self, envelope: Envelope) {
        match (&self.collector, &self.stdout) {
            (Some(collector), Some(stdout)) => {
                collector.offer(envelope.clone());
                stdout.offer(envelope);
            }
            (Some(driver), None) | (None, Some(driver)) => driver.offer(envelope),
            (None, None) => {}
        }
    }

    /// Waits until nobody reads standard output any more.
    pub(super) async fn reader_gone(&self) {
        if self.stdout.is_some() {
            self.reader_gone.notified().await;
        } else {
            pending::<()>().await;
        }
    }

    /// Gives printing up; says whether anyone is left.
    pub(super) fn stop_printing(&mut self) -> bool {
        self.stdout = None;
        self.collector.is_some()
    }

    /// Sends what is queued until `deadline`, then ends; logs what is left.
    pub(super) async fn close(self, deadline: Instant) {
        tokio::join!(
            close(self.collector, deadline),
            close(self.stdout, deadline)
        );
    }
}

async fn close(driver: Option<Driver>, deadline: Instant) {
    let Some(driver) = driver else { return };
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
    if left > 0 {
        let reason = stats
            .last_error
            .unwrap_or_else(|| "no time was left".to_owned());
        tracing::warn!("{left} records were not delivered: {reason}");
    }
}

fn http(destination: &Destination, encoding: EncodingChoice) -> anyhow::Result<Driver> {
    let credential = Secret::new(destination.credential.expose());
    let mut http = HttpConfig::new(destination.collector.as_str(), credential);
    http.encoding = match encoding {
        EncodingChoice::Compact => Encoding::Compact,
        EncodingChoice::Json => Encoding::Json,
    };
    http.stamp = BootClock::new().map(|clock| Stamp::new(move || clock.sent()));
    let sink = HttpSink::new(&http).context("reports cannot be sent")?;
    Ok(Driver::spawn(Box::new(sink), DriverConfig::default()))
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
