//! Seeds of the file readers: a small capture of the project's own for every link type, every variant of
//! the formats, and damage. Where `BWMON_PCAPS` names captures, they are held to the same laws.

use std::fs;
use std::path::PathBuf;

use bwmon_core::collectors::capture_file::CaptureFile;
use bwmon_core::packet::{Parsed, parse};

use super::files::{cut, kept, replay, with};
use super::oracles::capture_file::{check, check_cut, check_far, read};
use super::oracles::link_layers::{Built, build};
use super::oracles::packet::{LINKS, check_frame};

const WIRE_LEN: u32 = 1_500;

#[test]
fn a_capture_of_every_link_type_is_in_git_and_is_read_and_parsed() {
    for (choice, number) in LINKS.into_iter().enumerate() {
        let name = format!("linktype-{number}.pcap");
        let frames = frames(u8::try_from(choice).unwrap());
        let file = classic(number, &frames);
        assert_eq!(kept("pcap", &name, &file), file, "{name}");
        let told = read(file.as_slice());
        assert_eq!(told.error, None);
        let found: Vec<Parsed> = told
            .frames
            .iter()
            .map(|frame| parse(frame.link, &frame.bytes))
            .collect();
        let expected: Vec<Parsed> = frames.iter().map(|frame| frame.expected).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn capture_seeds_are_in_git_and_mean_what_they_say() {
    for (target, name, file, frames, error) in classic_seeds().into_iter().chain(next_seeds()) {
        assert_eq!(kept(target, name, &file), file, "{name}");
        let told = read(file.as_slice());
        assert_eq!(told.frames.len(), frames, "{name}: {told:?}");
        let message = told.error.map(|(_, message)| message).unwrap_or_default();
        assert!(
            message.contains(error) && error.is_empty() == message.is_empty(),
            "{name}: {message}"
        );
    }
}

#[test]
fn every_capture_of_the_corpus_keeps_the_laws() {
    for target in ["pcap", "pcapng"] {
        let count = replay(target, |file| {
            check(file);
            let whole = read(file);
            for cut in 0..=file.len().min(2_000) {
                check_cut(file, &whole, cut);
                check_far(file, &whole, cut);
            }
        });
        assert!(count >= 10, "{target}: {count} seeds");
    }
}

/// Frames that nobody made up: real ones. Of long captures the first, so that this takes seconds.
#[test]
fn captures_with_known_content_keep_the_laws() {
    const MOST_FRAMES: usize = 500;
    if std::env::var_os("BWMON_SKIP_PCAP_TESTS").is_some_and(|value| value == "1") {
        eprintln!(
            "SKIPPED captures_with_known_content_keep_the_laws: BWMON_SKIP_PCAP_TESTS=1 is set"
        );
        return;
    }
    let mut checked = 0;
    for path in known_captures() {
        let file = fs::read(&path).unwrap();
        eprintln!("{}", path.display());
        check(&file);
        let Ok(mut capture) = CaptureFile::open(file.as_slice()) else {
            continue;
        };
        for _ in 0..MOST_FRAMES {
            let next = capture.next_frame(|frame| {
                for cut in 0..=frame.bytes.len().min(120) {
                    check_frame(frame.link, frame.bytes, cut);
                }
            });
            if !matches!(next, Ok(true)) {
                break;
            }
            checked += 1;
        }
    }
    assert!(checked > 1_000, "{checked} frames");
}

fn known_captures() -> Vec<PathBuf> {
    let folder = std::env::var_os("BWMON_PCAPS")
        .expect("BWMON_PCAPS must name the folder of captures with manifest.json and oracle/");
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_capture = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("pcap" | "pcapng"))
    };
    entries.filter(is_capture).collect()
}

/// The shortest recipe of a link type, and two with other choices in every place.
fn frames(choice: u8) -> Vec<Built> {
    let other = |byte: u8| build(&[&[choice, 0][..], &[byte; 40]].concat());
    vec![build(&[choice]), other(1), other(2)]
}

/// Little-endian, microseconds.
fn classic(link: u32, frames: &[Built]) -> Vec<u8> {
    let mut file = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, link]);
    for (index, built) in frames.iter().enumerate() {
        let (second, length) = (
            u32::try_from(index).unwrap(),
            u32::try_from(built.frame.len()).unwrap(),
        );
        file.extend(words(&[1_795_000_000 + second, 250_000, length, WIRE_LEN]));
        file.extend(&built.frame);
    }
    file
}

