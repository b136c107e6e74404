use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::key::{Endpoint, FlowKey};
use super::snapshot::Flow;
use crate::frame::{PerDirection, Tally};

/// What the rows of a snapshot can be grouped by; see [`Snapshot::by`](super::Snapshot::by).
///
/// A grouped row is a [`Flow`] without a place whose key holds what the view tells apart and nothing
/// else: addresses are unspecified, ports, protocol and VLAN 0 or absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum View {
    /// Protocol, addresses and ports. `local` is the smaller endpoint, egress is what it sent.
    Flow,
    /// Two addresses. `local` is the smaller one, egress is what it sent.
    Pair,
    /// Each address by itself, as `local`, egress is what it sent. A frame counts for both its
    /// addresses, so that the rows sum to twice the total.
    Host,
    /// The far address, as `remote`; egress is what this host sent to it. For live captures: where the
    /// direction is not known, the larger address of each flow is taken for the far one.
    Peer,
    /// Protocol and the lower one of both ports, as `local`, the side that usually serves; egress is
    /// what it sent.
    Port,
    /// Protocol.
    Protocol,
    /// Outermost VLAN.
    Vlan,
}

impl View {
    /// The rows that `flow` is part of.
    pub(super) fn rows(self, flow: &Flow) -> impl Iterator<Item = Flow> + use<> {
        let (first, second) = match self {
            Self::Flow => (ordered(flow), None),
            Self::Pair => (pair(flow), None),
            Self::Host => hosts(flow),
            Self::Peer => (peer(flow), None),
            Self::Port => (port(flow), None),
            Self::Protocol => (protocol(flow), None),
            Self::Vlan => (vlan(flow), None),
        };
        std::iter::once(first).chain(second)
    }
}

const NOWHERE: Endpoint = Endpoint {
    address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    port: 0,
};

const NOTHING: FlowKey = FlowKey {
    protocol: 0,
    local: NOWHERE,
    remote: NOWHERE,
    has_ports: false,
    vlan: None,
};

fn row(flow: &Flow, key: FlowKey) -> Flow {
    Flow {
        place: None,
        key,
        counters: flow.counters,
    }
}

fn turned(flow: &Flow) -> Flow {
    let mut turned = *flow;
    (turned.key.local, turned.key.remote) = (flow.key.remote, flow.key.local);
    let PerDirection { ingress, egress } = flow.counters.traffic;
    turned.counters.traffic = PerDirection::<Tally> {
        ingress: egress,
        egress: ingress,
    };
    turned
}

fn ordered(flow: &Flow) -> Flow {
    let flow = if flow.key.local <= flow.key.remote {
        *flow
    } else {
        turned(flow)
    };
    let key = FlowKey {
        vlan: None,
        ..flow.key
    };
    row(&flow, key)
}

fn pair(flow: &Flow) -> Flow {
    let flow = ordered(flow);
    let key = FlowKey {
        local: address(flow.key.local.address),
        remote: address(flow.key.remote.address),
        ..NOTHING
    };
    row(&flow, key)
}

fn hosts(flow: &Flow) -> (Flow, Option<Flow>) {
    let host = |flow: &Flow| {
        let local = address(flow.key.local.address);
        let remote = address(unspecified(local.address));
        let key = FlowKey {
            local,
            remote,
            ..NOTHING
        };
        row(flow, key)
    };
    let is_same = flow.key.local.address == flow.key.remote.address;
    (host(flow), (!is_same).then(|| host(&turned(flow))))
}

fn peer(flow: &Flow) -> Flow {
    let remote = address(flow.key.remote.address);
    let key = FlowKey {
        local: address(unspecified(remote.address)),
        remote,
        ..NOTHING
    };
    row(flow, key)
}

fn port(flow: &Flow) -> Flow {
    let flow = if flow.key.local.port <= flow.key.remote.port {
        *flow
    } else {
        turned(flow)
    };
    let key = FlowKey {
        protocol: flow.key.protocol,
        local: Endpoint {
            port: flow.key.local.port,
            ..NOWHERE
        },
        has_ports: flow.key.has_ports,
        ..NOTHING
    };
    row(&flow, key)
}

fn protocol(flow: &Flow) -> Flow {
    let key = FlowKey {
        protocol: flow.key.protocol,
        ..NOTHING
    };
    row(flow, key)
}

fn vlan(flow: &Flow) -> Flow {
    let key = FlowKey {
        vlan: flow.key.vlan,
        ..NOTHING
    };
    row(flow, key)
}

const fn address(address: IpAddr) -> Endpoint {
    Endpoint { address, port: 0 }
}

const fn unspecified(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}
