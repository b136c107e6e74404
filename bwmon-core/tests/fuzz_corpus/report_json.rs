//! Replays the corpora of `fuzz/` on the stable compiler, and holds the named seeds to what they mean.
//!
//! A seed is made here and kept in git as the fuzzer wants it, one file each; a crash that the fuzzer
//! finds is put beside them under a name that says what it was, and is replayed from then on.
//! `BWMON_WRITE_SEEDS=1 cargo test -p bwmon-core --test fuzz_corpus` writes the seeds anew.

// Reads files, which nothing in the crate itself may do.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use bwmon_core::frame::{LinkType, PerDirection, Tally};
use bwmon_core::packet::{Parsed, parse};
use bwmon_core::report::{
    CaptureMethod, CaptureStatus, Conservation, Document, DropReason, Dropped, Epoch, EpochStart,
    FlowRow, HostMetrics, InterfaceInterval, Interval, Record, RecordBody, SCHEMA, bounds,
};
use bwmon_core::time::{Timestamp, Window};
use etherparse::{Ethernet2Header, IpHeaders, PacketBuilder, PacketBuilderStep};

/// LINKTYPE_ numbers end here.
const LAST_LINKTYPE: u32 = 300;

#[test]
fn packet_seeds_are_in_git_and_mean_what_they_say() {
    for (name, bytes, expected) in packet_seeds() {
        assert_eq!(kept("packet", name, &bytes), bytes, "{name}");
        let link = if name.starts_with("raw-") {
            LinkType::RawIp
        } else {
            LinkType::Ethernet
        };
        assert_eq!(told(parse(link, &bytes)), expected, "{name}");
    }
}

#[test]
fn report_seeds_are_in_git_and_mean_what_they_say() {
    for (name, bytes, is_readable) in report_seeds() {
        assert_eq!(kept("report_json", name, &bytes), bytes, "{name}");
        let read = serde_json::from_slice::<Document>(&bytes);
        assert_eq!(read.is_ok(), is_readable, "{name}: {read:?}");
    }
}

/// What `fuzz_targets/packet.rs` does, on each file and on each of its beginnings.
#[test]
fn every_packet_of_the_corpus_is_parsed_without_a_panic() {
    let files = corpus("packet");
    assert!(files.len() >= packet_seeds().len());
    for (path, bytes) in files {
        for end in 0..=bytes.len() {
            let start = bytes.get(..end).unwrap_or_default();
            for link in (0..=LAST_LINKTYPE).map(LinkType::from_linktype) {
                assert_eq!(parse(link, start), parse(link, start), "{}", path.display());
            }
        }
    }
}

/// What `fuzz_targets/report_json.rs` does, on each file.
#[test]
fn every_report_of_the_corpus_is_refused_or_can_be_written_and_read_again() {
    let files = corpus("report_json");
    assert!(files.len() >= report_seeds().len());
    for (path, body) in files {
        let Ok(document) = serde_json::from_slice::<Document>(&body) else {
            continue;
        };
        assert!(document.records.len() <= bounds::RECORDS);
        let written = serde_json::to_vec(&document).unwrap();
        let again = serde_json::from_slice::<Document>(&written);
        assert_eq!(again.unwrap(), document, "{}", path.display());
    }
}

type PacketSeed = (&'static str, Vec<u8>, &'static str);

fn packet_seeds() -> Vec<PacketSeed> {
    [ipv4_seeds(), ipv6_seeds(), link_seeds()].concat()
}

fn ethernet() -> PacketBuilderStep<Ethernet2Header> {
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
}

fn ipv4() -> PacketBuilderStep<IpHeaders> {
    ethernet().ipv4([10, 0, 0, 1], [198, 51, 100, 7], 64)
}

