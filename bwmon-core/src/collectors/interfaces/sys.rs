//! The system calls that know interfaces by name and number, in the calling thread's network
//! namespace.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
#[cfg(target_os = "linux")]
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::Duration;

use crate::frame::InterfaceId;

/// The number of the interface that is called `name`, also by an alternative name.
pub(super) fn index_of(name: &str) -> Option<InterfaceId> {
    let name = CString::new(name).ok()?;
    // SAFETY: `name` is a terminated string that outlives the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (index != 0).then_some(InterfaceId(index))
}

/// The name of the interface `id`, if there is one.
pub(super) fn name_of(id: InterfaceId) -> Option<String> {
    let mut buffer = [0_u8; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the IF_NAMESIZE bytes that the call may write.
    let name = unsafe { libc::if_indextoname(id.0, buffer.as_mut_ptr().cast()) };
    if name.is_null() {
        return None;
    }
    let name = CStr::from_bytes_until_nul(&buffer).ok()?;
    Some(name.to_string_lossy().into_owned())
}

/// Every interface; empty if the system refuses to say.
pub(super) fn list() -> Vec<(InterfaceId, String)> {
    let mut interfaces = Vec::new();
    // SAFETY: takes nothing; the array that it returns is freed below.
    let array = unsafe { libc::if_nameindex() };
    if array.is_null() {
        return interfaces;
    }
    let mut entry = array;
    loop {
        // SAFETY: `entry` points into the array, at most to the entry of zeros that ends it, and
        // goes no further than that.
        let (index, name) = unsafe { ((*entry).if_index, (*entry).if_name) };
        if index == 0 || name.is_null() {
            break;
        }
        // SAFETY: a name in the array is a terminated string and lives as long as the array.
        let name = unsafe { CStr::from_ptr(name) };
        interfaces.push((InterfaceId(index), name.to_string_lossy().into_owned()));
        // SAFETY: this entry was not the last one.
        entry = unsafe { entry.add(1) };
    }
    // SAFETY: `array` came from if_nameindex and is not used after this.
    unsafe { libc::if_freenameindex(array) };
    interfaces
}

/// Waits until one of the descriptors is readable or has an error, at most `timeout`, rounded up to
/// whole milliseconds. Says whether one is; a signal ends the wait as time does.
///
/// # Errors
/// As poll(2), without EINTR.
pub(in crate::collectors) fn wait_readable(
    descriptors: &[BorrowedFd<'_>],
    timeout: Duration,
) -> io::Result<bool> {
    let mut list: Vec<libc::pollfd> = descriptors
        .iter()
        .map(|descriptor| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let count = libc::nfds_t::try_from(list.len()).unwrap_or(libc::nfds_t::MAX);
    let millis = timeout.as_nanos().div_ceil(1_000_000);
    let millis = libc::c_int::try_from(millis).unwrap_or(libc::c_int::MAX);
    // SAFETY: `list` has `count` entries and outlives the call.
    let ready = unsafe { libc::poll(list.as_mut_ptr(), count, millis) };
    if ready >= 0 {
        return Ok(ready > 0);
    }
    match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
        error => Err(error),
    }
}

/// Replaces the filter that the kernel runs on each frame of a packet socket.
///
/// # Errors
/// As setsockopt(2).
#[cfg(target_os = "linux")]
pub(in crate::collectors) fn attach(
    socket: BorrowedFd<'_>,
    program: &[libc::sock_filter],
) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: program.as_ptr().cast_mut(),
    };
    let length = libc::socklen_t::try_from(size_of::<libc::sock_fprog>())
        .map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the kernel reads a sock_fprog of the length given and the instructions that it points
    // to, all of which outlive the call; it writes nothing.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            length,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// What the system says about the interface that is called `name`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Nature {
    /// Its driver, as `ethtool -i` prints it; empty where that is not known.
    pub(super) driver: String,
    /// Whether what it sends comes back to it.
    pub(super) is_loopback: bool,
}

/// Asks for an interface's nature; what cannot be found out is left out.
#[cfg(target_os = "linux")]
pub(super) fn nature_of(name: &str) -> Nature {
    // SAFETY: takes no pointers.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Nature::default();
    }
    // SAFETY: the descriptor was just made and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    Nature {
        driver: driver(&socket, name).unwrap_or_default(),
        is_loopback: is_loopback(&socket, name),
    }
}

#[cfg(target_os = "linux")]
fn driver(socket: &OwnedFd, name: &str) -> Option<String> {
    /// `struct ethtool_drvinfo`: what is asked, the driver's name, and what else the kernel fills.
    #[repr(C, align(8))]
    struct DriverInfo {
        command: u32,
        driver: [u8; 32],
        _rest: [u8; 160],
    }
    const ETHTOOL_GDRVINFO: u32 = 3;

    let mut info = DriverInfo {
        command: ETHTOOL_GDRVINFO,
        driver: [0; 32],
        _rest: [0; 160],
    };
    let mut request = request(name);
    request.ifr_ifru.ifru_data = (&raw mut info).cast();
    // SAFETY: the kernel writes the 196 bytes of its struct; `info` has 200. Both structs outlive
    // the call.
    let result = unsafe {
        libc::ioctl(
            socket.as_raw_fd(),
            libc::SIOCETHTOOL as libc::Ioctl,
            &raw mut request,
        )
    };
    if result < 0 {
        return None;
    }
    let driver = CStr::from_bytes_until_nul(&info.driver).ok()?;
    Some(driver.to_string_lossy().into_owned())
}

#[cfg(target_os = "linux")]
fn is_loopback(socket: &OwnedFd, name: &str) -> bool {
    let mut request = request(name);
    // SAFETY: the request is a whole ifreq and outlives the call, which fills in the flags.
    let result = unsafe {
        libc::ioctl(
            socket.as_raw_fd(),
            libc::SIOCGIFFLAGS as libc::Ioctl,
            &raw mut request,
        )
    };
    // SAFETY: every bit pattern is a valid number, and the call succeeded if it is looked at.
    let flags = libc::c_int::from(unsafe { request.ifr_ifru.ifru_flags });
    result == 0 && flags & libc::IFF_LOOPBACK != 0
}

#[cfg(target_os = "linux")]
fn request(name: &str) -> libc::ifreq {
    // SAFETY: zeros are a valid ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let room = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes().take(room)) {
        *to = from as libc::c_char;
    }
    request
}

/// Elsewhere nothing is known but the loopback's usual name.
#[cfg(not(target_os = "linux"))]
pub(super) fn nature_of(name: &str) -> Nature {
    Nature {
        driver: String::new(),
        is_loopback: name == "lo" || name == "lo0",
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
