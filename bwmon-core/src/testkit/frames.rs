use std::net::{IpAddr, SocketAddr};

use etherparse::{
    IpHeaders, IpNumber, Ipv4Header, Ipv6Header, PacketBuilder, PacketBuilderStep, TcpHeader,
    VlanId,
};

const HOP_LIMIT: u8 = 64;
const TCP_WINDOW: u16 = 64_240;

/// Builds the bytes of a frame: Ethernet, at most two VLAN tags, IPv4 or IPv6, TCP or UDP, payload.
#[derive(Debug, Clone)]
#[must_use]
pub struct FrameBuilder {
    source: SocketAddr,
    destination: SocketAddr,
    /// Flags of a TCP header; absent for UDP.
    tcp_flags: Option<u8>,
    vlans: Vec<u16>,
    has_link_header: bool,
    payload: Vec<u8>,
}

impl FrameBuilder {
    /// A TCP segment with the ACK flag, without payload.
    pub fn tcp(source: impl Into<SocketAddr>, destination: impl Into<SocketAddr>) -> Self {
        Self {
            source: source.into(),
            destination: destination.into(),
            tcp_flags: Some(0x10),
            vlans: Vec::new(),
            has_link_header: true,
            payload: Vec::new(),
        }
    }

    /// A UDP datagram without payload.
    pub fn udp(source: impl Into<SocketAddr>, destination: impl Into<SocketAddr>) -> Self {
        Self {
            tcp_flags: None,
            ..Self::tcp(source, destination)
        }
    }

    /// With these TCP flags (byte 13 of the header, RFC 9293, section 3.1). No effect on UDP.
    pub const fn tcp_flags(mut self, flags: u8) -> Self {
        if self.tcp_flags.is_some() {
            self.tcp_flags = Some(flags);
        }
        self
    }

    /// With a VLAN tag inside those there are already; at most two, 0 to 4095.
    pub fn vlan(mut self, id: u16) -> Self {
        self.vlans.push(id);
        self
    }

    /// With `length` bytes of payload.
    pub fn payload(mut self, length: usize) -> Self {
        self.payload = vec![0x2a; length];
        self
    }

    /// Starting with the IP header ([`LinkType::RawIp`](crate::frame::LinkType::RawIp)).
    pub const fn without_link_header(mut self) -> Self {
        self.has_link_header = false;
        self
    }

    /// The bytes.
    ///
    /// # Panics
    /// When the addresses are of two families, there are more than two VLAN tags or one is out of
    /// range, or the payload is too long for its header.
    pub fn build(&self) -> Vec<u8> {
        let ip = self.ip_step();
        let (from, to) = (self.source.port(), self.destination.port());
        let mut frame = Vec::new();
        let written = match self.tcp_flags {
            None => ip.udp(from, to).write(&mut frame, &self.payload),
            Some(flags) => ip
                .tcp_header(tcp_header(from, to, flags))
                .write(&mut frame, &self.payload),
        };
        match written {
            Ok(()) => frame,
            Err(error) => panic!("a frame that cannot be: {error}"),
        }
    }

    fn ip_step(&self) -> PacketBuilderStep<IpHeaders> {
        let ip = ip_headers(self.source.ip(), self.destination.ip());
        if !self.has_link_header {
            return PacketBuilder::ip(ip);
        }
        let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        match *self.vlans.as_slice() {
            [] => ethernet.ip(ip),
            [one] => ethernet.single_vlan(vlan_id(one)).ip(ip),
            [outer, inner] => ethernet.double_vlan(vlan_id(outer), vlan_id(inner)).ip(ip),
            _ => panic!("more than two VLAN tags"),
        }
    }
}

fn vlan_id(id: u16) -> VlanId {
    match VlanId::try_new(id) {
        Ok(id) => id,
        Err(_) => panic!("VLAN {id} is out of range"),
    }
}

fn ip_headers(source: IpAddr, destination: IpAddr) -> IpHeaders {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut header = Ipv4Header {
                source: source.octets(),
                destination: destination.octets(),
                time_to_live: HOP_LIMIT,
                ..Ipv4Header::default()
            };
            header.protocol = IpNumber::TCP;
            IpHeaders::Ipv4(header, etherparse::Ipv4Extensions::default())
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let header = Ipv6Header {
                source: source.octets(),
                destination: destination.octets(),
                hop_limit: HOP_LIMIT,
                ..Ipv6Header::default()
            };
            IpHeaders::Ipv6(header, etherparse::Ipv6Extensions::default())
        }
        _ => panic!("{source} and {destination} are of two address families"),
    }
}

fn tcp_header(from: u16, to: u16, flags: u8) -> TcpHeader {
    let has = |bit: u8| flags & (1 << bit) != 0;
    let mut header = TcpHeader::new(from, to, 1, TCP_WINDOW);
    header.fin = has(0);
    header.syn = has(1);
    header.rst = has(2);
    header.psh = has(3);
    header.ack = has(4);
    header.urg = has(5);
    header.ece = has(6);
    header.cwr = has(7);
    header
}
