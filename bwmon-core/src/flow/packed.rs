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
    type Address;
    fn new(addresses: [Self::Address; 2], tail: Tail) -> Self;
    /// With the smaller endpoint as `local`, and whether that was `remote`. Addresses of one family.
    fn smaller_first(addresses: [Self::Address; 2], tail: Tail) -> (Self, bool);
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

/// Over IPv4. Each end is an address above a port above 16 bits of the rest: below the local one protocol
/// and flags, below the remote one the VLAN. So ends compare as endpoints do, and keys in three registers.
#[derive(Debug, Clone, Copy, Eq, Default)]
#[repr(C, packed(4))]
pub(super) struct Packed4 {
    local: u64,
    remote: u64,
    place: u32,
}

impl PartialEq for Packed4 {
    /// Without jumps, which the derived comparison has.
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        let ends = (self.local ^ other.local) | (self.remote ^ other.remote);
        ends | u64::from(self.place ^ other.place) == 0
    }
}

/// Over IPv6: addresses, and everything else.
#[derive(Debug, Clone, Copy, Eq, Default)]
#[repr(C, packed(4))]
pub(super) struct Packed6 {
    local: u128,
    remote: u128,
    tail: Tail,
}

impl PartialEq for Packed6 {
    /// In registers, not by a call.
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        let ends = (self.local ^ other.local) | (self.remote ^ other.remote);
        ends == 0 && self.tail == other.tail
    }
}

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

    /// Only the ports: what follows the ends when they change places.
    #[inline(always)]
    const fn only_ports(self) -> Self {
        let Self([ports, ..]) = self;
        Self([ports, 0, 0])
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
    /// The bits of an end that are its own.
    const END: u64 = !0xffff;
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
    type Address = Ipv4Addr;

    #[inline(always)]
    fn new(addresses: [Ipv4Addr; 2], tail: Tail) -> Self {
        let [local, remote] = addresses.map(|address| u64::from(address.to_bits()) << 32);
        let key = Self {
            local,
            remote,
            place: 0,
        };
        key.with_tail(tail)
    }

    #[inline(always)]
    fn smaller_first(addresses: [Ipv4Addr; 2], tail: Tail) -> (Self, bool) {
        // The rest comes when the ends are in order, which takes fewer steps.
        let mut key = Self::new(addresses, tail.only_ports());
        let is_turned = key.put_smaller_first();
        let Tail([_, place, rest]) = tail;
        key.local |= u64::from(rest & 0xffff);
        key.remote |= u64::from(rest >> 16);
        key.place = place;
        (key, is_turned)
    }

    #[inline(always)]
    fn turn(&mut self) {
        let change = (self.local ^ self.remote) & Self::END;
        self.local ^= change;
        self.remote ^= change;
    }

    #[inline(always)]
    fn tail(&self) -> Tail {
        let [_, local_port, low] = parts(self.local);
        let [_, remote_port, vlan] = parts(self.remote);
        Tail([local_port << 16 | remote_port, self.place, vlan << 16 | low])
    }

    #[inline(always)]
    fn with_tail(self, Tail([ports, place, rest]): Tail) -> Self {
        const ADDRESS: u64 = !0xffff_ffff;
        let low = ports & 0xffff_0000 | rest & 0xffff;
        let high = ports << 16 | rest >> 16;
        Self {
            local: self.local & ADDRESS | u64::from(low),
            remote: self.remote & ADDRESS | u64::from(high),
            place,
        }
    }

    fn without(mut self, end: End) -> Self {
        match end {
            End::Local => self.local &= 0xffff_ffff,
            End::Remote => self.remote &= 0xffff_ffff,
        }
        self
    }

    fn has_one_address(&self) -> bool {
        (self.local ^ self.remote) >> 32 == 0
    }

    /// Without a jump: which end is smaller is as good as random.
    #[inline(always)]
    fn put_smaller_first(&mut self) -> bool {
        let is_turned = self.remote & Self::END < self.local & Self::END;
        let change = (self.local ^ self.remote) & Self::END;
        let change = if is_turned { change } else { 0 };
        self.local ^= change;
        self.remote ^= change;
        is_turned
    }

    #[inline(always)]
    fn hash(&self, seed: &Seed) -> u64 {
        let mut hasher = seed.0.build_hasher();
        // Two rounds: after one, keys that a sender counts up are not spread well enough.
        hasher.write_u128(u128::from(self.local) << 64 | u128::from(self.remote));
        hasher.write_u32(self.place);
        hasher.finish()
    }

    #[inline]
    fn unpack(&self) -> (Place, FlowKey) {
        let [local, remote] = [self.local, self.remote].map(|end| {
            let [address, _, _] = parts(end);
            IpAddr::V4(Ipv4Addr::from_bits(address))
        });
        unpack([local, remote], self.tail())
    }
}

