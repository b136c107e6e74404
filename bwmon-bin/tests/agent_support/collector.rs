use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use bwmon_core::report::{Document, Interval, Receipt, Record, RecordBody, wire};
use bwmon_core::time::Timestamp;

use super::{AGENT_ID, wait_for};

/// A record as it came, and what it was sent with.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) authorization: Option<String>,
    pub(crate) record: Record,
}

impl Received {
    pub(crate) fn report(&self) -> Option<&Interval> {
        match &self.record.body {
            RecordBody::Report(interval) => Some(interval),
            _ => None,
        }
    }
}

/// What a delivery is answered with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reply {
    /// All of it is stored, and so many records of a backlog may follow.
    Stored { credit: Option<u32> },
    /// It is not, with this status line and headers (each with its line break).
    Refused(&'static str, &'static str),
}

type Script = dyn FnMut(&Document) -> Reply + Send;

/// A collector that acknowledges everything with the right credential, unless told otherwise.
#[derive(Debug)]
pub(crate) struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    attempts: Arc<Mutex<Vec<Vec<u64>>>>,
}

impl Collector {
    /// Any credential is right where none is named.
    pub(crate) fn start(credential: Option<&str>) -> Self {
        Self::listen("127.0.0.1:0".parse().unwrap(), credential)
    }

    /// On an address of its own choice; the thread lives as long as the test.
    pub(crate) fn listen(address: SocketAddr, credential: Option<&str>) -> Self {
        Self::serve(address, credential, |_| Reply::Stored { credit: None })
    }

    /// Answers each delivery as `script` says.
    pub(crate) fn answering(
        address: SocketAddr,
        script: impl FnMut(&Document) -> Reply + Send + 'static,
    ) -> Self {
        Self::serve(address, None, script)
    }

    fn serve(
        address: SocketAddr,
        credential: Option<&str>,
        script: impl FnMut(&Document) -> Reply + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("the address is free");
        let address = listener.local_addr().unwrap();
        let (received, attempts) = (Arc::default(), Arc::default());
        let shared = Shared {
            received: Arc::clone(&received),
            attempts: Arc::clone(&attempts),
            authorization: credential.map(|credential| format!("Bearer {credential}")),
            script: Arc::new(Mutex::new(script)),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || shared.serve(&stream));
            }
        });
        Self {
            address,
            received,
            attempts,
        }
    }

    /// An address where nobody listens.
    pub(crate) fn nowhere() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The numbers in each delivery that was tried.
    pub(crate) fn attempts(&self) -> Vec<Vec<u64>> {
        self.attempts.lock().unwrap().clone()
    }

    pub(crate) fn reports(&self) -> Vec<Interval> {
        self.received()
            .iter()
            .filter_map(Received::report)
            .cloned()
            .collect()
    }

    /// Waits until there are `count` records.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Received> {
        wait_for("records", || {
            Some(self.received()).filter(|all| all.len() >= count)
        })
    }

    /// Waits for a first report.
    pub(crate) fn first_report(&self) -> Interval {
        wait_for("a report", || self.reports().into_iter().next())
    }
}

const HEALTH: &str = r#"{"status":"ok","version":"9.9.9","auth_required":false}"#;

fn known_agent() -> Vec<u8> {
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let known = serde_json::json!({
        "agent": AGENT_ID,
        "schema": 1,
        "server_time_us": Timestamp::EPOCH.plus(since_epoch).as_micros(),
    });
    known.to_string().into_bytes()
}

#[derive(Clone)]
struct Shared {
    received: Arc<Mutex<Vec<Received>>>,
    attempts: Arc<Mutex<Vec<Vec<u64>>>>,
    authorization: Option<String>,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Request {
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut request = Self::default();
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        request.target = line.split(' ').nth(1)?.to_owned();
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            request
                .headers
                .push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let length = request
            .header("content-length")
            .map_or(0, |text| text.parse().unwrap());
        request.body = vec![0; length];
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn document(&self) -> Document {
        let plain = match self.header("content-encoding") {
            Some("zstd") => zstd::decode_all(self.body.as_slice()).expect("zstd"),
            None => self.body.clone(),
            other => panic!("unexpected content-encoding {other:?}"),
        };
        match self.header("content-type") {
            Some(wire::CONTENT_TYPE) => wire::decode(&plain).expect("a document").document,
            _ => serde_json::from_slice(&plain).expect("a document"),
        }
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader) {
            let (status, headers, body) = self.answer(&request);
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
                body.len()
            );
            let mut stream = stream;
            if stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(&body))
                .is_err()
            {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> (&'static str, &'static str, Vec<u8>) {
        let is_admitted = self.authorization.is_none()
            || request.header("authorization") == self.authorization.as_deref();
        match request.target.as_str() {
            "/api/v1/health" => ("200 OK", "", HEALTH.as_bytes().to_vec()),
            _ if !is_admitted => ("401 Unauthorized", "", b"{}".to_vec()),
            "/api/v1/ingest" => self.ingest(request),
            "/api/v1/agent" => ("200 OK", "", known_agent()),
            _ => ("404 Not Found", "", b"{}".to_vec()),
        }
    }

    fn ingest(&self, request: &Request) -> (&'static str, &'static str, Vec<u8>) {
        let document = request.document();
        let numbers = document.records.iter().map(|record| record.seq).collect();
        self.attempts.lock().unwrap().push(numbers);
        let reply = (self.script.lock().unwrap())(&document);
        let credit = match reply {
            Reply::Stored { credit } => credit,
            Reply::Refused(status, headers) => return (status, headers, b"{}".to_vec()),
        };
        let mut receipt = Receipt::all_stored(document.records.len());
        receipt.credit = credit;
        let received = document.records.into_iter().map(|record| Received {
            authorization: request.header("authorization").map(str::to_owned),
            record,
        });
        self.received.lock().unwrap().extend(received);
        ("200 OK", "", serde_json::to_vec(&receipt).unwrap())
    }
}
