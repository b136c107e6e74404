//! A flow's place and key in few words: 20 bytes over IPv4, 44 over IPv6.

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;

use super::key::{About, Endpoint, FlowKey, Ports};
use super::table::Place;
use crate::frame::InterfaceId;

const HAS_PORTS: u32 = 1;
const HAS_PLACE: u32 = 2;
const HAS_VLAN: u32 = 4;
/// In every key, so that none is like the zeros of a row that is free.
const IN_USE: u32 = 32;
/// The address is an IPv4 address beside an IPv6 address, which no frame has but a caller may say.
const LOCAL_IS_IPV4: u32 = 8;
const REMOTE_IS_IPV4: u32 = 16;

/// A key of one address family.
pub(super) trait Packed: Copy + Eq + Default + fmt::Debug {
    /// Bytes of memory that a row takes, its share of the index included, also while that grows, and of
    /// what a clean-up needs.
    const COST: usize;
    fn hash(&self, seed: &Seed) -> u64;
    /// Makes the smaller endpoint `local`; whether it was `remote`.
    fn put_smaller_first(&mut self) -> bool;
    /// Makes each end the other one.
    fn turn(&mut self);
    fn tail(&self) -> Tail;
    /// The same addresses with another tail.
    fn with_tail(self, tail: Tail) -> Self;
    /// With an unspecified address of the same family at an end.
    fn without(self, end: End) -> Self;
    fn has_one_address(&self) -> bool;
    fn unpack(&self) -> (Place, FlowKey);
}

/// One end of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Local,
    Remote,
}

/// Over IPv4: addresses, ports, interface, and protocol with VLAN and flags.
#[derive(Debug, Clone, Copy, Eq, Default)]
pub(super) struct Packed4([u32; 5]);

impl PartialEq for Packed4 {
    /// Without jumps and in whole registers, which the derived comparison is not.
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        let [a, b, c, d, e] = self.0;
        let [f, g, h, i, j] = other.0;
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        (pair(b, a) ^ pair(g, f)) | (pair(d, c) ^ pair(i, h)) | u64::from(e ^ j) == 0
    }
}

/// Over IPv6: addresses of four words each, then the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Packed6([u32; 11]);

/// A key of either family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PackedKey {
    V4(Packed4),
    V6(Packed6),
}

/// What makes a table's hash unpredictable. From the system's randomness, so that a sender cannot
/// choose keys that collide.
#[derive(Debug, Clone)]
pub(super) struct Seed(SeedableRandomState);

impl Seed {
    pub(super) fn random() -> Self {
        let seed = std::hash::RandomState::new().hash_one(0_u64);
        Self(SeedableRandomState::with_seed(
            seed,
            SharedSeed::global_random(),
        ))
    }
}

/// What a key holds besides addresses, as words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail([u32; 3]);

impl Tail {
    #[inline(always)]
    pub(super) fn new(place: Place, about: &About) -> Self {
        let mut rest = u32::from(about.protocol) << 8 | IN_USE;
        if about.has_ports {
            rest |= HAS_PORTS;
        }
        if let Some(vlan) = about.vlan {
            rest |= HAS_VLAN | u32::from(vlan) << 16;
        }
        if place.is_some() {
            rest |= HAS_PLACE;
        }
        Self([about.ports.word(), place.map_or(0, |id| id.0), rest])
    }

    /// The interface's number, 0 also where there is none, and whether there is one.
    pub(super) const fn place(self) -> (u32, bool) {
        let Self([_, place, rest]) = self;
        (place, rest & HAS_PLACE != 0)
    }

    pub(super) const fn has_vlan(self) -> bool {
        let Self([_, _, rest]) = self;
        rest & HAS_VLAN != 0
    }

    /// Nothing but which end is of which family.
    pub(super) const fn emptied(self) -> Self {
        let Self([_, _, rest]) = self;
        Self([0, 0, rest & (IN_USE | LOCAL_IS_IPV4 | REMOTE_IS_IPV4)])
    }

