//! The agent's own metrics, for whoever scrapes them on this host; docs/metrics.md lists them.
//!
//! Served where reports are delivered from, by a few short connections at a time: capturing has a thread
//! of its own and hears nothing of it.

mod process;
mod text;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::config::LoopbackAddress;
use super::outlets::{Outlets, Watched};
use super::vitals::Vitals;
use crate::common::{exposition, loopback};

/// Connections at once; further ones wait in the system.
const CONNECTIONS: usize = 4;
/// How long one may last, whatever it does: it is for one request.
const LIFETIME: Duration = Duration::from_secs(10);
/// Most bytes of the head of a request; the least that the library takes.
const HEAD_BYTES: usize = 8 * 1024;
/// Pause after the system refused to accept, for instance because no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Where the numbers are.
#[derive(Debug)]
pub(super) struct Sources {
    /// Absent where reports are only printed.
    collector: Option<Watched>,
    /// Absent where nothing is printed.
    stdout: Option<Watched>,
    vitals: Arc<Vitals>,
    /// Most flows that are told apart within one interval.
    max_flows: usize,
}

impl Sources {
    pub(super) fn of(outlets: &Outlets, vitals: Arc<Vitals>, max_flows: usize) -> Self {
        let [collector, stdout] = outlets.watch();
        Self {
            collector,
            stdout,
            vitals,
            max_flows,
        }
    }
}

/// Listens, and serves as long as the runtime lives.
///
/// # Errors
/// Where the address cannot be had.
pub(super) async fn start(address: LoopbackAddress, sources: Sources) -> anyhow::Result<()> {
    let address = address.address();
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!(
            "cannot serve metrics on {address}; choose another port with --metrics-listen or \
             BWMON_METRICS_LISTEN"
        )
    })?;
    tracing::info!("metrics on http://{}/metrics", listener.local_addr()?);
    tokio::spawn(serve(listener, Arc::new(sources)));
    Ok(())
}

async fn serve(listener: TcpListener, sources: Arc<Sources>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // It is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let sources = Arc::clone(&sources);
        tokio::spawn(async move {
            // How a connection ended concerns only its other end.
            let _ended = timeout(LIFETIME, connection(stream, &sources)).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, sources: &Sources) -> hyper::Result<()> {
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(answer(&request, sources))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(LIFETIME)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

fn answer(request: &Request<Incoming>, sources: &Sources) -> Response<Full<Bytes>> {
    let (status, kind, body) = if !loopback::is_named(request.headers()) {
        // A page of another site whose name leads here must not read it.
        let detail = "ask for it as 127.0.0.1, [::1] or localhost\n";
        (StatusCode::MISDIRECTED_REQUEST, PLAIN, detail.to_owned())
    } else if request.uri().path() != "/metrics" {
        (
            StatusCode::NOT_FOUND,
            PLAIN,
            "there is only /metrics\n".to_owned(),
        )
    } else if request.method() != Method::GET {
        (
            StatusCode::METHOD_NOT_ALLOWED,
            PLAIN,
            "only GET\n".to_owned(),
        )
    } else {
        (StatusCode::OK, exposition::CONTENT_TYPE, text::of(sources))
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

const PLAIN: &str = "text/plain; charset=utf-8";
