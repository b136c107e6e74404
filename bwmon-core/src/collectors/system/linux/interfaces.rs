//! Interfaces: counters from `/proc/net/dev`, everything else from `/sys/class/net`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Reading, mark_uplinks, read_text, routes, unreadable};
use crate::collector::{CollectError, CollectErrorKind};
use crate::collectors::clock::wall_clock;
use crate::collectors::system::Due;
use crate::frame::{InterfaceId, PerDirection};
use crate::report::{InterfaceFacts, InterfaceKind, KernelCounters, OperState, bounds};
use crate::sample::InterfaceSample;
use crate::time::Timestamp;

const FACTS_REFRESH: Duration = Duration::from_secs(10);
const COUNTERS: &str = "/proc/net/dev";
const LIMIT_BYTES: u64 = 4 << 20;

/// ARP hardware types (`linux/if_arp.h`) that tell a kind.
const ARPHRD_LOOPBACK: u32 = 772;
const ARPHRD_TUNNELS: [u32; 8] = [
    512,    // PPP
    768,    // IPv4 in IPv4
    769,    // IPv6 tunnel
    776,    // SIT
    778,    // GRE over IPv4
    823,    // GRE over IPv6
    519,    // bare IP
    65_534, // none: TUN, WireGuard
];
const TUNNEL_DEVTYPES: [&str; 8] = [
    "wireguard",
    "vxlan",
    "geneve",
    "gre",
    "ppp",
    "ipip",
    "gtp",
    "bareudp",
];

/// Reads interfaces; what changes rarely is kept between readings.
#[derive(Debug)]
pub(super) struct Interfaces {
    facts: BTreeMap<String, InterfaceFacts>,
    due: Due,
    counters: String,
}

impl Interfaces {
    pub(super) const fn new() -> Self {
        Self {
            facts: BTreeMap::new(),
            due: Due::every(FACTS_REFRESH),
            counters: String::new(),
        }
    }

    pub(super) fn read(&mut self, now: Instant) -> Result<Reading, CollectError> {
        let at = self.read_counters().map_err(|error| {
            unreadable(
                COUNTERS,
                "is /proc mounted and open to this process?",
                error,
            )
        })?;
        let counters: Vec<_> = self.counters.lines().filter_map(parse_counters).collect();
        let present: Vec<_> = counters
            .iter()
            // One that is gone since its counters were read has no identity.
            .filter_map(|(name, counters)| Some((*name, counters, identity(name)?)))
            .collect();
        if present.is_empty() && !counters.is_empty() {
            return Err(CollectError::new(
                CollectErrorKind::NotFound,
                "cannot read /sys/class/net: is /sys mounted and open to this process?",
            ));
        }
        let known = |name: &str| self.facts.get(name).map(|facts| (facts.id, facts.state));
        let is_changed = present.len() != self.facts.len()
            || present
                .iter()
                .any(|(name, _, now)| known(name) != Some(*now));
        if self.due.take(now, is_changed) {
            let names = present.iter().map(|(name, ..)| (*name).to_owned());
            let facts = present
                .iter()
                .map(|&(name, _, (id, state))| read_facts(name, id, state));
            self.facts = names.zip(facts).collect();
            let mut facts: Vec<_> = self.facts.values_mut().collect();
            mark_uplinks(&mut facts, &routes::default_routes());
        }
        let sample = |(name, counters, _): (&str, &PerDirection<KernelCounters>, _)| {
            Some(InterfaceSample {
                facts: self.facts.get(name)?.clone(),
                counters: *counters,
            })
        };
        let interfaces = present.into_iter().filter_map(sample).collect();
        Ok(Reading { at, interfaces })
    }

    /// Reads all counters in one go and the wall clock right after.
    fn read_counters(&mut self) -> io::Result<Timestamp> {
        self.counters.clear();
        self.counters.reserve(4 << 10);
        File::open(COUNTERS)?
            .take(LIMIT_BYTES)
            .read_to_string(&mut self.counters)?;
        Ok(wall_clock())
    }
}

