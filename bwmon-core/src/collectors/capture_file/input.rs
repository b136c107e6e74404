use std::io::{ErrorKind, Read};

use crate::collector::{CollectError, CollectErrorKind};

const BUFFER: usize = 256 * 1024;

/// A window onto a stream: what was read and not yet consumed, contiguous.
pub(super) struct Input<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            offset: 0,
        }
    }

    /// What was read and not yet consumed.
    #[inline(always)]
    pub(super) fn ready(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Consumes `length` bytes of those that are ready, or all.
    #[inline(always)]
    pub(super) fn consume(&mut self, length: usize) {
        let length = length.min(self.end - self.start);
        self.start += length;
        self.offset += length as u64;
    }

    /// The next `length` bytes without consuming them; `None` if the stream ends before.
    pub(super) fn peek(&mut self, length: usize) -> Result<Option<&[u8]>, CollectError> {
        if self.end - self.start < length && !self.fill(length)? {
            return Ok(None);
        }
        Ok(self.ready().get(..length))
    }

    /// Passes over `length` bytes; `false` if the stream ends before.
    pub(super) fn skip(&mut self, mut length: u64) -> Result<bool, CollectError> {
        loop {
            let step = usize::try_from(length).unwrap_or(usize::MAX);
            let step = step.min(self.end - self.start);
            self.consume(step);
            length -= step as u64;
            if length == 0 {
                return Ok(true);
            }
            if !self.fill(1)? {
                return Ok(false);
            }
        }
    }

    /// Whether the stream has ended.
    pub(super) fn is_at_end(&mut self) -> Result<bool, CollectError> {
        Ok(self.peek(1)?.is_none())
    }

    /// Reads until `length` bytes are there; `false` if the stream ends before.
    fn fill(&mut self, length: usize) -> Result<bool, CollectError> {
        if self.buffer.len() - self.start < length {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.buffer.len() < length {
                self.buffer.resize(length, 0);
            }
        }
        while self.end - self.start < length {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.source.read(room) {
                Ok(0) => return Ok(false),
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let message = format!("cannot read on at byte {}", self.offset);
                    return Err(
                        CollectError::new(CollectErrorKind::Other, message).caused_by(error)
                    );
                }
            }
        }
        Ok(true)
    }
}

impl<R> Input<R> {
    /// Bytes consumed.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }
}