/// The corpus, the name, the file; how many frames it gives and what it then says.
type Seed = (&'static str, &'static str, Vec<u8>, usize, &'static str);

fn classic_seeds() -> Vec<Seed> {
    let one = vec![build(&[0])];
    let whole = classic(1, &one);
    let two = classic(1, &[build(&[0]), build(&[0])]);
    let second = whole.len();
    let (magic, nanos) = ([0xd4, 0xc3, 0xb2, 0xa1], [0x4d, 0x3c, 0xb2, 0xa1]);
    assert!(whole.starts_with(&magic));
    let nanoseconds = [&nanos, &whole[4..]].concat();
    let header = cut(&whole, 24);
    let too_long = with(&two, &[(second + 8, 1), (second + 10, 4)]);
    let longest = with(&header, &[])
        .into_iter()
        .chain(words(&[0, 0, 262_144, 0]))
        .collect();
    vec![
        ("pcap", "nothing", Vec::new(), 0, "fewer than 4 bytes"),
        (
            "pcap",
            "text",
            b"hello, this is text".to_vec(),
            0,
            "no known format",
        ),
        ("pcap", "header-alone", header, 0, ""),
        (
            "pcap",
            "header-cut",
            cut(&whole, 23),
            0,
            "byte 0: the file header is cut",
        ),
        ("pcap", "nanoseconds", nanoseconds, 1, ""),
        (
            "pcap",
            "record-header-cut",
            cut(&two, second + 15),
            1,
            "a record header is cut",
        ),
        (
            "pcap",
            "frame-cut",
            cut(&two, two.len() - 1),
            1,
            "the last frame is cut",
        ),
        (
            "pcap",
            "frame-too-long",
            too_long,
            1,
            "at most 262144 are taken",
        ),
        (
            "pcap",
            "longest-frame-cut",
            longest,
            0,
            "byte 24: the last frame is cut",
        ),
    ]
}

fn next_seeds() -> Vec<Seed> {
    let section = block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    let interface = block(1, &words(&[1, 65_535]));
    let frame = build(&[0]).frame;
    let length = u32::try_from(frame.len()).unwrap();
    let packet = [words(&[0, 0, 1_000, length, WIRE_LEN]), frame].concat();
    let packet = block(6, &packet);
    let file = |blocks: &[&[u8]]| [section.as_slice(), &blocks.concat()].concat();
    let whole = file(&[&interface, &packet]);
    let at = section.len() + interface.len();
    let lengths_differ = with(&whole, &[(whole.len() - 4, 0)]);
    let of_no_interface = with(&whole, &[(at + 8, 1)]);
    let longer_than_block = with(&whole, &[(at + 20, 0xff)]);
    let resolution = |byte: u32| {
        let clock = words(&[1, 0, 0x0001_0009, byte, 0]);
        file(&[&block(1, &clock), &packet])
    };
    let section_big = [
        &[
            0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0,
        ][..],
        &[0xff; 8],
        &[0, 0, 0, 28],
    ]
    .concat();
    let secrets = block(10, &[0; 100]);
    let two_sections = [whole.clone(), whole.clone()].concat();
    let new_order = [whole.clone(), section_big].concat();
    let version_2 = with(&section, &[(12, 2)]);
    let endless = with(
        &file(&[&secrets]),
        &[(32, 0xfc), (33, 0xff), (34, 0xff), (35, 0xff)],
    );
    let too_long = with(&whole, &[(at + 6, 0x10)]);
    let odd = with(&whole, &[(at + 4, 33)]);
    let no_length = with(&whole, &[(at + 4, 0), (at + 5, 0)]);
    vec![
        ("pcapng", "section-alone", section.clone(), 0, ""),
        (
            "pcapng",
            "section-cut",
            cut(&section, 27),
            0,
            "a section header is cut",
        ),
        (
            "pcapng",
            "section-of-version-2",
            version_2,
            0,
            "a section of version 2",
        ),
        ("pcapng", "one-packet", whole.clone(), 1, ""),
        ("pcapng", "two-sections", two_sections, 2, ""),
        (
            "pcapng",
            "section-of-the-other-byte-order",
            new_order,
            1,
            "",
        ),
        (
            "pcapng",
            "other-block",
            file(&[&interface, &secrets, &packet]),
            1,
            "",
        ),
        (
            "pcapng",
            "other-block-of-4-gib",
            endless,
            0,
            "the last block is cut",
        ),
        (
            "pcapng",
            "packet-before-interface",
            file(&[&packet]),
            0,
            "unknown interface",
        ),
        (
            "pcapng",
            "packet-of-no-interface",
            of_no_interface,
            0,
            "unknown interface",
        ),
        (
            "pcapng",
            "packet-longer-than-block",
            longer_than_block,
            0,
            "interface or length",
        ),
        (
            "pcapng",
            "packet-cut",
            cut(&whole, whole.len() - 5),
            0,
            "the last block is cut",
        ),
        (
            "pcapng",
            "block-header-cut",
            cut(&whole, at + 7),
            0,
            "a block header is cut",
        ),
        (
            "pcapng",
            "lengths-differ",
            lengths_differ,
            0,
            "whose two lengths differ",
        ),
        (
            "pcapng",
            "length-of-zero",
            no_length,
            0,
            "a block of 0 bytes",
        ),
        (
            "pcapng",
            "length-not-of-words",
            odd,
            0,
            "a block of 33 bytes",
        ),
        ("pcapng", "packet-block-too-long", too_long, 0, "a block of"),
        (
            "pcapng",
            "finest-binary-clock",
            resolution(0x80 | 63),
            1,
            "",
        ),
        (
            "pcapng",
            "clock-too-fine",
            resolution(20),
            0,
            "a bad interface",
        ),
    ]
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = u32::try_from(padded + 12).unwrap();
    let mut block = words(&[kind, length]);
    block.extend(body);
    block.resize(8 + padded, 0);
    block.extend(words(&[length]));
    block
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}