fn ipv4_seeds() -> Vec<PacketSeed> {
    let mut tcp = Vec::new();
    let step = ipv4().tcp(49_152, 443, 1, 1_000).syn();
    step.write(&mut tcp, b"hello").unwrap();
    let ports_only = cut(&tcp, 38);
    let in_header = cut(&tcp, 30);
    let in_ethernet = cut(&tcp, 13);
    let fragment = with(&tcp, &[(20, 0x00), (21, 0x10)]);
    let version_6 = with(&tcp, &[(14, 0x65)]);
    let mut icmp = Vec::new();
    let step = ipv4().icmpv4_echo_request(1, 1);
    step.write(&mut icmp, b"").unwrap();
    vec![
        ("ipv4-tcp-syn", tcp, "ip 6 49152>443"),
        ("ipv4-tcp-cut-after-ports", ports_only, "ip 6 49152>443"),
        ("ipv4-cut-in-header", in_header, "malformed ipv4: truncated"),
        ("ethernet-cut", in_ethernet, "malformed ethernet: truncated"),
        ("ipv4-later-fragment", fragment, "ip 6"),
        (
            "ipv4-ethertype-over-ipv6-version",
            version_6,
            "malformed ipv4: version is not 4",
        ),
        ("ipv4-icmp", icmp, "ip 1"),
    ]
}

fn ipv6_seeds() -> Vec<PacketSeed> {
    let mut udp = Vec::new();
    let step = ethernet().ipv6([1; 16], [2; 16], 64).udp(5_353, 53);
    step.write(&mut udp, b"question").unwrap();
    let too_long = with(&udp, &[(20, 0), (55, 255)]);
    let second = with(&udp, &[(20, 0), (54, 0), (55, 0)]);
    let mut raw = Vec::new();
    let step = PacketBuilder::ipv6([1; 16], [2; 16], 64).tcp(80, 50_000, 1, 1);
    step.write(&mut raw, b"").unwrap();
    vec![
        ("ipv6-udp", udp, "ip 17 5353>53"),
        ("ipv6-hop-by-hop-longer-than-frame", too_long, "ip 20"),
        ("ipv6-second-hop-by-hop", second, "ip 113"),
        ("raw-ipv6-tcp", raw, "ip 6 80>50000"),
        ("raw-empty", Vec::new(), "malformed ip: truncated"),
    ]
}

