use std::net::IpAddr;

/// An address and a port; port 0 where the protocol has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
}

/// Identifies a flow on an interface, whichever way its frames go.
///
/// `local` is the end on this host's side of the interface: the destination of what came in, the
/// source of what went out. So both directions of a conversation share one key without knowing the
/// host's addresses, on an end host as on a router. Where the direction is unknown (capture files)
/// the smaller endpoint takes the place of `local`, and what it sends counts as egress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    /// IP protocol number (IANA "Protocol Numbers").
    pub protocol: u8,
    /// The end on this host's side.
    pub local: Endpoint,
    /// The peer.
    pub remote: Endpoint,
    /// Whether the ports were read: not in later fragments, in headers that are cut, and in
    /// protocols without ports, which have port 0.
    pub has_ports: bool,
    /// Identifier of the outermost VLAN, where VLANs are told apart.
    pub vlan: Option<u16>,
}

impl FlowKey {
    /// A flow between two known ports, whatever its VLAN.
    pub const fn new(protocol: u8, local: Endpoint, remote: Endpoint) -> Self {
        Self {
            protocol,
            local,
            remote,
            has_ports: true,
            vlan: None,
        }
    }

    /// Whether both ends are this host: to a loopback address, or to the host's own address.
    pub fn is_within_host(&self) -> bool {
        self.remote.address.is_loopback() || self.remote.address == self.local.address
    }
}

/// What a frame says about its flow besides the addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// IP protocol number (IANA "Protocol Numbers").
    pub protocol: u8,
    /// Local and remote port.
    pub ports: Ports,
    /// Whether the ports were read.
    pub has_ports: bool,
    /// Identifier of the outermost VLAN, where VLANs are told apart.
    pub vlan: Option<u16>,
}

/// A local and a remote port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ports(u32);

impl Ports {
    /// Both ports.
    pub const fn new(local: u16, remote: u16) -> Self {
        Self((local as u32) << 16 | remote as u32)
    }

    /// Both ports as they stand in a frame's header, read as a big-endian number, if `local` sent it.
    pub const fn from_sender(ports: u32) -> Self {
        Self(ports)
    }

    /// The other end's view.
    #[must_use]
    pub const fn turned(self) -> Self {
        Self(self.0.rotate_left(16))
    }

    pub(super) const fn word(self) -> u32 {
        self.0
    }
}
