//! The HTTP sink against a small server of its own that speaks HTTP/1.1 over real sockets.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bwmon_core::Sink;
use bwmon_core::report::{
    AgentId, Batch, Document, Envelope, Epoch, Fate, Receipt, RecordBody, RecordKey, SCHEMA, wire,
};
use bwmon_core::sink::{SinkError, SinkErrorKind};
use bwmon_core::testkit::{self, envelope};
use bwmon_core::time::Timestamp;
use bwmon_sinks::Secret;
use bwmon_sinks::http::{Encoding, HttpConfig, HttpSink, MAX_BODY_BYTES};

const AGENT: AgentId = AgentId(0xa);
const CREDENTIAL: &str = "correct-horse-battery-staple";

/// What the server does with one request.
enum Reply {
    /// Stores it and closes the connection without an answer.
    StoreAndHangUp,
    /// Stores nothing.
    Answer(u16, &'static str, String),
}

#[derive(Default)]
struct State {
    connections: usize,
    headers: Vec<BTreeMap<String, String>>,
    stored: BTreeSet<RecordKey>,
    replies: VecDeque<Reply>,
    /// Of an older release: answers 415 to anything but JSON.
    reads_only_json: bool,
}

#[derive(Clone)]
struct Server {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let server = Self { url, state };
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serving.state.lock().unwrap().connections += 1;
                let serving = serving.clone();
                std::thread::spawn(move || while serving.answer(stream.as_ref().unwrap()) {});
            }
        });
        server
    }

    fn then(&self, status: u16, header: &'static str, body: &str) {
        let reply = Reply::Answer(status, header, body.to_owned());
        self.state.lock().unwrap().replies.push_back(reply);
    }

    fn keys(&self) -> Vec<(AgentId, RecordKey)> {
        let state = self.state.lock().unwrap();
        state.stored.iter().map(|key| (AGENT, *key)).collect()
    }

    /// Serves one request; `false` when the connection is over.
    fn answer(&self, stream: &TcpStream) -> bool {
        let Some((headers, body)) = read_request(stream) else {
            return false;
        };
        let body = match headers.get("content-encoding").map(String::as_str) {
            Some("zstd") => zstd::decode_all(body.as_slice()).unwrap(),
            None => body,
            Some(other) => panic!("content-encoding {other}"),
        };
        let mut state = self.state.lock().unwrap();
        let is_compact = headers["content-type"] == wire::CONTENT_TYPE;
        assert_eq!(headers["accept"], headers["content-type"]);
        state.headers.push(headers);
        let (status, header, body) = match state.replies.pop_front() {
            Some(Reply::Answer(status, header, body)) => (status, header, body.into_bytes()),
            Some(Reply::StoreAndHangUp) => {
                state.store(&body, is_compact);
                return false;
            }
            None if is_compact && state.reads_only_json => {
                (415, "x-a: b", b"{\"detail\":\"send JSON\"}".to_vec())
            }
            None => state.stored(&body, is_compact),
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{header}\r\n\r\n");
        let mut stream = stream;
        stream.write_all(&[head.as_bytes(), &body].concat()).is_ok()
    }
}

impl State {
    /// The answer of a collector that stores.
    fn stored(&mut self, body: &[u8], is_compact: bool) -> (u16, &'static str, Vec<u8>) {
        let receipt = self.store(body, is_compact);
        if is_compact {
            let header = "content-type: application/vnd.bwmon.batch+protobuf; v=1";
            return (200, header, wire::encode_receipt(&receipt));
        }
        let header = match self.reads_only_json {
            true => "content-type: application/json",
            false => "accept-post: application/json, application/vnd.bwmon.batch+protobuf; v=1",
        };
        (200, header, serde_json::to_vec(&receipt).unwrap())
    }

    fn kinds(&self) -> Vec<&str> {
        let kind = |headers: &BTreeMap<String, String>| match headers["content-type"].as_str() {
            "application/json" => "json",
            wire::CONTENT_TYPE => "compact",
            other => panic!("{other}"),
        };
        self.headers.iter().map(kind).collect()
    }

    fn store(&mut self, body: &[u8], is_compact: bool) -> Receipt {
        let document: Document = match is_compact {
            true => wire::decode(body).unwrap().document,
            false => serde_json::from_slice(body).unwrap(),
        };
        assert_eq!(document.schema, SCHEMA);
        let fate = |record: &bwmon_core::report::Record| match self.stored.insert(record.key()) {
            true => Fate::Stored,
            false => Fate::Duplicate,
        };
        Receipt::new(document.records.iter().map(fate).collect())
    }
}

fn read_request(stream: &TcpStream) -> Option<(BTreeMap<String, String>, Vec<u8>)> {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    if line.is_empty() {
        return None;
    }
    assert_eq!(line, "POST /api/v1/ingest HTTP/1.1\r\n");
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((headers, body))
}

fn config(url: &str) -> HttpConfig {
    let mut config = HttpConfig::new(url, Secret::new(CREDENTIAL));
    config.timeout = Duration::from_secs(20);
    config
}

