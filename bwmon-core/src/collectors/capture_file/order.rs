//! Numbers in the byte order that a file says it has; what lies beyond the bytes reads as zero.

/// The byte order of a file, or of a section of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ByteOrder {
    #[default]
    Little,
    Big,
}

impl ByteOrder {
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        u16::from_be_bytes(self.big_endian(bytes, at))
    }

    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(self.big_endian(bytes, at))
    }

    pub(super) fn i64(self, bytes: &[u8], at: usize) -> i64 {
        i64::from_be_bytes(self.big_endian(bytes, at))
    }

    fn big_endian<const N: usize>(self, bytes: &[u8], at: usize) -> [u8; N] {
        let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
        let mut number = found.copied().unwrap_or([0; N]);
        if self == Self::Little {
            number.reverse();
        }
        number
    }
}
