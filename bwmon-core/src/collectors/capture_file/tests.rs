use super::*;
use crate::frame::{Direction, LinkType};

/// Nanoseconds, wire length, captured length, link type.
type Seen = (u64, u32, usize, LinkType);

fn frames(bytes: &[u8]) -> (Vec<Seen>, Option<CollectError>) {
    let mut list = Vec::new();
    let mut file = match CaptureFile::open(bytes) {
        Ok(file) => file,
        Err(error) => return (list, Some(error)),
    };
    loop {
        let next = file.next_frame(|frame| {
            assert_eq!(frame.direction, Direction::Unknown);
            list.push((
                frame.at.as_nanos(),
                frame.wire_len,
                frame.bytes.len(),
                frame.link,
            ));
        });
        match next {
            Ok(true) => {}
            Ok(false) => return (list, None),
            Err(error) => return (list, Some(error)),
        }
    }
}

fn pcap(is_big_endian: bool, magic: u32, extra: usize) -> Vec<u8> {
    let number = |n: u32| {
        if is_big_endian {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let mut file = Vec::new();
    for n in [magic, 0x0004_0002, 0, 0, 65_535, 1] {
        file.extend(number(n));
    }
    for (seconds, fraction) in [(10, 5), (11, 7)] {
        for n in [seconds, fraction, 60, 1_514] {
            file.extend(number(n));
        }
        file.extend(vec![0; extra + 60]);
    }
    file
}

#[test]
fn every_variant_of_the_classic_format_gives_the_same_frames() {
    for (magic, per_tick, extra) in [
        (0xa1b2_c3d4, 1_000, 0),
        (0xa1b2_3c4d, 1, 0),
        (0xa1b2_cd34, 1_000, 8),
    ] {
        for is_big_endian in [false, true] {
            let (list, error) = frames(&pcap(is_big_endian, magic, extra));
            assert!(error.is_none(), "{error:?}");
            let at = |seconds: u64, fraction: u64| seconds * 1_000_000_000 + fraction * per_tick;
            let expected = [
                (at(10, 5), 1_514, 60, LinkType::Ethernet),
                (at(11, 7), 1_514, 60, LinkType::Ethernet),
            ];
            assert_eq!(list, expected);
        }
    }
}

#[test]
fn a_cut_file_yields_what_precedes_the_cut_and_says_where() {
    let whole = pcap(false, 0xa1b2_c3d4, 0);
    for length in 24..whole.len() {
        let (list, error) = frames(&whole[..length]);
        let expected = (length - 24) / 76;
        assert_eq!(list.len(), expected, "cut at {length}");
        let is_between = (length - 24) % 76 == 0;
        assert_eq!(error.is_none(), is_between, "cut at {length}");
        if let Some(error) = error {
            assert_eq!(error.kind(), CollectErrorKind::Damaged);
            assert!(
                error
                    .to_string()
                    .contains(&format!("byte {}", 24 + expected * 76)),
                "{error}"
            );
        }
    }
}

#[test]
fn what_is_no_capture_says_so() {
    for bytes in [&b""[..], b"abc", b"hello world, this is text"] {
        assert_eq!(frames(bytes).1.unwrap().kind(), CollectErrorKind::NotFound);
    }
}

#[test]
fn versions_before_2_4_may_have_the_two_lengths_in_the_other_order() {
    let link = LinkType::Ethernet;
    for (major, minor, first, second) in [
        (2, 2, 1_514, 60),
        (2, 0, 1_514, 60),
        (543, 0, 1_514, 60),
        (2, 3, 1_514, 60),
        (2, 3, 60, 1_514),
        (2, 4, 60, 1_514),
    ] {
        let mut file = pcap(false, 0xa1b2_c3d4, 0);
        file.truncate(24 + 76);
        file[4..6].copy_from_slice(&u16::to_le_bytes(major));
        file[6..8].copy_from_slice(&u16::to_le_bytes(minor));
        file[32..36].copy_from_slice(&u32::to_le_bytes(first));
        file[36..40].copy_from_slice(&u32::to_le_bytes(second));
        let (list, error) = frames(&file);
        assert!(error.is_none(), "{major}.{minor}: {error:?}");
        assert_eq!(list, [(10_000_005_000, 1_514, 60, link)], "{major}.{minor}");
    }
}

#[test]
fn a_compressed_capture_says_what_to_do() {
    for magic in [[0x1f, 0x8b, 8, 0], [0x28, 0xb5, 0x2f, 0xfd]] {
        let error = frames(&magic).1.unwrap();
        assert_eq!(error.kind(), CollectErrorKind::NotFound);
        assert!(error.to_string().contains("compressed"), "{error}");
    }
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = u32::try_from(padded + 12).unwrap().to_le_bytes();
    let mut block = kind.to_le_bytes().to_vec();
    block.extend(length);
    block.extend(body);
    block.resize(8 + padded, 0);
    block.extend(length);
    block
}

fn pcapng() -> Vec<u8> {
    let words = |list: &[u32]| {
        list.iter()
            .flat_map(|n| n.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let mut file = block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    file.extend(block(1, &words(&[1, 0])));
    // Link type RAW, snapshot length 40, nanoseconds, one hour later.
    file.extend(block(
        1,
        &words(&[101, 40, 0x0001_0009, 9, 0x0008_000e, 3_600, 0, 0]),
    ));
    file.extend(block(0x0bad, b"custom"));
    let mut packet = words(&[1, 0, 1_000, 3, 1_500]);
    packet.extend([0x45, 0, 0]);
    file.extend(block(6, &packet));
    let mut simple = words(&[5]);
    simple.extend([1, 2, 3, 4, 5]);
    file.extend(block(3, &simple));
    file
}

#[test]
fn interfaces_have_their_own_link_type_and_clock() {
    let (list, error) = frames(&pcapng());
    assert!(error.is_none(), "{error:?}");
    let expected = [
        (3_600_000_001_000, 1_500, 3, LinkType::RawIp),
        (0, 5, 5, LinkType::Ethernet),
    ];
    assert_eq!(list, expected);
}

#[test]
fn a_block_that_is_passed_over_has_two_equal_lengths_too() {
    let (whole, _) = frames(&pcapng());
    let at = 28 + 20 + 44;
    let mut file = pcapng();
    assert_eq!(file[at..at + 4], 0x0bad_u32.to_le_bytes());
    file[at + 16] += 4;
    let (list, error) = frames(&file);
    assert_eq!(list, whole[..0]);
    let error = error.unwrap().to_string();
    assert!(error.contains(&format!("byte {at}: ")), "{error}");
}

#[test]
fn comments_of_any_usual_length_are_passed_over() {
    let mut file = pcapng();
    let (mut expected, _) = frames(&file);
    let mut packet: Vec<u8> = [1_u32, 0, 1_000, 4, 1_500]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    packet.extend([0x45, 0, 0, 0]);
    for _ in 0..6 {
        packet.extend([1, 0, 0x60, 0xea]);
        packet.extend([b'x'; 60_000]);
    }
    file.extend(block(6, &packet));
    expected.push((3_600_000_001_000, 1_500, 4, LinkType::RawIp));
    assert_eq!(frames(&file).0, expected);
}

#[test]
fn a_lying_block_is_damage_and_not_a_panic() {
    let file = pcapng();
    for at in 0..file.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = file.clone();
            changed[at] = value;
            frames(&changed);
        }
    }
    for length in 0..file.len() {
        frames(&file[..length]);
    }
}
