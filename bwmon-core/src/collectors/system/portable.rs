//! Mounts and interfaces through `sysinfo`, for systems other than Linux. There a disk's operations
//! are unknown and its bytes are told per mounted file system, so no disk traffic is reported;
//! interfaces have no kind, stacking or routes, so all but loopback count as uplinks.

use std::collections::BTreeSet;
use std::time::Instant;

use sysinfo::{DiskRefreshKind, Disks, InterfaceOperationalState, NetworkData, Networks};

use super::filter::Matcher;
use super::{Reading, mark_uplinks};
use crate::collector::{CollectError, CollectErrorKind};
use crate::collectors::clock::wall_clock;
use crate::frame::{InterfaceId, PerDirection};
use crate::report::{
    DiskCounters, InterfaceFacts, InterfaceKind, KernelCounters, MountUsage, OperState, bounds,
};
use crate::sample::InterfaceSample;

#[derive(Debug)]
pub(super) struct Platform {
    filter: Matcher,
    /// Names seen so far; the place of a name is its interface's number.
    numbered: Vec<String>,
}

impl Platform {
    pub(super) fn new(filter: Matcher, _network_mounts: bool) -> Self {
        Self {
            filter,
            numbered: Vec::new(),
        }
    }

    pub(super) fn mounts(&mut self, _now: Instant) -> Vec<MountUsage> {
        let kind = DiskRefreshKind::nothing().with_storage();
        let Ok(disks) = Disks::new_with_refreshed_list_specifics(kind) else {
            return Vec::new();
        };
        let usage = disks.iter().filter_map(|disk| {
            let path = disk.mount_point().to_string_lossy();
            let device = disk.name().to_string_lossy();
            let is_reported = !disk.is_removable()
                && disk.total_space() > 0
                && self.filter.admits(&[&path, &device]);
            is_reported.then(|| MountUsage {
                path: bounds::clip(&path),
                device: bounds::clip(&device),
                filesystem: bounds::clip(&disk.file_system().to_string_lossy()),
                total_bytes: disk.total_space(),
                used_bytes: disk.total_space().saturating_sub(disk.available_space()),
                available_bytes: disk.available_space(),
            })
        });
        usage.take(bounds::PARTS).collect()
    }

    pub(super) fn disks(&self) -> Vec<(String, DiskCounters)> {
        Vec::new()
    }

    pub(super) fn interfaces(&mut self, _now: Instant) -> Result<Reading, CollectError> {
        let networks = Networks::new_with_refreshed_list().map_err(|error| {
            CollectError::new(
                CollectErrorKind::Temporary,
                format!("cannot list the network interfaces: {error}; the next sample tries again"),
            )
            .caused_by(error)
        })?;
        let at = wall_clock();
        let mut networks: Vec<_> = networks
            .iter()
            .map(|(name, network)| (bounds::clip(&name.to_string_lossy()), network))
            .collect();
        // By name, so that a fresh listing numbers them alike.
        networks.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut interfaces: Vec<_> = networks
            .into_iter()
            .map(|(name, network)| interface(self.number(&name), name, network))
            .collect();
        let mut facts: Vec<_> = interfaces.iter_mut().map(|i| &mut i.facts).collect();
        mark_uplinks(&mut facts, &BTreeSet::new());
        Ok(Reading { at, interfaces })
    }

    fn number(&mut self, name: &str) -> InterfaceId {
        let known = self.numbered.iter().position(|known| known == name);
        let place = known.unwrap_or_else(|| {
            self.numbered.push(name.to_owned());
            self.numbered.len() - 1
        });
        InterfaceId(u32::try_from(place + 1).unwrap_or(u32::MAX))
    }
}

/// Every interface, read anew.
pub(super) fn interfaces() -> Result<Reading, CollectError> {
    let everything = Matcher::new(&super::NameFilter::default());
    Platform::new(everything, false).interfaces(Instant::now())
}

pub(super) fn boot_id() -> String {
    String::new()
}

pub(super) const fn since_boot_us() -> Option<(u64, u64)> {
    None
}

pub(super) fn os_name() -> Option<String> {
    sysinfo::System::long_os_version().ok()
}

fn interface(id: InterfaceId, name: String, network: &NetworkData) -> InterfaceSample {
    let mut addresses = network.ip_networks().iter();
    let is_loopback = addresses.any(|network| network.addr.is_loopback());
    let facts = InterfaceFacts {
        id,
        name,
        kind: if is_loopback {
            InterfaceKind::Loopback
        } else {
            InterfaceKind::Other
        },
        state: match network.operational_state() {
            InterfaceOperationalState::Up => OperState::Up,
            InterfaceOperationalState::Down => OperState::Down,
            InterfaceOperationalState::Dormant => OperState::Dormant,
            InterfaceOperationalState::LowerLayerDown => OperState::LowerLayerDown,
            _ => OperState::Unknown,
        },
        ..InterfaceFacts::default()
    };
    let counters = PerDirection {
        ingress: KernelCounters {
            bytes: network.total_received(),
            packets: network.total_packets_received(),
            errors: network.total_errors_on_received(),
            drops: 0,
        },
        egress: KernelCounters {
            bytes: network.total_transmitted(),
            packets: network.total_packets_transmitted(),
            errors: network.total_errors_on_transmitted(),
            drops: 0,
        },
    };
    InterfaceSample { facts, counters }
}
