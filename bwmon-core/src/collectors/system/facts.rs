use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use sysinfo::Networks;

use super::{Due, platform};
use crate::report::{HostFacts, bounds};
use crate::sample::InterfaceSample;

const REFRESH: Duration = Duration::from_secs(30);

/// The host's name, system and addresses, read again when due.
#[derive(Debug)]
pub(super) struct Facts {
    due: Due,
    uplinks: BTreeSet<String>,
    facts: HostFacts,
}

impl Facts {
    pub(super) fn new(agent_version: &str) -> Self {
        Self {
            due: Due::every(REFRESH),
            uplinks: BTreeSet::new(),
            facts: HostFacts {
                agent_version: bounds::clip(agent_version),
                boot_id: bounds::clip(&platform::boot_id()),
                ..HostFacts::default()
            },
        }
    }

    pub(super) fn read(&mut self, now: Instant, interfaces: &[InterfaceSample]) -> HostFacts {
        let uplinks: BTreeSet<_> = interfaces
            .iter()
            .filter(|interface| interface.facts.is_uplink)
            .map(|interface| interface.facts.name.clone())
            .collect();
        if self.due.take(now, uplinks != self.uplinks) {
            let text = |value: Option<String>| bounds::clip(&value.unwrap_or_default());
            self.facts.hostname = text(sysinfo::System::host_name().ok());
            self.facts.os = text(platform::os_name());
            self.facts.kernel = text(sysinfo::System::kernel_version().ok());
            self.facts.addresses = addresses(&uplinks);
            self.uplinks = uplinks;
        }
        self.facts.clone()
    }
}

/// The addresses of `uplinks` in the order of (link-local, family, address).
fn addresses(uplinks: &BTreeSet<String>) -> Vec<IpAddr> {
    let Ok(networks) = Networks::new_with_refreshed_list() else {
        return Vec::new();
    };
    let mut addresses: Vec<IpAddr> = networks
        .iter()
        .filter(|(name, _)| name.to_str().is_some_and(|name| uplinks.contains(name)))
        .flat_map(|(_, network)| network.ip_networks().iter().map(|ip| ip.addr))
        .filter(|address| !address.is_loopback() && !address.is_unspecified())
        .collect();
    addresses.sort_by_key(|&address| (is_link_local(address), address));
    addresses.dedup();
    addresses.truncate(bounds::PARTS);
    addresses
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
