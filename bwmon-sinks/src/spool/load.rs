//! What a spool finds on its disk.

use std::io;

use bwmon_core::report::Epoch;

use super::files::Files;
use super::segment::{self, HEADER_BYTES, LaneId, MAX_PAYLOAD_BYTES, RECORD_HEADER_BYTES, Scan};
use super::state::State;

/// Lists the segments of a folder, oldest first.
pub(super) fn segments(files: &mut dyn Files) -> io::Result<Vec<(LaneId, u64)>> {
    let names = files.list()?;
    let mut found: Vec<_> = names
        .iter()
        .filter_map(|name| segment::parse_name(name))
        .collect();
    found.sort_by_key(|(lane, id)| (*id, *lane));
    Ok(found)
}

/// Reads one of them; `None` where not even its header is whole.
pub(super) fn read(files: &mut dyn Files, lane: LaneId, id: u64) -> io::Result<Option<Scan>> {
    /// A segment holds at least one record, and is closed once it is longer than its bound.
    const MOST: usize = HEADER_BYTES + 2 * (RECORD_HEADER_BYTES + MAX_PAYLOAD_BYTES);
    let bytes = files.read(&segment::file_name(lane, id), 0, MOST)?;
    Ok(segment::scan(&bytes, lane, id))
}

/// What waits in a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Waiting {
    /// The run of sequence numbers that goes on.
    pub epoch: Option<Epoch>,
    /// Records that are not delivered yet.
    pub records: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
}

/// Looks at a spool without changing it, also while its agent runs.
///
/// # Errors
/// When the folder cannot be read; one that is not there holds nothing.
pub fn look(files: &mut dyn Files) -> io::Result<Waiting> {
    let listed = match segments(files) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Waiting::default()),
        Err(error) => return Err(error),
    };
    let state = State::read(files, false)?;
    let mut waiting = Waiting {
        epoch: state.as_ref().map(|state| state.epoch),
        ..Waiting::default()
    };
    for (lane, id) in listed {
        waiting.disk_bytes += files.len(&segment::file_name(lane, id)).unwrap_or(0);
        let scan = match lane {
            LaneId::Core => read(files, lane, id).ok().flatten(),
            LaneId::Flow => None,
        };
        let Some(scan) = scan else { continue };
        let of_epoch = state.as_ref().filter(|state| state.epoch == scan.epoch);
        let is_open = |seq| of_epoch.is_none_or(|state| !state.done.contains(seq));
        waiting.records += scan.records.iter().filter(|r| is_open(r.seq)).count() as u64;
    }
    Ok(waiting)
}
