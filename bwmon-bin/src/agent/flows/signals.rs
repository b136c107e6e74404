//! Signals that end a capture in order.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::SIGINT;
use signal_hook::flag;

/// What a shell sees of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Whether a signal came.
#[derive(Debug, Clone)]
pub(super) struct Signalled(Arc<AtomicBool>);

impl Signalled {
    /// Watches for `signals`. A second Ctrl-C ends the process at once.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub(super) fn by(signals: &[i32]) -> io::Result<Self> {
        let came = Arc::new(AtomicBool::new(false));
        // First, so that the first signal finds the flag unset.
        flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&came))?;
        for &signal in signals {
            flag::register(signal, Arc::clone(&came))?;
        }
        Ok(Self(came))
    }

    /// Whether one came.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
