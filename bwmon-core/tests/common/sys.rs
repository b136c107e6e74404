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
    // SAFETY: the request is a whole ifreq and outlives the call.
    unsafe {
        let mut request = request(name);
        request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as i16;
        let result = libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request);
        check(result, "TUNSETIFF");
    }
    file
}

/// A request of an ioctl about the interface that is called `name`.
fn request(name: &str) -> libc::ifreq {
    // SAFETY: zeros are a valid request.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request
}

/// What an interface's driver or the stack does in place of the sender or the receiver
/// (`linux/ethtool.h`, the commands that set one of them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Offload {
    TransmitChecksum = 0x17,
    TcpSegmentation = 0x1f,
    GenericSegmentation = 0x24,
    GenericReceive = 0x2c,
}

/// Switches an offload of an interface on or off, as `ethtool -K` does.
pub fn set_offload(interface: &str, offload: Offload, is_on: bool) {
    ethtool(interface, offload as u32, u32::from(is_on));
}

/// Whether the driver adds and takes off VLAN tags instead of the stack; its other flags (receive
/// hashing, large receive) are switched off.
pub fn set_vlan_offload(interface: &str, is_on: bool) {
    const SET_FLAGS: u32 = 0x26;
    const TRANSMIT: u32 = 1 << 7;
    const RECEIVE: u32 = 1 << 8;
    ethtool(
        interface,
        SET_FLAGS,
        if is_on { TRANSMIT | RECEIVE } else { 0 },
    );
}

fn ethtool(interface: &str, command: u32, value: u32) {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut order = [command, value];
    let what = format!("ethtool command {command:#x} at {interface}");
    // SAFETY: zeros are a valid request; it and the order, a `struct ethtool_value`, outlive the call.
    unsafe {
        let mut request = request(interface);
        request.ifr_ifru.ifru_data = (&raw mut order).cast();
        check(
            libc::ioctl(
                socket.as_raw_fd(),
                libc::SIOCETHTOOL as libc::Ioctl,
                &raw mut request,
            ),
            &what,
        );
    }
}
