use std::fmt;

/// What a comparison is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Field {
    /// Name of the monitored host.
    Host,
    /// Name of the interface.
    Interface,
    /// Address of either end.
    Ip,
    /// Address of the end on the host's side.
    LocalIp,
    /// Address of the peer.
    RemoteIp,
    /// Port of either end.
    Port,
    /// Port on the host's side.
    LocalPort,
    /// Port of the peer.
    RemotePort,
    /// IP protocol.
    Protocol,
    /// IP version.
    Version,
    /// VLAN identifier.
    Vlan,
    /// Bytes in both directions.
    Bytes,
    /// Bytes that the host received.
    IngressBytes,
    /// Bytes that the host sent.
    EgressBytes,
    /// Packets in both directions.
    Packets,
    /// Packets that the host received.
    IngressPackets,
    /// Packets that the host sent.
    EgressPackets,
}

impl Field {
    /// Every field, in the order of the documentation.
    pub const ALL: [Self; 17] = [
        Self::Host,
        Self::Interface,
        Self::Ip,
        Self::LocalIp,
        Self::RemoteIp,
        Self::Port,
        Self::LocalPort,
        Self::RemotePort,
        Self::Protocol,
        Self::Version,
        Self::Vlan,
        Self::Bytes,
        Self::IngressBytes,
        Self::EgressBytes,
        Self::Packets,
        Self::IngressPackets,
        Self::EgressPackets,
    ];

    /// Its name in a filter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Interface => "interface",
            Self::Ip => "ip",
            Self::LocalIp => "local.ip",
            Self::RemoteIp => "remote.ip",
            Self::Port => "port",
            Self::LocalPort => "local.port",
            Self::RemotePort => "remote.port",
            Self::Protocol => "protocol",
            Self::Version => "version",
            Self::Vlan => "vlan",
            Self::Bytes => "bytes",
            Self::IngressBytes => "ingress.bytes",
            Self::EgressBytes => "egress.bytes",
            Self::Packets => "packets",
            Self::IngressPackets => "ingress.packets",
            Self::EgressPackets => "egress.packets",
        }
    }

    /// Other names that mean the same.
    pub const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Interface => &["iface"],
            Self::Ip => &["address", "net"],
            Self::LocalIp => &["local", "local.address", "local.net"],
            Self::RemoteIp => &[
                "remote",
                "remote.address",
                "remote.net",
                "peer",
                "peer.ip",
                "peer.address",
                "peer.net",
            ],
            Self::Port => &["portrange"],
            Self::RemotePort => &["peer.port"],
            Self::Protocol => &["proto"],
            Self::IngressBytes => &["bytes.in"],
            Self::EgressBytes => &["bytes.out"],
            Self::IngressPackets => &["packets.in"],
            Self::EgressPackets => &["packets.out"],
            Self::Host
            | Self::LocalPort
            | Self::Version
            | Self::Vlan
            | Self::Bytes
            | Self::Packets => &[],
        }
    }

    /// The field of a name or alias, in any case; `_` stands for `.`, as in `local_port`.
    pub fn named(name: &str) -> Option<Self> {
        let is_same = |known: &str| {
            known.len() == name.len()
                && known.bytes().zip(name.bytes()).all(|(known, given)| {
                    known == given.to_ascii_lowercase() || (known == b'.' && given == b'_')
                })
        };
        Self::ALL
            .into_iter()
            .find(|field| is_same(field.name()) || field.aliases().iter().any(|name| is_same(name)))
    }

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Host => Kind::Name(Name::Host),
            Self::Interface => Kind::Name(Name::Interface),
            Self::Ip => Kind::Address(End::Either),
            Self::LocalIp => Kind::Address(End::Local),
            Self::RemoteIp => Kind::Address(End::Remote),
            Self::Port => Kind::Port(End::Either),
            Self::LocalPort => Kind::Port(End::Local),
            Self::RemotePort => Kind::Port(End::Remote),
            Self::Protocol => Kind::Protocol,
            Self::Version => Kind::Version,
            Self::Vlan => Kind::Vlan,
            Self::Bytes => Kind::Amount(Unit::Bytes, Way::Both),
            Self::IngressBytes => Kind::Amount(Unit::Bytes, Way::Ingress),
            Self::EgressBytes => Kind::Amount(Unit::Bytes, Way::Egress),
            Self::Packets => Kind::Amount(Unit::Packets, Way::Both),
            Self::IngressPackets => Kind::Amount(Unit::Packets, Way::Ingress),
            Self::EgressPackets => Kind::Amount(Unit::Packets, Way::Egress),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of fields: what a kind of subject knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fields(u32);

