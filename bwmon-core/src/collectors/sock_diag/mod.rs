//! Payload bytes of every TCP connection, counted by the Linux kernel itself. Needs no privilege.
//!
//! Live sockets are read with a `NETLINK_SOCK_DIAG` dump, one per call of
//! [`Collector::collect`]; sockets that close in between tell their last counters through the
//! groups `SKNLGRP_INET_TCP_DESTROY` and `SKNLGRP_INET6_TCP_DESTROY`. Each connection is known by
//! its socket's cookie, so each byte is counted once.
//!
//! # What is counted
//!
//! - **Egress bytes** are payload bytes sent for the first time: `tcpi_bytes_sent` less
//!   `tcpi_bytes_retrans`. SYN and FIN are no part of it. A segment that the host's own queueing
//!   discipline drops is sent, and counted, again. Kernels before 4.19 lack these fields; there it
//!   is `tcpi_bytes_acked`, which counts SYN and FIN as one byte each.
//! - **Ingress bytes** are payload bytes received in order: `tcpi_bytes_received` less one for the
//!   peer's FIN, which that field includes.
//! - **Packets** are TCP segments, those without payload included (`tcpi_segs_in`,
//!   `tcpi_segs_out`): with segmentation offload they are still segments, not frames. A server's
//!   segments of the handshake are not among them.
//! - A connection between two sockets of this host is left out unless
//!   [`SockDiagConfig::within_host`] asks for it; then it is delivered twice, once as each end sees
//!   it. IPv4 connections of IPv6 sockets are told with their IPv4 addresses.
//! - Sockets that existed when the collector was opened count from then on.
//!
//! # Where one byte can be wrong
//!
//! The last word of a closed socket does not say whether the peer's FIN was counted. It follows from
//! the state at the latest dump, from unread bytes, from whether our own FIN was acknowledged and
//! from a half-closed remainder of the connection in the next dump. One ingress byte of a connection
//! can be wrong where none of these tells:
//! it was reset after the peer's FIN had been read; or it was closed here first, the peer
//! acknowledged that before it closed too (Linux delays this by 40 ms), and did close before the
//! next dump.
//!
//! # Lost and late bytes
//!
//! Where a program aborts a connection with `SO_LINGER` 0 (or `connect` to `AF_UNSPEC`), the kernel
//! clears the counters of its socket at once: what moved since the dump before is lost.
//!
//! A connection that was reset or timed out, but whose descriptor the program keeps open, is in no
//! dump. Its last bytes are counted when the descriptor is closed, and not at all if no dump ever
//! saw the connection and it was silent for more than 10 minutes by then.

mod account;
mod kernel;

use std::time::{Duration, Instant};

use crate::collector::{CollectError, Collector, Losses, Observer, Progress};
use crate::collectors::clock::wall_clock;
use crate::flow::FlowKey;
use crate::report::CaptureLoss;

use account::Account;
use kernel::{Dumps, Notifications, Received, Socket};

const NAME: &str = "sock_diag";

/// Bounds of a [`SockDiag`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SockDiagConfig {
    /// Most connections that are told apart, and most closed ones that wait for the next dump.
    pub max_connections: usize,
    /// Bytes of kernel memory for the last words of closed connections, about 1 KiB each. The
    /// kernel gives at most twice `net.core.rmem_max`.
    pub buffer_bytes: u32,
    /// Whether to tell connections within this host, once as each end sees them. They cross no
    /// interface but loopback.
    pub within_host: bool,
}

impl Default for SockDiagConfig {
    fn default() -> Self {
        Self {
            max_connections: 65_536,
            buffer_bytes: 8 << 20,
            within_host: false,
        }
    }
}

/// Counts payload bytes per TCP connection; see the [module's documentation](self).
///
/// Each call of [`Collector::collect`] listens for closed connections until the budget is over,
/// then dumps the live ones, and delivers per connection what changed since the call before. Call
/// it once per interval, with most of the interval as budget: between two calls the kernel keeps
/// the last words of closed connections only as far as [`SockDiagConfig::buffer_bytes`] reaches.
///
/// Its [`Collector::losses`] count in `received` the readings of sockets, and in `dropped` those
/// that found no room in the table and the times that the kernel's buffer overflowed. Payload of
/// connections that the table has no room for is counted when they close.
#[derive(Debug)]
pub struct SockDiag {
    notifications: Notifications,
    dumps: Dumps,
    account: Account,
    closed: Vec<Socket>,
    max_closed: usize,
    within_host: bool,
    received: u64,
    dropped: u64,
}

impl SockDiag {
    /// Starts to listen for closed connections and takes the counters of the live ones as their
    /// baseline.
    ///
    /// # Errors
    /// When the kernel has no `sock_diag` for TCP or does not let this process use it.
    pub fn open() -> Result<Self, CollectError> {
        Self::open_with(&SockDiagConfig::default())
    }

    /// The same with other bounds.
    ///
    /// # Errors
    /// As [`SockDiag::open`].
    pub fn open_with(config: &SockDiagConfig) -> Result<Self, CollectError> {
        let mut notifications = Notifications::open(config.buffer_bytes)?;
        let mut dumps = Dumps::open()?;
        let mut account = Account::new(config.max_connections, Instant::now());
        for socket in dumps.read()? {
            account.baseline(&socket);
        }
        // What closed until now is part of the baseline.
        while let Received::Sockets(sockets) = notifications.receive(Duration::ZERO)? {
            for socket in &sockets {
                account.forget(socket);
            }
        }
        Ok(Self {
            notifications,
            dumps,
            account,
            closed: Vec::new(),
            max_closed: config.max_connections,
            within_host: config.within_host,
            received: 0,
            dropped: 0,
        })
    }

    /// Gathers closed sockets until `deadline`; at least what is there already.
    fn listen(&mut self, deadline: Instant) -> Result<Progress, CollectError> {
        while self.closed.len() < self.max_closed {
            let wait = deadline.saturating_duration_since(Instant::now());
            match self.notifications.receive(wait)? {
                Received::Sockets(sockets) => self.closed.extend(sockets),
                Received::Overflow => self.dropped += 1,
                Received::Nothing if wait.is_zero() => return Ok(Progress::Idle),
                Received::Nothing => {}
            }
        }
        Ok(Progress::Busy)
    }
}

impl Collector for SockDiag {
    fn name(&self) -> &str {
        NAME
    }

    fn collect(
        &mut self,
        budget: Duration,
        into: &mut dyn Observer,
    ) -> Result<Progress, CollectError> {
        let progress = self.listen(Instant::now() + budget)?;
        let live = self.dumps.read()?;
        let at = wall_clock();
        let now = Instant::now();
        let closed = std::mem::take(&mut self.closed);
        self.received += (live.len() + closed.len()) as u64;
        let within_host = self.within_host;
        let mut deliver = |key: FlowKey, delta| {
            if within_host || !key.is_within_host() {
                into.flow(at, None, key, delta);
            }
        };
        self.dropped += self.account.dump(&live, now, &mut deliver);
        self.account.closed(&closed, &live, now, &mut deliver);
        Ok(progress)
    }

    fn losses(&self) -> Losses {
        let loss = CaptureLoss {
            source: NAME.to_owned(),
            interface: None,
            received: self.received,
            dropped: self.dropped,
        };
        Losses {
            sources: vec![loss],
        }
    }
}
