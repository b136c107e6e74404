//! The spool as a backlog: a thread of its own, because a disk takes as long as it likes.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bwmon_core::report::{
    AgentId, Batch, Envelope, Fate, Interval, Receipt, Record, RecordBody, RecordKey,
};
use bwmon_core::sink::SinkError;
use bwmon_core::time::Timestamp;
use tokio::sync::{Notify, oneshot, watch};

use super::backlog::sealed::Waits;
use super::backlog::{Backlog, Flight};
use super::stats::DriverStats;
use crate::Clock;
use crate::spool::{Settled, Spool, SpoolStats};

/// Reports that wait for the spool's thread at most.
const REPORTS: usize = 8;
/// Records that are sent at once where the receiver does not say how many it takes.
const DEFAULT_CREDIT: usize = 64;
/// Records that are sent while it is not known whether the receiver takes anything: many agents that
/// find it again at the same time must not bring all that they have.
const FIRST_CREDIT: usize = 1;
/// How often time is let pass in a spool.
const TICK: Duration = Duration::from_secs(1);
/// Stack of the thread.
const STACK_BYTES: usize = 512 * 1024;

/// Hears of each record as it is numbered.
pub type Tap = Box<dyn FnMut(&Envelope) + Send>;

/// A report that the spool did not take.
#[derive(Debug)]
pub enum NotTaken {
    /// Its thread is behind; it may take the report later.
    Busy(Box<Interval>),
    /// Its thread has ended, which is a defect.
    Ended,
}

/// A spool and its thread.
pub struct SpoolQueue {
    commands: Mutex<Sender<Command>>,
    waiting: Arc<AtomicUsize>,
    wake: Arc<Notify>,
    stats: Arc<watch::Sender<DriverStats>>,
}

enum Command {
    Report(Box<Interval>),
    Take(usize, oneshot::Sender<Option<Flight>>),
    Settle(Settlement, oneshot::Sender<()>),
    GiveBack,
    Sync(oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

struct Settlement {
    sink: String,
    keys: Vec<RecordKey>,
    receipt: Receipt,
}

impl SpoolQueue {
    /// Opens the spool of `agent` on a thread of its own. `tap` hears of each record as it is
    /// numbered.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        agent: AgentId,
        clock: Clock,
        open: impl FnOnce(Timestamp) -> Spool + Send + 'static,
        tap: Option<Tap>,
    ) -> io::Result<Self> {
        let (commands, received) = channel();
        let queue = Self {
            commands: Mutex::new(commands),
            waiting: Arc::default(),
            wake: Arc::default(),
            stats: Arc::new(watch::Sender::new(DriverStats::default())),
        };
        let (waiting, wake) = (Arc::clone(&queue.waiting), Arc::clone(&queue.wake));
        let stats = Arc::clone(&queue.stats);
        thread::Builder::new()
            .name("spool".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let begun = (clock.now(), Instant::now());
                let spool = open(begun.0);
                let mut keeper = Keeper {
                    agent,
                    begun,
                    spool,
                    tap,
                    waiting,
                    wake,
                    stats,
                    credit: FIRST_CREDIT,
                    sums: DriverStats::default(),
                    memory_mode: None,
                    is_dropping: false,
                };
                keeper.begin();
                keeper.run(&received);
            })?;
        Ok(queue)
    }

    pub(super) fn report(&self, interval: Interval) -> Result<(), NotTaken> {
        let interval = Box::new(interval);
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= REPORTS {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(NotTaken::Busy(interval));
        }
        self.send(Command::Report(interval)).ok_or(NotTaken::Ended)
    }

    pub(super) async fn sync(&self) {
        let _is_done = self.ask(Command::Sync).await;
    }

    /// `None` once the thread has ended.
    fn send(&self, command: Command) -> Option<()> {
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.send(command).ok()
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(command(reply))?;
        answer.await.ok()
    }
}

impl Backlog for SpoolQueue {}

