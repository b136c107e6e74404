//! What the journal and the chunks hold of a record, and how it lies in their bytes.
//!
//! An entry is: kind (one byte), epoch (16 bytes), then as LEB128 numbers the sequence number, how many
//! numbers before it it settles too, when it was received, when its window ends and the length of its
//! body; then the body, a document of one record in the compact encoding of
//! [`wire`](bwmon_core::report::wire). In the journal the agent's 16 bytes go before each entry.

use bwmon_core::report::{AgentId, Epoch, Record, RecordBody, RecordKey, wire};
use bwmon_core::time::Timestamp;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A report.
    Report,
    /// Records that will never come.
    Dropped,
    /// The first record of an epoch.
    EpochStart,
    /// No record: one that is stored already came again.
    Seen,
}

impl Kind {
    const fn number(self) -> u8 {
        match self {
            Self::Report => 1,
            Self::Dropped => 2,
            Self::EpochStart => 3,
            Self::Seen => 4,
        }
    }

    const fn of(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Report,
            2 => Self::Dropped,
            3 => Self::EpochStart,
            4 => Self::Seen,
            _ => return None,
        })
    }
}

/// An entry without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) kind: Kind,
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
    /// The first number that it settles: a drop record speaks for all that it covers.
    pub(super) first: u64,
    pub(super) received: Timestamp,
    /// Where it lies in time; what has no window lies where it was received.
    pub(super) end: Timestamp,
}

/// An entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) label: Label,
    pub(super) body: &'a [u8],
}

impl Label {
    /// The label of a record that was received at `now`.
    pub(super) fn of(record: &Record, now: Timestamp) -> Self {
        let (kind, first, end) = match &record.body {
            RecordBody::Report(interval) => (Kind::Report, record.seq, interval.window.end()),
            RecordBody::Dropped(dropped) => (Kind::Dropped, dropped.from_seq, now),
            RecordBody::EpochStart(start) => (Kind::EpochStart, record.seq, start.started.min(now)),
        };
        Self {
            kind,
            epoch: record.epoch,
            seq: record.seq,
            first,
            received: now,
            end,
        }
    }

    /// Says that something of an epoch came again at `now`.
    pub(super) const fn seen(epoch: Epoch, now: Timestamp) -> Self {
        Self {
            kind: Kind::Seen,
            epoch,
            seq: 0,
            first: 0,
            received: now,
            end: now,
        }
    }

    pub(super) fn is_record(&self) -> bool {
        self.kind != Kind::Seen
    }

    /// What makes the record unique within its agent.
    pub(super) const fn key(&self) -> RecordKey {
        RecordKey {
            epoch: self.epoch,
            seq: self.seq,
        }
    }
}

impl Entry<'_> {
    /// What the record says; `None` where its bytes are damaged.
    pub(super) fn decode(&self) -> Option<RecordBody> {
        let records = wire::decode(self.body).ok()?.document.records;
        let record = records.into_iter().next()?;
        (record.key() == self.label.key()).then_some(record.body)
    }
}

pub(super) fn put_agent(out: &mut Vec<u8>, agent: AgentId) {
    out.extend_from_slice(&agent.0.to_be_bytes());
}

pub(super) fn put(out: &mut Vec<u8>, label: &Label, body: &[u8]) {
    out.push(label.kind.number());
    out.extend_from_slice(&label.epoch.0.to_be_bytes());
    put_number(out, label.seq);
    put_number(out, label.seq.saturating_sub(label.first));
    put_number(out, label.received.as_micros());
    put_number(out, label.end.as_micros());
    put_number(out, body.len() as u64);
    out.extend_from_slice(body);
}

pub(super) fn take_agent(bytes: &mut &[u8]) -> Option<AgentId> {
    take_id(bytes).map(AgentId)
}

/// Takes an entry off the front; `None` where there is none that is whole.
pub(super) fn take<'a>(bytes: &mut &'a [u8]) -> Option<Entry<'a>> {
    let (kind, rest) = bytes.split_first()?;
    *bytes = rest;
    let kind = Kind::of(*kind)?;
    let epoch = Epoch(take_id(bytes)?);
    let seq = take_number(bytes)?;
    let first = seq.checked_sub(take_number(bytes)?)?;
    let received = Timestamp::from_micros(take_number(bytes)?);
    let end = Timestamp::from_micros(take_number(bytes)?);
    let length = usize::try_from(take_number(bytes)?).ok()?;
    let (body, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let label = Label {
        kind,
        epoch,
        seq,
        first,
        received,
        end,
    };
    Some(Entry { label, body })
}

fn take_id(bytes: &mut &[u8]) -> Option<u128> {
    let (id, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u128::from_be_bytes(*id))
}

#[allow(clippy::cast_possible_truncation)] // the low seven bits
fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use bwmon_core::testkit::envelope;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_put_is_taken(numbers in prop::array::uniform4(0..1_u64 << 53), epoch: u128, body: Vec<u8>, kind in 1_u8..5) {
            let [seq, first, received, end] = numbers;
            let label = Label {
                kind: Kind::of(kind).unwrap(),
                epoch: Epoch(epoch),
                seq,
                first: first.min(seq),
                received: Timestamp::from_micros(received),
                end: Timestamp::from_micros(end),
            };
            let mut bytes = Vec::new();
            put(&mut bytes, &label, &body);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take(&mut rest), Some(Entry { label, body: &body }));
            prop_assert!(rest.is_empty());
            for length in 0..bytes.len() {
                prop_assert_eq!(take(&mut bytes.get(..length).unwrap()), None);
            }
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
            let mut rest = bytes.as_slice();
            while take_agent(&mut rest).and_then(|_| take(&mut rest)).is_some() {}
        }
    }

    #[test]
    fn a_body_of_another_record_is_damage() {
        let (own, other) = (
            envelope(AgentId(1), Epoch(2), 3).record,
            envelope(AgentId(1), Epoch(2), 4).record,
        );
        let label = Label::of(&own, Timestamp::from_secs(9));
        let body = wire::encode_records([&own]);
        let entry = Entry { label, body: &body };
        assert_eq!(entry.decode(), Some(own.body));
        let body = wire::encode_records([&other]);
        assert_eq!(Entry { label, body: &body }.decode(), None);
    }
}
