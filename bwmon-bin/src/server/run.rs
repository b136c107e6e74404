//! Starting, running and stopping.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bwmon_core::report::{AgentId, Fate, Record, RecordBody};
use bwmon_core::sink::{Sink, SinkError};
use bwmon_core::time::Timestamp;
use bwmon_sinks::Clock;
use bwmon_sinks::sqlite::{
    AgentEntry, OpenError, ReadError, SqliteConfig, SqliteMaintenance, SqliteReader, SqliteSink,
};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

use super::assets::Page;
use super::auth::{Agents, Auth, Token, TokenError};
use super::config::{Config, LegacyConfig};
use super::counters::Counters;
use super::ingest::{Inbox, IngestError, MemoryBudget, Witness};
use super::legacy::Legacy;
use super::listener::Listener;
use super::live::{Arrival, Became, Live, MAX_HOSTS, Sightings};
use super::peers::Directory;
use super::registry::RegistryError;
use super::state::log_mistake;
use super::state::{App, Parts};
use super::stop::{Stop, stop};
use super::store::{Store, database_path, registry_path};
use super::{openapi, routes};
use crate::common::throttle::Throttle;

/// How long after the start old reports are removed for the first time.
const FIRST_CLEAN_UP: Duration = Duration::from_secs(60);
/// How far back from a host's last report its sparkline is filled at the start.
const RESTORED: Duration = Duration::from_secs(300);
/// Most reports of one host that are read at the start.
const RESTORED_REPORTS: usize = 512;
/// Most reports of all hosts that are read at the start, besides the last of each: agents wait
/// meanwhile.
const RESTORED_IN_ALL: usize = 10_000;
/// Connections that wait to be accepted; the attempts of further ones are lost, and come again a second
/// later, all at once.
const BACKLOG: u32 = 4_096;
/// How often hosts are looked at for silence.
const TICK: Duration = Duration::from_secs(1);
/// How often the registry of agents is asked for changes: a revoked agent is out a second later.
const AGENTS_TICK: Duration = Duration::from_millis(250);

/// Why the collector did not start. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Anybody could reach it, and nothing would protect it.
    #[error(
        "{listen} can be reached from other machines, and no token is set; make one with \
         `(umask 077; head -c 32 /dev/urandom | base64 > token)` and start with --token-file token"
    )]
    TokenNeeded {
        /// The address.
        listen: SocketAddr,
    },
    /// The token cannot be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Another program listens there.
    #[error(
        "cannot listen on {listen}: address in use; another collector runs, or choose another: \
         BWMON_PORT=8001 make run, or --listen {example}"
    )]
    AddressInUse {
        /// The address.
        listen: SocketAddr,
        /// One that may be free.
        example: SocketAddr,
    },
    /// The system refuses the address.
    #[error("cannot listen on {listen}: {source}; choose another with --listen")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system refuses the address of the listener for agents of the original program.
    #[error(
        "cannot listen on {listen} for agents of the original program: {source}; choose another \
         address with `listen` under [legacy], or do without (`enabled = false`)"
    )]
    LegacyListen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data folder cannot be used.
    #[error(
        "cannot write to the data folder {folder}: {source}; give this user write access, or \
         choose another with --data-dir",
        folder = folder.display()
    )]
    DataFolder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another collector uses the data folder.
    #[error(
        "another collector uses the data folder {folder}; stop it, or choose another with \
         --data-dir",
        folder = folder.display()
    )]
    DataFolderInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The database cannot be opened, or is not ours.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The registry of agents cannot be opened, or is not ours.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The database cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A collector that holds its port and its database, and does not serve yet.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    app: App,
    listener: Listener,
    legacy_listener: Option<Listener>,
    sink: SqliteSink,
    maintenance: SqliteMaintenance,
    retention: Duration,
    clean_up_interval: Duration,
    clock: Clock,
    stop: Stop,
    /// Locked for as long as the collector lives.
    _lock: File,
}