#[async_trait]
impl Waits for SpoolQueue {
    async fn take(&self, max: usize) -> Option<Flight> {
        self.ask(|reply| Command::Take(max, reply)).await.flatten()
    }

    async fn settle(&self, sink: &str, flight: &Flight, receipt: Receipt) {
        let settlement = Settlement {
            sink: sink.to_owned(),
            keys: flight
                .batch
                .entries
                .iter()
                .map(|entry| entry.record.key())
                .collect(),
            receipt,
        };
        // Without the thread there is nobody left to tell.
        let _is_done = self.ask(|reply| Command::Settle(settlement, reply)).await;
    }

    /// The next flight is another one: what is newest then goes first.
    async fn give_back(&self, _flight: Flight) -> Option<Flight> {
        let _is_heard = self.send(Command::GiveBack);
        None
    }

    fn succeeded(&self, _sink: &str, now: Timestamp) -> u64 {
        self.stats.send_modify(|stats| stats.succeeded(now));
        self.stats.borrow().queued
    }

    fn failed(&self, error: &SinkError, wait: Duration) {
        self.stats.send_modify(|stats| stats.failed(error, wait));
    }

    async fn close(&self) {
        let _is_closed = self.ask(Command::Close).await;
    }

    fn wake(&self) -> &Notify {
        &self.wake
    }

    fn stats(&self) -> watch::Receiver<DriverStats> {
        self.stats.subscribe()
    }
}

impl fmt::Debug for SpoolQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpoolQueue")
            .field("stats", &*self.stats.borrow())
            .finish_non_exhaustive()
    }
}

/// What the thread has.
struct Keeper {
    agent: AgentId,
    /// When it began, by the wall clock and by one that nobody can set.
    begun: (Timestamp, Instant),
    spool: Spool,
    tap: Option<Tap>,
    waiting: Arc<AtomicUsize>,
    wake: Arc<Notify>,
    stats: Arc<watch::Sender<DriverStats>>,
    credit: usize,
    /// What the spool itself does not count.
    sums: DriverStats,
    memory_mode: Option<String>,
    is_dropping: bool,
}

