//! What a host looks like at one moment: gauges as they are, counters as the kernel keeps them.

use crate::frame::PerDirection;
use crate::report::{ClockReading, DiskCounters, HostMetrics, InterfaceFacts, KernelCounters};

/// One reading of a host.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HostSample {
    /// Gauges; its `disks` are left empty, because they are changes.
    pub metrics: HostMetrics,
    /// Counters of each disk since boot, by kernel name.
    pub disks: Vec<(String, DiskCounters)>,
    /// Every interface.
    pub interfaces: Vec<InterfaceSample>,
    /// The clocks that nobody can set, at the moment of the sample, where there are such.
    pub clocks: Option<ClockReading>,
}

/// One reading of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterfaceSample {
    /// What it is.
    pub facts: InterfaceFacts,
    /// Its counters since it was made.
    pub counters: PerDirection<KernelCounters>,
}