    pub(super) const fn without_place_and_vlan(self) -> Self {
        let Self([ports, _, rest]) = self;
        Self([ports, 0, rest & 0xffff & !(HAS_PLACE | HAS_VLAN)])
    }

    /// The protocol, and nothing of the ends.
    pub(super) const fn only_protocol(self) -> Self {
        let Self([_, _, rest]) = self;
        Self([0, 0, rest & 0xff00 | IN_USE])
    }

    /// The VLAN, and nothing of the ends.
    pub(super) const fn only_vlan(self) -> Self {
        let Self([_, _, rest]) = self;
        Self([0, 0, rest & (0xffff_0000 | HAS_VLAN) | IN_USE])
    }

    /// The protocol and the lower one of both ports, as the local one; whether it was the remote one.
    pub(super) const fn only_service(self) -> (Self, bool) {
        let Self([ports, _, rest]) = self;
        let (local, remote) = (ports >> 16, ports & 0xffff);
        let is_turned = remote < local;
        let port = if is_turned { remote } else { local };
        let tail = Self([port << 16, 0, rest & (0xff00 | HAS_PORTS) | IN_USE]);
        (tail, is_turned)
    }
}

impl Packed4 {
    #[inline(always)]
    pub(super) fn new([local, remote]: [Ipv4Addr; 2], tail: Tail) -> Self {
        let Tail([ports, place, rest]) = tail;
        Self([local.to_bits(), remote.to_bits(), ports, place, rest])
    }
}

impl Packed6 {
    #[inline(always)]
    pub(super) fn new([local, remote]: [Ipv6Addr; 2], tail: Tail) -> Self {
        let Tail([ports, place, rest]) = tail;
        let [a, b, c, d] = words(local.to_bits());
        let [e, f, g, h] = words(remote.to_bits());
        Self([a, b, c, d, e, f, g, h, ports, place, rest])
    }
}

impl PackedKey {
    pub(super) fn new(place: Place, key: &FlowKey) -> Self {
        let FlowKey {
            protocol,
            local,
            remote,
            has_ports,
            vlan,
        } = *key;
        let about = About {
            protocol,
            ports: Ports::new(local.port, remote.port),
            has_ports,
            vlan,
        };
        let Tail([ports, place, mut rest]) = Tail::new(place, &about);
        let wide = |address: IpAddr, flag| match address {
            IpAddr::V4(address) => (Ipv6Addr::from_bits(address.to_bits().into()), flag),
            IpAddr::V6(address) => (address, 0),
        };
        match (local.address, remote.address) {
            (IpAddr::V4(local), IpAddr::V4(remote)) => {
                Self::V4(Packed4::new([local, remote], Tail([ports, place, rest])))
            }
            (local, remote) => {
                let (local, local_flag) = wide(local, LOCAL_IS_IPV4);
                let (remote, remote_flag) = wide(remote, REMOTE_IS_IPV4);
                rest |= local_flag | remote_flag;
                Self::V6(Packed6::new([local, remote], Tail([ports, place, rest])))
            }
        }
    }
}

impl Packed for Packed4 {
    const COST: usize = 120;

    #[inline(always)]
    fn turn(&mut self) {
        let [local, remote, ports, ..] = &mut self.0;
        std::mem::swap(local, remote);
        *ports = ports.rotate_left(16);
    }

    #[inline(always)]
    fn tail(&self) -> Tail {
        let [_, _, ports, place, rest] = self.0;
        Tail([ports, place, rest])
    }

    #[inline(always)]
    fn with_tail(self, Tail([ports, place, rest]): Tail) -> Self {
        let [local, remote, ..] = self.0;
        Self([local, remote, ports, place, rest])
    }

    fn without(mut self, end: End) -> Self {
        let [local, remote, ..] = &mut self.0;
        match end {
            End::Local => *local = 0,
            End::Remote => *remote = 0,
        }
        self
    }

    fn has_one_address(&self) -> bool {
        let [local, remote, ..] = self.0;
        local == remote
    }

