//! `bwmon-agent run`

use std::sync::{Arc, mpsc};
use std::thread;

use anyhow::{Context, bail};
use bwmon_core::Monitor;
use bwmon_core::monitor::MonitorConfig;
use tokio::runtime::Builder;

use super::config::{Config, MethodChoice};
use super::deliver::deliver;
use super::gather::{Gatherer, Review, Stop};
use super::handoff::Handoff;
use super::host::{self, Host};
use super::identity::Identity;
use super::ladder::{Ladder, Rung, title};
use super::metrics;
use super::outlets::{Destination, Outlets};
use super::probing;
use super::selection::{Selection, check_names};
use super::sources::Sources;
use super::vitals::Vitals;

/// Stack of the capture thread. The deepest call is the reading of the host.
const STACK_BYTES: usize = 512 * 1024;

/// Measures, captures and reports until a signal ends it.
pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let identity = Identity::take(&config.data_dirs())?;
    let destination = destination(config, &identity)?;
    let vitals = Arc::new(Vitals::default());
    let mut gatherer = gatherer(config)?;
    gatherer.tell(Arc::clone(&vitals));
    say_where_reports_go(config, &identity, destination.as_ref());
    say_how_flows_are_seen(gatherer.rung(), gatherer.selection());

    if let (true, Some(destination)) = (config.ping.enabled, &destination) {
        let vitals = Arc::clone(&vitals);
        gatherer.listen_to(probing::start(config.ping, destination, vitals)?);
    }
    let (handoff, intervals) = Handoff::new();
    let (stop, stopped) = mpsc::channel();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let told = Arc::clone(&vitals);
        let outlets = Outlets::open(config, &identity, destination.as_ref(), told).await?;
        if let Some(address) = config.metrics.listen {
            let sources = metrics::Sources::of(&outlets, vitals, config.max_flows.count());
            metrics::start(address, sources).await?;
        }
        let interval = config.interval.duration();
        thread::Builder::new()
            .name("capture".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || gatherer.run(interval, handoff, &Stop(stopped)))
            .context("cannot start the capture thread")?;
        deliver(outlets, intervals, stop).await
    })
}

fn gatherer(config: &Config) -> anyhow::Result<Gatherer<Sources>> {
    let mut bounds = MonitorConfig::default();
    bounds.max_flows = config.max_flows.count();
    let wanted = config.capture.interfaces.clone();
    let host = host::open(config)?;
    check_names(&wanted, &Host::interfaces(&host)?)?;
    let sources = Sources::new(config.capture.ring_bytes);
    let ladder = Ladder::new(sources, config.capture.method, &host::program());
    let monitor = Monitor::new(bounds);
    let gatherer = Gatherer::new(monitor, Box::new(host), wanted, ladder, Review::default());
    if let Some(reason) = &gatherer.rung().refusal {
        bail!(
            "capture.method {} cannot be used: {reason}. Or set capture.method to auto, which takes \
             the best that is permitted",
            choice(config.capture.method)
        );
    }
    Ok(gatherer)
}

fn choice(method: MethodChoice) -> String {
    let value = clap::ValueEnum::to_possible_value(&method);
    value
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

/// Where reports are sent; nowhere where they are only printed.
fn destination(config: &Config, identity: &Identity) -> anyhow::Result<Option<Destination>> {
    if config.is_offline {
        return Ok(None);
    }
    let Some(enrolled) = &identity.enrolled else {
        bail!(
            "this agent is not enrolled (there is no credential in {}): run `bwmon-collector \
             enrol-token` on the collector's host, then `bwmon-agent enrol` here, and paste what it \
             printed",
            identity.folder.display()
        );
    };
    let collector = config.collector.as_ref().unwrap_or(&enrolled.collector);
    Ok(Some(Destination {
        agent: enrolled.agent,
        collector: collector.clone(),
        credential: enrolled.credential.clone(),
    }))
}

fn say_where_reports_go(config: &Config, identity: &Identity, destination: Option<&Destination>) {
    let destination = match destination.map(|destination| &destination.collector) {
        None => "standard output".to_owned(),
        Some(collector) if config.stdout => format!("{collector} and standard output"),
        Some(collector) => collector.to_string(),
    };
    let agent = identity.agent();
    tracing::info!(
        "bwmon-agent {}: {}, data in {}, a report every {} to {destination}",
        env!("CARGO_PKG_VERSION"),
        agent.map_or("not enrolled".to_owned(), |agent| format!("agent {agent}")),
        identity.folder.display(),
        config.interval,
    );
}

/// One line on what is seen; where more could be, a second one on how.
pub(super) fn say_how_flows_are_seen(rung: &Rung, selection: &Selection) {
    let method = title(rung.status.method);
    if rung.status.interfaces.is_empty() {
        tracing::info!("flows: through {method}");
    } else {
        let names = rung.status.interfaces.join(", ");
        tracing::info!(
            "flows: every frame on {names} ({}) through {method}",
            selection.reason
        );
    }
    if let Some(note) = &rung.status.note {
        tracing::warn!("flows: {note}");
    }
}
