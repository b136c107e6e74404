//! Copying the write-ahead log into the database, on a thread and a connection of its own, so that commits
//! do not wait for it.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::connection;
use super::figures::Figures;

/// Pages of the log after which it is copied.
const COPY_PAGES: u64 = 1_024;
/// Pages of the log after which the writer itself copies what is left, so that the log begins anew: 32 MiB.
const FORCE_PAGES: u64 = 4_096;

/// The thread that copies, and when it has to.
#[derive(Debug)]
pub(super) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    figures: Figures,
    /// Size of the log at which the thread is woken next.
    next: u64,
    /// Size of the log at which the writer copies next.
    next_forced: u64,
}

impl Checkpointer {
    /// Starts the thread.
    pub(super) fn spawn(path: &Path, figures: &Figures) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let (path, counted) = (path.to_owned(), figures.clone());
        let thread = thread::Builder::new()
            .name("bwmon-checkpoint".to_owned())
            .spawn(move || copy_when_woken(&path, &woken, &counted))?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
            figures: figures.clone(),
            next: COPY_PAGES,
            next_forced: FORCE_PAGES,
        })
    }

    /// To be called after a commit: has the log copied when it has grown enough.
    ///
    /// The log begins anew only when all of it is copied while nothing is written. Under steady load the
    /// thread never gets that far, so that the writer copies the little that the thread left now and then.
    pub(super) fn after_commit(&mut self, writer: &Connection) -> rusqlite::Result<()> {
        let pages = self.figures.wal_pages();
        if pages < COPY_PAGES {
            (self.next, self.next_forced) = (COPY_PAGES, FORCE_PAGES);
        }
        if pages >= self.next_forced {
            copy(writer)?;
            self.figures.checkpointed();
            self.next = pages + COPY_PAGES;
            self.next_forced = pages + COPY_PAGES;
        } else if pages >= self.next {
            self.next = pages + COPY_PAGES;
            if let Some(wake) = &self.wake {
                // Where it is woken already, it has not begun yet.
                let _ = wake.try_send(());
            }
        }
        Ok(())
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // It logs what goes wrong.
            let _ = thread.join();
        }
    }
}

fn copy_when_woken(path: &Path, woken: &Receiver<()>, figures: &Figures) {
    let mut kept = None;
    while woken.recv().is_ok() {
        let copied = match kept.take() {
            Some(connection) => Ok(connection),
            None => connection::open_checkpointer(path),
        }
        .and_then(|connection| copy(&connection).map(|()| connection));
        match copied {
            Ok(connection) => {
                figures.checkpointed();
                kept = Some(connection);
            }
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the write-ahead log is not copied");
            }
        }
    }
}

/// Copies as much of the log as nobody needs any more, waiting for nobody.
pub(super) fn copy(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
        .query_row([], |_| Ok(()))
}
