//! The stdout sink on writers that can be looked into.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use bwmon_core::Sink;
use bwmon_core::report::{AgentId, Batch, Epoch, Record, RecordKey};
use bwmon_core::sink::SinkErrorKind;
use bwmon_core::testkit::{self, envelope, epoch_start};
use bwmon_sinks::stdout::{StdoutConfig, StdoutSink};

/// Shows what was flushed, not what was only written.
#[derive(Clone, Default)]
struct Page {
    written: Vec<u8>,
    flushed: Arc<Mutex<Vec<u8>>>,
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Short writes, as pipes make them.
        let part = &bytes[..bytes.len().min(1_000)];
        self.written.write(part)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed.lock().unwrap().append(&mut self.written);
        Ok(())
    }
}

impl Page {
    fn lines(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.flushed.lock().unwrap().clone()).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn keys(&self) -> Vec<(AgentId, RecordKey)> {
        let key = |line: serde_json::Value| {
            let agent = line["agent"].as_str().unwrap().parse().unwrap();
            (agent, serde_json::from_value::<Record>(line).unwrap().key())
        };
        self.lines().into_iter().map(key).collect()
    }
}

#[tokio::test]
async fn it_keeps_the_laws_of_a_sink() {
    let pages: Vec<Page> = (0..16).map(|_| Page::default()).collect();
    let subject = testkit::sink::Subject::new(|place| {
        let page = pages[place as usize].clone();
        let sink: Box<dyn Sink> = Box::new(StdoutSink::new(page, StdoutConfig::default()));
        std::future::ready(sink)
    })
    .reading(|place| std::future::ready(pages[place as usize].keys()));
    testkit::sink::conformance(subject).await;
}

#[tokio::test]
async fn each_record_is_a_line_with_its_agent() {
    let page = Page::default();
    let mut sink = StdoutSink::new(page.clone(), StdoutConfig::default());
    let entries = vec![
        epoch_start(AgentId(1), Epoch(2)),
        envelope(AgentId(1), Epoch(2), 2),
    ];
    sink.write(&Batch { entries }).await.unwrap();
    let lines = page.lines();
    assert_eq!(lines.len(), 2);
    for (line, seq) in lines.iter().zip([1, 2]) {
        let names: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names.len(), 4, "{names:?}");
        assert_eq!(line["agent"], AgentId(1).to_string());
        assert_eq!(line["epoch"], Epoch(2).to_string());
        assert_eq!(line["seq"], seq);
    }
    assert!(lines[0]["body"]["epoch_start"].is_object());
    assert_eq!(lines[1]["body"]["report"]["flows"][0]["remote_port"], 443);
}

#[tokio::test]
async fn a_broken_pipe_is_an_error() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut sink = StdoutSink::new(writer, StdoutConfig::default());
    let entries = vec![envelope(AgentId(1), Epoch(2), 1)];
    let error = sink.write(&Batch { entries }).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Broken);
    assert!(error.to_string().contains("nobody reads"), "{error}");
}
