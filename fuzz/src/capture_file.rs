//! Any bytes, as a capture file (pcap or pcapng, told by the first four).
//!
//! Laws: it does not matter in which pieces the bytes come; the frames of a file that is cut, or cannot
//! be read on, are those that lie before the cut; what is held in memory is bounded, whatever lengths the
//! file claims; an error names a place within the file.

use std::io::{Error, ErrorKind, Read};

use bwmon_core::collector::{CollectError, CollectErrorKind};
use bwmon_core::collectors::capture_file::{CaptureFile, MAX_CAPTURED};
use bwmon_core::frame::{Direction, LinkType};

/// Most bytes that the reader may ask for at once: the size of its buffer, which holds the longest
/// block.
const MAX_REQUEST: usize = 1 << 20;
/// Every frame has a header of this length at least, in every format.
const LEAST_HEADER: u64 = 16;

/// A frame, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub at_ns: u64,
    pub interface: u32,
    pub link: LinkType,
    pub wire_len: u32,
    pub bytes: Vec<u8>,
}

/// All that reading a file came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    pub frames: Vec<Seen>,
    /// Where the reader stood after each frame.
    pub ends: Vec<u64>,
    pub error: Option<(CollectErrorKind, String)>,
}

pub fn check(file: &[u8]) {
    let whole = read(file);
    check_bounds(file, &whole);
    let seed = file.iter().fold(file.len() as u64, |sum, byte| {
        sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(*byte)
    });
    assert_eq!(read(Pieces::new(file, seed)), whole, "read in pieces");
    let cut = usize::try_from(seed >> 32).unwrap_or(0) % (file.len() + 1);
    check_cut(file, &whole, cut);
    if seed.is_multiple_of(8) {
        check_far(file, &whole, usize::try_from(seed >> 48).unwrap_or(0));
    }
}

/// What lies far behind, where the reader's buffer begins anew, is read like what lies in front.
pub fn check_far(file: &[u8], whole: &Told, choice: usize) {
    // The buffer ends somewhere within the file.
    let filler = MAX_CAPTURED - choice % (file.len() + 64);
    let Some((moved, far)) = behind_filler(file, filler) else {
        return;
    };
    let told = read(Pieces::new(&far, choice as u64));
    let added = far.len() - file.len();
    assert_eq!(told.frames[moved..], whole.frames, "far behind");
    let kind = |told: &Told| told.error.as_ref().map(|(kind, _)| *kind);
    assert_eq!(kind(&told), kind(whole));
    if let (Some((CollectErrorKind::Damaged, near)), Some((_, far))) = (&whole.error, &told.error) {
        let expected = damage_offset(near) + added as u64;
        assert_eq!(damage_offset(far), expected);
    }
}

/// The file behind a frame (pcap) or a section with a block of another kind (pcapng) of about `filler` bytes;
/// and how many frames were added.
fn behind_filler(file: &[u8], filler: usize) -> Option<(usize, Vec<u8>)> {
    let filler = filler & !3;
    let words = |numbers: &[u32], is_big_endian: bool| -> Vec<u8> {
        let bytes = |number: &u32| match is_big_endian {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        };
        numbers.iter().flat_map(bytes).collect()
    };
    let length = u32::try_from(filler).ok()?;
    if file.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        let section = [0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28];
        let mut far = words(&section, false);
        far.extend(words(&[0xbad, length + 12], false));
        far.resize(far.len() + filler, 0);
        far.extend(words(&[length + 12], false));
        far.extend(file);
        return Some((0, far));
    }
    let (header, rest) = file.split_at_checked(24)?;
    let is_big_endian = match header {
        [0xd4, 0xc3, 0xb2, 0xa1, ..] | [0x4d, 0x3c, 0xb2, 0xa1, ..] => false,
        [0xa1, 0xb2, 0xc3, 0xd4, ..] | [0xa1, 0xb2, 0x3c, 0x4d, ..] => true,
        _ => return None,
    };
    let mut far = header.to_vec();
    far.extend(words(&[0, 0, length, length], is_big_endian));
    far.resize(far.len() + filler, 0);
    far.extend(rest);
    Some((1, far))
}

