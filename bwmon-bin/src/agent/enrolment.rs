//! What an agent keeps of its enrolment, in files that only its user can read.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use bwmon_core::report::AgentId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::config::CollectorUrl;
use super::identity::private_file;
use crate::common::enrolment::TokenId;
use crate::common::secret::Secret256;

/// What an enrolled agent reports with.
pub(super) const ENROLLED: &str = "credential";
/// A credential that is drawn and not yet known to be enrolled: the answer may have been lost.
const PENDING: &str = "credential.pending";
/// Longest file, in bytes.
const MAX_BYTES: u64 = 4_096;

/// An enrolment that the collector has confirmed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Enrolled {
    /// The identity that the collector gave.
    pub(super) agent: AgentId,
    /// Where the collector was.
    pub(super) collector: CollectorUrl,
    /// The token that it was enrolled by.
    pub(super) token: TokenId,
    /// What the agent shows with each report.
    pub(super) credential: Secret256,
}

/// A credential that is to be enrolled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Pending {
    /// Where the collector is.
    pub(super) collector: CollectorUrl,
    /// The token that is to enrol it.
    pub(super) token: TokenId,
    /// The credential.
    pub(super) credential: Secret256,
}

/// The enrolment in `folder`, if there is one.
pub(super) fn read(folder: &Path) -> anyhow::Result<Option<Enrolled>> {
    read_file(&folder.join(ENROLLED))
}

/// The credential for `token`: the one that an earlier try has stored, else a new one, which is on
/// the disk when this returns.
pub(super) fn pending(
    folder: &Path,
    token: TokenId,
    collector: &CollectorUrl,
) -> anyhow::Result<Pending> {
    let path = folder.join(PENDING);
    // One that cannot be read was never enrolled under this token, or the enrolment is void.
    let earlier: Option<Pending> = read_file(&path).ok().flatten();
    if let Some(earlier) = earlier.filter(|earlier| earlier.token == token) {
        return Ok(earlier);
    }
    let pending = Pending {
        collector: collector.clone(),
        token,
        credential: Secret256::draw().context("the system gives no random numbers")?,
    };
    write_file(folder, PENDING, &pending)?;
    Ok(pending)
}

/// Takes a pending credential as enrolled under `agent`.
pub(super) fn confirm(folder: &Path, pending: Pending, agent: AgentId) -> anyhow::Result<Enrolled> {
    let Pending {
        collector,
        token,
        credential,
    } = pending;
    let enrolled = Enrolled {
        agent,
        collector,
        token,
        credential,
    };
    write_file(folder, ENROLLED, &enrolled)?;
    forget_pending(folder)?;
    Ok(enrolled)
}

/// Removes a credential that no token will enrol.
pub(super) fn forget_pending(folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(PENDING);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// No message shows anything of the file.
fn read_file<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    let name = path.display();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
    };
    if file.metadata().map_or(0, |metadata| metadata.mode()) & 0o077 != 0 {
        bail!(
            "others can read the agent's credential {name}: consider it known, and enrol again with \
             `bwmon-agent enrol`; or, if nobody has, run `chmod 600 {name}`"
        );
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {name}"))?;
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(anyhow!(
            "{name} is damaged: remove it and enrol again with `bwmon-agent enrol`"
        )),
    }
}

/// Writes so that a crash leaves either the file before or a whole new one, on the disk.
fn write_file(folder: &Path, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
    let path = folder.join(name);
    let write = || -> io::Result<()> {
        let unfinished = folder.join(format!("{name}.{}", std::process::id()));
        let mut file = private_file()
            .create(true)
            .truncate(true)
            .open(&unfinished)?;
        serde_json::to_writer_pretty(&mut file, value)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn url() -> CollectorUrl {
        "http://127.0.0.1:8000".parse().unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_pending_credential_survives_until_it_is_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let token = TokenId::draw().unwrap();
        assert!(read(folder).unwrap().is_none());
        let first = pending(folder, token, &url()).unwrap();
        assert_eq!(mode(&folder.join(PENDING)), 0o600);
        let again = pending(folder, token, &url()).unwrap();
        assert_eq!(again.credential.expose(), first.credential.expose());

        confirm(folder, again, AgentId(7)).unwrap();
        let enrolled = read(folder).unwrap().unwrap();
        assert_eq!((enrolled.agent, enrolled.token), (AgentId(7), token));
        assert_eq!(enrolled.credential.expose(), first.credential.expose());
        assert_eq!(mode(&folder.join(ENROLLED)), 0o600);
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);

        // Another token gets another credential; the enrolment stands until that is confirmed.
        let other = pending(folder, TokenId::draw().unwrap(), &url()).unwrap();
        assert_ne!(other.credential.expose(), first.credential.expose());
        assert_eq!(read(folder).unwrap().unwrap().agent, AgentId(7));
    }

    #[test]
    fn a_damaged_or_exposed_credential_is_kept_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ENROLLED);
        for (content, mode, word) in [
            ("geheim", 0o600, "enrol again"),
            ("geheim", 0o640, "chmod 600"),
        ] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let message = format!("{:#}", read(folder.path()).unwrap_err());
            assert!(
                message.contains(word) && !message.contains("geheim"),
                "{message}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }
}
