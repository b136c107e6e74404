use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::bounds;

/// What changes rarely about a host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostFacts {
    /// The name that the host gives itself.
    #[serde(deserialize_with = "bounds::string")]
    pub hostname: String,
    /// Distribution and version, such as `Debian GNU/Linux 12`.
    #[serde(default, deserialize_with = "bounds::string")]
    pub os: String,
    /// Kernel release, as `uname -r` prints it.
    #[serde(default, deserialize_with = "bounds::string")]
    pub kernel: String,
    /// Identifies this boot (`/proc/sys/kernel/random/boot_id`); empty where there is none.
    #[serde(default, deserialize_with = "bounds::string")]
    pub boot_id: String,
    /// Version of the agent.
    #[serde(default, deserialize_with = "bounds::string")]
    pub agent_version: String,
    /// Addresses of the uplink interfaces, link-local ones last.
    #[serde(default, deserialize_with = "bounds::parts")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub addresses: Vec<IpAddr>,
}

/// Health of a host at the end of an interval, and its disk traffic within.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostMetrics {
    /// Name, system and addresses.
    pub facts: HostFacts,
    /// Seconds since the host booted.
    #[serde(default)]
    pub uptime_s: u64,
    /// Processor use; absent in the first interval, which has no earlier reading to compare with.
    #[serde(default)]
    pub cpu: Option<CpuUsage>,
    /// Load averages, where the system has them.
    #[serde(default)]
    pub load: Option<LoadAverage>,
    /// Memory and swap.
    #[serde(default)]
    pub memory: Option<MemoryUsage>,
    /// Memory in use, 0 to 100, where only that is known and `memory` is absent.
    #[serde(default)]
    pub memory_percent: Option<f32>,
    /// File systems, one per mount point.
    #[serde(default, deserialize_with = "bounds::parts")]
    pub mounts: Vec<MountUsage>,
    /// Disk traffic within the interval.
    #[serde(default, deserialize_with = "bounds::parts")]
    pub disks: Vec<DiskInterval>,
}

/// Processor use within the interval, in percent of the time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CpuUsage {
    /// All cores together, 0 to 100.
    pub total_percent: f32,
    /// Each core, 0 to 100, in the system's order.
    #[serde(default, deserialize_with = "bounds::parts")]
    pub cores_percent: Vec<f32>,
}

/// Runnable and uninterruptible tasks, averaged (proc(5), `/proc/loadavg`).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoadAverage {
    /// Over 1 minute.
    pub one: f64,
    /// Over 5 minutes.
    pub five: f64,
    /// Over 15 minutes.
    pub fifteen: f64,
}

/// Memory and swap, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemoryUsage {
    /// Installed memory.
    pub total_bytes: u64,
    /// Memory that is not available to new work: total less available.
    pub used_bytes: u64,
    /// Memory that new work can have without swapping (`MemAvailable`).
    pub available_bytes: u64,
    /// Swap space.
    #[serde(default)]
    pub swap_total_bytes: u64,
    /// Swap in use.
    #[serde(default)]
    pub swap_used_bytes: u64,
}

/// One file system, keyed by its full mount path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MountUsage {
    /// Full mount path.
    #[serde(deserialize_with = "bounds::string")]
    pub path: String,
    /// What is mounted, such as `/dev/vda1`.
    #[serde(default, deserialize_with = "bounds::string")]
    pub device: String,
    /// File system type, such as `ext4`.
    #[serde(default, deserialize_with = "bounds::string")]
    pub filesystem: String,
    /// Size, blocks reserved for root included.
    pub total_bytes: u64,
    /// Space in use.
    pub used_bytes: u64,
    /// Space that an ordinary user can still fill; less than total less used where blocks are
    /// reserved for root.
    pub available_bytes: u64,
}

/// Traffic of one disk within the interval.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiskInterval {
    /// Kernel name, such as `nvme0n1`.
    #[serde(deserialize_with = "bounds::string")]
    pub name: String,
    /// Change of the counters; absent where there is no earlier reading or a counter was reset.
    #[serde(default)]
    pub delta: Option<DiskCounters>,
}

/// Counters of one disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiskCounters {
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Completed read operations.
    pub reads: u64,
    /// Completed write operations.
    pub writes: u64,
}

impl DiskCounters {
    /// The change since `earlier`; `None` if any counter went back, which means a reset.
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        Some(Self {
            read_bytes: self.read_bytes.checked_sub(earlier.read_bytes)?,
            written_bytes: self.written_bytes.checked_sub(earlier.written_bytes)?,
            reads: self.reads.checked_sub(earlier.reads)?,
            writes: self.writes.checked_sub(earlier.writes)?,
        })
    }

    /// The sum of two changes; saturates.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            read_bytes: self.read_bytes.saturating_add(other.read_bytes),
            written_bytes: self.written_bytes.saturating_add(other.written_bytes),
            reads: self.reads.saturating_add(other.reads),
            writes: self.writes.saturating_add(other.writes),
        }
    }
}

impl MountUsage {
    /// Space in use in percent of what an ordinary user can have, as df(1) shows it; `None` for an
    /// empty file system.
    pub fn used_percent(&self) -> Option<f64> {
        percent(
            self.used_bytes,
            self.used_bytes.saturating_add(self.available_bytes),
        )
    }
}

impl MemoryUsage {
    /// Memory in use in percent; `None` where the total is unknown.
    pub fn used_percent(&self) -> Option<f64> {
        percent(self.used_bytes, self.total_bytes)
    }
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64 * 100.0)
}
