//! The wire format of protobuf, read: <https://protobuf.dev/programming-guides/encoding/>.

use super::super::bounds;
use super::error::{DecodeError, Reason};

/// What a field holds, before it is known what it means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl<'a> Value<'a> {
    pub(super) const fn varint(self) -> Result<u64, Reason> {
        match self {
            Self::Varint(number) => Ok(number),
            _ => Err(Reason::WireType),
        }
    }

    pub(super) const fn bytes(self) -> Result<&'a [u8], Reason> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Reason::WireType),
        }
    }
}

/// The fields of one message, in the order in which they were written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next field's number and value; `None` at the end.
    pub(super) fn next_field(&mut self) -> Result<Option<(u32, Value<'a>)>, DecodeError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = take_varint(&mut self.0)?;
        let number = u32::try_from(tag >> 3).map_err(|_| Reason::Malformed)?;
        if number == 0 {
            return Err(Reason::Malformed.into());
        }
        let value = match tag & 7 {
            0 => Value::Varint(take_varint(&mut self.0)?),
            1 => Value::Fixed64(self.take_array()?),
            2 => {
                let length = take_varint(&mut self.0)?;
                let length = usize::try_from(length).map_err(|_| Reason::Malformed)?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(self.take_array()?),
            // 3 and 4 are groups, which no writer of proto3 makes.
            _ => return Err(Reason::Malformed.into()),
        };
        Ok(Some((number, value)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Reason> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(Reason::Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Reason::Malformed)?;
        self.0 = rest;
        Ok(*head)
    }
}

/// A number of seven bits per byte, the lowest first, at the front of `bytes`.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Result<u64, Reason> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Reason::Malformed)?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            break;
        }
        number |= part << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Reason::Malformed)
}

/// What is counted and bounded while a document is read.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) unknown_fields: u64,
    memory_left: usize,
}

impl Context {
    pub(super) const fn new() -> Self {
        Self {
            unknown_fields: 0,
            memory_left: bounds::DOCUMENT_MEMORY,
        }
    }

    /// Passes over a field that this version does not know.
    pub(super) const fn skip(&mut self) {
        self.unknown_fields = self.unknown_fields.saturating_add(1);
    }

    /// What was taken so far, in bytes.
    pub(super) const fn memory_taken(&self) -> usize {
        bounds::DOCUMENT_MEMORY - self.memory_left
    }

    /// Takes memory for what was read, before it is taken from the allocator.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), Reason> {
        self.memory_left = self.memory_left.checked_sub(bytes).ok_or(Reason::TooMuch)?;
        Ok(())
    }
}
