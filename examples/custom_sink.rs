//! A sink of one's own, JSON arrays in a file, and the conformance suite that it passes.
use std::{fs, future::ready, io::Write, path::Path};

use bwmon_core::report::{AgentId, Batch, Envelope, Receipt, RecordKey};
use bwmon_core::sink::{Sink, SinkCapability, SinkError, SinkErrorKind};
use bwmon_core::testkit::sink::{Subject, conformance};
use serde_json::{Value, json};

/// Appends `[agent, epoch, seq, processor use in percent]`.
#[derive(Debug)]
pub struct FileSink(fs::File);

pub fn open(path: &Path) -> Box<dyn Sink> {
    let file = fs::File::options().create(true).append(true).open(path);
    Box::new(FileSink(file.expect("a file that can be appended to")))
}

pub fn keys(path: &Path) -> Vec<(AgentId, RecordKey)> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = |text| serde_json::from_str(text).expect("a whole line");
    let key = |(agent, epoch, seq, _): (_, _, _, Value)| (agent, RecordKey { epoch, seq });
    text.lines().map(line).map(key).collect()
}

#[async_trait::async_trait]
impl Sink for FileSink {
    fn name(&self) -> &'static str {
        "file"
    }
    fn capability(&self) -> SinkCapability {
        SinkCapability::with_max_batch(256).durable().readable()
    }
    async fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError> {
        if batch.entries.len() > 256 {
            return Err(SinkError::too_large(batch.entries.len(), 256));
        }
        let mut text = String::new();
        for Envelope { agent, record } in &batch.entries {
            let body = json!(record.body);
            let cpu = body.pointer("/report/host/cpu/total_percent");
            text += &format!("{}\n", json!([agent, record.epoch, record.seq, cpu]));
        }
        let synced = write!(self.0, "{text}").and_then(|()| self.0.sync_data());
        synced.map_err(|error| SinkError::new(SinkErrorKind::Broken, error.to_string()))?;
        Ok(Receipt::all_stored(batch.entries.len()))
    }
    async fn close(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
pub async fn main() {
    let folder = tempfile::tempdir().expect("a folder for the files");
    let path = |place| folder.path().join(format!("{place}.jsonl"));
    let subject = Subject::new(|place| ready(open(&path(place))));
    let subject = subject.reading(|place| ready(keys(&path(place))));
    println!("{}", conformance(subject).await);
}
