use std::io;
use std::path::{Path, PathBuf};

use super::file::{APPLICATION_ID, SCHEMA_VERSION};

/// Why the registry of agents cannot be used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The file cannot be made or read.
    #[error(
        "cannot open the registry of agents {path}: {source}; does its folder exist, and may this \
         user write to it?",
        path = path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another program's database.
    #[error(
        "{path} is a database of another program (application id {found:#010x}, that of a registry \
         of agents is {APPLICATION_ID:#010x}); move it away (it was left as it is)",
        path = path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it says it is.
        found: u32,
    },
    /// Written by a newer version.
    #[error(
        "{path} has schema version {found}, this version reads up to {SCHEMA_VERSION}; install the \
         version that wrote it (it was left as it is)",
        path = path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
    },
    /// SQLite says no.
    #[error("the registry of agents {path} cannot be used: {source}", path = path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// As many tokens are open as are kept.
    #[error(
        "{open} enrolment tokens are open, and no more are kept; wait until some expire, or give \
         one token more uses (--uses)"
    )]
    TooManyTokens {
        /// How many.
        open: u64,
    },
}

impl RegistryError {
    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        Self::Sqlite {
            path: path.to_owned(),
            source,
        }
    }
}

/// Why an agent was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The token is wrong, spent or expired; which of them is not told.
    #[error("the enrolment token is wrong, spent or expired")]
    Refused,
    /// As many agents are known as are kept.
    #[error("this collector knows {agents} agents, and keeps no more")]
    Full {
        /// How many.
        agents: u64,
    },
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}
