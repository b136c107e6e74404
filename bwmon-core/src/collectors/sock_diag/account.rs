//! From readings of sockets to changes per connection; pure.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::kernel::{Socket, State, TcpInfo};
use crate::flow::{Endpoint, FlowKey};
use crate::frame::{PerDirection, Tally};

/// How long a socket is remembered that is in no dump, and whose last words did not come: they can
/// be lost, and sockets of the kernel itself have none.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Takes what changed.
type Deliver<'a> = dyn FnMut(FlowKey, PerDirection<Tally>) + 'a;

/// What is known of each connection.
#[derive(Debug)]
pub(super) struct Account {
    max_sockets: usize,
    opened: Instant,
    known: HashMap<u64, Known, foldhash::fast::RandomState>,
    /// Ports with a listening socket in the latest dump.
    listening: HashSet<u16>,
}

#[derive(Debug)]
struct Known {
    total: Totals,
    has_peer_fin: bool,
    /// Whether this end opened the connection.
    is_client: Option<bool>,
    seen: Instant,
}

/// Counters of a socket since it was made, as the kernel keeps them.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    bytes_in: u64,
    bytes_out: u64,
    segments_in: u32,
    segments_out: u32,
}

impl Account {
    pub(super) fn new(max_sockets: usize, opened: Instant) -> Self {
        Self {
            max_sockets,
            opened,
            known: HashMap::default(),
            listening: HashSet::new(),
        }
    }

    /// Takes the counters of a socket as those that later ones are compared with.
    pub(super) fn baseline(&mut self, socket: &Socket) {
        self.live(socket, self.opened, &mut |_, _| {});
    }

    /// Forgets a socket that closed before anything was counted.
    pub(super) fn forget(&mut self, socket: &Socket) {
        self.known.remove(&socket.cookie);
    }

    /// Delivers what changed on live sockets; returns how many found no room.
    pub(super) fn dump(&mut self, live: &[Socket], now: Instant, deliver: &mut Deliver<'_>) -> u64 {
        let listening = live.iter().filter(|s| s.state == State::Listen);
        self.listening = listening.map(|s| s.key.local.port).collect();
        let without_room = live.iter().filter(|s| !self.live(s, now, deliver)).count();
        self.known
            .retain(|_, known| now.saturating_duration_since(known.seen) < REMEMBERED);
        without_room as u64
    }

    /// Whether there was room.
    fn live(&mut self, socket: &Socket, now: Instant, deliver: &mut Deliver<'_>) -> bool {
        let (Some(info), false) = (socket.info, socket.state == State::Listen) else {
            return true;
        };
        let is_full = self.known.len() >= self.max_sockets;
        let known = match self.known.entry(socket.cookie) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if is_full => return false,
            Entry::Vacant(entry) => entry.insert(Known::new(now)),
        };
        known.seen = now;
        known.has_peer_fin = socket.state == State::PeerClosed;
        known.is_client = opened_it(socket.state, &info).or(known.is_client);
        let total = Totals::new(&info, known.has_peer_fin);
        let delta = known.total.advance(total);
        if !delta.is_empty() {
            deliver(socket.key, delta);
        }
        true
    }

    /// Delivers what changed on sockets that closed, until they did. `live` was dumped after their
    /// last words came.
    pub(super) fn closed(
        &mut self,
        closed: &[Socket],
        live: &[Socket],
        now: Instant,
        deliver: &mut Deliver<'_>,
    ) {
        let hints = Hints::new(closed, live, &self.listening);
        for socket in closed {
            let known = self.known.remove(&socket.cookie);
            let Some(info) = socket.info.filter(|_| has_peer(socket)) else {
                continue;
            };
            if known.is_none() && self.is_stale(&info, now) {
                continue;
            }
            let mut known = known.unwrap_or_else(|| Known::new(now));
            let has_peer_fin = known.has_peer_fin || hints.has_peer_fin(socket, &info, &known);
            let delta = known.total.advance(Totals::new(&info, has_peer_fin));
            if !delta.is_empty() {
                deliver(socket.key, delta);
            }
        }
    }

    /// Whether an unknown socket has been silent since before the collector was opened, or for so
    /// long that it was forgotten.
    fn is_stale(&self, info: &TcpInfo, now: Instant) -> bool {
        let silent = info.since_data_sent.min(info.since_data_received);
        let listened = now.saturating_duration_since(self.opened);
        silent > listened.min(REMEMBERED)
    }
}

