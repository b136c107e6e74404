use crate::report::{ClockReading, Sent, bounds};

use super::super::clock::wall_clock;
use super::platform;

/// The clocks of this host that nobody can set, and which boot they count from.
#[derive(Debug, Clone)]
pub struct BootClock {
    boot_id: String,
    process_started_us: u64,
}

impl BootClock {
    /// To be made when the process starts: readings tell that moment. `None` where the system has no
    /// such clocks, or names no boot.
    pub fn new() -> Option<Self> {
        let boot_id = bounds::clip(&platform::boot_id());
        let (process_started_us, _) = platform::since_boot_us()?;
        (!boot_id.is_empty()).then_some(Self {
            boot_id,
            process_started_us,
        })
    }

    /// What the clocks say now.
    pub fn read(&self) -> Option<ClockReading> {
        let (since_boot_us, suspended_us) = platform::since_boot_us()?;
        Some(ClockReading {
            since_boot_us,
            suspended_us,
            process_started_us: self.process_started_us,
            moved_us: 0,
        })
    }

    /// What they say now, for a delivery.
    pub fn sent(&self) -> Option<Sent> {
        let (since_boot_us, _) = platform::since_boot_us()?;
        Some(Sent {
            at: wall_clock(),
            since_boot_us,
            boot_id: self.boot_id.clone(),
        })
    }
}
