use std::io;
use std::path::{Path, PathBuf};

use bwmon_core::sink::{SinkError, SinkErrorKind};
use rusqlite::ErrorCode;

use super::schema::{APPLICATION_ID, SCHEMA_VERSION};

/// Why a database cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file is something else.
    #[error("{path} is not an SQLite database; choose another place (the file was left as it is)")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// Another program's database.
    #[error(
        "{path} is a database of another program (application id {found:#010x}, bwmon's is \
         {APPLICATION_ID:#010x}); choose another place (the file was left as it is)"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it says it is.
        found: u32,
    },
    /// Written by a newer version.
    #[error(
        "{path} has schema version {found}, this bwmon reads up to {SCHEMA_VERSION}; install the \
         version that wrote it (the file was left as it is)"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
    },
    /// Written by an older version; only a writer brings it up to date.
    #[error(
        "{path} has schema version {found}, this bwmon reads {SCHEMA_VERSION}; start the collector, \
         which brings it up to date (the file was left as it is)"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
    },
    /// The copy that is made before the layout changes cannot be made.
    #[error(
        "cannot keep a copy of {path} as {copy} before its layout changes: {source}; free as much \
         space as the file takes (the file was left as it is)"
    )]
    Copy {
        /// The file.
        path: PathBuf,
        /// The copy.
        copy: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// The file exists but cannot be written.
    #[error("{path} cannot be written; give this user write access to it and to its folder")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or made.
    #[error(
        "cannot {action} {path}: {source}; does its folder exist, and may this user write to it?"
    )]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// SQLite says no.
    #[error("cannot open {path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
}

impl OpenError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        Self::Sqlite {
            path: path.to_owned(),
            source,
        }
    }
}

/// Why a question to the store has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// SQLite says no.
    #[error("cannot read from {path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
}

/// Tells what helps against an error of a write; everything here is worth trying again.
pub(super) fn write_error(path: &Path, error: rusqlite::Error) -> SinkError {
    let place = path.display();
    let (kind, message) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => (
            SinkErrorKind::Broken,
            format!("no space left for {place}: free space on its file system"),
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            SinkErrorKind::Busy,
            format!("{place} is locked by another program: close it"),
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => (
            SinkErrorKind::Broken,
            format!("{place} cannot be written: give this user write access to it and its folder"),
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            SinkErrorKind::Broken,
            format!("{place} is damaged: restore it from a backup or choose another place"),
        ),
        _ => (
            SinkErrorKind::Broken,
            format!("cannot write to {place}: {error}"),
        ),
    };
    SinkError::new(kind, message).caused_by(error)
}
