//! How structured targets read the fuzzer's bytes: from front to back, with zeros behind the end, so
//! that a seed is a list of bytes and every choice has a default, the first one.

use arbitrary::{Arbitrary, Unstructured};

/// Choices and numbers, in the order in which they are asked for.
#[derive(Debug)]
pub struct Recipe<'a>(Unstructured<'a>);

impl<'a> Recipe<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// Whether only zeros follow.
    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// A number of any width, little-endian.
    pub fn number<T: Arbitrary<'a> + Default>(&mut self) -> T {
        self.0.arbitrary().unwrap_or_default()
    }

    pub fn byte(&mut self) -> u8 {
        self.number()
    }

    /// One bit of a byte.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `end`, from one byte.
    pub fn below(&mut self, end: u8) -> u8 {
        self.byte() % end
    }

    /// One of `choices`, from one byte.
    pub fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte();
        }
        bytes
    }
}
