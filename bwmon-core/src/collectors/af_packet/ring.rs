//! The socket and the memory that it shares with the kernel: a TPACKET_V3 receive ring
//! (Linux `Documentation/networking/packet_mmap.rst`).
//!
//! The ring is a circle of blocks. Each begins with a status word, which says whose it is. Between
//! reading `TP_STATUS_USER` there and writing `TP_STATUS_KERNEL`, the kernel leaves the block alone.
#![allow(unsafe_code)]

use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{c_int, c_uint};

/// Where a block's status word is.
const STATUS_OFFSET: usize =
    offset_of!(libc::tpacket_block_desc, hdr) + offset_of!(libc::tpacket_hdr_v1, block_status);

/// Sizes of a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    /// Bytes in a block: a power of two and a multiple of the page size.
    pub(super) block_bytes: usize,
    /// Number of blocks.
    pub(super) blocks: usize,
    /// Milliseconds after which the kernel hands over a block that is not full.
    pub(super) retire_ms: u32,
}

/// A packet socket with its ring, not yet bound.
#[derive(Debug)]
pub(super) struct Ring {
    socket: OwnedFd,
    memory: Memory,
    geometry: Geometry,
    next: usize,
}

/// What a ring counted since it was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RingCounts {
    /// Frames that passed the filter, dropped ones included.
    pub(super) received: u32,
    /// Frames for which there was no room.
    pub(super) dropped: u32,
}

/// A block that the kernel handed over; given back when dropped.
#[derive(Debug)]
pub(super) struct Block<'a> {
    ring: &'a mut Ring,
}

impl Ring {
    /// Opens a packet socket that receives nothing until [`Self::bind`], and maps its ring.
    pub(super) fn open(geometry: Geometry) -> Result<Self, OpenError> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: takes no pointers.
        let socket = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if socket < 0 {
            return Err(OpenError::Socket(io::Error::last_os_error()));
        }
        // SAFETY: the descriptor was just made and nobody else has it.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        ask_for_ring(&socket, geometry)
            .and_then(|()| Self::over(socket, geometry))
            .map_err(OpenError::Ring)
    }

    /// The ring in the memory of a socket that has one, or in a test of a file that is as large.
    fn over(socket: OwnedFd, geometry: Geometry) -> io::Result<Self> {
        let memory = Memory::map(&socket, geometry)?;
        Ok(Self {
            socket,
            memory,
            geometry,
            next: 0,
        })
    }

    /// Receives from one interface, or from all for 0.
    pub(super) fn bind(&self, index: u32) -> io::Result<()> {
        // SAFETY: zeros are a valid sockaddr_ll.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = short(libc::AF_PACKET)?;
        address.sll_protocol = short(libc::ETH_P_ALL)?.to_be();
        address.sll_ifindex = index.cast_signed();
        // SAFETY: the address is a whole sockaddr_ll and outlives the call.
        let result = unsafe {
            libc::bind(
                self.socket.as_raw_fd(),
                (&raw const address).cast(),
                length_of::<libc::sockaddr_ll>()?,
            )
        };
        check(result)
    }

    /// Whether the kernel handed over a block that was not taken yet.
    pub(super) fn is_ready(&self) -> bool {
        self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    /// The next block, if the kernel handed one over.
    pub(super) fn take(&mut self) -> Option<Block<'_>> {
        self.is_ready().then(|| Block { ring: self })
    }

    /// Reads the kernel's counters, which resets them.
    pub(super) fn take_counts(&self) -> io::Result<RingCounts> {
        let mut counts = libc::tpacket_stats_v3 {
            tp_packets: 0,
            tp_drops: 0,
            tp_freeze_q_cnt: 0,
        };
        option(
            &self.socket,
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            &mut counts,
        )?;
        Ok(RingCounts {
            received: counts.tp_packets,
            dropped: counts.tp_drops,
        })
    }

    /// The error that waits at the socket, if there is one, taken off it.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        let mut code: c_int = 0;
        option(&self.socket, libc::SOL_SOCKET, libc::SO_ERROR, &mut code)?;
        Ok((code != 0).then(|| io::Error::from_raw_os_error(code)))
    }

    fn status(&self) -> &AtomicU32 {
        let offset = self.next * self.geometry.block_bytes + STATUS_OFFSET;
        // SAFETY: `next` is below the number of blocks, so that the word is within the mapping; it
        // is aligned to four bytes (blocks to pages, the offset in them by the struct), and both
        // sides access it atomically only.
        unsafe { AtomicU32::from_ptr(self.memory.base.as_ptr().add(offset).cast()) }
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Block<'_> {
    /// The whole block, with its header.
    pub(super) fn bytes(&self) -> &[u8] {
        let geometry = self.ring.geometry;
        let offset = self.ring.next * geometry.block_bytes;
        // SAFETY: the block lies within the mapping, was written by the kernel before it released
        // the status word (acquired in `take`), and is not written until `drop` gives it back,
        // which cannot happen while this borrow lives.
        unsafe {
            std::slice::from_raw_parts(
                self.ring.memory.base.as_ptr().add(offset),
                geometry.block_bytes,
            )
        }
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        self.ring
            .status()
            .store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.ring.next = (self.ring.next + 1) % self.ring.geometry.blocks;
    }
}

