//! The start of a database file, read without SQLite.
//!
//! Closing a file takes away every lock that the process holds on it, also those that SQLite holds through
//! other descriptors (fcntl(2), "Advisory record locking"; SQLite, "How To Corrupt An SQLite Database
//! File", section 2.2). So a file that was looked at stays open for as long as the process lives.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Files that were looked at, by device and inode: one for each database that the process ever opens.
static LOOKED_AT: Mutex<BTreeMap<(u64, u64), File>> = Mutex::new(BTreeMap::new());

/// The first `MOST` bytes of a file, or as many as it has.
pub(super) fn read<const MOST: usize>(path: &Path) -> io::Result<Vec<u8>> {
    let mut files = LOOKED_AT.lock().unwrap_or_else(PoisonError::into_inner);
    let found = fs::metadata(path)?;
    if let Some(file) = files.get(&(found.dev(), found.ino())) {
        return start::<MOST>(file);
    }
    let file = File::open(path)?;
    let opened = file.metadata()?;
    let file = files.entry((opened.dev(), opened.ino())).or_insert(file);
    start::<MOST>(file)
}

fn start<const MOST: usize>(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; MOST];
    let mut length = 0;
    while let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, length as u64) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}