impl Server {
    /// Takes the port, opens the database, and reads the hosts back.
    ///
    /// # Errors
    /// As [`StartError`] says.
    pub async fn start(config: Config, page: Page) -> Result<Self, StartError> {
        let auth = auth(&config)?;
        let socket = listen(config.listen)?;
        let address = socket.local_addr().map_err(|source| StartError::Listen {
            listen: config.listen,
            source,
        })?;
        let legacy_socket = listen_for_legacy(&config.legacy).await?;
        let lock = take_folder(&config.data_dir)?;
        let path = database_path(&config.data_dir);
        let (sink, reader) = off_thread(move || {
            let sink = SqliteSink::open(SqliteConfig::new(&path))?;
            let reader = SqliteReader::open(&path)?;
            Ok::<_, OpenError>((sink, reader))
        })
        .await?;
        let clock = Clock::default();
        let (registry, now) = (registry_path(&config.data_dir), clock.clone());
        let agents = Arc::new(off_thread(move || Agents::open(&registry, now)).await?);
        let live = Arc::new(Live::new(config.stale_after.0, clock.clone()));
        let (hosts, past) = (Arc::clone(&live), reader.clone());
        off_thread(move || restore(&hosts, &past)).await?;
        let counters = Arc::new(Counters::default());
        let mistakes = Arc::new(Throttle::default());
        let (maintenance, figures) = (sink.maintenance(), sink.figures());
        let (stop, stopping) = stop();
        let committed = Committed {
            live: Arc::clone(&live),
            counters: Arc::clone(&counters),
            mistakes: Arc::clone(&mistakes),
            troubles: Throttle::default(),
            clock: clock.clone(),
        };
        let inbox = Inbox::new(sink.appender(), Arc::new(committed));
        let legacy_address = legacy_socket.as_ref().map(|(address, _)| *address);
        let app = App::new(Parts {
            legacy: Legacy::new(&config.legacy, legacy_address, live.legacy()),
            is_loopback_only: address.ip().is_loopback(),
            auth,
            agents,
            live,
            directory: Directory::default(),
            inbox,
            store: Store::new(reader),
            figures,
            counters: Arc::clone(&counters),
            mistakes,
            budget: MemoryBudget::default(),
            page,
            openapi: openapi::build(),
            streams: Arc::new(Semaphore::new(config.limits.event_streams)),
            stopping,
            clock: clock.clone(),
        });
        Ok(Self {
            address,
            app,
            listener: Listener::new(socket, config.limits.connections, Arc::clone(&counters)),
            legacy_listener: legacy_socket.map(|(_, socket)| {
                Listener::new(socket, legacy_connections(&config.legacy), counters)
            }),
            sink,
            maintenance,
            retention: config.retention.0,
            clean_up_interval: config.clean_up_interval.0,
            clock,
            stop,
            _lock: lock,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for agents of the original program; absent where it does not.
    pub fn legacy_address(&self) -> Option<SocketAddr> {
        self.app.legacy().address()
    }

    /// Serves until `until` is done, then ends within two seconds: what was acknowledged is
    /// committed, what waits is committed and answered as far as its sender still listens.
    ///
    /// # Errors
    /// When the database cannot be closed in order.
    pub async fn run(self, until: impl Future<Output = ()>) -> Result<(), SinkError> {
        let stopping = self.app.stopping();
        let (live, agents) = (Arc::clone(self.app.live()), Arc::clone(self.app.agents()));
        let legacy = self.legacy_listener.map(|listener| {
            let front = routes::Front::legacy(self.app.clone());
            tokio::spawn(listener.serve(front, stopping.clone()))
        });
        let front = routes::Front::new(self.app);
        let mut serving = tokio::spawn(self.listener.serve(front, stopping));
        let house = tokio::spawn(async move {
            tokio::join!(
                watch_hosts(&live),
                watch_agents(&agents),
                clean_up(
                    &self.maintenance,
                    self.retention,
                    self.clean_up_interval,
                    &self.clock
                )
            );
        });
        tokio::select! {
            () = until => {}
            _ = &mut serving => tracing::error!("the listener has ended; stopping"),
        }
        house.abort();
        self.stop.now();
        if !serving.is_finished() {
            let _already_logged = serving.await;
        }
        if let Some(legacy) = legacy {
            let _nothing_to_tell = legacy.await;
        }
        // What waits is committed before.
        Box::new(self.sink).close().await
    }
}

/// Tells the hosts in memory and the counters what was committed.
#[derive(Debug)]
struct Committed {
    live: Arc<Live>,
    counters: Arc<Counters>,
    mistakes: Arc<Throttle>,
    troubles: Throttle,
    clock: Clock,
}

impl Witness for Committed {
    fn admit(&self, agent: AgentId) -> Result<(), IngestError> {
        if self.live.has_room_for(agent) {
            return Ok(());
        }
        Err(IngestError::Later {
            detail: format!("this collector keeps {MAX_HOSTS} hosts and has as many"),
            after: Some(Duration::from_secs(60)),
        })
    }

    fn received(&self, records: usize) {
        self.counters.received(records as u64);
    }

    fn handed_back(&self, records: usize) {
        self.counters.handed_back(records as u64);
    }

    fn failed(&self, error: &SinkError) {
        log_mistake(&self.troubles, || {
            format!("the store took nothing; the agents send again: {error}")
        });
    }

    fn committed(
        &self,
        agent: AgentId,
        received: Option<Timestamp>,
        records: Vec<Record>,
        fates: &[Fate],
    ) {
        self.counters.fates(fates);
        let received = received.unwrap_or_else(|| self.clock.now());
        for (record, fate) in records.iter().zip(fates) {
            if let Fate::Refused(reason) = fate {
                let seq = record.seq;
                log_mistake(&self.mistakes, || {
                    format!("record {seq} of agent {agent} is refused: {reason}")
                });
            }
        }
        let arrivals = records.into_iter().zip(fates);
        let arrivals = arrivals.filter_map(|(record, fate)| arrival(record, fate));
        if self.live.delivered(agent, received, arrivals) {
            tracing::info!(%agent, "a new host reports");
        }
    }
}

/// What a record is to the hosts in memory, if it is a report.
fn arrival(record: Record, fate: &Fate) -> Option<Arrival> {
    let key = record.key();
    let RecordBody::Report(interval) = record.body else {
        return None;
    };
    let became = match fate {
        Fate::Stored => Became::Stored,
        Fate::Duplicate => Became::Duplicate,
        _ => Became::Refused,
    };
    Some(Arrival {
        key,
        interval,
        became,
    })
}

fn auth(config: &Config) -> Result<Option<Auth>, StartError> {
    match &config.token_file {
        Some(path) => Ok(Some(Auth::new(Token::read(path)?))),
        None if config.listen.ip().is_loopback() => Ok(None),
        None => Err(StartError::TokenNeeded {
            listen: config.listen,
        }),
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    bind(address).map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            let next = address.port().checked_add(1).unwrap_or(8_000);
            return StartError::AddressInUse {
                listen: address,
                example: SocketAddr::new(address.ip(), next),
            };
        }
        StartError::Listen {
            listen: address,
            source,
        }
    })
}

/// As [`TcpListener::bind`], with room for more that wait to be accepted: until the hosts are read back, and
/// whenever all agents come at once. The system has a limit too (`net.core.somaxconn`).
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The listener for agents of the original program, where they are let in.
async fn listen_for_legacy(
    config: &LegacyConfig,
) -> Result<Option<(SocketAddr, TcpListener)>, StartError> {
    if !config.enabled {
        return Ok(None);
    }
    let refused = |source| StartError::LegacyListen {
        listen: config.listen,
        source,
    };
    let socket = TcpListener::bind(config.listen).await.map_err(refused)?;
    let address = socket.local_addr().map_err(refused)?;
    let networks: Vec<String> = config.allow.iter().map(ToString::to_string).collect();
    tracing::warn!(
        "agents of the original program are let in at {address} without a credential, from {}",
        networks.join(", ")
    );
    Ok(Some((address, socket)))
}

/// Each such agent has one connection at a time; a broken one may not be known as such yet.
const fn legacy_connections(config: &LegacyConfig) -> usize {
    config.max_hosts.saturating_mul(2)
}

/// Makes the data folder if it is not there.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(folder: &Path) -> Result<(), StartError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| StartError::DataFolder {
            folder: folder.to_owned(),
            source,
        })
}

