use std::net::IpAddr;

use super::field::{Field, Fields};
use crate::flow::Flow;
use crate::frame::{PerDirection, Tally};
use crate::report::FlowRow;

/// What a filter judges: a flow, or anything else that has some of its properties.
///
/// Each method answers what is known of the subject. `None` means that it has no such property, or
/// that it is not known; every comparison with it is false, and so `!=` and `not in` are true.
///
/// Law: what [`FIELDS`](Self::FIELDS) leaves out is `None` of every subject of the type.
pub trait Subject {
    /// The fields that subjects of this type can have, for [`Filter::parse_for`](super::Filter::parse_for).
    const FIELDS: Fields;

    /// Name of the monitored host.
    fn host(&self) -> Option<&str>;
    /// Name of the interface.
    fn interface(&self) -> Option<&str>;
    /// Address on the host's side.
    fn local(&self) -> Option<IpAddr>;
    /// Address of the peer.
    fn remote(&self) -> Option<IpAddr>;
    /// Port on the host's side; absent where the protocol has no ports.
    fn local_port(&self) -> Option<u16>;
    /// Port of the peer; absent where the protocol has no ports.
    fn remote_port(&self) -> Option<u16>;
    /// IP protocol number (IANA "Protocol Numbers").
    fn protocol(&self) -> Option<u8>;
    /// VLAN tag.
    fn vlan(&self) -> Option<Vlan>;
    /// Bytes and packets each way.
    fn traffic(&self) -> Option<PerDirection<Tally>>;
}

/// Whether frames carry an IEEE 802.1Q tag, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vlan {
    /// They carry none: `vlan = none`.
    Untagged,
    /// Identifier of the outermost tag.
    Tagged(u16),
}

/// What flows of both kinds know.
const OF_FLOWS: Fields = Fields::ALL
    .without(Field::Host)
    .without(Field::Interface)
    .without(Field::Vlan);

impl Subject for FlowRow {
    const FIELDS: Fields = OF_FLOWS.with(Field::Interface);

    fn host(&self) -> Option<&str> {
        None
    }

    fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }

    fn local(&self) -> Option<IpAddr> {
        Some(self.local)
    }

    fn remote(&self) -> Option<IpAddr> {
        Some(self.remote)
    }

    fn local_port(&self) -> Option<u16> {
        has_ports(self.local_port, self.remote_port).then_some(self.local_port)
    }

    fn remote_port(&self) -> Option<u16> {
        has_ports(self.local_port, self.remote_port).then_some(self.remote_port)
    }

    fn protocol(&self) -> Option<u8> {
        Some(self.protocol)
    }

    fn vlan(&self) -> Option<Vlan> {
        None
    }

    fn traffic(&self) -> Option<PerDirection<Tally>> {
        Some(self.traffic)
    }
}

/// Without names: a flow knows the number of its interface only. [`Named`] adds them.
///
/// No VLAN identifier means untagged, as it does where flows are counted by VLAN. Where they are not
/// ([`Detail::Report`](crate::monitor::Detail::Report)), parse for `Flow::FIELDS.without(Field::Vlan)`.
impl Subject for Flow {
    const FIELDS: Fields = OF_FLOWS.with(Field::Vlan);

    fn host(&self) -> Option<&str> {
        None
    }

    fn interface(&self) -> Option<&str> {
        None
    }

    fn local(&self) -> Option<IpAddr> {
        Some(self.key.local.address)
    }

    fn remote(&self) -> Option<IpAddr> {
        Some(self.key.remote.address)
    }

    fn local_port(&self) -> Option<u16> {
        flow_has_ports(self).then_some(self.key.local.port)
    }

    fn remote_port(&self) -> Option<u16> {
        flow_has_ports(self).then_some(self.key.remote.port)
    }

    fn protocol(&self) -> Option<u8> {
        Some(self.key.protocol)
    }

    fn vlan(&self) -> Option<Vlan> {
        Some(self.key.vlan.map_or(Vlan::Untagged, Vlan::Tagged))
    }

    fn traffic(&self) -> Option<PerDirection<Tally>> {
        Some(self.counters.traffic)
    }
}

/// Flows that are counted in the detail of a report have port 0 where none was read.
const fn flow_has_ports(flow: &Flow) -> bool {
    flow.key.has_ports && has_ports(flow.key.local.port, flow.key.remote.port)
}

/// A flow has port 0 at both ends where its protocol has none, or where a fragment does not say.
const fn has_ports(local: u16, remote: u16) -> bool {
    local != 0 || remote != 0
}

/// A subject with the names that it does not carry itself.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a, S> {
    /// The subject, which answers everything else.
    pub subject: &'a S,
    /// Name of its host; where absent, the subject's own answer.
    pub host: Option<&'a str>,
    /// Name of its interface; where absent, the subject's own answer.
    pub interface: Option<&'a str>,
}

impl<S: Subject> Subject for Named<'_, S> {
    const FIELDS: Fields = S::FIELDS.with(Field::Host).with(Field::Interface);

    fn host(&self) -> Option<&str> {
        self.host.or_else(|| self.subject.host())
    }

    fn interface(&self) -> Option<&str> {
        self.interface.or_else(|| self.subject.interface())
    }

    fn local(&self) -> Option<IpAddr> {
        self.subject.local()
    }

    fn remote(&self) -> Option<IpAddr> {
        self.subject.remote()
    }

    fn local_port(&self) -> Option<u16> {
        self.subject.local_port()
    }

    fn remote_port(&self) -> Option<u16> {
        self.subject.remote_port()
    }

    fn protocol(&self) -> Option<u8> {
        self.subject.protocol()
    }

    fn vlan(&self) -> Option<Vlan> {
        self.subject.vlan()
    }

    fn traffic(&self) -> Option<PerDirection<Tally>> {
        self.subject.traffic()
    }
}
