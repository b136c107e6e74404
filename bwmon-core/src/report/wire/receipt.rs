//! What a receiver answers.

use super::super::bounds;
use super::super::record::{AgentId, Epoch, Fate, Receipt, StreamState};
use super::error::{DecodeError, Reason};
use super::field::{Field, Message, message};
use super::reader::{Context, Reader, Value, take_varint};
use super::writer::Writer;

message!(Receipt { 1 credit, 2 server_time as "server_time_us", } lists {
    3 fates: bounds::RECORDS, 4 streams: bounds::RECORDS,
});

/// Numbers of the fates.
const STORED: u64 = 1;
const DUPLICATE: u64 = 2;
const REFUSED: u64 = 3;

impl Field for Fate {
    fn is_absent(&self) -> bool {
        false
    }

    fn put(&self, number: u32, out: &mut Writer) {
        out.nested(number, |out| match self {
            Self::Stored => out.varint(1, STORED),
            Self::Duplicate => out.varint(1, DUPLICATE),
            Self::Refused(reason) => {
                out.varint(1, REFUSED);
                bounds::clip(reason).put(2, out);
            }
        });
    }

    fn take(value: Value<'_>, context: &mut Context) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value.bytes()?);
        let (mut kind, mut reason) = (0, String::new());
        while let Some((number, value)) = reader.next_field()? {
            match number {
                1 => kind = value.varint()?,
                2 => reason = Field::take(value, context)?,
                _ => context.skip(),
            }
        }
        match kind {
            STORED => Ok(Self::Stored),
            DUPLICATE => Ok(Self::Duplicate),
            REFUSED => Ok(Self::Refused(reason)),
            _ => Err(Reason::UnknownKind.into()),
        }
    }
}

impl Field for StreamState {
    fn is_absent(&self) -> bool {
        false
    }

    fn put(&self, number: u32, out: &mut Writer) {
        out.nested(number, |out| {
            self.agent.put(1, out);
            self.epoch.put(2, out);
            self.through.put(3, out);
            if !self.missing.is_empty() {
                out.nested(4, |out| {
                    for (from, to) in &self.missing {
                        out.bare_varint(*from);
                        out.bare_varint(*to);
                    }
                });
            }
        });
    }

    fn take(value: Value<'_>, context: &mut Context) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value.bytes()?);
        let (mut agent, mut epoch): (Option<AgentId>, Option<Epoch>) = (None, None);
        let (mut through, mut missing) = (0, Vec::new());
        while let Some((number, value)) = reader.next_field()? {
            match number {
                1 => agent = Field::take(value, context)?,
                2 => epoch = Field::take(value, context)?,
                3 => through = value.varint()?,
                4 => missing = ranges(value).map_err(|error| error.within("missing"))?,
                _ => context.skip(),
            }
        }
        let absent = |name| DecodeError::from(Reason::Missing).within(name);
        Ok(Self {
            agent: agent.ok_or_else(|| absent("agent"))?,
            epoch: epoch.ok_or_else(|| absent("epoch"))?,
            through,
            missing,
        })
    }
}

/// Pairs of a first and a last number.
fn ranges(value: Value<'_>) -> Result<Vec<(u64, u64)>, DecodeError> {
    let mut packed = value.bytes()?;
    let mut ranges = Vec::new();
    while !packed.is_empty() {
        if ranges.len() == bounds::RANGES {
            let limit = bounds::RANGES;
            return Err(Reason::TooMany { limit }.into());
        }
        let from = take_varint(&mut packed)?;
        ranges.push((from, take_varint(&mut packed)?));
    }
    Ok(ranges)
}

pub(super) fn read_receipt(bytes: &[u8]) -> Result<Receipt, DecodeError> {
    Receipt::read(Reader::new(bytes), &mut Context::new())
}