/// What failed when a ring was opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// The socket was refused.
    Socket(io::Error),
    /// The socket is there; the ring was refused.
    Ring(io::Error),
}

/// The size of a page of memory in bytes.
pub(super) fn page_bytes() -> usize {
    // SAFETY: takes no pointers.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4_096)
}

#[derive(Debug)]
struct Memory {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping belongs to this value alone and is not tied to the thread that made it.
unsafe impl Send for Memory {}

impl Memory {
    fn map(socket: &OwnedFd, geometry: Geometry) -> io::Result<Self> {
        let bytes = geometry.block_bytes * geometry.blocks;
        // SAFETY: asks for a fresh mapping, which touches no existing memory.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_raw_fd(),
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, bytes })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping was made with this address and length; no borrow of it outlives the
        // ring. The call fails for a wrong argument only.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

fn ask_for_ring(socket: &OwnedFd, geometry: Geometry) -> io::Result<()> {
    let version = libc::tpacket_versions::TPACKET_V3 as c_int;
    set_option(socket, libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
    let request = request(geometry)?;
    set_option(socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)
}

fn request(geometry: Geometry) -> io::Result<libc::tpacket_req3> {
    /// Only checked for plausibility in version 3, whose frames take the room that they need.
    const FRAME_BYTES: usize = 2_048;
    let number = |value: usize| c_uint::try_from(value).map_err(|_| io::ErrorKind::InvalidInput);
    let frames = geometry.block_bytes / FRAME_BYTES * geometry.blocks;
    Ok(libc::tpacket_req3 {
        tp_block_size: number(geometry.block_bytes)?,
        tp_block_nr: number(geometry.blocks)?,
        tp_frame_size: number(FRAME_BYTES)?,
        tp_frame_nr: number(frames)?,
        tp_retire_blk_tov: geometry.retire_ms,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    })
}

fn set_option<T>(socket: &OwnedFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let length = length_of::<T>()?;
    // SAFETY: `value` is a whole T of the length that is passed, and outlives the call; a pointer in
    // it (the filter's program) is to memory that outlives the call too, and is only read.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(value).cast(),
            length,
        )
    };
    check(result)
}

fn option<T: Copy>(socket: &OwnedFd, level: c_int, name: c_int, value: &mut T) -> io::Result<()> {
    let mut length = length_of::<T>()?;
    // SAFETY: the kernel writes at most `length` bytes to `value`, which has as many; the types
    // passed here are plain numbers, valid for every bit pattern.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            name,
            std::ptr::from_mut(value).cast(),
            &raw mut length,
        )
    };
    check(result)
}

fn length_of<T>() -> io::Result<libc::socklen_t> {
    Ok(libc::socklen_t::try_from(size_of::<T>()).map_err(|_| io::ErrorKind::InvalidInput)?)
}

fn short(value: c_int) -> io::Result<u16> {
    Ok(u16::try_from(value).map_err(|_| io::ErrorKind::InvalidInput)?)
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
