/// Bounds of a [`StdoutSink`](super::StdoutSink).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StdoutConfig {
    /// Most records that one batch may have.
    pub max_batch: usize,
}

impl Default for StdoutConfig {
    /// At most 1,024 records in a batch.
    fn default() -> Self {
        Self {
            max_batch: bwmon_core::report::bounds::RECORDS,
        }
    }
}