/// Columns after the name: bytes, packets, errors, drops, fifo, frame, compressed, multicast
/// received, then the same of what was sent. Drops include what the driver had no room for.
fn parse_counters(line: &str) -> Option<(&str, PerDirection<KernelCounters>)> {
    let (name, columns) = line.split_once(':')?;
    let mut columns = columns
        .split_ascii_whitespace()
        .map(|column| column.parse::<u64>().ok());
    let mut next = || columns.next().flatten();
    let mut direction = || {
        let counters = KernelCounters {
            bytes: next()?,
            packets: next()?,
            errors: next()?,
            drops: next()?,
        };
        for _unused in 0..4 {
            next()?;
        }
        Some(counters)
    };
    let counters = PerDirection {
        ingress: direction()?,
        egress: direction()?,
    };
    Some((name.trim(), counters))
}

/// What is read at every sample: a number that tells a new interface from an old one of the same
/// name, and the operational state.
fn identity(name: &str) -> Option<(InterfaceId, OperState)> {
    let folder = folder(name);
    let id = number(&folder, "ifindex")?;
    let state = match read_text(folder.join("operstate"), 32).ok()?.trim() {
        "up" => OperState::Up,
        "down" | "notpresent" => OperState::Down,
        "dormant" => OperState::Dormant,
        "lowerlayerdown" => OperState::LowerLayerDown,
        _ => OperState::Unknown,
    };
    Some((InterfaceId(id), state))
}

fn read_facts(name: &str, id: InterfaceId, state: OperState) -> InterfaceFacts {
    let folder = folder(name);
    let entries = entries(&folder);
    let uevent = read_text(folder.join("uevent"), 4 << 10).unwrap_or_default();
    let traits = Traits {
        hardware: number(&folder, "type").unwrap_or_default(),
        devtype: uevent
            .lines()
            .find_map(|line| line.strip_prefix("DEVTYPE="))
            .unwrap_or_default(),
        has_peer: number(&folder, "iflink").is_some_and(|link| link != id.0),
        entries: &entries,
    };
    let kind = traits.kind();
    let lower = entries
        .iter()
        .filter_map(|entry| entry.strip_prefix("lower_"));
    InterfaceFacts {
        id,
        name: bounds::clip(name),
        kind,
        state,
        speed_bps: speed_bps(kind, &folder),
        stacked_on: lower.take(bounds::PARTS).map(bounds::clip).collect(),
        has_default_route: false,
        is_uplink: false,
    }
}

/// What tells the kind of an interface.
struct Traits<'a> {
    hardware: u32,
    devtype: &'a str,
    has_peer: bool,
    entries: &'a [String],
}

impl Traits<'_> {
    fn kind(&self) -> InterfaceKind {
        if self.hardware == ARPHRD_LOOPBACK {
            InterfaceKind::Loopback
        } else if self.devtype == "wlan" || self.has("wireless") || self.has("phy80211") {
            InterfaceKind::Wireless
        } else if self.devtype == "bridge" || self.has("bridge") {
            InterfaceKind::Bridge
        } else if self.devtype == "bond" || self.has("bonding") {
            InterfaceKind::Bond
        } else if self.devtype == "vlan" {
            InterfaceKind::Vlan
        } else if self.is_tunnel() {
            InterfaceKind::Tunnel
        } else if self.has("device") {
            InterfaceKind::Physical
        } else if self.has_peer && !self.entries.iter().any(|e| e.starts_with("lower_")) {
            InterfaceKind::Veth
        } else {
            InterfaceKind::Other
        }
    }

    fn is_tunnel(&self) -> bool {
        self.has("tun_flags")
            || TUNNEL_DEVTYPES.contains(&self.devtype)
            || (ARPHRD_TUNNELS.contains(&self.hardware) && !self.has("device"))
    }

    fn has(&self, entry: &str) -> bool {
        self.entries.iter().any(|name| name == entry)
    }
}

