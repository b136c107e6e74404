//! Keeps the C library's allocator from growing: an agent runs for months beside other work.
#![allow(unsafe_code)]

/// Bounds the allocator's arenas and gives freed memory back early. Call it before other threads
/// start; where the C library is not glibc, nothing needs to be done.
pub(crate) fn bound_allocator() {
    imp::bound_allocator();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod imp {
    /// One arena for all threads: they allocate a few hundred times per interval, so they do not
    /// contend, and each further arena would keep its own peak for ever.
    const ARENAS: libc::c_int = 1;
    /// Free memory at the end of the heap beyond this goes back to the system, in bytes.
    const TRIM_THRESHOLD_BYTES: libc::c_int = 128 * 1024;
    /// Allocations of this size and larger are mapped on their own, and unmapped when freed.
    const MMAP_THRESHOLD_BYTES: libc::c_int = 128 * 1024;

    pub(super) fn bound_allocator() {
        for (parameter, value) in [
            (libc::M_ARENA_MAX, ARENAS),
            (libc::M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES),
            (libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES),
        ] {
            // SAFETY: mallopt(3) takes two integers by value, touches only the allocator's own
            // state under its lock, and answers an unknown parameter with 0, which costs memory
            // and nothing else.
            let _is_accepted = unsafe { libc::mallopt(parameter, value) };
        }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod imp {
    pub(super) fn bound_allocator() {}
}
