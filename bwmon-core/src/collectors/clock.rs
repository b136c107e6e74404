use std::time::SystemTime;

use crate::time::Timestamp;

/// Now, by the clock that people read; before 1970 it stands at the Unix epoch.
pub(super) fn wall_clock() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::EPOCH.plus(since_epoch.unwrap_or_default())
}