fn link_seeds() -> Vec<PacketSeed> {
    let mut tagged = Vec::new();
    let (outer, inner) = (100_u16.try_into().unwrap(), 7_u16.try_into().unwrap());
    let step = ethernet().double_vlan(outer, inner);
    let step = step.ipv4([10, 0, 0, 1], [198, 51, 100, 7], 64).udp(1, 2);
    step.write(&mut tagged, b"").unwrap();
    let in_tag = cut(&tagged, 16);
    let mut arp = vec![0xff; 12];
    arp.extend([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
    arp.resize(60, 0);
    vec![
        ("double-vlan-ipv4-udp", tagged, "ip 17 vlan 100 1>2"),
        ("vlan-cut", in_tag, "malformed vlan: truncated"),
        ("arp", arp, "non-ip 0x0806"),
    ]
}

fn report_seeds() -> Vec<(&'static str, Vec<u8>, bool)> {
    let full = document(vec![
        record(1, RecordBody::EpochStart(EpochStart::default())),
        record(2, RecordBody::Report(Box::new(interval()))),
        record(
            5,
            RecordBody::Dropped(Dropped {
                from_seq: 3,
                reports: 3,
                reason: DropReason::QueueFull,
            }),
        ),
    ]);
    let text = String::from_utf8(full.clone()).unwrap();
    let empty = document(Vec::new());
    let unknown = text.replace("\"seq\"", "\"colour\":{\"deep\":[1,2]},\"seq\"");
    let reason = text.replace("queue_full", "a_reason_from_a_newer_agent");
    let negative = text.replace("\"from_seq\":3", "\"from_seq\":-3");
    let port = text.replace("\"remote_port\":443", "\"remote_port\":65536");
    let name = text.replace("\"eth0\"", &format!("\"{}\"", "e".repeat(300)));
    let cut_off = cut(&full, full.len() / 2);
    vec![
        ("three-records", full, true),
        ("no-records", empty, true),
        ("unknown-field", unknown.into_bytes(), true),
        ("unknown-reason", reason.into_bytes(), true),
        ("negative-sequence", negative.into_bytes(), false),
        ("port-out-of-range", port.into_bytes(), false),
        ("interface-name-too-long", name.into_bytes(), false),
        ("cut-off", cut_off, false),
        ("deep-nesting", b"[".repeat(200), false),
    ]
}

fn interval() -> Interval {
    let tally = |bytes, packets| Tally { bytes, packets };
    let traffic = PerDirection {
        ingress: tally(1_500, 2),
        egress: tally(120, 1),
    };
    let mut interface = InterfaceInterval::default();
    interface.facts.name = "eth0".to_owned();
    interface.kernel = Some(PerDirection::default());
    interface.conservation = Some(PerDirection {
        ingress: Conservation {
            residual_bytes: Some(-60),
            ..Conservation::default()
        },
        egress: Conservation::default(),
    });
    Interval {
        window: Window {
            start: Timestamp::from_secs(1_795_000_000),
            duration_us: 2_000_000,
        },
        host: Some(HostMetrics::default()),
        interfaces: vec![interface],
        flows: vec![FlowRow {
            interface: Some("eth0".to_owned()),
            protocol: 6,
            local: IpAddr::from([10, 0, 0, 1]),
            local_port: 49_152,
            remote: IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7]),
            remote_port: 443,
            traffic,
            first: Timestamp::from_secs(1_795_000_000),
            last: Timestamp::from_secs(1_795_000_001),
            tcp_flags: 0x12,
        }],
        capture: CaptureStatus {
            method: CaptureMethod::AfPacket,
            ..CaptureStatus::default()
        },
        ..Interval::default()
    }
}

fn record(seq: u64, body: RecordBody) -> Record {
    Record {
        epoch: Epoch(0x6f1d_0c3b_5a29_48e7_b1c4_d5e6_f7a8_b9c0),
        seq,
        body,
    }
}

fn document(records: Vec<Record>) -> Vec<u8> {
    let document = Document {
        schema: SCHEMA,
        records,
    };
    serde_json::to_vec(&document).unwrap()
}

fn told(parsed: Parsed) -> String {
    match parsed {
        Parsed::Ip(view) => {
            let vlan = view.vlan.map(|vlan| format!(" vlan {vlan}"));
            let ports = view.ports.map(|(from, to)| format!(" {from}>{to}"));
            let [vlan, ports] = [vlan, ports].map(Option::unwrap_or_default);
            format!("ip {}{vlan}{ports}", view.protocol)
        }
        Parsed::NonIp(ethertype) => format!("non-ip {ethertype:#06x}"),
        Parsed::Malformed(why) => format!("malformed {}: {}", why.layer, why.reason),
    }
}

fn cut(bytes: &[u8], end: usize) -> Vec<u8> {
    bytes.get(..end).unwrap().to_owned()
}

fn with(bytes: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_owned();
    for &(at, byte) in changes {
        *bytes.get_mut(at).unwrap() = byte;
    }
    bytes
}

fn folder(target: &str) -> PathBuf {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    core.join("../fuzz/corpus").join(target)
}

fn kept(target: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
    let file = folder(target).join(name);
    if std::env::var_os("BWMON_WRITE_SEEDS").is_some() {
        fs::create_dir_all(folder(target)).unwrap();
        fs::write(&file, bytes).unwrap();
    }
    fs::read(&file).unwrap_or_else(|error| {
        panic!(
            "{}: {error}. BWMON_WRITE_SEEDS=1 writes the seeds",
            file.display()
        )
    })
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder(target)).unwrap();
    let files = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    files
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}
