//! Asks the processor for memory that will be needed soon.
#![allow(unsafe_code)]

/// Begins to load the element at `index` into the cache. A hint: it changes nothing, whatever the
/// index, and does nothing on processors that are not known here.
#[inline(always)]
pub(super) fn prefetch<T>(elements: &[T], index: usize) {
    line(elements.as_ptr().wrapping_add(index).cast());
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn line(address: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch reads nothing that the program can see and cannot fault, wherever it points
    // (Intel SDM, "PREFETCHh"); SSE, which has it, belongs to every x86_64 processor.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address) };
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn line(_address: *const i8) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_changes_nothing_within_and_beyond_the_elements() {
        let elements = [1_u64, 2, 3];
        for index in [0, 2, 3, usize::MAX] {
            prefetch(&elements, index);
        }
        prefetch::<u64>(&[], 0);
        assert_eq!(elements, [1, 2, 3]);
    }
}
