//! Accepting connections: how many, for how long, and what a slow one may cost.

mod deadline;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::counters::{Counters, Gauge, Open};
use super::guard::Peer;
use super::routes::Front;
use super::stop::Stopping;
use deadline::{Progress, Watched};

/// Longest time that a connection may stay open without a request.
const IDLE_LIMIT: Duration = Duration::from_secs(75);
/// How long requests under way may go on when the collector stops.
const GRACE: Duration = Duration::from_secs(1);
/// Pause after the system refused to accept, for instance because no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Most bytes of the head of a request.
const HEAD_BYTES: usize = 32 * 1024;

/// Serves HTTP/1.1 on a socket.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    places: Arc<Semaphore>,
    counters: Arc<Counters>,
}

impl Listener {
    /// Serves on this socket, with at most this many connections at once.
    pub fn new(socket: TcpListener, connections: usize, counters: Arc<Counters>) -> Self {
        Self {
            socket,
            places: Arc::new(Semaphore::new(connections)),
            counters,
        }
    }

    /// Serves until told to stop, then lets requests under way end within a second.
    pub async fn serve(self, front: Front, mut stopping: Stopping) {
        let front = Arc::new(front);
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stopping.wait() => break,
                accepted = self.accept() => match accepted {
                    Ok((stream, peer, place)) => {
                        let gauge = Gauge::enter(&self.counters, Open::Connection);
                        let connection = graceful.watch(connection(stream, peer, Arc::clone(&front)));
                        connections.spawn(async move {
                            // How a connection ended concerns only its other end.
                            let _ended = connection.await;
                            drop((place, gauge));
                        });
                    }
                    Err(error) if is_about_one_connection(&error) => {}
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept connections; trying again");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.socket);
        let _late_ones_are_cut = tokio::time::timeout(GRACE, graceful.shutdown()).await;
        connections.shutdown().await;
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let (stream, peer) = self.socket.accept().await?;
        stream.set_nodelay(true)?;
        Ok((stream, peer, place))
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    front: Arc<Front>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + 'static {
    let progress = Progress::default();
    let io = TokioIo::new(Watched::new(stream, progress.clone()));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answering = progress.answer();
        let front = Arc::clone(&front);
        async move {
            let response = front.answer(Peer(peer), request).await;
            drop(answering);
            Ok::<Response, Infallible>(response)
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_LIMIT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(io, service)
}

/// Whether the next connection may well be accepted at once.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Interrupted
    )
}
