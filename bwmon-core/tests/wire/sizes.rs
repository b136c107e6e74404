//! How small it is. The yardstick is what the monitor that bwmon took over from sends as JSON for 200 flows.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::report::wire::{decode, encode};
use bwmon_core::report::{CaptureMethod, Document, FlowRow, Interval, Record, RecordBody, SCHEMA};
use bwmon_core::testkit::SAMPLE_START;
use bwmon_core::time::Window;

use super::values::EPOCH;

const FLOWS: usize = 200;
const LOCAL: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 16);
const LENGTH: Duration = Duration::from_secs(2);

/// The same numbers in every run (PCG's multiplier and increment).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// 200 peers and the bytes that went to each.
fn peers() -> Vec<(Ipv4Addr, u64)> {
    let mut numbers = Numbers(1);
    let mut peer = || {
        let last = |numbers: &mut Numbers| u8::try_from(numbers.below(256)).unwrap();
        let address = Ipv4Addr::new(10, 99, last(&mut numbers), last(&mut numbers));
        (address, 40 + numbers.below(3_000_000))
    };
    let mut peers: Vec<_> = (0..FLOWS).map(|_| peer()).collect();
    peers.sort_by_key(|peer| std::cmp::Reverse(peer.1));
    peers
}

/// As the earlier monitor writes it: `peer_traffic`, a key of both addresses per peer.
fn earlier_json() -> String {
    let mut json = String::from("{\"peer_traffic\": {");
    for (index, (peer, bytes)) in peers().into_iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let mbps = bytes as f64 * 8.0 / 1_048_576.0 / 2.0;
        write!(
            json,
            "{separator}\"{LOCAL}_to_{peer}\": {{\"bytes\": {bytes}, \"Mbps\": {mbps:.3}}}"
        )
        .unwrap();
    }
    json + "}}"
}

/// The same as flow rows: who, to whom, how many bytes.
fn same_content() -> Document {
    let rows = peers().into_iter().map(|(peer, bytes)| row(peer, bytes));
    document(rows.collect())
}

/// All that a row can say: ports, both directions, frames, times and flags.
fn all_columns() -> Document {
    let mut numbers = Numbers(2);
    let full = |(peer, bytes)| {
        let mut row = row(peer, bytes);
        row.protocol = 6;
        row.local_port = u16::try_from(32_768 + numbers.below(28_232)).unwrap();
        row.remote_port = 443;
        row.interface = Some("eth0".to_owned());
        row.traffic.ingress = Tally {
            bytes: numbers.below(3_000_000),
            packets: numbers.below(2_000),
        };
        row.traffic.egress.packets = bytes / 1_400 + 1;
        row.first = SAMPLE_START.plus(Duration::from_micros(numbers.below(1_000_000)));
        row.last = row
            .first
            .plus(Duration::from_micros(numbers.below(1_000_000)));
        row.tcp_flags = 0x18;
        row
    };
    document(peers().into_iter().map(full).collect())
}

fn row(peer: Ipv4Addr, bytes: u64) -> FlowRow {
    FlowRow {
        interface: None,
        protocol: 0,
        local: LOCAL.into(),
        local_port: 0,
        remote: peer.into(),
        remote_port: 0,
        traffic: PerDirection {
            ingress: Tally::default(),
            egress: Tally { bytes, packets: 0 },
        },
        first: SAMPLE_START,
        last: SAMPLE_START,
        tcp_flags: 0,
    }
}

fn document(flows: Vec<FlowRow>) -> Document {
    let mut interval = Interval {
        window: Window::new(SAMPLE_START, LENGTH),
        flows,
        ..Interval::default()
    };
    interval.capture.method = CaptureMethod::AfPacket;
    Document {
        schema: SCHEMA,
        records: vec![Record {
            epoch: EPOCH,
            seq: 1_000,
            body: RecordBody::Report(Box::new(interval)),
        }],
    }
}

fn zstd(bytes: &[u8]) -> usize {
    zstd::bulk::compress(bytes, 1).unwrap().len()
}

#[test]
fn what_the_earlier_monitor_says_takes_a_fifth_of_its_json() {
    let json = earlier_json();
    let compact = encode(&same_content());
    println!(
        "the same content: JSON {} bytes ({} with zstd), compact {} ({})",
        json.len(),
        zstd(json.as_bytes()),
        compact.len(),
        zstd(&compact)
    );
    assert_eq!(decode(&compact).unwrap().document, same_content());
    assert!(
        compact.len() * 5 <= json.len(),
        "{} of {}",
        compact.len(),
        json.len()
    );
    assert!(zstd(&compact) * 5 <= json.len());
}

#[test]
fn all_columns_take_an_eighth_of_their_json() {
    let json = serde_json::to_vec(&all_columns()).unwrap();
    let compact = encode(&all_columns());
    println!(
        "all columns: JSON {} bytes ({} with zstd), compact {} ({})",
        json.len(),
        zstd(&json),
        compact.len(),
        zstd(&compact)
    );
    assert_eq!(decode(&compact).unwrap().document, all_columns());
    assert!(
        compact.len() * 8 <= json.len(),
        "{} of {}",
        compact.len(),
        json.len()
    );
    assert!(zstd(&compact) < zstd(&json));
}
