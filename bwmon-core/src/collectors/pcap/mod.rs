//! Live capture and capture files through libpcap: the portable way.
//!
//! [`LivePcap`] gives what [`af_packet`](super) gives where there is no packet ring, at a higher cost.
//! [`PcapFile`] reads pcap and pcapng files.

mod file;
mod live;

pub use file::PcapFile;
pub use live::{LivePcap, LivePcapConfig};

use pcap::Linktype;

use crate::frame::LinkType;
use crate::time::Timestamp;

/// LINKTYPE_RAW in files and DLT_RAW of most and of some BSD systems, LINKTYPE_IPV4, LINKTYPE_IPV6
/// (<https://www.tcpdump.org/linktypes.html>).
const RAW_IP: [i32; 5] = [101, 12, 14, 228, 229];

fn link_type(link: Linktype) -> LinkType {
    match link {
        Linktype(1) => LinkType::Ethernet,
        Linktype(raw) if RAW_IP.contains(&raw) => LinkType::RawIp,
        Linktype(other) => LinkType::Unsupported(u32::try_from(other).unwrap_or(u32::MAX)),
    }
}

/// A moment from seconds and a fraction; what is before 1970 or makes no sense becomes the nearest
/// moment that can be told.
fn timestamp(seconds: i64, fraction: i64, nanos_per_fraction: u64) -> Timestamp {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let fraction = u64::try_from(fraction).unwrap_or(0);
    let nanos = seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(fraction.saturating_mul(nanos_per_fraction));
    Timestamp::from_nanos(nanos)
}
