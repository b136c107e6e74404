//! One agent: makes its reports in time, and delivers what it holds as the agent's driver does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bwmon_benches::ingest::{Answer, Connection, post};
use bwmon_core::report::{Epoch, EpochStart, Receipt, Record, RecordBody, wire};
use bwmon_core::sink::{SinkError, SinkErrorKind};
use bwmon_core::time::Timestamp;
use bwmon_sinks::driver::{Backoff, DriverConfig};
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

use crate::report;
use crate::tally::Tallies;

/// Most records in one delivery, and most that an agent holds here.
const HELD: usize = 64;
/// Longest time that connecting, and a whole delivery, may take, as the agent has it.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(30);

/// What all agents share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) address: String,
    pub(crate) interval: Duration,
    pub(crate) flows: usize,
    pub(crate) tallies: Tallies,
    pub(crate) driver: DriverConfig,
}

/// One of them.
pub(crate) struct Agent {
    world: Arc<World>,
    number: usize,
    headers: String,
    epoch: Epoch,
    seq: u64,
    /// When the next report is due.
    due: Instant,
    held: VecDeque<Record>,
    /// When the newest report of `held` was due.
    newest: Option<Instant>,
    connection: Option<Connection>,
    backoff: Backoff,
    is_fresh_since: Option<Instant>,
}

impl Agent {
    pub(crate) fn new(world: Arc<World>, number: usize, credential: &str, due: Instant) -> Self {
        let kind = wire::CONTENT_TYPE;
        let headers = format!(
            "authorization: Bearer {credential}\r\ncontent-type: {kind}\r\naccept: {kind}\r\n"
        );
        let epoch = Epoch(fastrand::u128(..));
        let start = EpochStart {
            started: wall_clock(Instant::now()),
            previous: None,
        };
        Self {
            world,
            number,
            headers,
            epoch,
            seq: 1,
            due,
            held: VecDeque::from([Record {
                epoch,
                seq: 1,
                body: RecordBody::EpochStart(start),
            }]),
            newest: None,
            connection: None,
            backoff: Backoff::new(),
            is_fresh_since: None,
        }
    }

    /// Reports until told to end, then delivers what is left. The number of reports that it made.
    pub(crate) async fn run(mut self, mut end: watch::Receiver<bool>) -> u64 {
        let mut wake = self.due;
        loop {
            let is_ending = *end.borrow_and_update();
            if is_ending && self.held.is_empty() {
                return self.seq - 1;
            }
            tokio::select! {
                () = sleep_until(wake.into()) => {}
                _ = end.changed(), if !is_ending => continue,
            }
            if !is_ending {
                self.make_reports();
            }
            wake = match self.deliver().await {
                Ok(()) => self.due,
                Err(error) => Instant::now() + self.backoff.wait(&error, &self.world.driver),
            };
        }
    }

    /// Those that are due by now.
    fn make_reports(&mut self) {
        while self.due <= Instant::now() {
            let World {
                interval, flows, ..
            } = *self.world;
            let end = wall_clock(self.due);
            let report = report::interval(self.number, end, interval, flows);
            self.seq += 1;
            self.held.push_back(Record {
                epoch: self.epoch,
                seq: self.seq,
                body: RecordBody::Report(Box::new(report)),
            });
            self.newest = Some(self.due);
            self.due += interval;
            let mut tally = self.world.tallies.lock();
            tally.made += 1;
            if self.held.len() > HELD {
                self.held.pop_front();
                tally.dropped += 1;
            }
        }
    }

    async fn deliver(&mut self) -> Result<(), SinkError> {
        let body = wire::encode_records(&self.held);
        let request = post("/api/v1/ingest", &self.headers, &body);
        let mut connection = self.connect().await?;
        let sent = Instant::now();
        let answer = timeout(LIMIT, connection.ask(&request)).await;
        let answer = answer.map_err(|_| "no answer in time".to_owned());
        let receipt = match answer.and_then(|answer| answer) {
            Ok(answer) => judge(&answer),
            Err(message) => {
                self.world.tallies.lock().unanswered += 1;
                return Err(SinkError::new(SinkErrorKind::Unavailable, message));
            }
        };
        self.connection = Some(connection);
        match receipt {
            Ok(receipt) => {
                self.acknowledged(sent, &receipt);
                Ok(())
            }
            Err(error) => {
                let mut tally = self.world.tallies.lock();
                tally.turned_away += 1;
                tally.words = error.to_string();
                Err(error)
            }
        }
    }

    /// The connection that there is, unless the collector has closed it; else a new one.
    async fn connect(&mut self) -> Result<Connection, SinkError> {
        if let Some(connection) = self.connection.take().filter(Connection::is_open) {
            return Ok(connection);
        }
        let opened = timeout(CONNECT_LIMIT, Connection::open(&self.world.address)).await;
        let opened = opened.map_err(|_| "no connection in time".to_owned());
        let mut tally = self.world.tallies.lock();
        match opened.and_then(|opened| opened) {
            Ok(connection) => {
                tally.connects.push(Instant::now());
                Ok(connection)
            }
            Err(message) => {
                tally.unanswered += 1;
                Err(SinkError::new(SinkErrorKind::Unavailable, message))
            }
        }
    }

    fn acknowledged(&mut self, sent: Instant, receipt: &Receipt) {
        self.backoff.committed();
        self.held.clear();
        let now = Instant::now();
        let mut tally = self.world.tallies.lock();
        tally.acknowledged(now.duration_since(sent));
        tally.fates(&receipt.fates);
        let awaited = tally.awaited;
        if awaited != self.is_fresh_since && self.newest >= awaited {
            self.is_fresh_since = awaited;
            tally.fresh += 1;
            tally.last_fresh = Some(now);
        }
    }
}

fn judge(answer: &Answer<'_>) -> Result<Receipt, SinkError> {
    let kind = match answer.status {
        200 => {
            return wire::decode_receipt(answer.body)
                .map_err(|error| SinkError::new(SinkErrorKind::Incompatible, error.to_string()));
        }
        401 | 403 => SinkErrorKind::Unauthorised,
        415 => SinkErrorKind::Incompatible,
        429 | 503 => SinkErrorKind::Busy,
        _ => SinkErrorKind::Unavailable,
    };
    let words = String::from_utf8_lossy(answer.body);
    let error = SinkError::new(kind, format!("{} {words}", answer.status));
    let delay = answer.header("retry-after").and_then(|it| it.parse().ok());
    Err(match delay {
        Some(seconds) => error.retry_after(Duration::from_secs(seconds)),
        None => error,
    })
}

/// The wall clock's reading at a moment that is near.
pub(crate) fn wall_clock(at: Instant) -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = Instant::now();
    let there = Timestamp::EPOCH.plus(since);
    match now.checked_duration_since(at) {
        Some(ago) => there.minus(ago),
        None => there.plus(at.duration_since(now)),
    }
}