/// Makes the folder if it is not there, and keeps other collectors out of it.
fn take_folder(folder: &Path) -> Result<File, StartError> {
    let refused = |source| StartError::DataFolder {
        folder: folder.to_owned(),
        source,
    };
    make_folder(folder)?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(folder.join("bwmon.lock"))
        .map_err(refused)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StartError::DataFolderInUse {
            folder: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(refused(source)),
    }
}

/// Fills the hosts in memory from the store, those that were heard of last first. The more there are, the
/// less of the course of each.
fn restore(live: &Live, reader: &SqliteReader) -> Result<(), ReadError> {
    let mut agents = reader.agents()?;
    agents.sort_by_key(|entry| std::cmp::Reverse(entry.last_seen));
    agents.truncate(MAX_HOSTS);
    let each = (RESTORED_IN_ALL / agents.len().max(1)).min(RESTORED_REPORTS);
    for entry in agents {
        restore_host(live, reader, entry, each)?;
    }
    Ok(())
}

fn restore_host(
    live: &Live,
    reader: &SqliteReader,
    entry: AgentEntry,
    reports: usize,
) -> Result<(), ReadError> {
    let seen = Sightings {
        first: entry.first_seen,
        last: entry.last_seen,
    };
    live.restore(entry.agent, seen);
    let Some(latest) = reader.latest_report(entry.agent)? else {
        return Ok(());
    };
    let window = latest.interval.window;
    let course = window
        .duration()
        .saturating_mul(u32::try_from(reports).unwrap_or(u32::MAX));
    if reports <= 1 {
        live.restore_report(entry.agent, latest.key, Arc::new(latest.interval));
        return Ok(());
    }
    let (from, end) = (window.end().minus(RESTORED.min(course)), window.end());
    reader.reports(entry.agent, from, end, RESTORED_REPORTS, |report| {
        live.restore_report(entry.agent, report.key, Arc::new(report.interval));
        ControlFlow::Continue(())
    })?;
    Ok(())
}

