//! Keeps the agent small: it runs for months beside other work.
#![allow(unsafe_code)]

use crate::common::memory;

/// One arena for all threads: they allocate a few hundred times per interval, so they do not contend.
const ARENAS: u8 = 1;

/// Bounds the allocator. Call it before other threads start.
pub(crate) fn bound_allocator() {
    memory::bound_arenas(ARENAS);
    memory::give_back_early();
}

/// Lets go of the pages of code that only the start needed: arguments, configuration, the first
/// look at the host. What is needed again comes back from the page cache, one minor fault each.
pub(crate) fn release_startup_code() {
    code::release();
}

#[cfg(target_os = "linux")]
mod code {
    use std::fs;

    /// Where libraries and the program are mapped; some hundred lines.
    const MAPS: &str = "/proc/self/maps";

    pub(super) fn release() {
        let maps = fs::read_to_string(MAPS).unwrap_or_default();
        for (start, end) in maps.lines().filter_map(code_of_a_file) {
            let length = end.saturating_sub(start);
            // SAFETY: the range is one whole mapping of this process, private, executable and not
            // writable, that a file lies behind. Its pages are therefore the file's own, and
            // MADV_DONTNEED makes the next access read them from the file again (madvise(2)). No
            // Rust reference points at memory that changes by it. A range that is gone by now is
            // answered with an error, which costs memory and nothing else.
            let _is_done =
                unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED) };
        }
    }

    /// The range of a line of proc_pid_maps(5), if it is code of a file.
    pub(super) fn code_of_a_file(line: &str) -> Option<(usize, usize)> {
        let mut fields = line.split_ascii_whitespace();
        let (range, permissions) = (fields.next()?, fields.next()?);
        let is_file = fields.nth(3).is_some_and(|path| path.starts_with('/'));
        if permissions != "r-xp" || !is_file {
            return None;
        }
        let (start, end) = range.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        Some((address(start)?, address(end)?))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn only_code_of_files_is_released() {
            let code = "7f00-8f00 r-xp 00001000 fe:00 42   /usr/lib/libc.so.6";
            assert_eq!(code_of_a_file(code), Some((0x7f00, 0x8f00)));
            for other in [
                "7f00-8f00 r--p 00001000 fe:00 42   /usr/lib/libc.so.6",
                "7f00-8f00 rwxp 00001000 fe:00 42   /usr/lib/libc.so.6",
                "7f00-8f00 r-xs 00001000 fe:00 42   /usr/lib/libc.so.6",
                "7f00-8f00 r-xp 00000000 00:00 0    [vdso]",
                "7f00-8f00 r-xp 00000000 00:00 0",
                "",
            ] {
                assert_eq!(code_of_a_file(other), None, "{other}");
            }
        }

        #[test]
        fn code_still_runs_afterwards() {
            release();
            assert_eq!("still here".to_uppercase(), "STILL HERE");
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod code {
    pub(super) fn release() {}
}
