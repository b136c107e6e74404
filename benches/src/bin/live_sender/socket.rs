//! A packet socket that sends prepared frames, many in one system call (sendmmsg(2)).
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Frames that are sent, over and over, in their order.
pub(crate) struct PacketSocket {
    socket: OwnedFd,
    messages: Vec<libc::mmsghdr>,
    next: usize,
    /// What `messages` point to.
    _places: Vec<libc::iovec>,
    _frames: Vec<Vec<u8>>,
}

impl PacketSocket {
    /// Opens a socket that sends `frames` through the interface that is called `name`.
    ///
    /// # Errors
    /// As socket(2) and bind(2), and for a name that no interface has.
    pub(crate) fn open(name: &str, mut frames: Vec<Vec<u8>>) -> io::Result<Self> {
        let name = CString::new(name)?;
        // SAFETY: the name is a terminated string that outlives the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        if index == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: takes no pointers.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0) };
        check(socket)?;
        // SAFETY: the descriptor was just made and nobody else has it.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        bind(&socket, index)?;
        let mut places: Vec<libc::iovec> = frames
            .iter_mut()
            .map(|frame| libc::iovec {
                iov_base: frame.as_mut_ptr().cast(),
                iov_len: frame.len(),
            })
            .collect();
        let messages = places.iter_mut().map(message).collect();
        Ok(Self {
            socket,
            messages,
            next: 0,
            _places: places,
            _frames: frames,
        })
    }

    /// Sends `count` frames, or as many of them as one call takes; how many went.
    ///
    /// # Errors
    /// As sendmmsg(2).
    pub(crate) fn send(&mut self, count: u64) -> io::Result<u64> {
        let most = usize::try_from(count).unwrap_or(usize::MAX);
        let rest = self.messages.get_mut(self.next..).unwrap_or_default();
        let batch = rest.len().min(most);
        // SAFETY: `rest` has `batch` messages at least, whose places and frames live in `self` and
        // are not moved: the vectors are never changed.
        let sent = unsafe {
            libc::sendmmsg(
                self.socket.as_raw_fd(),
                rest.as_mut_ptr(),
                libc::c_uint::try_from(batch).unwrap_or(libc::c_uint::MAX),
                0,
            )
        };
        check(sent)?;
        let sent = usize::try_from(sent).unwrap_or(0);
        self.next = (self.next + sent) % self.messages.len();
        Ok(sent as u64)
    }
}

fn bind(socket: &OwnedFd, index: u32) -> io::Result<()> {
    // SAFETY: zeros are a valid sockaddr_ll.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or_default();
    address.sll_ifindex = index.cast_signed();
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).unwrap_or(0);
    // SAFETY: the address is a whole sockaddr_ll of the length given and outlives the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) })
}

fn message(place: &mut libc::iovec) -> libc::mmsghdr {
    // SAFETY: zeros are a valid message without address and data.
    let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
    message.msg_hdr.msg_iov = place;
    message.msg_hdr.msg_iovlen = 1;
    message
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
