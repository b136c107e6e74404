use std::io;

use bwmon_core::sink::{SinkError, SinkErrorKind};

/// Tells what helps against a failed write.
pub(super) fn write_error(error: io::Error) -> SinkError {
    let (kind, message) = match error.kind() {
        io::ErrorKind::BrokenPipe => (
            SinkErrorKind::Broken,
            "nobody reads the output any more: restart together with its reader".to_owned(),
        ),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
            SinkErrorKind::Broken,
            "no space left for the output: free space on its file system".to_owned(),
        ),
        _ => (
            SinkErrorKind::Unavailable,
            format!("cannot write the output: {error}"),
        ),
    };
    SinkError::new(kind, message).caused_by(error)
}

/// A record that JSON cannot carry.
pub(super) fn encode_error(error: serde_json::Error) -> SinkError {
    SinkError::new(SinkErrorKind::Refused, "a record cannot be written as JSON").caused_by(error)
}