/// From Mbit/s. Drivers answer -1 or an error where they do not know; veth pairs and tunnels answer
/// a constant that nothing limits them to, which is left out.
fn speed_bps(kind: InterfaceKind, folder: &Path) -> Option<u64> {
    if matches!(
        kind,
        InterfaceKind::Veth | InterfaceKind::Tunnel | InterfaceKind::Loopback
    ) {
        return None;
    }
    parse_speed(&read_text(folder.join("speed"), 32).ok()?)
}

fn parse_speed(megabits: &str) -> Option<u64> {
    let megabits: u64 = megabits.trim().parse().ok()?;
    let is_known = megabits > 0 && megabits < u64::from(u32::MAX);
    is_known.then(|| megabits.saturating_mul(1_000_000))
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    names
}

fn number(folder: &Path, file: &str) -> Option<u32> {
    read_text(folder.join(file), 32).ok()?.trim().parse().ok()
}

fn folder(name: &str) -> PathBuf {
    Path::new("/sys/class/net").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_taken_from_their_columns() {
        let line = "  eth0: 654074510   22756    1    2    3     4          5         6  1309573   12877    7    8    9     10       11          12";
        let (name, counters) = parse_counters(line).unwrap();
        assert_eq!(name, "eth0");
        let expected = |bytes, packets, errors, drops| KernelCounters {
            bytes,
            packets,
            errors,
            drops,
        };
        assert_eq!(counters.ingress, expected(654_074_510, 22_756, 1, 2));
        assert_eq!(counters.egress, expected(1_309_573, 12_877, 7, 8));
    }

    #[test]
    fn headings_and_damaged_lines_are_no_interfaces() {
        let heading = " face |bytes    packets errs drop fifo frame compressed multicast|bytes";
        for line in [
            heading,
            "",
            "eth0: 1 2 3",
            "eth0: a b c d e f g h i j k l m n o p",
        ] {
            assert_eq!(parse_counters(line), None, "{line}");
        }
    }

    fn kind(hardware: u32, devtype: &str, has_peer: bool, entries: &[&str]) -> InterfaceKind {
        let entries: Vec<_> = entries.iter().map(ToString::to_string).collect();
        Traits {
            hardware,
            devtype,
            has_peer,
            entries: &entries,
        }
        .kind()
    }

    #[test]
    fn kinds_follow_from_what_sysfs_shows() {
        use InterfaceKind::*;
        assert_eq!(kind(772, "", false, &[]), Loopback);
        assert_eq!(kind(1, "", false, &["device"]), Physical);
        assert_eq!(kind(1, "wlan", false, &["device", "phy80211"]), Wireless);
        assert_eq!(kind(1, "bridge", false, &["bridge", "lower_eth0"]), Bridge);
        assert_eq!(kind(1, "bond", false, &["bonding", "lower_eth0"]), Bond);
        assert_eq!(kind(1, "vlan", true, &["lower_eth0"]), Vlan);
        assert_eq!(kind(1, "", true, &[]), Veth);
        assert_eq!(kind(1, "macvlan", true, &["lower_eth0"]), Other);
        assert_eq!(kind(65_534, "", false, &["tun_flags"]), Tunnel);
        assert_eq!(kind(65_534, "wireguard", false, &[]), Tunnel);
        assert_eq!(kind(65_534, "wwan", false, &["device"]), Physical);
        assert_eq!(kind(776, "", false, &[]), Tunnel);
        assert_eq!(kind(1, "", false, &[]), Other);
    }

    #[test]
    fn an_unknown_speed_is_absent() {
        assert_eq!(parse_speed("1000\n"), Some(1_000_000_000));
        for text in ["-1\n", "0\n", "4294967295\n", "", "fast"] {
            assert_eq!(parse_speed(text), None, "{text}");
        }
    }
}