fn sink(server: &Server) -> HttpSink {
    HttpSink::new(&config(&server.url)).unwrap()
}

fn batch(seqs: impl IntoIterator<Item = u64>) -> Batch {
    let entries = seqs.into_iter().map(|seq| envelope(AGENT, Epoch(1), seq));
    Batch {
        entries: entries.collect(),
    }
}

#[tokio::test]
async fn it_keeps_the_laws_of_a_sink() {
    let servers: Vec<Server> = (0..16).map(|_| Server::start()).collect();
    let subject = testkit::sink::Subject::new(|place| {
        let sink: Box<dyn Sink> = Box::new(sink(&servers[place as usize]));
        std::future::ready(sink)
    })
    .reading(|place| std::future::ready(servers[place as usize].keys()))
    .of_agent(AGENT)
    .secret(CREDENTIAL);
    testkit::sink::conformance(subject).await;
}

#[tokio::test]
async fn one_connection_serves_many_deliveries_and_each_says_who_it_is_from() {
    let server = Server::start();
    let mut sink = sink(&server);
    for seq in 1..=30 {
        let receipt = sink.write(&batch([seq])).await.unwrap();
        assert_eq!(receipt.fates, [Fate::Stored]);
    }
    // An answer that is no receipt does not cost the connection either.
    server.then(503, "retry-after: 7", "");
    sink.write(&batch([31])).await.unwrap_err();
    sink.write(&batch([31])).await.unwrap();
    let state = server.state.lock().unwrap();
    assert_eq!(state.connections, 1);
    assert_eq!(state.headers.len(), 32);
    for headers in &state.headers {
        assert_eq!(headers["authorization"], format!("Bearer {CREDENTIAL}"));
        assert_eq!(headers["content-type"], wire::CONTENT_TYPE);
    }
}

#[tokio::test]
async fn an_older_collector_is_sent_json_until_it_is_upgraded() {
    let server = Server::start();
    server.state.lock().unwrap().reads_only_json = true;
    let mut sink = sink(&server);
    for seq in 1..=3 {
        let receipt = sink.write(&batch([seq])).await.unwrap();
        assert_eq!(receipt.fates, [Fate::Stored]);
    }
    assert_eq!(
        server.state.lock().unwrap().kinds(),
        ["compact", "json", "json", "json"]
    );
    // Errors of another kind change nothing.
    server.then(503, "x-a: b", "");
    sink.write(&batch([4])).await.unwrap_err();
    // After the upgrade an answer to JSON says what else is read.
    server.state.lock().unwrap().reads_only_json = false;
    for seq in 4..=6 {
        sink.write(&batch([seq])).await.unwrap();
    }
    let state = server.state.lock().unwrap();
    assert_eq!(state.kinds()[4..], ["json", "json", "compact", "compact"]);
    assert_eq!(state.stored.len(), 6);
    assert_eq!(state.connections, 1);
}

#[tokio::test]
async fn a_collector_that_takes_neither_encoding_makes_the_agent_hold_its_data() {
    let server = Server::start();
    let mut sink = sink(&server);
    for _ in 0..2 {
        server.then(415, "x-a: b", "");
        server.then(
            415,
            "x-a: b",
            r#"{"detail":"document has schema 1, this collector reads schema 2"}"#,
        );
        let error = sink.write(&batch([1])).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Incompatible);
        assert!(
            error.is_retryable() && error.to_string().contains("reads schema 2"),
            "{error}"
        );
    }
    // Nothing was learnt from that. One that reads the encoding, but not the content, is not sent JSON.
    let reads_both = "accept-post: application/json, application/vnd.bwmon.batch+protobuf; v=1";
    server.then(415, reads_both, "");
    let error = sink.write(&batch([1])).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Incompatible);
    sink.write(&batch([1])).await.unwrap();
    let state = server.state.lock().unwrap();
    assert_eq!(
        state.kinds(),
        ["compact", "json", "compact", "json", "compact", "compact"]
    );
}

#[tokio::test]
async fn json_is_sent_where_that_is_configured() {
    let server = Server::start();
    let mut config = config(&server.url);
    config.encoding = Encoding::Json;
    let mut sink = HttpSink::new(&config).unwrap();
    for seq in 1..=2 {
        sink.write(&batch([seq])).await.unwrap();
    }
    server.then(415, "x-a: b", "");
    sink.write(&batch([3])).await.unwrap_err();
    assert_eq!(
        server.state.lock().unwrap().kinds(),
        ["json", "json", "json"]
    );
}

#[tokio::test]
async fn only_bodies_above_a_kibibyte_are_compressed() {
    let server = Server::start();
    let mut sink = sink(&server);
    let mut small = batch([1]);
    small.entries[0].record.body = RecordBody::Report(Box::default());
    sink.write(&small).await.unwrap();
    sink.write(&batch(2..=20)).await.unwrap();
    let state = server.state.lock().unwrap();
    let encodings: Vec<_> = state
        .headers
        .iter()
        .map(|headers| headers.get("content-encoding").map(String::as_str))
        .collect();
    assert_eq!(encodings, [None, Some("zstd")]);
}