impl Known {
    fn new(now: Instant) -> Self {
        Self {
            total: Totals::default(),
            has_peer_fin: false,
            is_client: None,
            seen: now,
        }
    }
}

impl Totals {
    fn new(info: &TcpInfo, has_peer_fin: bool) -> Self {
        Self {
            bytes_in: info.bytes_received.saturating_sub(u64::from(has_peer_fin)),
            bytes_out: info.bytes_sent,
            segments_in: info.segments_in,
            segments_out: info.segments_out,
        }
    }

    /// Moves on to `now` and returns the change. Received bytes go back only where a program uses
    /// its socket for another connection, which counts from zero; sent ones also for a moment,
    /// because a retransmission is counted as such before it is counted as sent.
    fn advance(&mut self, now: Self) -> PerDirection<Tally> {
        if now.bytes_in < self.bytes_in {
            *self = Self::default();
        }
        let tally = |before: u64, now: u64, packets: u32| Tally {
            bytes: now.saturating_sub(before),
            packets: u64::from(packets),
        };
        let segments_in = now.segments_in.wrapping_sub(self.segments_in);
        let segments_out = now.segments_out.wrapping_sub(self.segments_out);
        let delta = PerDirection {
            ingress: tally(self.bytes_in, now.bytes_in, segments_in),
            egress: tally(self.bytes_out, now.bytes_out, segments_out),
        };
        *self = Self {
            bytes_in: now.bytes_in.max(self.bytes_in),
            bytes_out: now.bytes_out.max(self.bytes_out),
            ..now
        };
        delta
    }
}

/// What tells whether the byte of a peer's FIN is among the received ones of a closed socket.
struct Hints {
    server_ports: HashSet<u16>,
    half_closed: HashSet<FlowKey>,
}

impl Hints {
    fn new(closed: &[Socket], live: &[Socket], listening: &HashSet<u16>) -> Self {
        let listened = closed.iter().filter(|s| !has_peer(s));
        let mut server_ports = listening.clone();
        server_ports.extend(listened.map(|s| s.key.local.port));
        let is_remainder = |s: &&Socket| s.state == State::FinWait2 && s.info.is_none();
        let half_closed = if closed.is_empty() {
            HashSet::new()
        } else {
            live.iter().filter(is_remainder).map(|s| s.key).collect()
        };
        Self {
            server_ports,
            half_closed,
        }
    }

    fn has_peer_fin(&self, socket: &Socket, info: &TcpInfo, known: &Known) -> bool {
        if info.bytes_received == 0 {
            return false;
        }
        if info.data_segments_in == 0 {
            return true;
        }
        let is_server = self.server_ports.contains(&socket.key.local.port);
        let is_client = known.is_client.unwrap_or(!is_server);
        let acknowledged_fins = info
            .bytes_acknowledged
            .saturating_sub(info.bytes_sent + u64::from(is_client));
        if acknowledged_fins == 0 {
            // Reset. A single unread byte is likely the FIN.
            return socket.unread_bytes == 1;
        }
        // Closed in order, so all data was read and only the FIN can be left. If it is not, it was
        // either read, or came when only a remainder of the connection was there to take it.
        socket.unread_bytes > 0 || !self.half_closed.contains(&socket.key)
    }
}