    /// Without a jump: which end is smaller is as good as random.
    #[inline(always)]
    fn put_smaller_first(&mut self) -> bool {
        let [local, remote, ports, ..] = &mut self.0;
        let [local_end, remote_end] = [
            u64::from(*local) << 16 | u64::from(*ports >> 16),
            u64::from(*remote) << 16 | u64::from(*ports & 0xffff),
        ];
        let is_turned = remote_end < local_end;
        let (smaller, larger) = if is_turned {
            (*remote, *local)
        } else {
            (*local, *remote)
        };
        (*local, *remote) = (smaller, larger);
        *ports = ports.rotate_left(if is_turned { 16 } else { 0 });
        is_turned
    }

    #[inline(always)]
    fn hash(&self, seed: &Seed) -> u64 {
        let [local, remote, ports, place, rest] = self.0;
        let mut hasher = seed.0.build_hasher();
        // Two rounds: after one, keys that a sender counts up are not spread well enough.
        hasher.write_u128(wide([local, remote, ports, place]));
        hasher.write_u32(rest);
        hasher.finish()
    }

    #[inline]
    fn unpack(&self) -> (Place, FlowKey) {
        let [local, remote, ports, place, rest] = self.0;
        let [local, remote] = [local, remote].map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
        unpack([local, remote], ports, place, rest)
    }
}

impl Packed for Packed6 {
    const COST: usize = 184;

    #[inline(always)]
    fn turn(&mut self) {
        let [a, b, c, d, e, f, g, h, ports, _, rest] = &mut self.0;
        ([*a, *b, *c, *d], [*e, *f, *g, *h]) = ([*e, *f, *g, *h], [*a, *b, *c, *d]);
        *ports = ports.rotate_left(16);
        let ends = LOCAL_IS_IPV4 | REMOTE_IS_IPV4;
        if *rest & ends != 0 && *rest & ends != ends {
            *rest ^= ends;
        }
    }

    #[inline(always)]
    fn tail(&self) -> Tail {
        let [.., ports, place, rest] = self.0;
        Tail([ports, place, rest])
    }

    #[inline(always)]
    fn with_tail(mut self, tail: Tail) -> Self {
        let [.., ports, place, rest] = &mut self.0;
        Tail([*ports, *place, *rest]) = tail;
        self
    }

    fn without(mut self, end: End) -> Self {
        let [a, b, c, d, e, f, g, h, _, _, rest] = &mut self.0;
        // An end of the other family gives way to one of this family.
        let ends = LOCAL_IS_IPV4 | REMOTE_IS_IPV4;
        match end {
            End::Local => {
                [*a, *b, *c, *d] = [0; 4];
                *rest = *rest & !ends | if *rest & REMOTE_IS_IPV4 == 0 { 0 } else { ends };
            }
            End::Remote => {
                [*e, *f, *g, *h] = [0; 4];
                *rest = *rest & !ends | if *rest & LOCAL_IS_IPV4 == 0 { 0 } else { ends };
            }
        }
        self
    }

    fn has_one_address(&self) -> bool {
        let [a, b, c, d, e, f, g, h, .., rest] = self.0;
        let is_one_family = (rest & LOCAL_IS_IPV4 == 0) == (rest & REMOTE_IS_IPV4 == 0);
        is_one_family && [a, b, c, d] == [e, f, g, h]
    }

    /// Addresses of one family each, IPv4 before IPv6, as [`Endpoint`]s are ordered.
    #[inline(always)]
    fn put_smaller_first(&mut self) -> bool {
        let [a, b, c, d, e, f, g, h, ports, _, rest] = self.0;
        let is_ipv6 = |flag| rest & flag == 0;
        let [local, remote] = [wide([a, b, c, d]), wide([e, f, g, h])];
        let local_end = (is_ipv6(LOCAL_IS_IPV4), local, ports >> 16);
        let remote_end = (is_ipv6(REMOTE_IS_IPV4), remote, ports & 0xffff);
        let is_turned = remote_end < local_end;
        if is_turned {
            self.turn();
        }
        is_turned
    }

