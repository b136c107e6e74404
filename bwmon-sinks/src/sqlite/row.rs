//! A row of the journal: what one commit brought.
//!
//! Version (one byte), CRC-32C of all that follows (four bytes, little-endian), then each entry behind its
//! agent.

use std::ops::Range;

use bwmon_core::report::AgentId;

use super::entry::{self, Entry, Label};

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 5;

/// Why a row cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("its first byte is no version that this bwmon reads")]
    Version,
    #[error("its checksum does not match")]
    Checksum,
    #[error("an entry is cut or unknown")]
    Entry,
}

/// A row that is being written.
#[derive(Debug)]
pub(super) struct RowBuilder(Vec<u8>);

impl RowBuilder {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut row = Vec::with_capacity(HEAD_BYTES + bytes);
        row.extend_from_slice(&[VERSION, 0, 0, 0, 0]);
        Self(row)
    }

    /// Adds an entry; says where it lies, its agent included.
    pub(super) fn push(&mut self, agent: AgentId, label: &Label, body: &[u8]) -> Range<usize> {
        let from = self.0.len();
        entry::put_agent(&mut self.0, agent);
        entry::put(&mut self.0, label, body);
        from..self.0.len()
    }

    /// Takes over an entry of another row as it is; says where it lies now.
    pub(super) fn copy(&mut self, from: &Self, at: Range<usize>) -> Range<usize> {
        let start = self.0.len();
        self.0.extend_from_slice(from.0.get(at).unwrap_or_default());
        start..self.0.len()
    }

    /// Takes over all entries of another row, in their order; by how much they lie further back now.
    pub(super) fn append(&mut self, other: &Self) -> usize {
        let shift = self.0.len() - HEAD_BYTES;
        self.0
            .extend_from_slice(other.0.get(HEAD_BYTES..).unwrap_or_default());
        shift
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.len() == HEAD_BYTES
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let sum = checksum(&self.0).to_le_bytes();
        if let Some(place) = self.0.get_mut(1..HEAD_BYTES) {
            place.copy_from_slice(&sum);
        }
        self.0
    }
}

/// Hands over every entry of a row with its agent and place, the agent included; nothing of a row that
/// is damaged.
pub(super) fn read<'a>(
    row: &'a [u8],
    mut each: impl FnMut(AgentId, Entry<'a>, Range<usize>),
) -> Result<(), Damage> {
    if row.first() != Some(&VERSION) {
        return Err(Damage::Version);
    }
    let sum = row.get(1..HEAD_BYTES).ok_or(Damage::Checksum)?;
    if sum != checksum(row).to_le_bytes() {
        return Err(Damage::Checksum);
    }
    let mut rest = row.get(HEAD_BYTES..).unwrap_or_default();
    while !rest.is_empty() {
        let from = row.len() - rest.len();
        let agent = entry::take_agent(&mut rest).ok_or(Damage::Entry)?;
        let entry = entry::take(&mut rest).ok_or(Damage::Entry)?;
        each(agent, entry, from..row.len() - rest.len());
    }
    Ok(())
}

/// The entry at a place that `read` or a builder named.
pub(super) fn at(row: &[u8], place: Range<usize>) -> Option<Entry<'_>> {
    let mut bytes = row.get(place)?;
    entry::take_agent(&mut bytes)?;
    entry::take(&mut bytes)
}

/// The bytes of the entry at a place, without its agent.
pub(super) fn bytes_at(row: &[u8], place: Range<usize>) -> &[u8] {
    row.get(place)
        .and_then(|bytes| bytes.get(size_of::<AgentId>()..))
        .unwrap_or_default()
}

fn checksum(row: &[u8]) -> u32 {
    crc32c::crc32c(row.get(HEAD_BYTES..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bwmon_core::report::Epoch;
    use bwmon_core::time::Timestamp;

    fn row() -> (Vec<u8>, Vec<Range<usize>>) {
        let mut row = RowBuilder::with_capacity(0);
        assert!(row.is_empty());
        let mut places = Vec::new();
        for number in 1..=3_u8 {
            let mut label = Label::seen(Epoch(7), Timestamp::from_secs(8));
            label.seq = number.into();
            places.push(row.push(AgentId(number.into()), &label, &[number; 9]));
        }
        (row.finish(), places)
    }

    #[test]
    fn entries_are_found_where_they_were_put() {
        let (row, places) = row();
        let mut found = Vec::new();
        read(&row, |agent, entry, place| {
            assert_eq!(agent.0, u128::from(entry.label.seq));
            assert_eq!(at(&row, place.clone()), Some(entry));
            assert!(bytes_at(&row, place.clone()).ends_with(entry.body));
            found.push(place);
        })
        .unwrap();
        assert_eq!(found, places);
    }

    #[test]
    fn a_flipped_bit_or_a_missing_end_is_damage_and_nothing_is_handed_over() {
        let (row, _) = row();
        let is_damaged = |bytes: &[u8]| read(bytes, |_, _, _| panic!("handed over")).is_err();
        for at in 0..row.len() {
            let mut flipped = row.clone();
            flipped[at] ^= 1;
            assert!(is_damaged(&flipped), "byte {at}");
            assert!(is_damaged(&row[..at]), "cut at {at}");
        }
    }
}