/// Whether this end opened the connection: then our SYN is among the acknowledged bytes. `None` where
/// that does not show.
fn opened_it(state: State, info: &TcpInfo) -> Option<bool> {
    let own_fin = match state {
        State::Open if info.unacknowledged_segments == 0 => 0,
        State::FinWait2 => 1,
        _ => return None,
    };
    Some(info.bytes_acknowledged > info.bytes_sent + own_fin)
}

fn has_peer(socket: &Socket) -> bool {
    let Endpoint { port, .. } = socket.key.remote;
    port != 0
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn socket(cookie: u64, state: State, info: TcpInfo) -> Socket {
        let end = |port| Endpoint {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port,
        };
        Socket {
            cookie,
            state,
            key: FlowKey::new(6, end(40_000), end(443)),
            unread_bytes: 0,
            info: Some(info),
        }
    }

    fn info(bytes_received: u64, bytes_sent: u64, segments: u32) -> TcpInfo {
        TcpInfo {
            bytes_received,
            bytes_sent,
            bytes_acknowledged: bytes_sent + 1,
            segments_in: segments,
            segments_out: segments,
            data_segments_in: 1,
            ..TcpInfo::default()
        }
    }

    fn dump(account: &mut Account, live: &[Socket], now: Instant) -> (u64, Vec<(u64, u64, u64)>) {
        let mut deltas = Vec::new();
        let without_room = account.dump(live, now, &mut |_, delta| {
            deltas.push((
                delta.ingress.bytes,
                delta.egress.bytes,
                delta.ingress.packets,
            ));
        });
        (without_room, deltas)
    }

    #[test]
    fn segment_counters_wrap_and_byte_counters_do_not_go_back() {
        let now = Instant::now();
        let mut account = Account::new(10, now);
        account.baseline(&socket(1, State::Open, info(100, 50, u32::MAX - 1)));
        let live = socket(1, State::Open, info(110, 40, 3));
        assert_eq!(dump(&mut account, &[live], now).1, [(10, 0, 5)]);
        let live = socket(1, State::Open, info(110, 60, 3));
        assert_eq!(dump(&mut account, &[live], now).1, [(0, 10, 0)]);
    }

    #[test]
    fn a_socket_used_for_another_connection_counts_from_zero() {
        let now = Instant::now();
        let mut account = Account::new(10, now);
        account.baseline(&socket(1, State::Open, info(100, 50, 9)));
        let live = socket(1, State::Open, info(7, 60, 4));
        assert_eq!(dump(&mut account, &[live], now).1, [(7, 60, 4)]);
    }

    #[test]
    fn what_finds_no_room_is_told_and_counted_when_it_closes() {
        let now = Instant::now();
        let mut account = Account::new(1, now);
        let sockets = [1, 2].map(|cookie| socket(cookie, State::Open, info(5, 6, 7)));
        assert_eq!(dump(&mut account, &sockets, now), (1, vec![(5, 6, 7)]));
        let mut last = Vec::new();
        let closed = [1, 2].map(|cookie| socket(cookie, State::Closed, info(8, 6, 7)));
        account.closed(&closed, &[], now, &mut |_, delta| {
            last.push(delta.ingress.bytes);
        });
        assert_eq!(last, [3, 8]);
    }

    #[test]
    fn a_socket_that_vanished_long_ago_is_forgotten_and_not_counted_again() {
        let opened = Instant::now();
        let mut account = Account::new(10, opened);
        let live = socket(1, State::Open, info(5, 6, 7));
        dump(&mut account, &[live], opened);
        let later = opened + REMEMBERED;
        assert_eq!(dump(&mut account, &[], later).1, []);
        assert!(account.known.is_empty());
        let mut silent = info(5, 6, 7);
        silent.since_data_sent = REMEMBERED + Duration::from_secs(1);
        silent.since_data_received = silent.since_data_sent;
        let closed = [socket(1, State::Closed, silent)];
        account.closed(&closed, &[], later, &mut |_, _| panic!("counted again"));
    }
}
