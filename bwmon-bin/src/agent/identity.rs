//! Who this agent is: a random identity that lives as long as its data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use bwmon_core::report::{AgentId, Epoch};

const FILE_NAME: &str = "agent-id";

/// An identity that no other process uses as long as this value lives.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) agent: AgentId,
    pub(super) folder: PathBuf,
    _lock: File,
}

impl Identity {
    /// Takes the identity from the first of `folders` that can be used; draws one where there is
    /// none yet.
    pub(super) fn take(folders: &[PathBuf]) -> anyhow::Result<Self> {
        let mut failures = Vec::new();
        for folder in folders {
            match Self::take_from(folder) {
                Ok(identity) => return Ok(identity),
                Err(Failure::Unwritable(error)) => {
                    failures.push(format!("{}: {error}", folder.display()));
                }
                Err(Failure::Final(error)) => return Err(error),
            }
        }
        Err(anyhow!(
            "cannot write the data folder ({}): choose another one with --data-dir or BWMON_DATA",
            failures.join("; ")
        ))
    }

    fn take_from(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(FILE_NAME);
        if !path.exists() {
            draw(folder, &path).map_err(Failure::Unwritable)?;
        }
        let lock = File::open(&path).map_err(Failure::Unwritable)?;
        if let Err(fs::TryLockError::WouldBlock) = lock.try_lock() {
            return Err(Failure::Final(anyhow!(
                "another bwmon-agent runs with the data folder {}: stop it, or give this one its \
                 own with --data-dir",
                folder.display()
            )));
        }
        let agent = read(&path).map_err(Failure::Final)?;
        Ok(Self {
            agent,
            folder: folder.to_owned(),
            _lock: lock,
        })
    }
}

enum Failure {
    Unwritable(io::Error),
    Final(anyhow::Error),
}

/// The identity in `folder`, if one was drawn there.
pub(super) fn peek(folder: &Path) -> anyhow::Result<Option<AgentId>> {
    let path = folder.join(FILE_NAME);
    if path.exists() {
        read(&path).map(Some)
    } else {
        Ok(None)
    }
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
    Ok(Epoch(
        random_128().context("the system gives no random numbers")?,
    ))
}

fn read(path: &Path) -> anyhow::Result<AgentId> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the agent's identity {}", path.display()))?;
    match text.trim().parse() {
        Ok(agent) => Ok(agent),
        Err(error) => bail!(
            "{} is no agent's identity ({error}): move it away to get a new one",
            path.display()
        ),
    }
}

/// Writes a new identity so that a crash leaves either none or a whole one.
fn draw(folder: &Path, path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let agent = AgentId(random_128()?);
    let unfinished = folder.join(format!("{FILE_NAME}.{}", std::process::id()));
    let mut file = private_file()
        .create(true)
        .truncate(true)
        .open(&unfinished)?;
    writeln!(file, "{agent}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn random_128() -> io::Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(u128::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_identity_is_drawn_once_kept_private_and_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = vec![folder.path().join("deep/data")];
        assert_eq!(peek(&data[0]).unwrap(), None);
        let first = Identity::take(&data).unwrap();
        let second = Identity::take(&data).unwrap_err().to_string();
        assert!(second.contains("another bwmon-agent"), "{second}");
        let agent = first.agent;
        drop(first);
        assert_eq!(Identity::take(&data).unwrap().agent, agent);
        assert_eq!(peek(&data[0]).unwrap(), Some(agent));
        let mode = fs::metadata(data[0].join(FILE_NAME))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let files = fs::read_dir(&data[0]).unwrap().count();
        assert_eq!(files, 1, "an unfinished file stayed behind");
    }

    #[test]
    fn a_damaged_identity_is_kept_and_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), "nonsense").unwrap();
        let message = Identity::take(&[folder.path().to_owned()])
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(FILE_NAME) && message.contains("move it away"),
            "{message}"
        );
        assert_eq!(
            fs::read_to_string(folder.path().join(FILE_NAME)).unwrap(),
            "nonsense"
        );
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