#[tokio::test]
async fn after_a_lost_answer_the_resend_is_a_duplicate() {
    let server = Server::start();
    let mut sink = sink(&server);
    sink.write(&batch([1])).await.unwrap();
    server
        .state
        .lock()
        .unwrap()
        .replies
        .push_back(Reply::StoreAndHangUp);
    let error = sink.write(&batch([2, 3])).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Unavailable);
    assert!(error.to_string().contains(&server.url), "{error}");
    let receipt = sink.write(&batch([2, 3, 4])).await.unwrap();
    assert_eq!(
        receipt.fates,
        [Fate::Duplicate, Fate::Duplicate, Fate::Stored]
    );
}

async fn error_of(reply: (u16, &'static str, &str), records: u64) -> SinkError {
    let server = Server::start();
    server.then(reply.0, reply.1, reply.2);
    if reply.0 == 415 {
        // Said of the compact encoding, and of JSON.
        server.then(reply.0, reply.1, reply.2);
    }
    sink(&server).write(&batch(1..=records)).await.unwrap_err()
}

#[tokio::test]
async fn each_answer_says_what_helps() {
    use SinkErrorKind::{Busy, Incompatible, Refused, TooLarge, Unauthorised, Unavailable};
    for (status, records, kind) in [
        (400, 2, Refused),
        (401, 1, Unauthorised),
        (403, 1, Unauthorised),
        (404, 1, Incompatible),
        (408, 1, Unavailable),
        (413, 2, TooLarge),
        (413, 1, Refused),
        (415, 1, Incompatible),
        (422, 1, Refused),
        (429, 1, Busy),
        (500, 1, Unavailable),
        (502, 1, Unavailable),
        (503, 1, Busy),
    ] {
        let error = error_of((status, "x-a: b", ""), records).await;
        assert_eq!(error.kind(), kind, "{status}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
    let problem = r#"{"type":"about:blank","title":"Bad","status":400,"detail":"records[0].seq"}"#;
    let error = error_of((400, "x-a: b", problem), 1).await;
    assert!(error.to_string().contains("records[0].seq"), "{error}");
    let busy = error_of((503, "retry-after: 7", ""), 1).await;
    assert_eq!(busy.delay(), Some(Duration::from_secs(7)));
    let moved = error_of((301, "location: http://127.0.0.1:1/", ""), 1).await;
    assert_eq!(moved.kind(), Incompatible);
}

#[tokio::test]
async fn an_answer_that_is_no_receipt_acknowledges_nothing() {
    for body in ["<html>", r#"{"fates":["stored"]}"#, r#"{"fates":[]}"#] {
        let error = error_of((200, "x-a: b", body), 2).await;
        assert_eq!(error.kind(), SinkErrorKind::Incompatible, "{body}: {error}");
    }
    let endless = format!(r#"{{"fates":["stored"],"x":"{}"}}"#, "y".repeat(2 << 20));
    assert!(error_of((200, "x-a: b", &endless), 1).await.is_retryable());
}

#[tokio::test]
async fn nobody_there_is_an_error_that_names_the_place_and_no_credential() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut sink = HttpSink::new(&config(&format!("http://{free}"))).unwrap();
    let error = sink.write(&batch([1])).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Unavailable);
    let text = format!("{error} {error:?} {sink:?}");
    assert!(
        text.contains(&free.to_string()) && !text.contains(CREDENTIAL),
        "{text}"
    );
}

#[tokio::test]
async fn records_of_two_agents_and_bodies_that_are_too_long_never_leave() {
    let server = Server::start();
    let mut sink = sink(&server);
    let mut other = batch([1, 2]);
    other.entries[1].agent = AgentId(0xb);
    assert_eq!(
        sink.write(&other).await.unwrap_err().kind(),
        SinkErrorKind::Refused
    );

    let mut long = batch([1, 2]);
    for Envelope { record, .. } in &mut long.entries {
        fill(&mut record.body, 10_000);
    }
    let error = sink.write(&long).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::TooLarge);
    assert!(
        error.to_string().contains(&MAX_BODY_BYTES.to_string()),
        "{error}"
    );
    long.entries.pop();
    fill(&mut long.entries[0].record.body, 40_000);
    assert_eq!(
        sink.write(&long).await.unwrap_err().kind(),
        SinkErrorKind::Refused
    );
    assert_eq!(server.state.lock().unwrap().headers.len(), 0);
}

/// Puts rows into a report that no compression makes smaller.
fn fill(body: &mut RecordBody, rows: usize) {
    let RecordBody::Report(interval) = body else {
        panic!()
    };
    let mut state = rows as u64 ^ interval.window.start.as_micros();
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state >> 12
    };
    let row = interval.flows[0].clone();
    interval.flows = vec![row; rows];
    for row in &mut interval.flows {
        row.remote = Ipv6Addr::from_bits(u128::from(random()) << 64 | u128::from(random())).into();
        row.first = Timestamp::from_micros(random());
        for part in [&mut row.traffic.ingress, &mut row.traffic.egress] {
            (part.bytes, part.packets) = (random(), random());
        }
    }
}
