//! The few things that a spool asks of a file system.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

/// Files of one folder, by name. A model of a failing disk implements it in tests.
///
/// Nothing is promised to survive a crash but what [`sync`](Self::sync) returned for, in a file
/// whose name [`sync_dir`](Self::sync_dir) returned for.
///
/// # Errors
/// Every method fails as the system does.
#[allow(missing_docs)]
pub trait Files: fmt::Debug + Send {
    /// Makes the folder where it is not there.
    fn prepare(&mut self) -> io::Result<()>;
    /// Makes an empty file, also where one of the name is there.
    fn create(&mut self, name: &str) -> io::Result<()>;
    /// Adds to the end of a file. After an error some of it may be there.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Reads at most `len` bytes from `offset` on.
    fn read(&mut self, name: &str, offset: u64, len: usize) -> io::Result<Vec<u8>>;
    /// Makes what was appended durable.
    fn sync(&mut self, name: &str) -> io::Result<()>;
    /// Makes the names in the folder durable.
    fn sync_dir(&mut self) -> io::Result<()>;
    /// Says that nothing more will be appended.
    fn release(&mut self, name: &str);
    /// Removes a file.
    fn unlink(&mut self, name: &str) -> io::Result<()>;
    /// Names of all files.
    fn list(&mut self) -> io::Result<Vec<String>>;
    /// Length of a file in bytes.
    fn len(&mut self, name: &str) -> io::Result<u64>;
}

/// A folder of the system, readable by its owner only.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// A failed sync is told to the descriptor that wrote, so that one is kept.
    writers: BTreeMap<String, File>,
    /// Held as long as this value lives: two writers would damage each other's work.
    lock: Option<File>,
}

/// Name of the file that one process locks.
const LOCK: &str = "lock";

impl Folder {
    /// The folder at `path`, which need not be there yet.
    pub const fn new(path: PathBuf) -> Self {
        Self {
            path,
            writers: BTreeMap::new(),
            lock: None,
        }
    }

    fn writer(&mut self, name: &str) -> io::Result<&mut File> {
        if !self.writers.contains_key(name) {
            let file = OpenOptions::new().append(true).open(self.path.join(name))?;
            self.writers.insert(name.to_owned(), file);
        }
        self.writers
            .get_mut(name)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Files for Folder {
    fn prepare(&mut self) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)?;
        if self.lock.is_some() {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        let lock = options.open(self.path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {
                self.lock = Some(lock);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                format!("another process uses {}", self.path.display()),
            )),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true).mode(0o600);
        let file = options.open(self.path.join(name))?;
        self.writers.insert(name.to_owned(), file);
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.writer(name)?.write_all(bytes)
    }

    fn read(&mut self, name: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.path.join(name))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(len as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.writer(name)?.sync_data()
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn release(&mut self, name: &str) {
        self.writers.remove(name);
    }

    fn unlink(&mut self, name: &str) -> io::Result<()> {
        self.writers.remove(name);
        fs::remove_file(self.path.join(name))
    }

    fn list(&mut self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn len(&mut self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path.join(name))?.len())
    }
}
