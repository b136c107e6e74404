//! From the other threads to the view: one bounded queue.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use ratatui_crossterm::crossterm::event::KeyEvent;

use super::update::Update;

/// What may wait for the view.
const CAPACITY: usize = 4;

/// What the view is told.
#[derive(Debug)]
pub(super) enum Message {
    /// A refresh is over.
    Update(Box<Update>),
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size.
    Resized,
    /// The process is asked to end.
    End,
    /// The process is asked to stop for a while.
    Suspend,
    /// The process goes on after it was stopped.
    Continued,
    /// The terminal gives no more keys.
    InputLost(String),
    /// The capture thread is gone.
    CaptureLost,
}

/// Both ends of the queue.
pub(super) fn channel() -> (SyncSender<Message>, Receiver<Message>) {
    sync_channel(CAPACITY)
}

/// The capture thread's end, which never waits.
#[derive(Debug)]
pub(super) struct Outlet {
    sender: SyncSender<Message>,
    waiting: Option<Update>,
}

impl Outlet {
    /// Hands over through `sender`.
    pub(super) const fn new(sender: SyncSender<Message>) -> Self {
        Self {
            sender,
            waiting: None,
        }
    }

    /// Hands an update over. Where there is no room it is kept, and the next ones are merged into
    /// it. Says whether anybody is there to take it.
    pub(super) fn put(&mut self, update: Update) -> bool {
        let update = match self.waiting.take() {
            Some(waiting) => waiting.merge(update),
            None => update,
        };
        match self.sender.try_send(Message::Update(Box::new(update))) {
            Ok(()) => true,
            Err(TrySendError::Full(Message::Update(update))) => {
                self.waiting = Some(*update);
                true
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

/// The view must not wait for a thread that panicked.
impl Drop for Outlet {
    fn drop(&mut self) {
        // Nobody listens where the view has ended first.
        let _is_heard = self.sender.send(Message::CaptureLost);
    }
}

#[cfg(test)]
mod tests {
    use super::super::doubles::{flow, update};
    use super::*;

    #[test]
    fn a_view_that_is_behind_gets_merged_updates_and_every_byte() {
        let (sender, receiver) = channel();
        let mut outlet = Outlet::new(sender);
        for _ in 0..100 {
            assert!(outlet.put(update(&[flow(1, 443, 10, 0)])));
        }
        let mut updates = Vec::new();
        while let Ok(Message::Update(update)) = receiver.try_recv() {
            updates.push(update);
        }
        assert_eq!(updates.len(), CAPACITY);
        assert!(outlet.put(update(&[])));
        let Ok(Message::Update(last)) = receiver.try_recv() else {
            panic!("an update");
        };
        updates.push(last);
        let bytes = |update: &Update| -> u64 {
            let flows = update.flows.iter();
            flows.map(|flow| flow.counters.traffic.total_bytes()).sum()
        };
        assert_eq!(
            updates.iter().map(|update| bytes(update)).sum::<u64>(),
            1_000
        );
        let seconds: u64 = updates.iter().map(|u| u.elapsed.as_secs()).sum();
        assert_eq!(seconds, 101);
    }

    #[test]
    fn a_thread_that_panics_is_told() {
        let (sender, receiver) = channel();
        let thread = std::thread::spawn(move || {
            let _outlet = Outlet::new(sender);
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        assert!(matches!(receiver.recv(), Ok(Message::CaptureLost)));
    }

    #[test]
    fn an_end_is_noticed() {
        let (sender, receiver) = channel();
        let mut outlet = Outlet::new(sender);
        drop(receiver);
        assert!(!outlet.put(update(&[])));
    }
}
