//! A stream that ends when its other end sends the head of a request, or takes an answer, too
//! slowly. hyper's own header timeout also runs while a connection waits for its next request, which
//! is where an agent's connection spends its time: it serves as the limit of that.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// Longest time that the head of a request may take.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// Longest time for which nothing of an answer is taken.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// How far a connection's requests are: a number that is odd while one is being answered, and grows
/// with each change.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

/// A request is being answered for as long as this lives.
#[derive(Debug)]
pub(super) struct Answering(Progress);

impl Progress {
    /// A request's head has arrived.
    pub(super) fn answer(&self) -> Answering {
        self.0.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A stream with deadlines.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    progress: Progress,
    /// The head that has begun.
    head: Option<Head>,
    write: Option<Pin<Box<Sleep>>>,
}

/// A head that has begun and is not whole yet.
#[derive(Debug)]
struct Head {
    /// How far requests were when it began.
    since: u64,
    /// When it must be there: from the moment on at which more of it is waited for. Nearly every head
    /// comes as a whole, and needs no timer.
    due: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    /// The first head is due from now on.
    pub(super) fn new(stream: TcpStream, progress: Progress) -> Self {
        Self {
            stream,
            head: Some(Head {
                since: progress.now(),
                due: None,
            }),
            progress,
            write: None,
        }
    }

    /// Notes that bytes came in: of a head, unless a request is being answered.
    fn note_read(&mut self) {
        let now = self.progress.now();
        let is_answering = now % 2 == 1;
        let is_running = self.head.as_ref().is_some_and(|head| head.since == now);
        if !is_answering && !is_running {
            self.head = Some(Head {
                since: now,
                due: None,
            });
        }
    }

    /// To be asked when there is nothing to read.
    fn is_head_late(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.head {
            Some(head) if head.since == self.progress.now() => {
                let due = head.due.get_or_insert_with(|| Box::pin(sleep(HEAD_LIMIT)));
                due.as_mut().poll(cx).is_ready()
            }
            _ => {
                self.head = None;
                false
            }
        }
    }

    fn watch_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.write = None;
            return result;
        }
        let due = self
            .write
            .get_or_insert_with(|| Box::pin(sleep(WRITE_LIMIT)));
        if due.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.note_read();
        }
        if result.is_pending() && self.is_head_late(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch_write(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch_write(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
