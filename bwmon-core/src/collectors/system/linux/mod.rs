//! Mounts, disks and interfaces from `/proc` and `/sys`.

mod disks;
mod interfaces;
mod mounts;
mod routes;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use super::filter::Matcher;
use super::{Reading, mark_uplinks};
use crate::collector::{CollectError, CollectErrorKind};
use crate::report::{DiskCounters, MountUsage};

use interfaces::Interfaces;
use mounts::Mounts;

#[derive(Debug)]
pub(super) struct Platform {
    disks: Matcher,
    mounts: Mounts,
    interfaces: Interfaces,
}

impl Platform {
    pub(super) fn new(disks: Matcher, network_mounts: bool) -> Self {
        Self {
            mounts: Mounts::new(disks.clone(), network_mounts),
            disks,
            interfaces: Interfaces::new(),
        }
    }

    pub(super) fn mounts(&mut self, now: Instant) -> Vec<MountUsage> {
        self.mounts.read(now)
    }

    pub(super) fn disks(&self) -> Vec<(String, DiskCounters)> {
        disks::read(&self.disks)
    }

    pub(super) fn interfaces(&mut self, now: Instant) -> Result<Reading, CollectError> {
        self.interfaces.read(now)
    }
}

/// Every interface, read anew.
pub(super) fn interfaces() -> Result<Reading, CollectError> {
    Interfaces::new().read(Instant::now())
}

pub(super) fn boot_id() -> String {
    let id = read_text("/proc/sys/kernel/random/boot_id", 64);
    id.unwrap_or_default().trim().to_owned()
}

/// Microseconds since boot, and the part of them that the host slept (clock_gettime(2)).
#[expect(
    clippy::unnecessary_wraps,
    reason = "other platforms have no such clocks"
)]
pub(super) fn since_boot_us() -> Option<(u64, u64)> {
    let micros = |clock| {
        let at = clock_gettime(clock);
        let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
        let nanos = u64::try_from(at.tv_nsec).unwrap_or(0);
        seconds
            .saturating_mul(1_000_000)
            .saturating_add(nanos / 1_000)
    };
    let awake_us = micros(ClockId::Monotonic);
    let since_boot_us = micros(ClockId::Boottime);
    let apart_us = since_boot_us.saturating_sub(awake_us);
    // The two are read one after the other: less than a millisecond is that.
    let slept_us = if apart_us < 1_000 { 0 } else { apart_us };
    Some((since_boot_us, slept_us))
}

/// `PRETTY_NAME` of os-release(5).
pub(super) fn os_name() -> Option<String> {
    ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| pretty_name(&read_text(path, 16 << 10).ok()?))
}

fn pretty_name(os_release: &str) -> Option<String> {
    let value = os_release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

/// The first `limit` bytes of a file.
fn read_text(path: impl AsRef<Path>, limit: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(limit).read_to_string(&mut text)?;
    Ok(text)
}

fn unreadable(what: &str, advice: &str, error: io::Error) -> CollectError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => CollectErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => CollectErrorKind::Permission,
        _ => CollectErrorKind::Temporary,
    };
    CollectError::new(kind, format!("cannot read {what}: {error}; {advice}")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pretty_name_is_unquoted() {
        let text = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(
            pretty_name(text).as_deref(),
            Some("Debian GNU/Linux 12 (bookworm)")
        );
        assert_eq!(
            pretty_name("PRETTY_NAME=Alpine\n").as_deref(),
            Some("Alpine")
        );
        assert_eq!(pretty_name("NAME=x\n"), None);
    }
}
