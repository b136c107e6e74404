//! Questions to the store, off the async threads and only so many at once.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bwmon_core::query::{Notice, TrafficSum};
use bwmon_core::report::{AgentId, Interval, RecordBody};
use bwmon_core::time::Timestamp;
use bwmon_sinks::sqlite::{ReadError, SqliteReader};
use tokio::sync::Semaphore;

use super::problem::{ApiError, ApiResult};
use super::series::{Course, Point};

/// Questions that are answered at once; more wait.
const AT_ONCE: usize = 4;
/// Most reports of one series.
const MAX_REPORTS: usize = 8_192;
/// Most notices of one series.
const MAX_NOTICES: usize = 1_024;
/// Name of the reports' database within the data folder.
const FILE: &str = "bwmon.db";
/// Name of the registry of agents within the data folder.
const AGENTS_FILE: &str = "agents.db";

/// The reports' database within a data folder.
pub fn database_path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// The registry of agents within a data folder.
pub fn registry_path(folder: &Path) -> PathBuf {
    folder.join(AGENTS_FILE)
}

/// Reads from the store.
#[derive(Debug, Clone)]
pub struct Store {
    reader: SqliteReader,
    permits: Arc<Semaphore>,
}

impl Store {
    /// Asks this reader.
    pub fn new(reader: SqliteReader) -> Self {
        Self {
            reader,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// The reader itself, for the start and for what needs no question.
    pub const fn reader(&self) -> &SqliteReader {
        &self.reader
    }

    /// Traffic summed over the reports that ended after `from` and not after `to`.
    ///
    /// # Errors
    /// 500 when it cannot be read.
    pub async fn traffic(
        &self,
        agent: AgentId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> ApiResult<TrafficSum> {
        self.ask(move |reader| reader.traffic(agent, from, to, limit))
            .await
    }

    /// The reports of the `length` before the end of the agent's last one, oldest first, at most
    /// `limit`.
    ///
    /// # Errors
    /// 500 when they cannot be read.
    pub async fn recent(
        &self,
        agent: AgentId,
        length: Duration,
        limit: usize,
    ) -> ApiResult<Vec<Interval>> {
        self.ask(move |reader| {
            let mut recent = Vec::new();
            let Some(latest) = reader.latest_report(agent)? else {
                return Ok(recent);
            };
            let end = latest.interval.window.end();
            reader.reports(agent, end.minus(length), end, limit, |report| {
                recent.push(report.interval);
                ControlFlow::Continue(())
            })?;
            Ok(recent)
        })
        .await
    }

    /// What is needed to draw series: a point of each report, and the agent's notices.
    ///
    /// # Errors
    /// 500 when it cannot be read.
    pub async fn course(
        &self,
        agent: AgentId,
        from: Timestamp,
        to: Timestamp,
    ) -> ApiResult<Course> {
        self.ask(move |reader| {
            let mut course = Course::default();
            reader.reports(agent, from, to, MAX_REPORTS, |report| {
                course.points.push(Point::new(report.key, &report.interval));
                ControlFlow::Continue(())
            })?;
            reader.notices(agent, from, to, MAX_NOTICES, |record| {
                course.notices.extend(match record.body {
                    RecordBody::Dropped(dropped) => Some(Notice::Dropped(record.key, dropped)),
                    RecordBody::EpochStart(start) => Some(Notice::EpochStart(record.key, start)),
                    RecordBody::Report(_) => None,
                });
                ControlFlow::Continue(())
            })?;
            Ok(course)
        })
        .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&SqliteReader) -> Result<T, ReadError> + Send + 'static,
    ) -> ApiResult<T> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|error| ApiError::internal("the store is closed", &error))?;
        let reader = self.reader.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let answer = question(&reader);
            drop(permit);
            answer
        });
        asked
            .await
            .map_err(|error| ApiError::internal("reading the store failed", &error))?
            .map_err(|error| ApiError::internal("reading the store failed", &error))
    }
}
