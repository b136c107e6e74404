//! Traffic of whole disks from `/proc/diskstats` (kernel documentation, admin-guide/iostats).

use std::path::Path;

use super::read_text;
use crate::collectors::system::filter::Matcher;
use crate::report::{DiskCounters, bounds};

/// The unit of the sector columns, whatever the disk's own sector size.
const SECTOR_BYTES: u64 = 512;
const LIMIT_BYTES: u64 = 1 << 20;
const NOT_DISKS: [&str; 5] = ["ram", "loop", "zram", "sr", "fd"];

/// Counters since boot of every whole disk that `filter` admits. Partitions, RAM disks, loop
/// devices, optical and floppy drives are left out; volumes made of disks (`dm-0`, `md0`) are
/// listed beside them, so the sum over all rows counts their traffic twice.
pub(super) fn read(filter: &Matcher) -> Vec<(String, DiskCounters)> {
    let text = read_text("/proc/diskstats", LIMIT_BYTES).unwrap_or_default();
    text.lines()
        .filter_map(parse)
        .filter(|(name, _)| !NOT_DISKS.iter().any(|prefix| is_numbered(name, prefix)))
        .filter(|(name, _)| filter.admits(&[name]) && is_whole_disk(name))
        .take(bounds::PARTS)
        .map(|(name, counters)| (bounds::clip(name), counters))
        .collect()
}

fn parse(line: &str) -> Option<(&str, DiskCounters)> {
    let mut columns = line.split_ascii_whitespace().skip(2);
    let name = columns.next()?;
    let mut numbers = columns.map(|column| column.parse::<u64>().ok());
    let mut column = |index| numbers.nth(index).flatten();
    let reads = column(0)?;
    let read_sectors = column(1)?;
    let writes = column(1)?;
    let written_sectors = column(1)?;
    let counters = DiskCounters {
        read_bytes: read_sectors.saturating_mul(SECTOR_BYTES),
        written_bytes: written_sectors.saturating_mul(SECTOR_BYTES),
        reads,
        writes,
    };
    Some((name, counters))
}

/// Whether `name` is `prefix` and a number.
fn is_numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether it has an entry of its own; sysfs writes `!` for the slash of names like `cciss/c0d0`.
fn is_whole_disk(name: &str) -> bool {
    Path::new("/sys/block")
        .join(name.replace('/', "!"))
        .exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_where_the_kernel_puts_them() {
        let line = " 254       0 vda 178404 40760 20071890 155794 34796 110543 33641288 141056 0 30992 2985";
        let (name, counters) = parse(line).unwrap();
        assert_eq!(name, "vda");
        assert_eq!(
            counters,
            DiskCounters {
                read_bytes: 20_071_890 * 512,
                written_bytes: 33_641_288 * 512,
                reads: 178_404,
                writes: 34_796,
            }
        );
    }

    #[test]
    fn damaged_lines_are_no_disks() {
        for line in [
            "",
            "8 0",
            "8 0 sda",
            "8 0 sda 1 2 3",
            "8 0 sda a b c d e f g h",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn loops_and_ram_disks_are_numbered() {
        assert!(is_numbered("loop0", "loop") && is_numbered("sr12", "sr"));
        assert!(!is_numbered("loopback", "loop") && !is_numbered("sda", "sr"));
    }
}
