//! Who this agent is: the data folder that it holds, and the enrolment in it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use bwmon_core::report::{AgentId, Epoch};

use super::enrolment::{self, Enrolled};

const LOCK: &str = "agent.lock";

/// An identity that no other process uses as long as this value lives.
#[derive(Debug)]
pub(super) struct Identity {
    /// Absent where the agent is not enrolled: then it can print reports, and send none.
    pub(super) enrolled: Option<Enrolled>,
    pub(super) folder: PathBuf,
    _lock: File,
}

impl Identity {
    /// Takes the identity from the first of `folders` that can be used.
    pub(super) fn take(folders: &[PathBuf]) -> anyhow::Result<Self> {
        let folder = first_usable(folders)?;
        let Some(lock) = folder.lock else {
            return Err(anyhow!(
                "another bwmon-agent runs with the data folder {}: stop it, or give this one its \
                 own with --data-dir",
                folder.path.display()
            ));
        };
        Ok(Self {
            enrolled: enrolment::read(&folder.path)?,
            folder: folder.path,
            _lock: lock,
        })
    }

    /// The identity that the collector gave; none where the agent is not enrolled.
    pub(super) fn agent(&self) -> Option<AgentId> {
        self.enrolled.as_ref().map(|enrolled| enrolled.agent)
    }
}

/// A data folder that can be used.
#[derive(Debug)]
pub(super) struct DataFolder {
    pub(super) path: PathBuf,
    /// Absent where another process of the agent holds it.
    pub(super) lock: Option<File>,
}

/// The first of `folders` that can be used; it is made if it is not there.
pub(super) fn first_usable(folders: &[PathBuf]) -> anyhow::Result<DataFolder> {
    let mut failures = Vec::new();
    for folder in folders {
        match open(folder) {
            Ok(folder) => return Ok(folder),
            Err(error) => failures.push(format!("{}: {error}", folder.display())),
        }
    }
    Err(anyhow!(
        "cannot write the data folder ({}): choose another one with --data-dir or BWMON_DATA",
        failures.join("; ")
    ))
}

fn open(folder: &Path) -> io::Result<DataFolder> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let writable = private_file()
        .create(true)
        .truncate(false)
        .open(folder.join(LOCK));
    let lock = match writable {
        Err(error) if serves_read_only(folder, &error) => {
            File::open(folder.join(LOCK)).or_else(|_| File::open(folder))?
        }
        writable => writable?,
    };
    let is_held = matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock));
    Ok(DataFolder {
        path: folder.to_owned(),
        lock: (!is_held).then_some(lock),
    })
}

/// Whether a folder that cannot be written, as after an error of its disk, holds all that an agent needs
/// to report: its spool is in memory then.
fn serves_read_only(folder: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ReadOnlyFilesystem && folder.join(enrolment::ENROLLED).exists()
}

/// The first of `folders` that [`first_usable`] would find, and why it cannot be written if it cannot.
pub(super) fn find_usable(folders: &[PathBuf]) -> Option<(&PathBuf, Option<io::Error>)> {
    folders
        .iter()
        .find_map(|folder| match probe_folder(folder) {
            Ok(()) => Some((folder, None)),
            Err(error) if serves_read_only(folder, &error) => Some((folder, Some(error))),
            Err(_) => None,
        })
}

/// Whether a file can be made in `folder`, or the folder itself where it is not there yet.
pub(super) fn probe_folder(folder: &Path) -> io::Result<()> {
    let existing = folder
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(folder);
    let probe = existing.join(format!(".bwmon-agent-probe-{}", std::process::id()));
    private_file().create_new(true).open(&probe)?;
    fs::remove_file(&probe)
}

/// A new run of sequence numbers.
pub(super) fn draw_epoch() -> anyhow::Result<Epoch> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(Epoch(u128::from_ne_bytes(bytes)))
}

/// Opens a file for writing that only this user can read.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = vec![folder.path().join("deep/data")];
        let first = Identity::take(&data).unwrap();
        assert_eq!(first.agent(), None);
        let second = Identity::take(&data).unwrap_err().to_string();
        assert!(second.contains("another bwmon-agent"), "{second}");
        assert!(first_usable(&data).unwrap().lock.is_none());
        drop(first);
        Identity::take(&data).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_is_one_clear_line() {
        let message = Identity::take(&["/proc/bwmon".into()])
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("/proc/bwmon") && message.contains("--data-dir"),
            "{message}"
        );
        assert!(!message.contains('\n'));
    }
}
