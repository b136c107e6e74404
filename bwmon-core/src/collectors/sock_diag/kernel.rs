//! The conversation with the kernel: sock_diag(7) over netlink(7).

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{
    AF_INET, AF_INET6, IPPROTO_TCP, TCP_CLOSE, TCP_CLOSE_WAIT, TCP_CLOSING, TCP_FIN_WAIT2,
    TCP_LAST_ACK, TCP_LISTEN,
};
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags, nlas::Nla,
};
use netlink_sys::{Socket as NetlinkSocket, SocketAddr, protocols::NETLINK_SOCK_DIAG};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::collector::{CollectError, CollectErrorKind};
use crate::flow::{Endpoint, FlowKey};

/// `SKNLGRP_INET_TCP_DESTROY` (1) and `SKNLGRP_INET6_TCP_DESTROY` (3) of linux/sock_diag.h, as bits.
const TCP_DESTROY_GROUPS: u32 = 0b101;
/// The kernel sends datagrams of at most 32 KiB.
const BUFFER_BYTES: usize = 64 << 10;
/// Room for one datagram and more: the kernel fills it only as fast as it is read.
const DUMP_BUFFER_BYTES: u32 = 256 << 10;
const DUMP_TIMEOUT: Duration = Duration::from_secs(5);

/// One reading of a TCP socket.
#[derive(Debug, Clone)]
pub(super) struct Socket {
    /// Unique among the sockets of one boot.
    pub(super) cookie: u64,
    pub(super) state: State,
    pub(super) key: FlowKey,
    /// Received in order and not read by the program, a FIN counted as one byte.
    pub(super) unread_bytes: u32,
    /// Absent for what remains of a closed connection.
    pub(super) info: Option<TcpInfo>,
}

/// What of RFC 9293's states matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Waits for connections; has no peer.
    Listen,
    /// The peer did not send a FIN yet.
    Open,
    /// Our FIN is acknowledged, the peer did not send its own yet.
    FinWait2,
    /// The peer's FIN arrived.
    PeerClosed,
    /// Over; whether the peer's FIN arrived is unknown.
    Closed,
}

/// The fields of `struct tcp_info` (linux/tcp.h) that are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct TcpInfo {
    pub(super) unacknowledged_segments: u32,
    pub(super) since_data_sent: Duration,
    pub(super) since_data_received: Duration,
    /// Includes our SYN and FIN.
    pub(super) bytes_acknowledged: u64,
    /// Includes the peer's FIN.
    pub(super) bytes_received: u64,
    pub(super) segments_out: u32,
    pub(super) segments_in: u32,
    pub(super) data_segments_in: u32,
    /// Payload, without retransmissions.
    pub(super) bytes_sent: u64,
}

impl TcpInfo {
    /// The structure grows with the kernel's version: what an old one lacks is zero, except that
    /// nothing is known without `tcpi_data_segs_in` (Linux 4.6).
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let u32_at = |at: usize| Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
        let u64_at = |at: usize| Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
        let millis_at = |at| Some(Duration::from_millis(u64::from(u32_at(at)?)));
        let bytes_acknowledged = u64_at(120)?;
        let bytes_sent = match (u64_at(200), u64_at(208)) {
            (Some(sent), Some(retransmitted)) => sent.saturating_sub(retransmitted),
            _ => bytes_acknowledged,
        };
        Some(Self {
            unacknowledged_segments: u32_at(24)?,
            since_data_sent: millis_at(44)?,
            since_data_received: millis_at(52)?,
            bytes_acknowledged,
            bytes_received: u64_at(128)?,
            segments_out: u32_at(136)?,
            segments_in: u32_at(140)?,
            data_segments_in: u32_at(152)?,
            bytes_sent,
        })
    }
}

/// What waiting for closed sockets came to.
pub(super) enum Received {
    Sockets(Vec<Socket>),
    /// The kernel's buffer was full: an unknown number of closed sockets is lost.
    Overflow,
    Nothing,
}

/// The last words of sockets that close.
#[derive(Debug)]
pub(super) struct Notifications(Channel);

