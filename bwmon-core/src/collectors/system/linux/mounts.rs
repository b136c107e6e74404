//! File systems from `/proc/self/mountinfo` (proc_pid_mountinfo(5)) and statvfs(3).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::read_text;
use crate::collectors::system::Due;
use crate::collectors::system::filter::Matcher;
use crate::report::{MountUsage, bounds};

const LIST_REFRESH: Duration = Duration::from_secs(30);
const SPACE_REFRESH: Duration = Duration::from_secs(10);
const LIMIT_BYTES: u64 = 4 << 20;

/// Real file systems that are not on a block device.
const WITHOUT_DEVICE: [&str; 3] = ["zfs", "bcachefs", "virtiofs"];
const NETWORK: [&str; 14] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "ceph",
    "fuse.ceph",
    "afs",
    "glusterfs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "lustre",
    "ncpfs",
];
const OPTICAL_OR_IMAGE: [&str; 3] = ["iso9660", "udf", "squashfs"];

/// The file systems worth reporting: one row per mount point; where one file system is mounted at
/// several places (bind mounts, btrfs subvolumes) only the shortest path. Pseudo, removable,
/// optical and image file systems, those of containers and those without any space are left out.
#[derive(Debug)]
pub(super) struct Mounts {
    filter: Matcher,
    network: bool,
    list_due: Due,
    space_due: Due,
    mounts: Vec<Mount>,
    usage: Vec<MountUsage>,
}

impl Mounts {
    pub(super) fn new(filter: Matcher, network: bool) -> Self {
        Self {
            filter,
            network,
            list_due: Due::every(LIST_REFRESH),
            space_due: Due::every(SPACE_REFRESH),
            mounts: Vec::new(),
            usage: Vec::new(),
        }
    }

