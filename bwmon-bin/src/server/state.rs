//! What all requests share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bwmon_core::query::{HostState, SeriesSet, TrafficSum};
use bwmon_core::report::AgentId;
use bwmon_core::time::{Timestamp, Window};
use bwmon_sinks::Clock;
use bwmon_sinks::sqlite::{Figures, JournalFigures};
use tokio::sync::Semaphore;
use utoipa::openapi::OpenApi;

use super::assets::Page;
use super::auth::{Agents, Auth};
use super::counters::Counters;
use super::ingest::{Inbox, MemoryBudget};
use super::legacy::Legacy;
use super::live::Live;
use super::peers::Directory;
use super::problem::{ApiError, ApiResult};
use super::series::{self, SeriesQuery};
use super::stop::Stopping;
use super::store::Store;
use crate::common::peers::PeerList;
use crate::common::throttle::Throttle;

/// What all requests share; cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// Whether it listens where only this machine can reach it.
    pub is_loopback_only: bool,
    /// The token and its sessions; absent where none is needed.
    pub auth: Option<Auth>,
    /// The agents that may report.
    pub agents: Arc<Agents>,
    /// The hosts now.
    pub live: Arc<Live>,
    /// Those of them that can be pinged.
    pub directory: Directory,
    /// Where deliveries go.
    pub inbox: Inbox,
    /// Where answers about the past come from.
    pub store: Store,
    /// Agents of the original program.
    pub legacy: Legacy,
    /// What the store counts.
    pub figures: Figures,
    /// What was counted.
    pub counters: Arc<Counters>,
    /// How often clients' mistakes are logged.
    pub mistakes: Arc<Throttle>,
    /// What deliveries under way may take.
    pub budget: MemoryBudget,
    /// The page.
    pub page: Page,
    /// The API's document.
    pub openapi: OpenApi,
    /// Places for event streams.
    pub streams: Arc<Semaphore>,
    /// Tells when the collector stops.
    pub stopping: Stopping,
    /// The wall clock.
    pub clock: Clock,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("is_loopback_only", &self.is_loopback_only)
            .field("live", &self.live)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// Logs what a client did wrong, unless `throttle` says that there was too much of it.
pub(super) fn log_mistake(throttle: &Throttle, what: impl FnOnce() -> String) {
    match throttle.pass(Instant::now()) {
        Some(0) => tracing::warn!("{}", what()),
        Some(left_out) => tracing::warn!(left_out, "{}", what()),
        None => {}
    }
}

impl App {
    /// Shares these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Whether it listens where only this machine can reach it.
    pub fn is_loopback_only(&self) -> bool {
        self.0.is_loopback_only
    }

    /// The token and its sessions; absent where none is needed.
    pub fn auth(&self) -> Option<&Auth> {
        self.0.auth.as_ref()
    }

    /// The agents that may report.
    pub fn agents(&self) -> &Arc<Agents> {
        &self.0.agents
    }

    /// The hosts now.
    pub fn live(&self) -> &Arc<Live> {
        &self.0.live
    }

    /// Whom `agent` is to ping now.
    pub fn peers(&self, agent: AgentId) -> PeerList {
        let now = self.now();
        self.0.directory.peers(&self.0.live, agent, now)
    }

    /// Where deliveries go.
    pub fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    /// Where answers about the past come from.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Agents of the original program.
    pub fn legacy(&self) -> &Legacy {
        &self.0.legacy
    }

    /// What the store counted, and the sizes of its journal.
    pub fn journal(&self) -> JournalFigures {
        self.0.figures.read()
    }

    /// What was counted.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    /// Logs what a client did wrong, unless clients did so much wrong of late that it is only
    /// counted.
    pub fn log_mistake(&self, what: impl FnOnce() -> String) {
        log_mistake(&self.0.mistakes, what);
    }

    /// What deliveries under way may take.
    pub fn memory_budget(&self) -> &MemoryBudget {
        &self.0.budget
    }

    /// The page.
    pub fn page(&self) -> &Page {
        &self.0.page
    }

    /// The API's document.
    pub fn openapi(&self) -> &OpenApi {
        &self.0.openapi
    }

    /// Places for event streams.
    pub fn streams(&self) -> &Arc<Semaphore> {
        &self.0.streams
    }

    /// Tells when the collector stops.
    pub fn stopping(&self) -> Stopping {
        self.0.stopping.clone()
    }

    /// The wall clock's reading.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// A host's recent course.
    ///
    /// # Errors
    /// 404 for an unknown host, 500 when the store cannot be read.
    pub async fn series(&self, query: SeriesQuery) -> ApiResult<SeriesSet> {
        let SeriesQuery { agent, seconds } = query;
        let (first_seen, status) = self
            .live()
            .course(agent)
            .ok_or_else(ApiError::unknown_host)?;
        let now = self.now();
        let length = Duration::from_secs(u64::from(seconds));
        let range = Window::new(now.minus(length), length);
        let course = self.store().course(agent, range.start, now).await?;
        Ok(series::build(
            range,
            &course,
            HostState { first_seen, status },
        ))
    }

    /// A host's traffic, summed over a range.
    ///
    /// # Errors
    /// 404 for an unknown host, 500 when the store cannot be read.
    pub async fn traffic(
        &self,
        agent: AgentId,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> ApiResult<TrafficSum> {
        self.live()
            .course(agent)
            .ok_or_else(ApiError::unknown_host)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.store().traffic(agent, from, to, limit).await
    }
}
