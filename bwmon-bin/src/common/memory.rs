//! Keeps the C library's allocator from growing. Call these before other threads start; where the C library
//! is not glibc, nothing needs to be done.
#![allow(unsafe_code)]

/// Bounds the allocator's arenas: each keeps its own peak for ever, and what one thread freed is nothing to
/// a thread of another arena.
pub fn bound_arenas(arenas: u8) {
    imp::bound_arenas(arenas);
}

/// Gives freed memory back to the system early. It costs time where much is allocated.
pub fn give_back_early() {
    imp::give_back_early();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod imp {
    /// Free memory at the end of the heap beyond this goes back to the system, in bytes.
    const TRIM_THRESHOLD_BYTES: libc::c_int = 128 * 1024;
    /// Allocations of this size and larger are mapped on their own, and unmapped when freed.
    const MMAP_THRESHOLD_BYTES: libc::c_int = 128 * 1024;

    pub(super) fn bound_arenas(arenas: u8) {
        set(libc::M_ARENA_MAX, libc::c_int::from(arenas));
    }

    pub(super) fn give_back_early() {
        set(libc::M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES);
        set(libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
    }

    fn set(parameter: libc::c_int, value: libc::c_int) {
        // SAFETY: mallopt(3) takes two integers by value, touches only the allocator's own state under
        // its lock, and answers an unknown parameter with 0, which costs memory and nothing else.
        let _is_accepted = unsafe { libc::mallopt(parameter, value) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod imp {
    pub(super) fn bound_arenas(_arenas: u8) {}

    pub(super) fn give_back_early() {}
}
