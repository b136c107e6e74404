use std::fmt;
use std::io::{self, Stdout, Write};

use async_trait::async_trait;
use bwmon_core::Sink;
use bwmon_core::report::{AgentId, Batch, Receipt, Record};
use bwmon_core::sink::{SinkCapability, SinkError};
use serde::Serialize;

use super::config::StdoutConfig;
use super::error::{encode_error, write_error};

/// Writes one line of JSON per record, and flushes before it says `Ok`.
///
/// It keeps no memory of what it wrote: a batch that is sent again is written again. A write takes
/// as long as the reader of a pipe lets it wait.
pub struct StdoutSink<W = Stdout> {
    writer: W,
    config: StdoutConfig,
}

impl StdoutSink {
    /// On the process's standard output.
    pub fn stdout() -> Self {
        Self::new(io::stdout(), StdoutConfig::default())
    }
}

impl<W: Write + Send> StdoutSink<W> {
    /// On `writer`.
    pub const fn new(writer: W, config: StdoutConfig) -> Self {
        Self { writer, config }
    }
}

#[async_trait]
impl<W: Write + Send> Sink for StdoutSink<W> {
    fn name(&self) -> &'static str {
        "stdout"
    }

    fn capability(&self) -> SinkCapability {
        SinkCapability::with_max_batch(self.config.max_batch.max(1))
    }

    async fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError> {
        let max_batch = self.capability().max_batch;
        let len = batch.entries.len();
        if len > max_batch {
            return Err(SinkError::too_large(len, max_batch));
        }
        let mut lines = Vec::new();
        for entry in &batch.entries {
            let line = Line {
                agent: entry.agent,
                record: &entry.record,
            };
            serde_json::to_writer(&mut lines, &line).map_err(encode_error)?;
            lines.push(b'\n');
        }
        self.writer
            .write_all(&lines)
            .and_then(|()| self.writer.flush())
            .map_err(write_error)?;
        Ok(Receipt::all_stored(len))
    }

    async fn close(mut self: Box<Self>) -> Result<(), SinkError> {
        self.writer.flush().map_err(write_error)
    }
}

impl<W> fmt::Debug for StdoutSink<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdoutSink")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Line<'a> {
    agent: AgentId,
    #[serde(flatten)]
    record: &'a Record,
}
