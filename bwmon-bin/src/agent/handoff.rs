//! From the capture thread to delivery, without ever waiting.

use bwmon_core::report::Interval;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Intervals that may wait for delivery; further ones are merged.
const CAPACITY: usize = 8;

/// The capture thread's end.
#[derive(Debug)]
pub(super) struct Handoff {
    sender: Sender<Interval>,
    waiting: Option<Interval>,
    merged: u64,
}

impl Handoff {
    /// Both ends.
    pub(super) fn new() -> (Self, Receiver<Interval>) {
        let (sender, receiver) = channel(CAPACITY);
        (
            Self {
                sender,
                waiting: None,
                merged: 0,
            },
            receiver,
        )
    }

    /// Hands an interval over. Where there is no room it is kept, and the next ones are merged into
    /// it: resolution is lost, bytes are not.
    pub(super) fn put(&mut self, interval: Interval) {
        let interval = match self.waiting.take() {
            Some(mut waiting) => {
                self.merged += 1;
                waiting.absorb(interval);
                waiting
            }
            None => interval,
        };
        match self.sender.try_send(interval) {
            Ok(()) => {}
            Err(TrySendError::Full(interval) | TrySendError::Closed(interval)) => {
                self.waiting = Some(interval);
            }
        }
    }

    /// Intervals that wait to be taken.
    pub(super) fn waiting(&self) -> usize {
        let queued = self.sender.max_capacity() - self.sender.capacity();
        queued + usize::from(self.waiting.is_some())
    }

    /// Intervals that were merged with the one before.
    pub(super) const fn merged(&self) -> u64 {
        self.merged
    }

    /// Hands over what is kept. The only call that waits; for the end of the thread.
    pub(super) fn finish(self) {
        if let Some(interval) = self.waiting {
            // Nobody is left to take it: the process is being ended the hard way.
            let _is_taken = self.sender.blocking_send(interval);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bwmon_core::frame::{PerDirection, Tally};

    fn interval(bytes: u64) -> Interval {
        let tally = Tally { bytes, packets: 1 };
        let traffic = PerDirection {
            ingress: tally,
            egress: Tally::default(),
        };
        Interval {
            overflow_without_interface: traffic,
            ..Interval::default()
        }
    }

    #[test]
    fn a_full_queue_loses_resolution_and_no_byte() {
        let (mut handoff, mut receiver) = Handoff::new();
        for bytes in 1..=100 {
            handoff.put(interval(bytes));
        }
        let mut sum = 0;
        let mut intervals = 0;
        let mut windows = 0;
        while let Ok(interval) = receiver.try_recv() {
            sum += interval.overflow_without_interface.ingress.bytes;
            intervals += 1;
            windows += 1 + interval.merged_windows;
        }
        assert_eq!(intervals, CAPACITY);
        handoff.finish();
        let last = receiver.try_recv().unwrap();
        sum += last.overflow_without_interface.ingress.bytes;
        windows += 1 + last.merged_windows;
        assert_eq!((sum, windows), (5_050, 100));
    }
}
