//! The host that the agent runs on.

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;

use bwmon_core::Collector;
use bwmon_core::collector::CollectError;
use bwmon_core::collectors::system::{NameFilter, System, SystemConfig};
use bwmon_core::report::InterfaceFacts;

use super::config::{Config, Names};

/// Samples a host, and says which interfaces it has.
pub(super) trait Host: Collector {
    /// Every interface, those that are not reported included.
    fn interfaces(&self) -> Result<Vec<InterfaceFacts>, CollectError>;

    /// From now on the interfaces called `names` are reported, whatever is to be left out.
    fn always_report(&mut self, names: BTreeSet<String>);
}

impl Host for System {
    fn interfaces(&self) -> Result<Vec<InterfaceFacts>, CollectError> {
        let interfaces = Self::interfaces(self)?;
        Ok(interfaces
            .into_iter()
            .map(|interface| interface.facts)
            .collect())
    }

    fn always_report(&mut self, names: BTreeSet<String>) {
        Self::always_report(self, names);
    }
}

/// Opens the host as `config` wants it reported.
pub(super) fn open(config: &Config) -> Result<System, CollectError> {
    let mut system = SystemConfig::default();
    system.disks = filter(&config.disks);
    system.interfaces = filter(&config.interfaces);
    system.agent_version = env!("CARGO_PKG_VERSION").to_owned();
    System::new(&system)
}

/// The path of the running binary, for commands that people are to type.
pub(super) fn program() -> PathBuf {
    env::current_exe().unwrap_or_else(|_| PathBuf::from("bwmon-agent"))
}

fn filter(names: &Names) -> NameFilter {
    NameFilter {
        include: names.include.clone(),
        exclude: names.exclude.clone(),
    }
}
