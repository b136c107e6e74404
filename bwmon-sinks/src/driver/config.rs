use std::time::Duration;

use crate::Clock;

/// Bounds and patience of a [`Driver`](super::Driver).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DriverConfig {
    /// Most records in the queue; the batch in flight is not part of it.
    pub queue_records: usize,
    /// Most bytes in the queue, estimated from what the records hold in memory.
    pub queue_bytes: usize,
    /// Upper bound of the first wait after a failure; doubles with each further one.
    pub backoff_first: Duration,
    /// Upper bound of every wait.
    pub backoff_cap: Duration,
    /// The first try after losing a destination that worked comes at a random moment within this,
    /// so that many agents do not come back at once.
    pub reconnect_spread: Duration,
    /// Wait after an error that an operator must mend: credentials or versions.
    pub hold: Duration,
    /// Tells when a delivery succeeded. The system's clock unless a test says otherwise.
    pub clock: Clock,
}

impl Default for DriverConfig {
    /// 4,096 records, 64 MiB; 1 s doubling to 300 s, 10 s spread, 5 min hold.
    fn default() -> Self {
        Self {
            queue_records: 4_096,
            queue_bytes: 64 << 20,
            backoff_first: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(300),
            reconnect_spread: Duration::from_secs(10),
            hold: Duration::from_secs(300),
            clock: Clock::default(),
        }
    }
}
