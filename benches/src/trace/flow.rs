use fastrand::Rng;

/// What a flow carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Tcp,
    Udp,
    /// Echo requests one way, replies the other.
    Icmp,
}

/// Two addresses of one family: this side's and the peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addresses {
    V4 { local: [u8; 4], remote: [u8; 4] },
    V6 { local: [u8; 16], remote: [u8; 16] },
}

/// What stays the same in all packets of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) addresses: Addresses,
    pub(super) transport: Transport,
    pub(super) local_port: u16,
    pub(super) remote_port: u16,
    /// 802.1Q VLAN identifier.
    pub(super) vlan: Option<u16>,
}

/// Ports of services, as often as they are listed.
const TCP_SERVICES: [u16; 8] = [443, 443, 443, 443, 80, 22, 8443, 5432];
const UDP_SERVICES: [u16; 4] = [443, 443, 4500, 51820];
/// Up to this many flows share two addresses.
const FLOWS_PER_PAIR: u32 = 4;
/// Bits of a remote address within 198.18.0.0/15, which RFC 2544 sets aside for benchmarks.
const REMOTE_BITS: u32 = 17;
/// Bits of a pair of addresses: of the remote one and of 1,024 local ones.
const PAIR_BITS: u32 = REMOTE_BITS + 10;

impl Flow {
    /// The flow with this number. Two numbers below 2^26 never give the same addresses, protocol
    /// and ports.
    pub(super) fn numbered(
        number: u32,
        is_ipv6: bool,
        transport: Transport,
        is_tagged: bool,
    ) -> Self {
        // ICMP has no ports that could tell flows of the same addresses apart.
        let pair = if transport == Transport::Icmp {
            number
        } else {
            number / FLOWS_PER_PAIR
        };
        // An odd factor permutes the numbers below a power of two.
        let pair = pair.wrapping_mul(0x9e37_79b1) & ((1 << PAIR_BITS) - 1);
        let remote = pair & ((1 << REMOTE_BITS) - 1);
        let local = pair >> REMOTE_BITS;
        let port = (mixed_bits(u64::from(pair)) & 0x7ffc) as u16;
        Self {
            addresses: if is_ipv6 {
                Addresses::V6 {
                    local: ipv6(1, local),
                    remote: ipv6(2, remote),
                }
            } else {
                Addresses::V4 {
                    local: ((10 << 24) | local).to_be_bytes(),
                    remote: ((198 << 24) | (18 << 16) | remote).to_be_bytes(),
                }
            },
            transport,
            local_port: 0x8000 | port | (number % FLOWS_PER_PAIR) as u16,
            remote_port: service(transport, pair),
            vlan: is_tagged.then_some(100 + (pair % 10) as u16),
        }
    }

    /// A flow that was most likely never seen before.
    pub(super) fn random(rng: &mut Rng) -> Self {
        Self {
            addresses: if rng.bool() {
                Addresses::V6 {
                    local: rng.u128(..).to_be_bytes(),
                    remote: rng.u128(..).to_be_bytes(),
                }
            } else {
                Addresses::V4 {
                    local: rng.u32(..).to_be_bytes(),
                    remote: rng.u32(..).to_be_bytes(),
                }
            },
            transport: if rng.bool() {
                Transport::Tcp
            } else {
                Transport::Udp
            },
            local_port: rng.u16(..),
            remote_port: rng.u16(..),
            vlan: None,
        }
    }

    pub(super) fn is_ipv6(&self) -> bool {
        matches!(self.addresses, Addresses::V6 { .. })
    }
}

/// An address within 2001:2::/48, which RFC 5180 sets aside for benchmarks, with an interface
/// identifier as stable privacy addresses have it.
fn ipv6(subnet: u16, host: u32) -> [u8; 16] {
    let prefix = (0x2001_0002_u128 << 96) | (u128::from(subnet) << 64);
    (prefix | u128::from(mixed_bits(u64::from(host)))).to_be_bytes()
}

fn service(transport: Transport, pair: u32) -> u16 {
    let of = |list: &[u16]| list.get((pair >> 3) as usize % list.len()).copied();
    match transport {
        Transport::Tcp => of(&TCP_SERVICES),
        Transport::Udp => of(&UDP_SERVICES),
        Transport::Icmp => None,
    }
    .unwrap_or_default()
}

/// A permutation of the 64-bit numbers without visible pattern (the finaliser of SplitMix64).
fn mixed_bits(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