/// Runs what blocks on the disk where it may.
async fn off_thread<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

async fn watch_hosts(live: &Live) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        live.tick();
    }
}

/// Takes in what `bwmon-collector agents` changes.
async fn watch_agents(agents: &Arc<Agents>) {
    let mut ticks = tokio::time::interval(AGENTS_TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_failing = false;
    loop {
        ticks.tick().await;
        let agents = Arc::clone(agents);
        let refreshed = off_thread(move || agents.refresh()).await;
        if let (Err(error), false) = (&refreshed, is_failing) {
            tracing::error!(%error, "changes of the agents' registry are not seen");
        } else if refreshed.is_ok() && is_failing {
            tracing::info!("changes of the agents' registry are seen again");
        }
        is_failing = refreshed.is_err();
    }
}

async fn clean_up(
    maintenance: &SqliteMaintenance,
    retention: Duration,
    interval: Duration,
    clock: &Clock,
) {
    tokio::time::sleep(FIRST_CLEAN_UP).await;
    loop {
        match maintenance.clean_up(clock.now(), retention).await {
            Ok(done) => tracing::info!(
                records = done.records,
                agents = done.agents,
                freed_bytes = done.freed_bytes,
                "removed what is older than the retention"
            ),
            Err(error) => tracing::warn!(%error, "the clean-up failed; it runs again later"),
        }
        tokio::time::sleep(interval).await;
    }
}
