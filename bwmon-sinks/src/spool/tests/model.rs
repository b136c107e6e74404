//! A disk that loses what was not synced, in any order, and fails where it is told to.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::files::Files;

/// No space left on device, input/output error (errno(3)).
pub(super) const ENOSPC: i32 = 28;
pub(super) const EIO: i32 = 5;

/// Clones share one disk.
#[derive(Debug, Clone, Default)]
pub(super) struct Model(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    name_changes: Vec<(String, Option<usize>)>,
    calls: u64,
    /// Calls from the first number up to the second fail.
    fault: Option<(u64, u64, i32)>,
    random: fastrand::Rng,
}

#[derive(Debug, Default)]
struct Inode {
    /// What reads see.
    cached: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Truncate,
    Write(usize, Vec<u8>),
}

impl Inode {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Truncate => self.durable.clear(),
            Change::Write(at, bytes) => {
                let end = at + bytes.len();
                self.durable.resize(self.durable.len().max(end), 0);
                self.durable[at..end].copy_from_slice(&bytes);
            }
        }
    }

    /// Any of what was not synced may have been written, and any of that in part.
    fn write_back_some(&mut self, random: &mut fastrand::Rng) {
        for change in std::mem::take(&mut self.pending) {
            match change {
                change if random.bool() => self.apply(change),
                Change::Write(at, mut bytes) if random.bool() => {
                    bytes.truncate(random.usize(..=bytes.len()));
                    self.apply(Change::Write(at, bytes));
                }
                _ => {}
            }
        }
    }
}

impl Model {
    pub(super) fn seeded(seed: u64) -> Self {
        let model = Self::default();
        model.lock().random = fastrand::Rng::with_seed(seed);
        model
    }

    /// Lets `count` calls fail, after the next `after`.
    pub(super) fn fail(&self, after: u64, count: u64, errno: i32) {
        let mut inner = self.lock();
        let first = inner.calls + after;
        inner.fault = Some((first, first.saturating_add(count), errno));
    }

    pub(super) fn heal(&self) {
        self.lock().fault = None;
    }

    pub(super) fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// The machine loses its power.
    pub(super) fn crash(&self) {
        let inner = &mut *self.lock();
        inner.fault = None;
        for (name, target) in std::mem::take(&mut inner.name_changes) {
            if inner.random.bool() {
                match target {
                    Some(inode) => inner.durable_names.insert(name, inode),
                    None => inner.durable_names.remove(&name),
                };
            }
        }
        inner.names = inner.durable_names.clone();
        for inode in &mut inner.inodes {
            inode.write_back_some(&mut inner.random);
            inode.cached = inode.durable.clone();
        }
    }

    /// A copy with everything as a reader sees it.
    pub(super) fn image(&self) -> BTreeMap<String, Vec<u8>> {
        let inner = self.lock();
        let content = |inode: &usize| inner.inodes[*inode].cached.clone();
        inner
            .names
            .iter()
            .map(|(name, inode)| (name.clone(), content(inode)))
            .collect()
    }

    /// A disk with this content, all of it durable.
    pub(super) fn from_image(image: &BTreeMap<String, Vec<u8>>) -> Self {
        let model = Self::default();
        let mut inner = model.lock();
        for (name, bytes) in image {
            let at = inner.inodes.len();
            inner.inodes.push(Inode {
                cached: bytes.clone(),
                durable: bytes.clone(),
                pending: Vec::new(),
            });
            inner.names.insert(name.clone(), at);
            inner.durable_names.insert(name.clone(), at);
        }
        drop(inner);
        model
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn call(&mut self) -> io::Result<()> {
        let number = self.calls;
        self.calls += 1;
        match self.fault {
            Some((from, to, errno)) if (from..to).contains(&number) => {
                Err(io::Error::from_raw_os_error(errno))
            }
            _ => Ok(()),
        }
    }

    fn inode(&mut self, name: &str) -> io::Result<&mut Inode> {
        let at = *self.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(&mut self.inodes[at])
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let inode = self.inode(name)?;
        inode
            .pending
            .push(Change::Write(inode.cached.len(), bytes.to_vec()));
        inode.cached.extend(bytes);
        Ok(())
    }
}

impl Files for Model {
    fn prepare(&mut self) -> io::Result<()> {
        self.lock().call()
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.call()?;
        if let Ok(inode) = inner.inode(name) {
            inode.cached.clear();
            inode.pending.push(Change::Truncate);
            return Ok(());
        }
        let at = inner.inodes.len();
        inner.inodes.push(Inode::default());
        inner.names.insert(name.to_owned(), at);
        inner.name_changes.push((name.to_owned(), Some(at)));
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.lock();
        if let Err(error) = inner.call() {
            let part = inner.random.usize(..=bytes.len());
            inner.write(name, &bytes[..part])?;
            return Err(error);
        }
        inner.write(name, bytes)
    }

    fn read(&mut self, name: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut inner = self.lock();
        inner.call()?;
        let cached = &inner.inode(name)?.cached;
        let from = usize::try_from(offset).unwrap().min(cached.len());
        let to = from.saturating_add(len).min(cached.len());
        Ok(cached[from..to].to_vec())
    }

    /// After a failed sync, what was not written never will be, and the next one says that all is
    /// well.
    fn sync(&mut self, name: &str) -> io::Result<()> {
        let inner = &mut *self.lock();
        let called = inner.call();
        let at = *inner.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        let inode = &mut inner.inodes[at];
        match called {
            Ok(()) => std::mem::take(&mut inode.pending)
                .into_iter()
                .for_each(|c| inode.apply(c)),
            Err(_) => inode.write_back_some(&mut inner.random),
        }
        called
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        let mut inner = self.lock();
        inner.call()?;
        inner.name_changes.clear();
        inner.durable_names = inner.names.clone();
        Ok(())
    }

    fn release(&mut self, _name: &str) {}

    fn unlink(&mut self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.call()?;
        inner.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        inner.name_changes.push((name.to_owned(), None));
        Ok(())
    }

    fn list(&mut self) -> io::Result<Vec<String>> {
        let mut inner = self.lock();
        inner.call()?;
        Ok(inner.names.keys().cloned().collect())
    }

    fn len(&mut self, name: &str) -> io::Result<u64> {
        let mut inner = self.lock();
        inner.call()?;
        Ok(inner.inode(name)?.cached.len() as u64)
    }
}
