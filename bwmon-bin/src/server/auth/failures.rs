use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Wrong tokens from one address within [`WINDOW`] that are looked at.
pub(super) const PER_MINUTE: u32 = 5;
/// How long failures count.
const WINDOW: Duration = Duration::from_secs(60);
/// Most addresses that are remembered; beyond, the oldest is forgotten.
const MAX_ADDRESSES: usize = 4_096;

/// Wrong tokens of late, by address; an IPv6 address counts as its /64.
#[derive(Debug, Default)]
pub(super) struct Failures {
    of: HashMap<IpAddr, Count>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Instant,
    failures: u32,
}

impl Failures {
    /// Counts a failure; whether there are too many now.
    pub(super) fn count(&mut self, peer: IpAddr, now: Instant) -> bool {
        let network = network(peer);
        if !self.of.contains_key(&network) {
            self.make_room(now);
        }
        let count = self.of.entry(network).or_insert(Count {
            since: now,
            failures: 0,
        });
        if now.duration_since(count.since) > WINDOW {
            *count = Count {
                since: now,
                failures: 0,
            };
        }
        count.failures = count.failures.saturating_add(1);
        count.failures > PER_MINUTE
    }

    /// Whether there were too many of late.
    pub(super) fn is_over(&self, peer: IpAddr, now: Instant) -> bool {
        let count = self.of.get(&network(peer));
        count.is_some_and(|count| {
            now.duration_since(count.since) <= WINDOW && count.failures >= PER_MINUTE
        })
    }

    fn make_room(&mut self, now: Instant) {
        if self.of.len() < MAX_ADDRESSES {
            return;
        }
        self.of
            .retain(|_, count| now.duration_since(count.since) <= WINDOW);
        if self.of.len() >= MAX_ADDRESSES {
            let oldest = self.of.iter().min_by_key(|(_, count)| count.since);
            if let Some(address) = oldest.map(|(address, _)| *address) {
                self.of.remove(&address);
            }
        }
    }
}

fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_ipv6_network_count_together_and_the_table_is_bounded() {
        let (mut failures, now) = (Failures::default(), Instant::now());
        for host in 0..u128::from(PER_MINUTE) {
            let peer = Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) + host);
            assert!(!failures.count(peer.into(), now));
        }
        let neighbour: IpAddr = "2001:db8::ffff".parse().unwrap();
        assert!(failures.is_over(neighbour, now));
        assert!(!failures.is_over(neighbour, now + WINDOW + WINDOW));
        assert!(failures.count(neighbour, now));
        for host in 0..10_000_u32 {
            failures.count(IpAddr::V4(host.into()), now);
        }
        assert_eq!(failures.of.len(), MAX_ADDRESSES);
    }
}
