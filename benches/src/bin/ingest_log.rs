//! The least that a durable receiver can do: one row per commit of whatever waits, answered after the
//! commit. `ingest_log DATABASE ADDRESS`; the baseline of `make bench-ingest`.
//!
//! No parsing, no identity, no deduplication. SQLite as bwmon uses it: write-ahead log, `FULL`, pages of
//! 8 KiB, one writer.

use std::process::ExitCode;
use std::thread;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use rusqlite::Connection;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// Requests that wait for the writer.
const QUEUE: usize = 1_024;
/// Most requests of one commit.
const GROUP: usize = 512;

type Waiting = (Bytes, oneshot::Sender<()>);

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ingest_log: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [database, address] = words.as_slice() else {
        return Err("usage: ingest_log DATABASE ADDRESS".into());
    };
    let connection = open(database)?;
    let (sender, queue) = mpsc::channel(QUEUE);
    thread::spawn(move || {
        if let Err(error) = write(&connection, queue) {
            eprintln!("ingest_log: {error}");
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let router = Router::new().route("/", post(take)).with_state(sender);
        axum::serve(listener, router).await
    })?;
    Ok(())
}

fn open(path: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "page_size", 8_192)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection
        .execute_batch("CREATE TABLE log (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")?;
    Ok(connection)
}

async fn take(State(queue): State<mpsc::Sender<Waiting>>, body: Bytes) -> StatusCode {
    let (done, is_done) = oneshot::channel();
    if queue.send((body, done)).await.is_err() || is_done.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::OK
}

/// Commits whatever waits, then answers.
fn write(connection: &Connection, mut queue: mpsc::Receiver<Waiting>) -> rusqlite::Result<()> {
    let mut insert = connection.prepare("INSERT INTO log (body) VALUES (?1)")?;
    let mut group: Vec<Waiting> = Vec::new();
    let mut row = Vec::new();
    while queue.blocking_recv_many(&mut group, GROUP) > 0 {
        row.clear();
        for (body, _) in &group {
            row.extend_from_slice(body);
        }
        insert.execute([&row])?;
        for (_, done) in group.drain(..) {
            // Whoever asked may be gone.
            let _ = done.send(());
        }
    }
    Ok(())
}
