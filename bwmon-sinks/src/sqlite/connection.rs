//! Opening the file: nothing that is not ours is touched.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::OpenError;
use super::header;
use super::migrate;
use super::schema::{AGENTS_LAYOUT, APPLICATION_ID, JOURNAL_LAYOUT, PAGE_BYTES, SCHEMA_VERSION};

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const JOURNAL_LIMIT_BYTES: u64 = 64 << 20;
/// The database header (SQLite, "Database File Format", section 1.3).
const HEADER_BYTES: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Opens the file for writing; makes it if it is not there.
pub(super) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    if !is_ours(path)? {
        create(path)?;
    }
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let sqlite = |source| OpenError::sqlite(path, source);
    if connection.is_readonly("main").map_err(sqlite)? {
        return Err(OpenError::ReadOnly {
            path: path.to_owned(),
        });
    }
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
        .and_then(|()| connection.pragma_update(None, "journal_size_limit", JOURNAL_LIMIT_BYTES))
        .and_then(|()| connection.pragma_update(None, "foreign_keys", true))
        .map_err(sqlite)?;
    if check_version(path, &connection)? < SCHEMA_VERSION {
        migrate::up(path, &mut connection)?;
    }
    Ok(connection)
}

/// Opens the file that a writer has opened, to copy its log.
pub(super) fn open_checkpointer(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// Opens the file for reading only; it must exist.
pub(super) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    if !is_ours(path)? {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        return Err(OpenError::io("open", path, missing));
    }
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let found = check_version(path, &connection)?;
    if found < SCHEMA_VERSION {
        return Err(OpenError::Older {
            path: path.to_owned(),
            found,
        });
    }
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let sqlite = |source| OpenError::sqlite(path, source);
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(sqlite)?;
    Ok(connection)
}

/// The version in the write-ahead log may be newer than the one in the file's header.
fn check_version(path: &Path, connection: &Connection) -> Result<u32, OpenError> {
    let found = connection
        .pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))
        .map_err(|source| OpenError::sqlite(path, source))?;
    newer(path, found)?;
    Ok(found)
}

fn newer(path: &Path, found: u32) -> Result<(), OpenError> {
    if found > SCHEMA_VERSION {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
        });
    }
    Ok(())
}

/// Reads the header as a plain file, because SQLite itself might recover or lock what it opens.
/// `false` if there is nothing, or an empty file.
fn is_ours(path: &Path) -> Result<bool, OpenError> {
    let header = match header::read::<HEADER_BYTES>(path) {
        Ok(header) => header,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(OpenError::io("read", path, error)),
    };
    if header.is_empty() {
        return Ok(false);
    }
    let (Some(version), Some(found)) = (word_at(&header, 60), word_at(&header, 68)) else {
        return Err(not_a_database(path));
    };
    if !header.starts_with(MAGIC) {
        return Err(not_a_database(path));
    }
    if found != APPLICATION_ID {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
            found,
        });
    }
    newer(path, version)?;
    Ok(true)
}

fn not_a_database(path: &Path) -> OpenError {
    OpenError::NotADatabase {
        path: path.to_owned(),
    }
}

fn word_at(header: &[u8], at: usize) -> Option<u32> {
    let bytes = header.get(at..at + 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// Makes the database under another name, complete, and then gives it its own: a death in between
/// leaves no half-made file that a later start would have to judge.
fn create(path: &Path) -> Result<(), OpenError> {
    let draft = draft_path(path);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(OpenError::io("create", path, error));
        }
        _ => {}
    }
    private_file(&draft).map_err(|error| OpenError::io("create", path, error))?;
    let made = lay_out(&draft)
        .map_err(|source| OpenError::sqlite(path, source))
        .and_then(|()| {
            fs::rename(&draft, path).map_err(|error| OpenError::io("create", path, error))
        });
    if made.is_err() {
        // The first error is the one that helps; the draft is removed by the next start.
        let _ = fs::remove_file(&draft);
    }
    made
}

fn draft_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".bwmon-draft");
    PathBuf::from(name)
}

pub(super) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn lay_out(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {AGENTS_LAYOUT} {JOURNAL_LAYOUT} PRAGMA application_id = {APPLICATION_ID}; \
         PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    ))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.close().map_err(|(_, error)| error)
}
