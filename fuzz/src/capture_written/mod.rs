//! A capture file that is written here is read back: every frame, and nothing else.
//!
//! The bytes are a recipe: the format, where the file is cut, and what is in it. A file that is cut gives
//! the frames before the cut; unless the cut lies between two records, an error names the record.

mod pcap;
mod pcapng;

use bwmon_core::collector::CollectErrorKind;

use super::capture_file::{Pieces, Seen, Told, check_cut, damage_offset, read};
use super::recipe::Recipe;

/// Most records of one file.
const MOST_RECORDS: usize = 64;

/// What frames are filled with: no byte is like its neighbours.
const EVERY_BYTE: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut index = 0;
    while index < bytes.len() {
        bytes[index] = index as u8;
        index += 1;
    }
    bytes
};

/// A file, and what is in it.
#[derive(Debug, Default)]
pub struct Written {
    pub file: Vec<u8>,
    pub frames: Vec<Seen>,
    /// Where each record begins; the first is what must be whole to know the format.
    pub records: Vec<usize>,
    pub cut: usize,
}

pub fn check(bytes: &[u8]) {
    let written = write(bytes);
    let whole = read(Pieces::new(&written.file, written.cut as u64));
    assert_eq!(whole.frames, written.frames);
    assert_eq!(whole.error, None);
    check_cut(&written.file, &whole, written.cut);
    check_end(&written, &read(&written.file[..written.cut]));
}

/// The file of a recipe.
pub fn write(bytes: &[u8]) -> Written {
    let mut recipe = Recipe::new(bytes);
    let cut: u16 = recipe.number();
    let mut written = if recipe.flag() {
        pcapng::write(&mut recipe)
    } else {
        pcap::write(&mut recipe)
    };
    written.cut = usize::from(cut) % (written.file.len() + 1);
    written
}

/// A file that ends between records is whole; one that ends within the first four bytes is none.
fn check_end(written: &Written, cut: &Told) {
    let end = written.cut;
    let is_between = end == written.file.len() || (end > 0 && written.records.contains(&end));
    match &cut.error {
        None => assert!(is_between, "cut at {end} unnoticed"),
        Some((CollectErrorKind::NotFound, _)) => assert!(end < 4),
        Some((kind, message)) => {
            assert_eq!(*kind, CollectErrorKind::Damaged);
            assert!(!is_between, "{message}");
            let begun = written.records.iter().rfind(|start| **start < end);
            assert_eq!(
                begun.map(|start| *start as u64),
                Some(damage_offset(message))
            );
        }
    }
}

/// The byte order of a file or of a section.
#[derive(Debug, Clone, Copy)]
struct Order {
    is_big_endian: bool,
}

impl Order {
    fn u16(self, number: u16) -> [u8; 2] {
        if self.is_big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }

    fn u32(self, number: u32) -> [u8; 4] {
        if self.is_big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }

    fn words(self, numbers: &[u32]) -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| self.u32(*number))
            .collect()
    }
}

/// The bytes of a frame: mostly few, seldom as many as may be.
fn payload(recipe: &mut Recipe<'_>) -> Vec<u8> {
    let length = match recipe.byte() {
        255 => recipe.choose(&[1_514, 1_514, 9_018, 9_018, 65_535, 65_535, 262_143, 262_144]),
        short => usize::from(short),
    };
    let first = usize::from(recipe.byte());
    let mut bytes = EVERY_BYTE.repeat((first + length).div_ceil(EVERY_BYTE.len()));
    bytes.truncate(first + length);
    bytes.split_off(first)
}