/// Reads all of a source.
pub fn read<R: Read + Send>(source: R) -> Told {
    let mut told = Told::default();
    let mut capture = match CaptureFile::open(source) {
        Ok(capture) => capture,
        Err(error) => {
            told.error = Some(of(&error));
            return told;
        }
    };
    loop {
        let next = capture.next_frame(|frame| {
            assert_eq!(frame.direction, Direction::Unknown);
            assert_eq!(frame.stripped_vlan, None);
            told.frames.push(Seen {
                at_ns: frame.at.as_nanos(),
                interface: frame.interface.0,
                link: frame.link,
                wire_len: frame.wire_len,
                bytes: frame.bytes.to_vec(),
            });
        });
        match next {
            Ok(true) => told.ends.push(capture.offset()),
            Ok(false) => break,
            Err(error) => {
                told.error = Some(of(&error));
                break;
            }
        }
    }
    assert_eq!(told.frames.len(), told.ends.len(), "a frame and an error");
    assert!(
        matches!(
            capture.next_frame(|_| panic!("a frame after the end")),
            Ok(false)
        ),
        "an end stays one"
    );
    told
}

/// Reads `file` up to `cut`, where it ends, and where it cannot be read on.
pub fn check_cut(file: &[u8], whole: &Told, cut: usize) {
    let start = &file[..cut];
    let before = whole.ends.partition_point(|end| *end <= cut as u64);
    for (source, why) in [
        (Pieces::new(start, cut as u64), "a cut file"),
        (
            Pieces::failing(start, cut as u64),
            "a file that cannot be read on",
        ),
    ] {
        let told = read(source);
        assert_eq!(told.frames, whole.frames[..before], "{why}");
    }
}

fn check_bounds(file: &[u8], told: &Told) {
    let length = file.len() as u64;
    let mut position = 0;
    for (frame, end) in told.frames.iter().zip(&told.ends) {
        let captured = frame.bytes.len() as u64;
        assert!(frame.bytes.len() <= MAX_CAPTURED);
        assert!(
            position + LEAST_HEADER + captured <= *end,
            "bytes out of nothing"
        );
        position = *end;
    }
    assert!(position <= length, "read beyond the end");
    if let Some((CollectErrorKind::Damaged, message)) = &told.error {
        let place: u64 = damage_offset(message);
        assert!(place >= position && place <= length, "{message}");
    }
}

/// The offset that an error about damage names.
pub fn damage_offset(message: &str) -> u64 {
    let (_, after) = message.split_once("at byte ").expect("the offset is told");
    let digits = after.split(|letter: char| !letter.is_ascii_digit()).next();
    digits
        .and_then(|digits| digits.parse().ok())
        .expect("an offset")
}

fn of(error: &CollectError) -> (CollectErrorKind, String) {
    (error.kind(), error.to_string())
}

/// A source that gives a few bytes at a time, and now and then says that it was interrupted.
#[derive(Debug)]
pub struct Pieces<'a> {
    rest: &'a [u8],
    state: u64,
    fails_at_end: bool,
}

impl<'a> Pieces<'a> {
    pub fn new(bytes: &'a [u8], seed: u64) -> Self {
        Self {
            rest: bytes,
            state: seed | 1,
            fails_at_end: false,
        }
    }

    /// The same, with an error instead of an end.
    pub fn failing(bytes: &'a [u8], seed: u64) -> Self {
        Self {
            fails_at_end: true,
            ..Self::new(bytes, seed)
        }
    }

    /// xorshift64 (Marsaglia).
    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        assert!(
            buffer.len() <= MAX_REQUEST,
            "asks for {} bytes",
            buffer.len()
        );
        assert!(!buffer.is_empty(), "asks for nothing");
        let random = self.random();
        if random.is_multiple_of(8) {
            return Err(ErrorKind::Interrupted.into());
        }
        if self.rest.is_empty() && self.fails_at_end {
            return Err(Error::other("the disk is on fire"));
        }
        let most = match random >> 60 {
            0..8 => 7,
            8..14 => 100,
            _ => 1 << 16,
        };
        let wanted = 1 + usize::try_from(random >> 8).unwrap_or(0) % most;
        let count = wanted.min(buffer.len()).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(count);
        buffer[..count].copy_from_slice(piece);
        self.rest = rest;
        Ok(count)
    }
}
