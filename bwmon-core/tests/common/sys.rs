//! System calls that the standard library lacks.
#![allow(unsafe_code)]
#![allow(clippy::cast_possible_truncation)]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

fn check(result: libc::c_int, what: &str) -> libc::c_int {
    assert!(result >= 0, "{what}: {}", io::Error::last_os_error());
    result
}

/// Moves the calling thread into a fresh network namespace.
pub fn leave_network_namespace() {
    // SAFETY: takes no pointers.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET) }, "unshare");
}

pub fn thread_id() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// Sends `frames` as they are through an interface, or as many of them as there is room for.
pub fn send_raw(interface: &str, frames: &[Vec<u8>]) -> usize {
    let name = std::ffi::CString::new(interface).unwrap();
    // SAFETY: takes no pointers; the descriptor is new.
    let socket = unsafe {
        OwnedFd::from_raw_fd(check(
            libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0),
            "socket",
        ))
    };
    // SAFETY: zeros are a valid address; the name is terminated.
    let address = unsafe {
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = libc::if_nametoindex(name.as_ptr()) as i32;
        address.sll_halen = 6;
        address
    };
    let is_sent = |frame: &&Vec<u8>| {
        // SAFETY: the frame and the address have the lengths given.
        let sent = unsafe {
            libc::sendto(
                socket.as_raw_fd(),
                frame.as_ptr().cast(),
                frame.len(),
                0,
                (&raw const address).cast(),
                size_of::<libc::sockaddr_ll>() as libc::socklen_t,
            )
        };
        sent >= 0
    };
    frames.iter().filter(is_sent).count()
}

/// Makes a tun interface without packet information; what is written to the file comes in.
pub fn open_tun(name: &str) -> File {
    let file = File::options()
        .read(true)
        .write(true)
        .open("/dev/net/tun")
        .unwrap();
    // SAFETY: zeros are a valid request, which outlives the call.
    unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as i16;
        let result = libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request);
        check(result, "TUNSETIFF");
    }
    file
}
