//! Nothing is allocated per packet: parsing, accounting and reading capture files, once what they keep
//! has grown to its size.
//!
//! The frames are those of `tests/data`, our own captures of every link type, and each of their
//! beginnings, which are malformed in every way that a snapshot length can bring about.
#![cfg(feature = "capture_file")]
// Reads files, which nothing in the crate itself may do.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod counting_allocator;

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bwmon_core::collectors::capture_file::CaptureFile;
use bwmon_core::frame::{Direction, Frame, InterfaceId, LinkType};
use bwmon_core::monitor::MonitorConfig;
use bwmon_core::packet::{Parsed, parse};
use bwmon_core::time::Timestamp;
use bwmon_core::{Monitor, Observer};
use counting_allocator::allocations;

/// Times that everything is seen before it is counted: enough to fill what works in batches.
const WARM_UP: usize = 4;

/// Frames of one link type.
struct Sample {
    name: String,
    link: LinkType,
    frames: Vec<Vec<u8>>,
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let sample = |path: &Path| {
        let file = fs::read(path).unwrap();
        let mut reader = CaptureFile::open(file.as_slice()).unwrap();
        let mut sample = Sample {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            link: LinkType::Ethernet,
            frames: Vec::new(),
        };
        while reader
            .next_frame(|frame| {
                sample.link = frame.link;
                sample.frames.push(frame.bytes.to_owned());
            })
            .unwrap()
        {}
        sample
    };
    let samples: Vec<Sample> = paths.iter().map(|path| sample(path)).collect();
    let links: HashSet<LinkType> = samples.iter().map(|sample| sample.link).collect();
    assert!(links.len() > 45, "captures of {} link types", links.len());
    samples
}

/// Hands every frame and each of its beginnings to `each`.
fn every_beginning(sample: &Sample, mut each: impl FnMut(&[u8])) {
    for frame in &sample.frames {
        for end in 0..=frame.len() {
            each(frame.get(..end).unwrap_or_default());
        }
    }
}

fn frame(link: LinkType, seconds: u64, bytes: &[u8]) -> Frame<'_> {
    Frame {
        at: Timestamp::from_secs(seconds),
        interface: InterfaceId(2),
        direction: Direction::Unknown,
        link,
        stripped_vlan: None,
        wire_len: 1_514,
        bytes,
    }
}

#[test]
fn the_counter_counts() {
    let (bytes, count) = allocations(|| vec![0_u8; 1_000]);
    assert_eq!((bytes.len(), count), (1_000, 1));
    let (_, count) = allocations(|| vec![1_u8].into_iter().cycle().take(9).collect::<Vec<u8>>());
    assert!(count > 1, "{count}");
    assert_eq!(allocations(|| 1).1, 0);
}

#[test]
fn parsing_allocates_nothing_from_the_first_frame_on() {
    let mut classes = [0_u64; 3];
    for sample in samples() {
        every_beginning(&sample, |bytes| {
            let (parsed, count) = allocations(|| parse(sample.link, bytes));
            assert_eq!(count, 0, "{}: {bytes:02x?}", sample.name);
            let class = match parsed {
                Parsed::Ip(_) => 0,
                Parsed::NonIp(_) => 1,
                Parsed::Malformed(_) => 2,
            };
            *classes.get_mut(class).unwrap() += 1;
        });
    }
    assert!(classes.iter().all(|&count| count > 100), "{classes:?}");
}

#[test]
fn accounting_allocates_nothing_once_the_tables_have_grown() {
    for sample in samples() {
        let mut monitor = Monitor::new(MonitorConfig::default());
        for window in 0..2 {
            for _ in 0..WARM_UP {
                every_beginning(&sample, |bytes| {
                    monitor.frame(frame(sample.link, window, bytes));
                });
            }
            let ((), count) = allocations(|| {
                for _ in 0..WARM_UP {
                    every_beginning(&sample, |bytes| {
                        monitor.frame(frame(sample.link, window, bytes));
                    });
                }
            });
            assert_eq!(count, 0, "{}, window {window}", sample.name);
            let seen = monitor.rotate(Timestamp::from_secs(window + 1), Duration::from_secs(1));
            assert!(!seen.flows.is_empty(), "{}, window {window}", sample.name);
        }
    }
}

#[test]
fn reading_a_capture_allocates_nothing_per_frame() {
    for sample in samples() {
        for file in [pcap(&sample, false), pcap(&sample, true), pcapng(&sample)] {
            let mut reader = CaptureFile::open(file.as_slice()).unwrap();
            let mut frames = 0;
            for _ in 0..sample.frames.len() {
                assert!(reader.next_frame(|_| frames += 1).unwrap());
            }
            let ((), count) = allocations(|| while reader.next_frame(|_| frames += 1).unwrap() {});
            assert_eq!(count, 0, "{}", sample.name);
            assert_eq!(frames, sample.frames.len() * REPEATED, "{}", sample.name);
        }
    }
}

/// Times that a file has each frame.
const REPEATED: usize = 20;

fn pcap(sample: &Sample, is_big_endian: bool) -> Vec<u8> {
    let version = if is_big_endian {
        0x0002_0004
    } else {
        0x0004_0002
    };
    let mut words = vec![0xa1b2_c3d4, version, 0, 0, 262_144, 1];
    let mut file = Vec::new();
    for frame in sample
        .frames
        .iter()
        .cycle()
        .take(sample.frames.len() * REPEATED)
    {
        let length = u32::try_from(frame.len()).unwrap();
        words.extend([7, 0, length, length]);
        for word in words.drain(..) {
            file.extend(if is_big_endian {
                u32::to_be_bytes(word)
            } else {
                u32::to_le_bytes(word)
            });
        }
        file.extend(frame);
    }
    file
}

/// One section, one interface, then packets and blocks that are passed over by turns.
fn pcapng(sample: &Sample) -> Vec<u8> {
    let mut file = block(0x0a0d_0d0a, &[0x1a2b_3c4d, 1, u32::MAX, u32::MAX], &[]);
    file.extend(block(1, &[1, 0], &[]));
    for frame in sample
        .frames
        .iter()
        .cycle()
        .take(sample.frames.len() * REPEATED)
    {
        let length = u32::try_from(frame.len()).unwrap();
        file.extend(block(6, &[0, 0, 1_000, length, length], frame));
        file.extend(block(0x0bad, &[32_473], b"ours"));
    }
    file
}

fn block(kind: u32, words: &[u32], bytes: &[u8]) -> Vec<u8> {
    let padded = bytes.len().next_multiple_of(4);
    let length = u32::try_from(12 + words.len() * 4 + padded).unwrap();
    let head = [&[kind, length], words].concat();
    let mut block: Vec<u8> = head.into_iter().flat_map(u32::to_le_bytes).collect();
    block.extend(bytes);
    block.resize(block.len() + padded - bytes.len(), 0);
    block.extend(length.to_le_bytes());
    block
}