impl Keeper {
    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            match commands.recv_timeout(TICK) {
                Ok(Command::Close(reply)) => {
                    let now = self.now();
                    let stats = self.spool.close(now);
                    publish(&self.stats, &stats, &self.sums);
                    // Whoever asked may be gone.
                    let _is_heard = reply.send(());
                    return;
                }
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let now = self.now();
                    self.spool.close(now);
                    return;
                }
            }
            self.spool.tick(self.now());
            self.publish();
        }
    }

    /// The time as a spool is told it: it goes on evenly whatever is done to the wall clock, so that
    /// nothing grows old by that.
    fn now(&self) -> Timestamp {
        self.begun.0.plus(self.begun.1.elapsed())
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Report(interval) => {
                self.waiting.fetch_sub(1, Ordering::AcqRel);
                self.append(*interval);
            }
            Command::Take(max, reply) => {
                let records = self.spool.take(max, self.credit);
                // Where the worker has gone meanwhile, the flight is given back by the close.
                let _is_heard = reply.send(self.flight(records));
            }
            Command::Settle(settlement, reply) => {
                self.settle(settlement);
                self.publish();
                let _is_heard = reply.send(());
            }
            Command::GiveBack => {
                self.spool.give_back();
                self.credit = FIRST_CREDIT;
            }
            Command::Sync(reply) => {
                self.spool.sync(self.now());
                self.publish();
                let _is_heard = reply.send(());
            }
            Command::Close(_) => {}
        }
    }

    fn begin(&mut self) {
        let start = self.spool.begin_epoch(self.now());
        self.announce(start);
        self.publish();
    }

    fn append(&mut self, interval: Interval) {
        let records = self.spool.append(interval, self.now());
        self.announce(records);
    }

    fn announce(&mut self, records: impl IntoIterator<Item = Record>) {
        let agent = self.agent;
        for record in records {
            if let Some(tap) = &mut self.tap {
                tap(&Envelope { agent, record });
            }
        }
        self.wake.notify_one();
    }

    fn flight(&self, records: Vec<Record>) -> Option<Flight> {
        let is_notice = |body: &RecordBody| matches!(body, RecordBody::Dropped(_));
        let is_notice = records
            .iter()
            .map(|record| is_notice(&record.body))
            .collect();
        let agent = self.agent;
        let entries: Vec<_> = records
            .into_iter()
            .map(|record| Envelope { agent, record })
            .collect();
        (!entries.is_empty()).then_some(Flight {
            batch: Batch { entries },
            is_notice,
        })
    }

    fn settle(&mut self, settlement: Settlement) {
        let Settlement {
            sink,
            keys,
            receipt,
        } = settlement;
        for (key, fate) in keys.into_iter().zip(&receipt.fates) {
            let sums = &mut self.sums;
            match (self.spool.settle(key, fate), fate) {
                (Settled::Record, Fate::Duplicate) => sums.duplicate += 1,
                (Settled::Record, Fate::Refused(reason)) => sums.refuse_and_tell(&sink, reason),
                (Settled::Notice, Fate::Refused(_)) | (Settled::Record | Settled::Unknown, _) => {}
                (Settled::Notice, _) => sums.notices_delivered += 1,
            }
        }
        for stream in receipt.streams.iter().filter(|s| s.agent == self.agent) {
            self.spool.missing(stream.epoch, &stream.missing);
        }
        let credit = receipt.credit.map(usize::try_from);
        self.credit = credit.map_or(DEFAULT_CREDIT, |credit| credit.unwrap_or(usize::MAX));
    }

    fn publish(&mut self) {
        let stats = self.spool.stats();
        self.say_mode(&stats);
        self.say_drops(&stats);
        self.sums.credit = Some(self.credit as u64);
        self.sums.unnumbered = self.waiting.load(Ordering::Acquire) as u64;
        publish(&self.stats, &stats, &self.sums);
    }

    fn say_mode(&mut self, stats: &SpoolStats) {
        match (&stats.memory_mode, &self.memory_mode) {
            (Some(reason), None) => tracing::warn!(
                "the spool's disk cannot be used: {reason}; undelivered reports are held in memory \
                 until it can, and the newest of them only"
            ),
            (None, Some(_)) => tracing::info!("the spool's disk can be used again"),
            _ => {}
        }
        self.memory_mode.clone_from(&stats.memory_mode);
    }

    /// Once for each time that it has to give up reports.
    fn say_drops(&mut self, stats: &SpoolStats) {
        if stats.spooled == 0 {
            self.is_dropping = false;
        }
        let is_more = stats.dropped.total() > self.stats.borrow().dropped;
        if is_more && !std::mem::replace(&mut self.is_dropping, true) {
            let dropped = stats.dropped;
            tracing::warn!(
                spool_full = dropped.spool_full,
                too_old = dropped.too_old,
                damage = dropped.damage,
                "the spool gives up reports; the collector is told which"
            );
        }
    }
}

/// All sums at once, so that they always add up.
fn publish(watched: &watch::Sender<DriverStats>, spool: &SpoolStats, sums: &DriverStats) {
    watched.send_modify(|stats| {
        stats.offered = spool.emitted;
        stats.duplicate = sums.duplicate;
        stats.stored = spool.delivered - sums.duplicate;
        stats.refusals.clone_from(&sums.refusals);
        stats.notices_delivered = sums.notices_delivered;
        stats.refused = spool.quarantined;
        stats.dropped = spool.dropped.total();
        stats.in_flight = spool.in_flight;
        stats.queued = spool.spooled - spool.in_flight;
        stats.queued_bytes = spool.disk_bytes + spool.memory_bytes;
        stats.notices = spool.notices;
        stats.notices_lost = spool.notices_lost;
        stats.credit = sums.credit;
        stats.unnumbered = sums.unnumbered;
        stats.spool = Some(spool.clone());
    });
}