impl Fields {
    /// No field.
    pub const NONE: Self = Self(0);
    /// Every field.
    pub const ALL: Self = Self::of(&Field::ALL);

    /// These fields.
    pub const fn of(fields: &[Field]) -> Self {
        let mut set = Self::NONE;
        let mut rest = fields;
        while let [first, others @ ..] = rest {
            set = set.with(*first);
            rest = others;
        }
        set
    }

    /// These fields and `field`.
    #[must_use]
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | 1 << field as u32)
    }

    /// These fields but `field`.
    #[must_use]
    pub const fn without(self, field: Field) -> Self {
        Self(self.0 & !(1 << field as u32))
    }

    /// Whether `field` is among them.
    pub const fn contains(self, field: Field) -> bool {
        self.0 & 1 << field as u32 != 0
    }

    /// The fields, in the order of the documentation.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL
            .into_iter()
            .filter(move |field| self.contains(*field))
    }
}

/// What a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name(Name),
    Address(End),
    Port(End),
    Protocol,
    Version,
    Vlan,
    Amount(Unit, Way),
}

impl Kind {
    /// The field that has this kind: the inverse of [`Field::kind`].
    pub(super) const fn field(self) -> Field {
        match self {
            Self::Name(Name::Host) => Field::Host,
            Self::Name(Name::Interface) => Field::Interface,
            Self::Address(End::Either) => Field::Ip,
            Self::Address(End::Local) => Field::LocalIp,
            Self::Address(End::Remote) => Field::RemoteIp,
            Self::Port(End::Either) => Field::Port,
            Self::Port(End::Local) => Field::LocalPort,
            Self::Port(End::Remote) => Field::RemotePort,
            Self::Protocol => Field::Protocol,
            Self::Version => Field::Version,
            Self::Vlan => Field::Vlan,
            Self::Amount(Unit::Bytes, Way::Both) => Field::Bytes,
            Self::Amount(Unit::Bytes, Way::Ingress) => Field::IngressBytes,
            Self::Amount(Unit::Bytes, Way::Egress) => Field::EgressBytes,
            Self::Amount(Unit::Packets, Way::Both) => Field::Packets,
            Self::Amount(Unit::Packets, Way::Ingress) => Field::IngressPackets,
            Self::Amount(Unit::Packets, Way::Egress) => Field::EgressPackets,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Host,
    Interface,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Either,
    Local,
    Remote,
}

impl End {
    /// Whether the value of this end, or of either, is there and passes.
    pub(super) fn passes<T>(
        self,
        local: Option<T>,
        remote: Option<T>,
        test: impl Fn(T) -> bool,
    ) -> bool {
        (self != Self::Remote && local.is_some_and(&test))
            || (self != Self::Local && remote.is_some_and(&test))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    Packets,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Both,
    Ingress,
    Egress,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_names_and_has_a_kind_of_its_own() {
        let mut names = Vec::new();
        for field in Field::ALL {
            assert_eq!(field.kind().field(), field);
            for name in field.aliases().iter().chain([&field.name()]) {
                assert_eq!(Field::named(name), Some(field));
                assert_eq!(Field::named(&name.to_uppercase()), Some(field));
                assert_eq!(Field::named(&name.replace('.', "_")), Some(field));
                names.push(*name);
            }
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name means two fields");
        assert_eq!(Field::named("local-port"), None);
    }

    #[test]
    fn sets_of_fields_hold_what_was_put_in() {
        assert_eq!(Fields::ALL.iter().count(), Field::ALL.len());
        let some = Fields::of(&[Field::Vlan, Field::Host]);
        assert_eq!(some.iter().collect::<Vec<_>>(), [Field::Host, Field::Vlan]);
        assert_eq!(some.without(Field::Vlan), Fields::NONE.with(Field::Host));
    }
}
