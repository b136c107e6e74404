//! Default routes of the main table from `/proc/net/route` and `/proc/net/ipv6_route`.

use std::collections::BTreeSet;

use super::read_text;

/// Both files list the shortest prefixes first; a router's full table is not read to its end.
const LIMIT_BYTES: u64 = 256 << 10;
const RTF_UP: u32 = 0x1;
const RTF_REJECT: u32 = 0x200;

/// Names of the interfaces that a default route leaves through.
pub(super) fn default_routes() -> BTreeSet<String> {
    let v4 = read_text("/proc/net/route", LIMIT_BYTES).unwrap_or_default();
    let v6 = read_text("/proc/net/ipv6_route", LIMIT_BYTES).unwrap_or_default();
    let v4 = v4.lines().skip(1).filter_map(default_v4);
    let v6 = v6.lines().filter_map(default_v6);
    v4.chain(v6).map(str::to_owned).collect()
}

/// Columns: interface, destination, gateway, flags, references, use, metric, mask.
fn default_v4(line: &str) -> Option<&str> {
    let mut columns = line.split_ascii_whitespace();
    let interface = columns.next()?;
    let destination = columns.next()?;
    let flags = columns.nth(1)?;
    let mask = columns.nth(3)?;
    (is_zero(destination) && is_zero(mask) && is_usable(flags)).then_some(interface)
}

/// Columns: destination, its length, source, its length, next hop, metric, references, use,
/// flags, interface.
fn default_v6(line: &str) -> Option<&str> {
    let mut columns = line.split_ascii_whitespace();
    let destination = columns.next()?;
    let length = columns.next()?;
    let flags = columns.nth(6)?;
    let interface = columns.next()?;
    let is_default = is_zero(destination) && is_zero(length) && interface != "lo";
    (is_default && is_usable(flags)).then_some(interface)
}

fn is_zero(hexadecimal: &str) -> bool {
    !hexadecimal.is_empty() && hexadecimal.bytes().all(|digit| digit == b'0')
}

fn is_usable(flags: &str) -> bool {
    u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & (RTF_UP | RTF_REJECT) == RTF_UP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_defaults_are_up_and_not_rejected() {
        let default = "eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0";
        assert_eq!(default_v4(default), Some("eth0"));
        let subnet = "eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0";
        assert_eq!(default_v4(subnet), None);
        let half = "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0";
        assert_eq!(default_v4(half), None, "0.0.0.0/1 is not the default");
        let rejected = "*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0";
        assert_eq!(default_v4(rejected), None);
        assert_eq!(default_v4("eth0\t00000000"), None);
    }

    #[test]
    fn ipv6_defaults_are_not_the_unreachable_one_on_lo() {
        let zero = "00000000000000000000000000000000";
        let gateway = "fe800000000000000000000000000001";
        let line = |length: &str, flags: &str, interface: &str| {
            format!(
                "{zero} {length} {zero} 00 {gateway} 00000400 00000001 00000000 {flags} {interface}"
            )
        };
        assert_eq!(default_v6(&line("00", "00000003", "eth0")), Some("eth0"));
        assert_eq!(default_v6(&line("00", "00200200", "lo")), None);
        assert_eq!(default_v6(&line("00", "00000203", "eth0")), None);
        assert_eq!(default_v6(&line("80", "00000003", "eth0")), None);
        assert_eq!(default_v6(zero), None);
    }
}