    #[inline(always)]
    fn hash(&self, seed: &Seed) -> u64 {
        let [a, b, c, d, e, f, g, h, ports, place, rest] = self.0;
        let mut hasher = seed.0.build_hasher();
        hasher.write_u128(wide([a, b, c, d]));
        hasher.write_u128(wide([e, f, g, h]));
        hasher.write_u128(wide([ports, place, rest, 0]));
        hasher.finish()
    }

    #[inline]
    fn unpack(&self) -> (Place, FlowKey) {
        let [a, b, c, d, e, f, g, h, ports, place, rest] = self.0;
        let address = |words: [u32; 4], is_ipv4| {
            if is_ipv4 {
                let [.., bits] = words;
                IpAddr::V4(Ipv4Addr::from_bits(bits))
            } else {
                IpAddr::V6(Ipv6Addr::from_bits(wide(words)))
            }
        };
        let local = address([a, b, c, d], rest & LOCAL_IS_IPV4 != 0);
        let remote = address([e, f, g, h], rest & REMOTE_IS_IPV4 != 0);
        unpack([local, remote], ports, place, rest)
    }
}

#[inline(always)]
fn wide([a, b, c, d]: [u32; 4]) -> u128 {
    u128::from(a) << 96 | u128::from(b) << 64 | u128::from(c) << 32 | u128::from(d)
}

#[inline(always)]
const fn words(wide: u128) -> [u32; 4] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = wide.to_be_bytes();
    [
        u32::from_be_bytes([a, b, c, d]),
        u32::from_be_bytes([e, f, g, h]),
        u32::from_be_bytes([i, j, k, l]),
        u32::from_be_bytes([m, n, o, p]),
    ]
}

#[inline]
fn unpack(addresses: [IpAddr; 2], ports: u32, place: u32, rest: u32) -> (Place, FlowKey) {
    let [local_port, remote_port] = halves(ports);
    let [vlan, low] = halves(rest);
    let [protocol, _flags] = low.to_be_bytes();
    let [local, remote] = addresses;
    let key = FlowKey {
        protocol,
        local: Endpoint {
            address: local,
            port: local_port,
        },
        remote: Endpoint {
            address: remote,
            port: remote_port,
        },
        has_ports: rest & HAS_PORTS != 0,
        vlan: (rest & HAS_VLAN != 0).then_some(vlan),
    };
    let place = (rest & HAS_PLACE != 0).then_some(InterfaceId(place));
    (place, key)
}

fn halves(word: u32) -> [u16; 2] {
    let [a, b, c, d] = word.to_be_bytes();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn endpoint() -> impl Strategy<Value = Endpoint> {
        (any::<IpAddr>(), any::<u16>()).prop_map(|(address, port)| Endpoint { address, port })
    }

    proptest! {
        #[test]
        fn the_smaller_endpoint_comes_first(local in endpoint(), remote in endpoint()) {
            let mut packed = PackedKey::new(None, &FlowKey::new(6, local, remote));
            let is_turned = match &mut packed {
                PackedKey::V4(key) => key.put_smaller_first(),
                PackedKey::V6(key) => key.put_smaller_first(),
            };
            let (smaller, larger) = if local <= remote { (local, remote) } else { (remote, local) };
            prop_assert_eq!(is_turned, remote < local);
            prop_assert_eq!(packed, PackedKey::new(None, &FlowKey::new(6, smaller, larger)));
        }

        #[test]
        fn packing_keeps_everything(
            local in endpoint(), remote in endpoint(), protocol: u8, has_ports: bool,
            vlan: Option<u16>, place: Option<u32>,
        ) {
            let key = FlowKey { protocol, local, remote, has_ports, vlan };
            let place = place.map(InterfaceId);
            let unpacked = match PackedKey::new(place, &key) {
                PackedKey::V4(packed) => packed.unpack(),
                PackedKey::V6(packed) => packed.unpack(),
            };
            prop_assert_eq!(unpacked, (place, key));
        }
    }
}