impl Notifications {
    pub(super) fn open(buffer_bytes: u32) -> Result<Self, CollectError> {
        Channel::open(TCP_DESTROY_GROUPS, buffer_bytes).map(Self)
    }

    /// Waits for at most `wait`.
    pub(super) fn receive(&mut self, wait: Duration) -> Result<Received, CollectError> {
        match self.0.receive(wait) {
            Ok(0) => Ok(Received::Nothing),
            Ok(length) => {
                let sockets = self.0.messages(length).filter_map(|(_, payload)| {
                    let NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) =
                        payload
                    else {
                        return None;
                    };
                    Some(socket(&response))
                });
                Ok(Received::Sockets(sockets.collect()))
            }
            Err(error) if error.raw_os_error() == Some(OVERFLOW) => Ok(Received::Overflow),
            Err(error) => Err(failed("listen for closed TCP connections", error)),
        }
    }
}

/// `ENOBUFS`.
const OVERFLOW: i32 = rustix::io::Errno::NOBUFS.raw_os_error();

/// Readings of all live sockets.
#[derive(Debug)]
pub(super) struct Dumps {
    channel: Channel,
    sequence: u32,
}

impl Dumps {
    pub(super) fn open() -> Result<Self, CollectError> {
        Ok(Self {
            channel: Channel::open(0, DUMP_BUFFER_BYTES)?,
            sequence: 0,
        })
    }

    pub(super) fn read(&mut self) -> Result<Vec<Socket>, CollectError> {
        let mut sockets = Vec::new();
        for family in [AF_INET, AF_INET6] {
            self.dump(family, &mut sockets)
                .map_err(|error| failed("dump TCP connections", error))?;
        }
        Ok(sockets)
    }

    fn dump(&mut self, family: u8, sockets: &mut Vec<Socket>) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        self.channel.send(request(family, self.sequence))?;
        let deadline = Instant::now() + DUMP_TIMEOUT;
        loop {
            let wait = deadline.saturating_duration_since(Instant::now());
            let length = self.channel.receive(wait)?;
            if length == 0 {
                return Err(io::ErrorKind::TimedOut.into());
            }
            for (sequence, payload) in self.channel.messages(length) {
                if sequence != self.sequence {
                    continue; // left over from a dump that failed
                }
                match payload {
                    NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
                        sockets.push(socket(&response));
                    }
                    NetlinkPayload::Done(_) => return Ok(()),
                    // No IPv6 in this kernel.
                    NetlinkPayload::Error(_) if family == AF_INET6 => return Ok(()),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    _ => {}
                }
            }
        }
    }
}

#[derive(Debug)]
struct Channel {
    socket: NetlinkSocket,
    buffer: Vec<u8>,
}

impl Channel {
    fn open(groups: u32, buffer_bytes: u32) -> Result<Self, CollectError> {
        let open = || {
            let mut socket = NetlinkSocket::new(NETLINK_SOCK_DIAG)?;
            socket.bind(&SocketAddr::new(0, groups))?;
            socket.set_non_blocking(true)?;
            socket.set_rx_buf_sz(buffer_bytes)?;
            Ok(socket)
        };
        let socket = open().map_err(|error| failed("open a sock_diag socket", error))?;
        Ok(Self {
            socket,
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    fn send(&self, mut message: NetlinkMessage<SockDiagMessage>) -> io::Result<()> {
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket
            .send_to(&bytes, &SocketAddr::new(0, 0), 0)
            .map(|_| ())
    }

    /// The length of the next datagram, or 0 if none came within `wait`.
    fn receive(&mut self, wait: Duration) -> io::Result<usize> {
        let wait = Timespec::try_from(wait).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut ready = [PollFd::new(&self.socket, PollFlags::IN)];
        match poll(&mut ready, Some(&wait)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(0),
            result => result?,
        };
        match self.socket.recv(&mut self.buffer.as_mut_slice(), 0) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            result => result,
        }
    }

    /// The messages of the latest datagram with their sequence numbers, up to the first that is
    /// damaged.
    fn messages(
        &self,
        length: usize,
    ) -> impl Iterator<Item = (u32, NetlinkPayload<SockDiagMessage>)> {
        let mut rest = self.buffer.get(..length).unwrap_or_default();
        std::iter::from_fn(move || {
            let (header, payload) = NetlinkMessage::deserialize(rest).ok()?.into_parts();
            let aligned = usize::try_from(header.length)
                .ok()?
                .checked_next_multiple_of(4)?;
            rest = rest.get(aligned..).unwrap_or_default();
            Some((header.sequence_number, payload))
        })
    }
}

/// All sockets but those that are over or not yet open.
fn request(family: u8, sequence: u32) -> NetlinkMessage<SockDiagMessage> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    header.sequence_number = sequence;
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::INFO,
        states: StateFlags::all() - StateFlags::TIME_WAIT - StateFlags::SYN_RECV,
        socket_id: if family == AF_INET {
            SocketId::new_v4()
        } else {
            SocketId::new_v6()
        },
    };
    let message = SockDiagMessage::InetRequest(request);
    NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message))
}

