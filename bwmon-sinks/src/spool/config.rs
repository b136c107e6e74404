use std::time::Duration;

/// Bounds of a [`Spool`](super::Spool).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolConfig {
    /// Most bytes on disk of everything but flow rows.
    pub core_bytes: u64,
    /// Most bytes on disk of flow rows.
    pub flow_bytes: u64,
    /// What waited longer is given up.
    pub age: Duration,
    /// Size of one segment, the least that is given up at once.
    pub segment_bytes: u64,
    /// Most bytes held in memory while the disk cannot be used.
    pub memory_bytes: usize,
    /// Least time between two syncs.
    pub sync_every: Duration,
    /// Time between two tries of a disk that cannot be used.
    pub retry_every: Duration,
}

impl Default for SpoolConfig {
    /// 64 MiB and 192 MiB, 72 h, segments of 4 MiB; 4 MiB of memory; a sync a second, a try every
    /// 30 s.
    fn default() -> Self {
        Self {
            core_bytes: 64 << 20,
            flow_bytes: 192 << 20,
            age: Duration::from_secs(72 * 3_600),
            segment_bytes: 4 << 20,
            memory_bytes: 4 << 20,
            sync_every: Duration::from_secs(1),
            retry_every: Duration::from_secs(30),
        }
    }
}
