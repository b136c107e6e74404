//! Seeds of the file readers: variants of the formats, and damage. The project's captures of every link
//! type, and those that `BWMON_PCAPS` names, are held to the same laws.

use std::fs;
use std::path::{Path, PathBuf};

use bwmon_core::collectors::capture_file::CaptureFile;

use super::files::{cut, kept, replay, with};
use super::oracles::capture_file::{check, check_cut, check_far, read};
use super::oracles::link_layers::{Built, build};
use super::oracles::packet::check_frame;

const WIRE_LEN: u32 = 1_500;

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

/// One of every link type and encapsulation.
#[test]
fn captures_of_every_link_type_keep_the_laws() {
    let frames = check_captures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"));
    assert!(frames > 100, "{frames} frames");
}

/// Frames that nobody made up.
#[test]
fn captures_with_known_content_keep_the_laws() {
    if std::env::var_os("BWMON_SKIP_PCAP_TESTS").is_some_and(|value| value == "1") {
        eprintln!(
            "SKIPPED captures_with_known_content_keep_the_laws: BWMON_SKIP_PCAP_TESTS=1 is set"
        );
        return;
    }
    let folder = std::env::var_os("BWMON_PCAPS")
        .expect("BWMON_PCAPS must name the folder of captures with manifest.json and oracle/");
    let frames = check_captures(Path::new(&folder));
    assert!(frames > 1_000, "{frames} frames");
}

/// Holds the captures of a folder, and the first frames of each, to the laws; says how many frames.
fn check_captures(folder: &Path) -> usize {
    const MOST_FRAMES: usize = 200;
    const MOST_CUTS: usize = 120;
    let is_capture = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("pcap" | "pcapng"))
    };
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut checked = 0;
    for path in entries.filter(is_capture) {
        eprintln!("{}", path.display());
        let file = fs::read(&path).unwrap();
        check(&file);
        let Ok(mut capture) = CaptureFile::open(file.as_slice()) else {
            continue;
        };
        for _ in 0..MOST_FRAMES {
            let next = capture.next_frame(|frame| {
                for cut in 0..=frame.bytes.len().min(MOST_CUTS) {
                    check_frame(frame.link, frame.bytes, cut);
                }
            });
            if !matches!(next, Ok(true)) {
                break;
            }
            checked += 1;
        }
    }
    checked
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
    let version_2_2 = in_old_order(&two, [24, second]);
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
            "lengths-in-the-order-of-version-2-2",
            version_2_2,
            2,
            "",
        ),
        (
            "pcap",
            "compressed",
            vec![0x1f, 0x8b, 8, 0],
            0,
            "it is compressed",
        ),
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

/// The file as version 2.2 has it, with both lengths of each record the other way round.
fn in_old_order(file: &[u8], records: [usize; 2]) -> Vec<u8> {
    let mut file = with(file, &[(6, 2)]);
    for record in records {
        file[record + 8..record + 16].rotate_left(4);
    }
    file
}

fn next_seeds() -> Vec<Seed> {
    [sections(), packets(), lengths(), clocks()].concat()
}

/// A section header, an interface, a packet.
fn blocks() -> [Vec<u8>; 3] {
    let section = block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    let interface = block(1, &words(&[1, 65_535]));
    let frame = build(&[0]).frame;
    let length = u32::try_from(frame.len()).unwrap();
    let packet = [words(&[0, 0, 1_000, length, WIRE_LEN]), frame].concat();
    [section, interface, block(6, &packet)]
}

fn sections() -> Vec<Seed> {
    let [section, interface, packet] = blocks();
    let whole = [section.clone(), interface, packet].concat();
    let section_big = [
        &[
            0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0,
        ][..],
        &[0xff; 8],
        &[0, 0, 0, 28],
    ]
    .concat();
    let two_sections = [whole.clone(), whole.clone()].concat();
    let new_order = [whole, section_big].concat();
    let version_2 = with(&section, &[(12, 2)]);
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
        ("pcapng", "two-sections", two_sections, 2, ""),
        (
            "pcapng",
            "section-of-the-other-byte-order",
            new_order,
            1,
            "",
        ),
    ]
}

fn packets() -> Vec<Seed> {
    let [section, interface, packet] = blocks();
    let whole = [section.clone(), interface.clone(), packet.clone()].concat();
    let at = section.len() + interface.len();
    let secrets = block(10, &[0; 100]);
    let of_no_interface = with(&whole, &[(at + 8, 1)]);
    let longer_than_block = with(&whole, &[(at + 20, 0xff)]);
    let other = [&section[..], &interface, &secrets, &packet].concat();
    let early = [section, packet].concat();
    vec![
        ("pcapng", "one-packet", whole.clone(), 1, ""),
        ("pcapng", "other-block", other, 1, ""),
        (
            "pcapng",
            "packet-before-interface",
            early,
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
    ]
}

fn lengths() -> Vec<Seed> {
    let [section, interface, packet] = blocks();
    let at = section.len() + interface.len();
    let whole = [section.clone(), interface, packet].concat();
    let secrets = [section, block(10, &[0; 100])].concat();
    let endless = with(&secrets, &[(32, 0xfc), (33, 0xff), (34, 0xff), (35, 0xff)]);
    let other_differs = with(&secrets, &[(secrets.len() - 4, 0)]);
    let differ = with(&whole, &[(whole.len() - 4, 0)]);
    let too_long = with(&whole, &[(at + 6, 0x10)]);
    let odd = with(&whole, &[(at + 4, 33)]);
    let zero = with(&whole, &[(at + 4, 0), (at + 5, 0)]);
    vec![
        (
            "pcapng",
            "block-header-cut",
            cut(&whole, at + 7),
            0,
            "a block header is cut",
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
            "lengths-of-other-block-differ",
            other_differs,
            0,
            "two lengths differ",
        ),
        (
            "pcapng",
            "lengths-differ",
            differ,
            0,
            "whose two lengths differ",
        ),
        ("pcapng", "length-of-zero", zero, 0, "a block of 0 bytes"),
        (
            "pcapng",
            "length-not-of-words",
            odd,
            0,
            "a block of 33 bytes",
        ),
        ("pcapng", "packet-block-too-long", too_long, 0, "a block of"),
    ]
}

fn clocks() -> Vec<Seed> {
    let [section, _, packet] = blocks();
    let resolution = |byte: u32| {
        let clock = words(&[1, 0, 0x0001_0009, byte, 0]);
        [&section[..], &block(1, &clock), &packet].concat()
    };
    vec![
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
