//! What this host permits.

use std::fs;
use std::time::Duration;

use bwmon_core::collector::{CollectErrorKind, InterfaceEvent};
use bwmon_core::flow::FlowKey;
use bwmon_core::frame::{Frame, InterfaceId, PerDirection, Tally};
use bwmon_core::report::{CaptureMethod, InterfaceFacts, MountUsage, ProbeResult};
use bwmon_core::sample::HostSample;
use bwmon_core::time::Timestamp;
use bwmon_core::{Collector, Observer};
use bwmon_sinks::spool::{Folder, look};

use super::super::config::Config;
use super::super::enrolment::{self, Enrolled};
use super::super::ladder::{Ladder, Open, grant_command, title};
use super::super::selection::{Selection, check_names};
use super::super::sources::Sources;
use super::super::spool::folder;
use super::super::{host, identity};
use super::Check;

/// Bit of CAP_NET_RAW in a capability mask (capabilities(7), `linux/capability.h`).
const CAP_NET_RAW: u32 = 13;

/// What the host says of itself.
pub(super) struct Host {
    pub(super) check: Check,
    pub(super) interfaces: Vec<InterfaceFacts>,
    pub(super) mounts: Vec<MountUsage>,
}

/// Reads the host once.
pub(super) fn host(config: &Config) -> Host {
    let mut latest = Latest::default();
    let mut interfaces = Vec::new();
    let read = host::open(config).and_then(|mut system| {
        interfaces = host::Host::interfaces(&system)?;
        system.collect(Duration::ZERO, &mut latest)
    });
    let (check, mounts) = match (read, latest.0) {
        (Ok(_), Some(sample)) => {
            let facts = &sample.metrics.facts;
            let found = format!("{}, {}, kernel {}", facts.hostname, facts.os, facts.kernel);
            (Check::ok("host", found), sample.metrics.mounts)
        }
        (Err(error), _) => (Check::failed("host", error.to_string()), Vec::new()),
        (Ok(_), None) => (Check::failed("host", "it gives no metrics"), Vec::new()),
    };
    Host {
        check,
        interfaces,
        mounts,
    }
}

/// Whether frames may be captured, by the process's capabilities.
pub(super) fn capability() -> Check {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    match effective_capabilities(&status) {
        Some(mask) if mask >> CAP_NET_RAW & 1 == 1 => {
            Check::ok("capability", "CAP_NET_RAW is effective")
        }
        Some(_) => Check::warning("capability", "CAP_NET_RAW is not effective")
            .advise(grant_command(&host::program())),
        None => Check::warning("capability", "cannot be read from /proc/self/status"),
    }
}