impl Packed for Packed6 {
    const COST: usize = 184;
    type Address = Ipv6Addr;

    #[inline(always)]
    fn new([local, remote]: [Ipv6Addr; 2], tail: Tail) -> Self {
        Self {
            local: local.to_bits(),
            remote: remote.to_bits(),
            tail,
        }
    }

    /// Without a jump, as over IPv4.
    #[inline(always)]
    fn smaller_first(addresses: [Ipv6Addr; 2], tail: Tail) -> (Self, bool) {
        let Self { local, remote, .. } = Self::new(addresses, tail);
        let Tail([ports, place, rest]) = tail;
        let is_turned = (remote, ports & 0xffff) < (local, ports >> 16);
        let change = if is_turned { local ^ remote } else { 0 };
        let turn = if is_turned { 16 } else { 0 };
        let key = Self {
            local: local ^ change,
            remote: remote ^ change,
            tail: Tail([ports.rotate_left(turn), place, rest]),
        };
        (key, is_turned)
    }

    #[inline(always)]
    fn turn(&mut self) {
        (self.local, self.remote) = (self.remote, self.local);
        let Tail([ports, place, mut rest]) = self.tail;
        let ends = LOCAL_IS_IPV4 | REMOTE_IS_IPV4;
        if rest & ends != 0 && rest & ends != ends {
            rest ^= ends;
        }
        self.tail = Tail([ports.rotate_left(16), place, rest]);
    }

    #[inline(always)]
    fn tail(&self) -> Tail {
        self.tail
    }

    #[inline(always)]
    fn with_tail(self, tail: Tail) -> Self {
        Self { tail, ..self }
    }

    fn without(mut self, end: End) -> Self {
        let Tail([ports, place, rest]) = self.tail;
        let other_is_ipv4 = match end {
            End::Local => {
                self.local = 0;
                rest & REMOTE_IS_IPV4 != 0
            }
            End::Remote => {
                self.remote = 0;
                rest & LOCAL_IS_IPV4 != 0
            }
        };
        // An end of the other family gives way to one of this family.
        let ends = LOCAL_IS_IPV4 | REMOTE_IS_IPV4;
        let rest = rest & !ends | if other_is_ipv4 { ends } else { 0 };
        self.tail = Tail([ports, place, rest]);
        self
    }

    fn has_one_address(&self) -> bool {
        let Tail([.., rest]) = self.tail;
        let is_one_family = (rest & LOCAL_IS_IPV4 == 0) == (rest & REMOTE_IS_IPV4 == 0);
        is_one_family && self.local == self.remote
    }

    /// Addresses of one family each, IPv4 before IPv6, as [`Endpoint`]s are ordered.
    #[inline(always)]
    fn put_smaller_first(&mut self) -> bool {
        let Tail([ports, _, rest]) = self.tail;
        let is_ipv6 = |flag| rest & flag == 0;
        let local = (is_ipv6(LOCAL_IS_IPV4), self.local, ports >> 16);
        let remote = (is_ipv6(REMOTE_IS_IPV4), self.remote, ports & 0xffff);
        let is_turned = remote < local;
        if is_turned {
            self.turn();
        }
        is_turned
    }

    #[inline(always)]
    fn hash(&self, seed: &Seed) -> u64 {
        let Tail([ports, place, rest]) = self.tail;
        let mut hasher = seed.0.build_hasher();
        hasher.write_u128(self.local);
        hasher.write_u128(self.remote);
        hasher.write_u128(u128::from(ports) << 64 | u128::from(place) << 32 | u128::from(rest));
        hasher.finish()
    }

    #[inline]
    fn unpack(&self) -> (Place, FlowKey) {
        let Tail([.., rest]) = self.tail;
        let address = |bits: u128, flag| match u32::try_from(bits) {
            Ok(bits) if rest & flag != 0 => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        };
        let local = address(self.local, LOCAL_IS_IPV4);
        let remote = address(self.remote, REMOTE_IS_IPV4);
        unpack([local, remote], self.tail)
    }
}

/// Address, port and the rest of an end over IPv4.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // its parts are what is wanted
const fn parts(end: u64) -> [u32; 3] {
    [(end >> 32) as u32, end as u32 >> 16, end as u32 & 0xffff]
}

#[inline]
fn unpack(addresses: [IpAddr; 2], Tail([ports, place, rest]): Tail) -> (Place, FlowKey) {
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
