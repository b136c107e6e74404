//! Opening the file, and its layout.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::error::RegistryError;

/// What says that a file is a registry of agents: `bwma` in ASCII (SQLite's `application_id`).
pub(super) const APPLICATION_ID: u32 = 0x6277_6d61;
/// The layout that this version writes, and the newest that it reads (SQLite's `user_version`).
pub(super) const SCHEMA_VERSION: u32 = 1;

/// How long a change waits for that of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Layout of version 1. `agents.token` is the one that the agent came by.
const LAYOUT: &str = "
CREATE TABLE tokens (
    id            BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 8),
    secret_sha256 BLOB NOT NULL CHECK (length(secret_sha256) = 32),
    expires_us    INTEGER NOT NULL,
    uses          INTEGER NOT NULL CHECK (uses > 0),
    used          INTEGER NOT NULL DEFAULT 0 CHECK (used <= uses)
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
    agent             BLOB NOT NULL PRIMARY KEY CHECK (length(agent) = 16),
    credential_sha256 BLOB NOT NULL UNIQUE CHECK (length(credential_sha256) = 32),
    token             BLOB NOT NULL CHECK (length(token) = 8),
    name              TEXT NOT NULL,
    enrolled_us       INTEGER NOT NULL,
    revoked_us        INTEGER
) STRICT, WITHOUT ROWID;
";

/// Opens the registry; lays it out where there is none yet.
pub(super) fn open(path: &Path) -> Result<Connection, RegistryError> {
    make(path).map_err(|source| RegistryError::Io {
        path: path.to_owned(),
        source,
    })?;
    let sqlite = |source| RegistryError::sqlite(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(sqlite)?;
    judge(path, versions_at_once(&connection).map_err(sqlite)?)?;
    lay_out(path, &mut connection)?;
    use_log(&connection)
        .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
        .map_err(sqlite)?;
    Ok(connection)
}

/// Makes the file where there is none. SQLite would make it readable for others; its further files get
/// the same mode from it. A file that is there is not opened: closing it would take the locks away that
/// this process holds on it through SQLite (fcntl(2), "Advisory record locking").
fn make(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Switches to the write-ahead log. SQLite itself does not wait for others who do the same.
fn use_log(connection: &Connection) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(5);
    let begun = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begun.elapsed() < BUSY_TIMEOUT =>
            {
                thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
}

/// The same of one moment: another process may lay the file out between two readings.
fn versions_at_once(connection: &Connection) -> rusqlite::Result<(u32, u32)> {
    versions(&*connection.unchecked_transaction()?)
}

/// `application_id` and `user_version`.
fn versions(connection: &Connection) -> rusqlite::Result<(u32, u32)> {
    let read = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((read("application_id")?, read("user_version")?))
}

/// Whether the file is laid out already.
fn judge(path: &Path, (application, version): (u32, u32)) -> Result<bool, RegistryError> {
    let path = || path.to_owned();
    match (application, version) {
        (0, 0) => Ok(false),
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(true),
        (APPLICATION_ID, found) => Err(RegistryError::Newer {
            path: path(),
            found,
        }),
        (found, _) => Err(RegistryError::Foreign {
            path: path(),
            found,
        }),
    }
}

/// One transaction makes the whole layout; another process that does the same at this moment waits
/// for it and then finds it done.
fn lay_out(path: &Path, connection: &mut Connection) -> Result<(), RegistryError> {
    let sqlite = |source| RegistryError::sqlite(path, source);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(sqlite)?;
    if judge(path, versions(&transaction).map_err(sqlite)?)? {
        return Ok(());
    }
    // Tables of somebody who left both numbers at zero make this fail, and nothing is changed.
    transaction
        .execute_batch(&format!(
            "{LAYOUT} PRAGMA application_id = {APPLICATION_ID}; \
             PRAGMA user_version = {SCHEMA_VERSION};"
        ))
        .and_then(|()| transaction.commit())
        .map_err(sqlite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_private_and_opened_by_several_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agents.db");
        let opened: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                thread::spawn(move || open(&path))
            })
            .collect();
        for thread in opened {
            let connection = thread.join().unwrap().unwrap();
            let found = versions(&connection).unwrap();
            assert_eq!(found, (APPLICATION_ID, SCHEMA_VERSION));
        }
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.path());
        }
    }

    #[test]
    fn a_file_that_is_not_ours_or_newer_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agents.db");
        std::fs::write(&path, "somebody's data, and no database at all").unwrap();
        assert!(matches!(open(&path), Err(RegistryError::Sqlite { .. })));
        assert!(std::fs::read(&path).unwrap().starts_with(b"somebody"));

        for (pragma, word) in [
            ("PRAGMA application_id = 7", "another program"),
            (
                &*format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 2"),
                "schema version 2",
            ),
        ] {
            let path = folder.path().join(format!("{}.db", word.len()));
            let other = Connection::open(&path).unwrap();
            other.execute_batch(pragma).unwrap();
            drop(other);
            let before = std::fs::read(&path).unwrap();
            let message = open(&path).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    }
}
