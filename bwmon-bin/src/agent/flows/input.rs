//! A capture file or standard input, unpacked where it is compressed.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use flate2::read::MultiGzDecoder;
use zstd::stream::read::Decoder;

/// Bytes by which compressed files are told apart.
const HEAD: usize = 6;

/// What is compressed in ways that are not read here, and what unpacks it into a pipe.
const FOREIGN: [(&[u8], &str, &str); 4] = [
    (b"\xfd7zXZ\0", "xz", "xz -dc"),
    (b"BZh", "bzip2", "bzip2 -dc"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4 -dc"),
    (b"PK\x03\x04", "zip", "unzip -p"),
];

/// An open input.
pub(super) struct Input {
    /// The capture's bytes.
    pub(super) reader: Box<dyn Read + Send>,
    /// Whether they come out of a decompressor, so that what it refuses is damage.
    pub(super) is_compressed: bool,
    /// Bytes of the file that were read, as it lies there.
    pub(super) position: Arc<AtomicU64>,
    /// Bytes of the file; absent where it is none, as a pipe.
    pub(super) size: Option<u64>,
}

impl Input {
    /// Opens the file at `path`, or standard input for `-`.
    ///
    /// # Errors
    /// When it cannot be opened or read, or is compressed in a way that is not read here; then with
    /// the command that helps.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let (source, size) = source(path)?;
        let position = Arc::default();
        let mut source = Counted {
            source,
            position: Arc::clone(&position),
        };
        let head = head(&mut source).with_context(|| format!("cannot read {}", title(path)))?;
        for (magic, name, command) in FOREIGN {
            if head.starts_with(magic) {
                bail!("{}", refusal(path, name, command));
            }
        }
        let kind = head.clone();
        let whole = Cursor::new(head).chain(source);
        let (reader, is_compressed): (Box<dyn Read + Send>, _) = match kind.as_slice() {
            [0x1f, 0x8b, ..] => (Box::new(MultiGzDecoder::new(whole)), true),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => (Box::new(Decoder::new(whole)?), true),
            _ => (Box::new(whole), false),
        };
        Ok(Self {
            reader,
            is_compressed,
            position,
            size,
        })
    }
}

/// What people call the input at `path`.
pub(super) fn title(path: &Path) -> String {
    if is_standard_input(path) {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Whether `path` means standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn source(path: &Path) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if is_standard_input(path) {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let size = file.metadata().ok().filter(|facts| facts.is_file());
    Ok((Box::new(file), size.map(|facts| facts.len())))
}

/// The first bytes; fewer where there are no more.
fn head(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    source.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn refusal(path: &Path, name: &str, command: &str) -> String {
    if is_standard_input(path) {
        return format!("standard input is compressed with {name}: put `{command}` before it");
    }
    let file = path.display();
    format!(
        "{file} is compressed with {name}, which is not read here: {command} '{file}' | bwmon-agent \
         flows -"
    )
}

/// Counts what is read, for whoever shows the progress.
struct Counted<R> {
    source: R,
    position: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.position.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
