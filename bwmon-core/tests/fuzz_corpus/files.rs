//! The corpora, as they lie in git.

use std::fs;
use std::path::{Path, PathBuf};

/// What git has of a seed; with `BWMON_WRITE_SEEDS` set it is written before.
pub(super) fn kept(target: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
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

/// Hands each file of a target's corpus to `check`; says how many there were.
pub(super) fn replay(target: &str, check: impl Fn(&[u8])) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(folder(target)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            eprintln!("{}", path.display());
            check(&fs::read(&path).unwrap());
            count += 1;
        }
    }
    count
}

pub(super) fn cut(bytes: &[u8], end: usize) -> Vec<u8> {
    bytes.get(..end).unwrap().to_owned()
}

pub(super) fn with(bytes: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
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
