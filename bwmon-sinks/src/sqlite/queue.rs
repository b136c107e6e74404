//! The bounded queue before the writer's thread. The thread waits with a limit of time, which tokio's
//! queues cannot without a runtime; whoever sends waits without blocking, which the standard library's
//! cannot.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

use bwmon_core::sink::SinkError;
use tokio::sync::Semaphore;

use super::sink::stopped;
use super::writer::{Command, Queued};

/// Commands that may wait.
const PLACES: usize = 4;

/// Where commands are left; the thread ends when every clone is gone.
#[derive(Clone)]
pub(super) struct Queue(Arc<Ends>);

/// The same, without keeping the thread alive.
#[derive(Clone)]
pub(super) struct WeakQueue(Weak<Ends>);

struct Ends {
    sender: Sender<Queued>,
    places: Arc<Semaphore>,
}

/// The queue and its other end.
pub(super) fn queue() -> (Queue, Receiver<Queued>) {
    let (sender, receiver) = channel();
    let places = Arc::new(Semaphore::new(PLACES));
    (Queue(Arc::new(Ends { sender, places })), receiver)
}

impl Queue {
    /// Leaves a command, when there is a place for it.
    pub(super) async fn send(&self, command: Command) -> Result<(), SinkError> {
        let place = Arc::clone(&self.0.places).acquire_owned().await;
        let place = place.map_err(|_| stopped())?;
        self.0.sender.send((command, place)).map_err(|_| stopped())
    }

    pub(super) fn downgrade(&self) -> WeakQueue {
        WeakQueue(Arc::downgrade(&self.0))
    }
}

impl WeakQueue {
    /// Leaves a command, when there is a place for it and the sink is still open.
    pub(super) async fn send(&self, command: Command) -> Result<(), SinkError> {
        let queue = self.0.upgrade().map(Queue).ok_or_else(stopped)?;
        queue.send(command).await
    }
}