fn socket(response: &InetResponse) -> Socket {
    let id = &response.header.socket_id;
    let info = response.nlas.iter().find_map(|attribute| match attribute {
        Nla::TcpInfo(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    // The state within the attribute was read together with the counters.
    let state = info.and_then(|bytes| bytes.first());
    Socket {
        cookie: u64::from_ne_bytes(id.cookie),
        state: State::new(*state.unwrap_or(&response.header.state)),
        key: FlowKey::new(
            IPPROTO_TCP,
            endpoint(id.source_address, id.source_port),
            endpoint(id.destination_address, id.destination_port),
        ),
        unread_bytes: response.header.recv_queue,
        info: info.and_then(TcpInfo::parse),
    }
}

impl State {
    fn new(number: u8) -> Self {
        match number {
            TCP_LISTEN => Self::Listen,
            TCP_FIN_WAIT2 => Self::FinWait2,
            TCP_CLOSE_WAIT | TCP_LAST_ACK | TCP_CLOSING => Self::PeerClosed,
            TCP_CLOSE => Self::Closed,
            _ => Self::Open,
        }
    }
}

fn endpoint(address: IpAddr, port: u16) -> Endpoint {
    Endpoint {
        address: address.to_canonical(),
        port,
    }
}

fn failed(what: &str, error: io::Error) -> CollectError {
    let (kind, advice) = match error.kind() {
        io::ErrorKind::PermissionDenied => (
            CollectErrorKind::Permission,
            "allow the socket family AF_NETLINK (systemd: RestrictAddressFamilies=)",
        ),
        io::ErrorKind::NotFound | io::ErrorKind::Unsupported => (
            CollectErrorKind::NotFound,
            "the kernel needs the module tcp_diag: modprobe tcp_diag",
        ),
        _ => (CollectErrorKind::Temporary, "the next call tries again"),
    };
    CollectError::new(kind, format!("cannot {what}: {error}; {advice}")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp_info(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; 256];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(120, &1_002_u64.to_ne_bytes());
        put(128, &501_u64.to_ne_bytes());
        put(136, &7_u32.to_ne_bytes());
        put(140, &6_u32.to_ne_bytes());
        put(152, &3_u32.to_ne_bytes());
        put(200, &1_500_u64.to_ne_bytes());
        put(208, &500_u64.to_ne_bytes());
        bytes.truncate(length);
        bytes
    }

    #[test]
    fn the_structure_may_be_longer_or_shorter() {
        let info = TcpInfo::parse(&tcp_info(256)).unwrap();
        assert_eq!((info.bytes_sent, info.bytes_received), (1_000, 501));
        assert_eq!((info.segments_out, info.segments_in), (7, 6));
        assert_eq!(info.data_segments_in, 3);
        let old = TcpInfo::parse(&tcp_info(192)).unwrap();
        assert_eq!(old.bytes_sent, 1_002, "acknowledged bytes stand in");
        for length in 0..156 {
            assert_eq!(TcpInfo::parse(&tcp_info(length)), None);
        }
    }
}
