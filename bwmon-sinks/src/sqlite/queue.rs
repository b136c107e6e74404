//! The bounded queue before the writer's thread. The thread waits with a limit of time, which tokio's
//! queues cannot without a runtime; whoever sends waits without blocking, which the standard library's
//! cannot.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

use bwmon_core::sink::{SinkError, SinkErrorKind};
use tokio::sync::Semaphore;

use super::sink::stopped;
use super::writer::{Command, Queued};

/// Where commands are left; the thread ends when every clone is gone.
#[derive(Clone)]
pub(super) struct Queue(Arc<Ends>);

/// The same, without keeping the thread alive.
#[derive(Clone)]
pub(super) struct WeakQueue(Weak<Ends>);

struct Ends {
    sender: Sender<Queued>,
    places: Arc<Semaphore>,
    most: usize,
}

/// A queue of at most so many commands, and its other end.
pub(super) fn queue(most: usize) -> (Queue, Receiver<Queued>) {
    let (sender, receiver) = channel();
    let places = Arc::new(Semaphore::new(most));
    let ends = Ends {
        sender,
        places,
        most,
    };
    (Queue(Arc::new(ends)), receiver)
}

impl Queue {
    /// Leaves a command, when there is a place for it.
    pub(super) async fn send(&self, command: Command) -> Result<(), SinkError> {
        let place = Arc::clone(&self.0.places).acquire_owned().await;
        let place = place.map_err(|_| stopped())?;
        self.0.sender.send((command, place)).map_err(|_| stopped())
    }

    /// Leaves a command, if there is a place for it.
    pub(super) fn try_send(&self, command: Command) -> Result<(), SinkError> {
        let place = Arc::clone(&self.0.places).try_acquire_owned();
        let place = place.map_err(|_| {
            let most = self.0.most;
            SinkError::new(
                SinkErrorKind::Busy,
                format!("{most} deliveries wait for the database's writer; send again"),
            )
        })?;
        self.0.sender.send((command, place)).map_err(|_| stopped())
    }

    /// Commands that wait, and how many may.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let most = self.0.most;
        (most - self.0.places.available_permits().min(most), most)
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