fn effective_capabilities(status: &str) -> Option<u64> {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Each way to see flows, and the one that `run` would take.
pub(super) fn capture(
    config: &Config,
    facts: &[InterfaceFacts],
    selection: &Selection,
) -> Vec<Check> {
    let mut sources = Sources::new(config.capture.ring_bytes);
    let methods = [
        CaptureMethod::AfPacket,
        CaptureMethod::Libpcap,
        CaptureMethod::SockDiag,
    ];
    let mut checks: Vec<Check> = methods
        .into_iter()
        .map(|method| open(&mut sources, method, selection))
        .collect();
    if let Err(error) = check_names(&config.capture.interfaces, facts) {
        checks.push(Check::failed("capture", error.to_string()));
        return checks;
    }
    let rung = Ladder::new(sources, config.capture.method, &host::program()).climb(selection, None);
    let method = title(rung.status.method);
    let found = if rung.status.interfaces.is_empty() {
        format!("through {method}")
    } else {
        let names = rung.status.interfaces.join(", ");
        format!(
            "every frame on {names} ({}) through {method}",
            selection.reason
        )
    };
    checks.push(match (rung.refusal, rung.status.note) {
        (Some(refusal), _) => Check::failed("capture", refusal),
        (None, Some(note)) => Check::warning("capture", format!("{found}: {note}")),
        (None, None) => Check::ok("capture", found),
    });
    checks
}

fn open(sources: &mut Sources, method: CaptureMethod, selection: &Selection) -> Check {
    let name = title(method);
    if !sources.is_known(method) {
        return Check::ok(
            name,
            "not compiled in, and not needed on Linux (feature `pcap`)",
        );
    }
    if method.sees_frames() && selection.names.is_empty() {
        return Check::warning(name, selection.reason.clone());
    }
    match sources.open(method, &selection.names) {
        Ok(_) => Check::ok(name, "can be opened"),
        Err(error) if error.kind() == CollectErrorKind::Permission => {
            Check::warning(name, error.to_string())
        }
        Err(error) => Check::warning(name, error.to_string()),
    }
}

/// The data folder and the enrolment in it.
pub(super) fn enrolment(config: &Config) -> (Vec<Check>, Option<Enrolled>) {
    let folders = config.data_dirs();
    let Some((folder, read_only)) = identity::find_usable(&folders) else {
        let names: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
        let found = format!("cannot write {}", names.join(" or "));
        let advice = "choose another folder with --data-dir or BWMON_DATA";
        return (
            vec![Check::failed("data folder", found).advise(advice)],
            None,
        );
    };
    let name = folder.display();
    let writable = match read_only {
        None => Check::ok("data folder", format!("{name} can be written")),
        Some(error) => Check::warning("data folder", format!("{name} cannot be written: {error}")),
    };
    let (known, enrolled) = match enrolment::read(folder) {
        Ok(Some(enrolled)) => {
            let found = format!("as agent {} with {}", enrolled.agent, enrolled.collector);
            (Check::ok("enrolment", found), Some(enrolled))
        }
        Ok(None) if config.is_offline => (
            Check::ok("enrolment", "none, and none is needed to print reports"),
            None,
        ),
        Ok(None) => (
            Check::failed("enrolment", "none: no collector knows this agent").advise(
                "run `bwmon-collector enrol-token` on the collector's host, then `bwmon-agent \
                 enrol` here, and paste what it printed",
            ),
            None,
        ),
        Err(error) => (Check::failed("enrolment", format!("{error:#}")), None),
    };
    (vec![writable, known], enrolled)
}

/// Where undelivered reports wait, and how many do.
pub(super) fn spool(config: &Config) -> Check {
    const NAME: &str = "spool";
    if config.is_offline || !config.spool.enabled {
        return Check::ok(NAME, "off: reports wait in memory");
    }
    let folders = config.data_dirs();
    let usable = identity::find_usable(&folders).map(|(folder, _)| folder);
    let Some(data) = usable.or(folders.first()) else {
        return Check::warning(NAME, "no data folder is known");
    };
    let folder = folder(&config.spool, data);
    let in_memory = |why: String| {
        let found = format!("{}: {why}; reports wait in memory", folder.display());
        Check::warning(NAME, found).advise("set `folder` in [spool] to one that can be written")
    };
    if let Err(error) = identity::probe_folder(&folder) {
        return in_memory(error.to_string());
    }
    match look(&mut Folder::new(folder.clone())) {
        Ok(waiting) => {
            let (records, bytes) = (waiting.records, waiting.disk_bytes);
            let found = format!(
                "on disk in {}: {records} records wait, {bytes} bytes",
                folder.display()
            );
            Check::ok(NAME, found)
        }
        Err(error) => in_memory(error.to_string()),
    }
}

/// Keeps the last sample.
#[derive(Debug, Default)]
struct Latest(Option<HostSample>);

impl Observer for Latest {
    fn frame(&mut self, _frame: Frame<'_>) {}

    fn flow(
        &mut self,
        _at: Timestamp,
        _interface: Option<InterfaceId>,
        _key: FlowKey,
        _delta: PerDirection<Tally>,
    ) {
    }

    fn interface(&mut self, _at: Timestamp, _event: InterfaceEvent) {}

    fn sample(&mut self, _at: Timestamp, sample: HostSample) {
        self.0 = Some(sample);
    }

    fn probe(&mut self, _at: Timestamp, _probe: ProbeResult) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_effective_set() {
        let status = "CapPrm:\t0000000000002000\nCapEff:\t0000000000000400\n";
        assert_eq!(effective_capabilities(status), Some(0x400));
        assert_eq!(effective_capabilities("CapEff:\tx"), None);
    }
}