    pub(super) fn read(&mut self, now: Instant) -> Vec<MountUsage> {
        let is_listed = self.list_due.take(now, false);
        if is_listed {
            let text = read_text("/proc/self/mountinfo", LIMIT_BYTES).unwrap_or_default();
            self.mounts = select(&text, self.network, &is_removable);
            self.mounts
                .retain(|mount| self.filter.admits(&[&mount.path, &mount.device]));
        }
        if self.space_due.take(now, is_listed) {
            let usage = self.mounts.iter().filter_map(usage);
            self.usage = usage.take(bounds::PARTS).collect();
        }
        self.usage.clone()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    path: String,
    device: String,
    filesystem: String,
    /// Identifies the file system: `major:minor`.
    number: String,
}

/// The mounts worth reporting, by path.
fn select(mountinfo: &str, network: bool, is_removable: &dyn Fn(&Mount) -> bool) -> Vec<Mount> {
    // A later mount at the same path hides the earlier one.
    let visible: BTreeMap<String, Mount> = mountinfo
        .lines()
        .filter_map(parse)
        .map(|mount| (mount.path.clone(), mount))
        .collect();
    let mut shortest: BTreeMap<String, Mount> = BTreeMap::new();
    for mount in visible.into_values() {
        if !is_real(&mount, network) || is_removable(&mount) {
            continue;
        }
        match shortest.get(&mount.number) {
            Some(known) if known.path.len() <= mount.path.len() => {}
            _ => {
                shortest.insert(mount.number.clone(), mount);
            }
        }
    }
    let mut mounts: Vec<Mount> = shortest.into_values().collect();
    mounts.sort_by(|a, b| a.path.cmp(&b.path));
    mounts
}

/// Columns: id, parent, major:minor, root, mount point, options, optional fields, a hyphen, type,
/// source, options of the file system.
fn parse(line: &str) -> Option<Mount> {
    let (place, system) = line.split_once(" - ")?;
    let mut place = place.split_ascii_whitespace().skip(2);
    let number = place.next()?.to_owned();
    let path = unescape(place.nth(1)?);
    let mut system = system.split_ascii_whitespace();
    Some(Mount {
        path,
        filesystem: system.next()?.to_owned(),
        device: unescape(system.next()?),
        number,
    })
}

fn is_real(mount: &Mount, network: bool) -> bool {
    let filesystem = mount.filesystem.as_str();
    if OPTICAL_OR_IMAGE.contains(&filesystem) {
        return false;
    }
    if NETWORK.contains(&filesystem) {
        return network;
    }
    mount.device.starts_with("/dev/")
        || WITHOUT_DEVICE.contains(&filesystem)
        || (filesystem == "overlay" && mount.path == "/")
}

/// Whether the medium can be taken out; what the host runs from never counts as such. A partition
/// has no flag of its own: its parent is the disk.
fn is_removable(mount: &Mount) -> bool {
    let device = Path::new("/sys/dev/block").join(&mount.number);
    let has_flag =
        |path: &str| read_text(device.join(path), 8).is_ok_and(|flag| flag.trim() == "1");
    mount.path != "/" && (has_flag("removable") || has_flag("../removable"))
}

fn usage(mount: &Mount) -> Option<MountUsage> {
    let space = rustix::fs::statvfs(&mount.path).ok()?;
    let total_bytes = space.f_blocks.saturating_mul(space.f_frsize);
    (total_bytes > 0).then(|| MountUsage {
        path: bounds::clip(&mount.path),
        device: bounds::clip(&mount.device),
        filesystem: bounds::clip(&mount.filesystem),
        total_bytes,
        used_bytes: space
            .f_blocks
            .saturating_sub(space.f_bfree)
            .saturating_mul(space.f_frsize),
        available_bytes: space.f_bavail.saturating_mul(space.f_frsize),
    })
}

/// Undoes the kernel's `\040` for space, tab, line feed and backslash.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let escaped = part
            .get(..3)
            .and_then(|octal| u8::from_str_radix(octal, 8).ok());
        match (escaped, part.get(3..)) {
            (Some(byte), Some(rest)) => {
                plain.push(char::from(byte));
                plain.push_str(rest);
            }
            _ => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = r"
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
28 27 254:1 /srv/data /data rw,relatime - ext4 /dev/vda1 rw
30 27 8:17 / /media/my\040stick rw - vfat /dev/sdb1 rw
31 27 7:3 / /snap/core ro - squashfs /dev/loop3 ro
32 27 11:0 / /media/cd ro - iso9660 /dev/sr0 ro
33 27 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
34 27 0:60 / /net/home rw - nfs4 server:/home rw
35 27 0:28 / /run rw - tmpfs tmpfs rw
36 27 0:70 / /tank rw - zfs tank rw
37 27 254:2 / /home rw master:3 - xfs /dev/vda2 rw
38 37 254:3 / /home rw - ext4 /dev/vda3 rw
39 27 0:80 / /windows rw - fuseblk /dev/sda1 rw
";

    fn paths(mounts: &[Mount]) -> Vec<&str> {
        mounts.iter().map(|mount| mount.path.as_str()).collect()
    }

    #[test]
    fn only_real_file_systems_are_reported_once_each() {
        let is_stick = |mount: &Mount| mount.device == "/dev/sdb1";
        let mounts = select(MOUNTINFO, false, &is_stick);
        assert_eq!(paths(&mounts), ["/", "/home", "/tank", "/windows"]);
        let home = mounts.iter().find(|mount| mount.path == "/home").unwrap();
        assert_eq!(
            (home.device.as_str(), home.filesystem.as_str()),
            ("/dev/vda3", "ext4")
        );
    }

    #[test]
    fn network_mounts_and_escaped_paths() {
        let mounts = select(MOUNTINFO, true, &|_| false);
        assert_eq!(
            paths(&mounts),
            [
                "/",
                "/home",
                "/media/my stick",
                "/net/home",
                "/tank",
                "/windows"
            ]
        );
    }

    #[test]
    fn a_container_shows_its_own_root() {
        let line = "100 1 0:90 / / rw - overlay overlay rw,lowerdir=/a";
        assert_eq!(paths(&select(line, false, &|_| false)), ["/"]);
    }

    #[test]
    fn damaged_lines_and_escapes_are_survived() {
        for line in [
            "",
            "1 2",
            "a - b",
            "1 2 3:4 / - ext4",
            "1 2 3:4 / /x rw - ext4",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
        assert_eq!(unescape(r"a\134b\04"), r"a\b\04");
        assert_eq!(unescape(r"\é12"), r"\é12");
    }
}
