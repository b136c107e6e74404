//! Numbers for what comes without any, so that the store keeps it as it keeps everything.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bwmon_core::report::{AgentId, EpochStart, Fate, Record, RecordBody};
use tokio::sync::OwnedMutexGuard;

use super::identity::epoch_of;
use super::mapping::{Digest, digest};
use super::{Legacy, Mapped};
use crate::server::ingest::{Delivery, IngestError, Share};
use crate::server::state::App;

/// Reports of a host that are remembered, to know one that is sent again.
const REMEMBERED: usize = 64;
/// How far before a host's last report its reports are remembered after a restart.
const RECENT: Duration = Duration::from_secs(120);
/// How often a number is asked for where another report already has it.
const TRIES: usize = 3;

/// What a report was worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is durable.
    New,
    /// It had come before.
    Before,
}

/// Why a report was not stored.
#[derive(Debug)]
pub enum Failure {
    /// As many hosts are known as are taken.
    Full {
        /// How many.
        hosts: usize,
    },
    /// The store has not taken it.
    Store(IngestError),
}

/// Every host that is known, each with its run of numbers. A host is never forgotten before the
/// collector's end: its numbers must not begin anew.
#[derive(Debug)]
pub(super) struct Streams {
    by_host: Mutex<HashMap<AgentId, Arc<tokio::sync::Mutex<Stream>>>>,
    most: usize,
}

/// The numbers of one host. Held locked from the choice of a number until the store has answered.
#[derive(Debug, Default)]
struct Stream {
    /// Absent until the store has said which it is, and after trouble that leaves it in doubt.
    next: Option<u64>,
    /// Of the last reports, oldest first.
    recent: VecDeque<Digest>,
}

impl Streams {
    pub(super) fn new(most: usize, known: impl IntoIterator<Item = AgentId>) -> Self {
        let known = known.into_iter().map(|host| (host, Arc::default()));
        Self {
            by_host: Mutex::new(known.collect()),
            most,
        }
    }

    pub(super) fn hosts(&self) -> (usize, usize) {
        (self.lock().len(), self.most)
    }

    fn of(&self, host: AgentId) -> Result<Arc<tokio::sync::Mutex<Stream>>, Failure> {
        let mut by_host = self.lock();
        if !by_host.contains_key(&host) && by_host.len() >= self.most {
            return Err(Failure::Full {
                hosts: by_host.len(),
            });
        }
        Ok(Arc::clone(by_host.entry(host).or_default()))
    }

    /// A panic elsewhere leaves the table whole: each change is a single call.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<AgentId, Arc<tokio::sync::Mutex<Stream>>>> {
        self.by_host.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Legacy {
    /// Numbers and stores a report of `host`, unless it has come before. Goes on where the caller is
    /// gone: a number that was given must be known to be used or not.
    ///
    /// # Errors
    /// Where it was not stored.
    pub async fn store(
        &self,
        app: &App,
        host: AgentId,
        report: Mapped,
        share: Share,
    ) -> Result<Stored, Failure> {
        let stream = self.streams.of(host)?;
        let app = app.clone();
        let storing = tokio::spawn(async move {
            let stream = stream.lock_owned().await;
            Storing { app, host, stream }.store(report, share).await
        });
        match storing.await {
            Ok(result) => result.map_err(Failure::Store),
            Err(error) => Err(Failure::Store(later(&error))),
        }
    }
}

struct Storing {
    app: App,
    host: AgentId,
    stream: OwnedMutexGuard<Stream>,
}

impl Storing {
    async fn store(mut self, report: Mapped, mut share: Share) -> Result<Stored, IngestError> {
        for _ in 0..TRIES {
            let seq = self.next().await?;
            if report
                .digest
                .is_some_and(|sent| self.stream.recent.contains(&sent))
            {
                return Ok(Stored::Before);
            }
            let body = RecordBody::Report(Box::new(report.interval.clone()));
            let (fate, _) = self.deliver(seq, body, share).await?;
            match fate {
                Fate::Stored => {
                    self.stream.next = Some(seq + 1);
                    self.stream.remember(report.digest);
                    return Ok(Stored::New);
                }
                Fate::Refused(detail) => {
                    self.stream.next = Some(seq);
                    return Err(IngestError::Never { detail });
                }
                // Another report has the number: the store says anew which is free.
                _ => share = self.app.memory_budget().share(),
            }
        }
        Err(later(&"no number is free"))
    }

    /// The number of the next report. The store knows it: the first record of the epoch, sent anew,
    /// is answered with what there is.
    async fn next(&mut self) -> Result<u64, IngestError> {
        if let Some(next) = self.stream.next {
            return Ok(next);
        }
        let start = RecordBody::EpochStart(EpochStart {
            started: self.app.now(),
            previous: None,
        });
        let share = self.app.memory_budget().share();
        let (_, through) = self.deliver(1, start, share).await?;
        let recent = self.app.store().recent(self.host, RECENT, REMEMBERED);
        for interval in recent.await.map_err(|error| later(&error))? {
            self.stream.remember(Some(digest(&interval)));
        }
        Ok(through + 1)
    }

    /// Gives one record to the store, and says what became of it and which is the last number without
    /// a hole. Until the answer is there, the next number is in doubt.
    async fn deliver(
        &mut self,
        seq: u64,
        body: RecordBody,
        share: Share,
    ) -> Result<(Fate, u64), IngestError> {
        self.stream.next = None;
        let epoch = epoch_of(self.host);
        let delivery = Delivery {
            agent: self.host,
            records: vec![Record { epoch, seq, body }],
            share,
        };
        let receipt = self.app.inbox().deliver(delivery).await?;
        let through = receipt
            .streams
            .iter()
            .find(|stream| stream.epoch == epoch)
            .map(|stream| stream.through);
        let fate = receipt.fates.into_iter().next();
        fate.zip(through)
            .ok_or_else(|| later(&"the store says nothing of the host's numbers"))
    }
}

impl Stream {
    fn remember(&mut self, digest: Option<Digest>) {
        self.recent.extend(digest);
        while self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
    }
}

fn later(why: &dyn std::fmt::Display) -> IngestError {
    IngestError::Later {
        detail: format!("storing the report failed: {why}"),
        after: Some(Duration::from_secs(1)),
    }
}
