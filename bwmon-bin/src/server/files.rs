//! How many files the process may have open: each connection is one.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that the collector needs besides its connections: databases, their logs, and what reads them.
const OTHER_FILES: u64 = 64;

/// Raises the limit of open files to the hard limit. The usual soft limit of 1,024 is there for programs
/// that call select(2), and would keep agents out.
pub fn raise_limit(connections: usize) {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            limit.current = before;
        }
    }
    let needed = (connections as u64).saturating_add(OTHER_FILES);
    match limit.current {
        Some(files) if files < needed => tracing::warn!(
            "{files} files may be open, and limits.connections = {connections} needs {needed}: when \
             they are used up, further connections wait; raise the hard limit (LimitNOFILE= in a \
             unit, `ulimit -Hn` in a shell)"
        ),
        files => tracing::debug!(?before, ?files, "the limit of open files is raised"),
    }
}
