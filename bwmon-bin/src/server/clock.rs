//! The collector's clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bwmon_core::time::Timestamp;

/// Reads the system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// Now; the start of the Unix epoch where the system's clock is before it.
    pub fn now(self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = since.unwrap_or(Duration::ZERO).as_nanos();
        Timestamp::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The monotonic clock's reading at a moment that is past; absent where it did not run yet.
    pub fn instant_of(self, past: Timestamp) -> Option<Instant> {
        Instant::now().checked_sub(self.now().since(past))
    }
}
