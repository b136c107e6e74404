//! The wire format of protobuf, written.

/// The bytes of a message.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn varint(&mut self, number: u32, value: u64) {
        self.tag(number, 0);
        self.bare_varint(value);
    }

    pub(super) fn fixed64(&mut self, number: u32, value: [u8; 8]) {
        self.tag(number, 1);
        self.0.extend_from_slice(&value);
    }

    pub(super) fn fixed32(&mut self, number: u32, value: [u8; 4]) {
        self.tag(number, 5);
        self.0.extend_from_slice(&value);
    }

    pub(super) fn bytes(&mut self, number: u32, value: &[u8]) {
        self.tag(number, 2);
        self.bare_varint(u64::try_from(value.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(value);
    }

    /// A field whose length is known when its content is written: a message, or packed numbers.
    pub(super) fn nested(&mut self, number: u32, content: impl FnOnce(&mut Self)) {
        self.tag(number, 2);
        let start = self.0.len();
        self.0.push(0);
        content(self);
        let length = self.0.len() - start - 1;
        if let (Ok(short @ 0..0x80), Some(place)) = (u8::try_from(length), self.0.get_mut(start)) {
            *place = short;
            return;
        }
        let mut prefix = Self::default();
        prefix.bare_varint(u64::try_from(length).unwrap_or(u64::MAX));
        self.0.splice(start..=start, prefix.0);
    }

    /// A number of a packed field.
    pub(super) fn bare_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push((value & 0x7f) as u8);
    }

    /// A number of a packed field, in four bytes.
    pub(super) fn bare_fixed32(&mut self, value: [u8; 4]) {
        self.0.extend_from_slice(&value);
    }

    fn tag(&mut self, number: u32, wire_type: u64) {
        self.bare_varint(u64::from(number) << 3 | wire_type);
    }
}
