//! The sockets of probes. None of them blocks.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use etherparse::{
    IcmpEchoHeader, Icmpv4Header, Icmpv4Slice, Icmpv4Type, Icmpv6Slice, Icmpv6Type, Ipv4HeaderSlice,
};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, connect, ipproto,
    recvfrom, sendto, socket_with,
};

/// What tells the probes of a round from those of others.
pub(super) type Token = [u8; 8];

/// Longest answer: an IPv4 header with options, the ICMP header and the token.
const ANSWER: usize = 60 + 8 + size_of::<Token>();
/// ICMPv6 echo request (RFC 4443, section 4.1).
const ECHO_REQUEST_V6: u8 = 128;

/// Sends and receives ICMP echoes of one address family.
#[derive(Debug)]
pub(super) struct Echo {
    fd: OwnedFd,
    is_v6: bool,
    is_raw: bool,
    /// Identifies us where the kernel does not (raw sockets); it replaces it otherwise.
    id: u16,
}

impl Echo {
    /// A datagram socket where the system permits it, else a raw one.
    pub(super) fn open(is_v6: bool, id: u16) -> io::Result<Self> {
        let (family, protocol) = if is_v6 {
            (AddressFamily::INET6, ipproto::ICMPV6)
        } else {
            (AddressFamily::INET, ipproto::ICMP)
        };
        let datagram = open(family, SocketType::DGRAM, Some(protocol));
        let is_raw = datagram.is_err();
        let fd = datagram.or_else(|_| open(family, SocketType::RAW, Some(protocol)))?;
        Ok(Self {
            fd,
            is_v6,
            is_raw,
            id,
        })
    }

    pub(super) fn send(&self, to: IpAddr, seq: u16, token: Token) -> io::Result<()> {
        let echo = IcmpEchoHeader { id: self.id, seq };
        let head = if self.is_v6 {
            // The kernel fills the checksum in, of which the addresses are a part.
            let [a, b] = echo.id.to_be_bytes();
            let [c, d] = echo.seq.to_be_bytes();
            vec![ECHO_REQUEST_V6, 0, 0, 0, a, b, c, d]
        } else {
            let kind = Icmpv4Type::EchoRequest(echo);
            Icmpv4Header::with_checksum(kind, &token)
                .to_bytes()
                .to_vec()
        };
        let packet = [head.as_slice(), &token].concat();
        sendto(
            &self.fd,
            &packet,
            SendFlags::empty(),
            &SocketAddr::new(to, 0),
        )?;
        Ok(())
    }

    /// The number of the next echo that came back to us and who sent it; `None` if there is none.
    pub(super) fn receive(&self, token: Token) -> Option<(IpAddr, u16)> {
        let mut buffer = [0; ANSWER];
        // Each answer is small: anything else on a raw socket is passed over, a bounded number at a time.
        for _ in 0..1_024 {
            let (length, _, from) = recvfrom(&self.fd, &mut buffer, RecvFlags::empty()).ok()?;
            let from = SocketAddr::try_from(from?).ok()?.ip();
            let answer = buffer
                .get(..length)
                .and_then(|bytes| self.echo(bytes, token));
            if let Some(seq) = answer {
                return Some((from, seq));
            }
        }
        None
    }

    fn echo(&self, bytes: &[u8], token: Token) -> Option<u16> {
        let (echo, payload) = if self.is_v6 {
            let icmp = Icmpv6Slice::from_slice(bytes).ok()?;
            let Icmpv6Type::EchoReply(echo) = icmp.icmp_type() else {
                return None;
            };
            (echo, icmp.payload())
        } else {
            let start = if self.is_raw {
                Ipv4HeaderSlice::from_slice(bytes).ok()?.slice().len()
            } else {
                0
            };
            let icmp = Icmpv4Slice::from_slice(bytes.get(start..)?).ok()?;
            let Icmpv4Type::EchoReply(echo) = icmp.icmp_type() else {
                return None;
            };
            (echo, icmp.payload())
        };
        let is_ours = payload == token && (!self.is_raw || echo.id == self.id);
        is_ours.then_some(echo.seq)
    }
}

impl AsFd for Echo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Begins to connect.
pub(super) fn begin_connection(to: SocketAddr) -> io::Result<OwnedFd> {
    let family = if to.is_ipv6() {
        AddressFamily::INET6
    } else {
        AddressFamily::INET
    };
    let fd = open(family, SocketType::STREAM, None)?;
    match connect(&fd, &to) {
        // Refused at once, as on loopback: told by the socket's error like any other end.
        Ok(()) | Err(Errno::INPROGRESS) => Ok(fd),
        Err(error) => Err(error.into()),
    }
}

/// Whether a connection that came to an end was accepted or refused, both of which the other side did.
pub(super) fn was_answered(fd: &OwnedFd) -> bool {
    matches!(
        rustix::net::sockopt::socket_error(fd),
        Ok(Ok(()) | Err(Errno::CONNREFUSED))
    )
}

fn open(
    family: AddressFamily,
    kind: SocketType,
    protocol: Option<Protocol>,
) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(family, kind, flags, protocol)
}
