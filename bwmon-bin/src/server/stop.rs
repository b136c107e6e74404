//! Told once: the collector stops.

use tokio::sync::watch;

/// Tells.
#[derive(Debug)]
pub struct Stop(watch::Sender<bool>);

/// Is told.
#[derive(Debug, Clone)]
pub struct Stopping(watch::Receiver<bool>);

/// Both ends.
pub fn stop() -> (Stop, Stopping) {
    let (sender, receiver) = watch::channel(false);
    (Stop(sender), Stopping(receiver))
}

impl Stop {
    /// Tells everybody, also those who ask later.
    pub fn now(&self) {
        self.0.send_replace(true);
    }
}

impl Stopping {
    /// Waits until it is told, or the teller is gone.
    pub async fn wait(&mut self) {
        let _told_or_gone = self.0.wait_for(|stop| *stop).await;
    }
}
