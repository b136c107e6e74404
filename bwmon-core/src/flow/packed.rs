//! A flow's place and key in few words: 20 bytes over IPv4, 44 over IPv6.

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;

use super::key::{Endpoint, FlowKey};
use super::table::Place;
use crate::frame::InterfaceId;

const HAS_PORTS: u32 = 1;
const HAS_PLACE: u32 = 2;
const HAS_VLAN: u32 = 4;
/// The address is an IPv4 address beside an IPv6 address, which no frame has but a caller may say.
const LOCAL_IS_IPV4: u32 = 8;
const REMOTE_IS_IPV4: u32 = 16;

/// A key of one address family.
pub(super) trait Packed: Copy + Eq + fmt::Debug {
    /// Bytes of memory that a row takes, its share of the index included, also while that grows.
    const COST: usize;
    fn hash(&self, seed: &Seed) -> u64;
    fn unpack(&self) -> (Place, FlowKey);
}

/// Over IPv4: addresses, ports, interface, and protocol with VLAN and flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed4([u32; 5]);

/// Over IPv6: addresses of four words each, then the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl PackedKey {
    #[inline(always)]
    pub(super) fn new(place: Place, key: &FlowKey) -> Self {
        let FlowKey {
            protocol,
            local,
            remote,
            has_ports,
            vlan,
        } = *key;
        let ports = u32::from(local.port) << 16 | u32::from(remote.port);
        let mut rest = u32::from(vlan.unwrap_or(0)) << 16
            | u32::from(protocol) << 8
            | if has_ports { HAS_PORTS } else { 0 }
            | if place.is_some() { HAS_PLACE } else { 0 }
            | if vlan.is_some() { HAS_VLAN } else { 0 };
        let place = place.map_or(0, |id| id.0);
        if let (IpAddr::V4(local), IpAddr::V4(remote)) = (local.address, remote.address) {
            return Self::V4(Packed4([
                local.to_bits(),
                remote.to_bits(),
                ports,
                place,
                rest,
            ]));
        }
        let words = |address: IpAddr| match address {
            IpAddr::V4(address) => [0, 0, 0, address.to_bits()],
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h] = address.segments().map(u32::from);
                [a << 16 | b, c << 16 | d, e << 16 | f, g << 16 | h]
            }
        };
        if local.address.is_ipv4() {
            rest |= LOCAL_IS_IPV4;
        }
        if remote.address.is_ipv4() {
            rest |= REMOTE_IS_IPV4;
        }
        let [a, b, c, d] = words(local.address);
        let [e, f, g, h] = words(remote.address);
        Self::V6(Packed6([a, b, c, d, e, f, g, h, ports, place, rest]))
    }
}

impl Packed for Packed4 {
    const COST: usize = 112;

    #[inline(always)]
    fn hash(&self, seed: &Seed) -> u64 {
        let [a, b, c, d, e] = self.0;
        let mut hasher = seed.0.build_hasher();
        hasher.write_u128(wide([a, b, c, d]));
        hasher.write_u32(e);
        hasher.finish()
    }

    fn unpack(&self) -> (Place, FlowKey) {
        let [local, remote, ports, place, rest] = self.0;
        let [local, remote] = [local, remote].map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
        unpack([local, remote], ports, place, rest)
    }
}

impl Packed for Packed6 {
    const COST: usize = 176;

    #[inline(always)]
    fn hash(&self, seed: &Seed) -> u64 {
        let [a, b, c, d, e, f, g, h, ports, place, rest] = self.0;
        let mut hasher = seed.0.build_hasher();
        hasher.write_u128(wide([a, b, c, d]));
        hasher.write_u128(wide([e, f, g, h]));
        hasher.write_u128(wide([ports, place, rest, 0]));
        hasher.finish()
    }

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
