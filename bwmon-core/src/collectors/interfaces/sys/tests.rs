//! What these calls say on loopback and on descriptors that need no privilege. Drivers and filters on real
//! interfaces are in `tests/af_packet.rs`.

use std::fs::File;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::thread::JoinHandleExt;
use std::process::Command;
use std::thread;

use super::*;

const UNKNOWN: [&str; 4] = [
    "",
    "no-such-if",
    "lo\0",
    "a-name-beyond-the-fifteen-bytes-of-ifreq",
];

#[test]
fn loopback_has_a_number_a_name_and_a_place_in_the_list() {
    let id = index_of("lo").unwrap();
    assert_eq!(name_of(id).as_deref(), Some("lo"));
    assert!(list().contains(&(id, "lo".to_owned())));
    for (id, name) in list() {
        assert_eq!(index_of(&name), Some(id));
    }
}

#[test]
fn what_no_interface_has_is_not_found() {
    for name in UNKNOWN {
        assert_eq!(index_of(name), None, "{name:?}");
    }
    for number in [0, u32::MAX] {
        assert_eq!(name_of(InterfaceId(number)), None, "{number}");
    }
}

#[test]
fn loopback_is_known_as_such_and_of_an_unknown_interface_nothing_is() {
    assert!(nature_of("lo").is_loopback);
    for name in UNKNOWN.into_iter().filter(|name| !name.contains('\0')) {
        assert_eq!(nature_of(name), Nature::default(), "{name:?}");
    }
    // A name ends at the first zero, and 15 bytes are copied at most, so that one always follows.
    let long = request(&"x".repeat(300)).ifr_name;
    assert_eq!(long.iter().filter(|byte| **byte != 0).count(), 15);
    assert_eq!(long.last(), Some(&0));
}

#[test]
fn a_wait_ends_with_what_is_readable_or_hung_up_and_else_with_time() {
    let (idle, _far) = UnixStream::pair().unwrap();
    let (readable, writer) = UnixStream::pair().unwrap();
    let wait = |list: &[BorrowedFd<'_>]| wait_readable(list, Duration::ZERO).unwrap();
    assert!(!wait(&[]));
    assert!(!wait(&[idle.as_fd(), readable.as_fd()]));
    io::Write::write_all(&mut &writer, b"x").unwrap();
    assert!(wait(&[idle.as_fd(), readable.as_fd()]));
    assert!(wait(&[readable.as_fd()]));
    assert!(!wait(&[idle.as_fd()]));

    let (hung_up, far) = UnixStream::pair().unwrap();
    drop(far);
    assert!(wait(&[hung_up.as_fd()]));
    // One nanosecond is a millisecond and ends; the longest of all does not matter here.
    assert!(!wait_readable(&[idle.as_fd()], Duration::from_nanos(1)).unwrap());
    assert!(wait_readable(&[readable.as_fd()], Duration::MAX).unwrap());
}

/// Only a signal can end this wait.
#[test]
fn a_signal_ends_a_wait_as_time_does() {
    extern "C" fn nothing(_: libc::c_int) {}
    let handler: extern "C" fn(libc::c_int) = nothing;
    // SAFETY: the handler does nothing, which is allowed at any time; nobody else uses this signal.
    let before = unsafe { libc::signal(libc::SIGUSR2, handler as libc::sighandler_t) };
    assert_ne!(before, libc::SIG_ERR);
    let waiting = thread::spawn(|| {
        let (idle, _far) = UnixStream::pair().unwrap();
        wait_readable(&[idle.as_fd()], Duration::MAX)
    });
    // The first may come before the wait has begun.
    while !waiting.is_finished() {
        // SAFETY: the thread is joined below, and so its identifier is valid.
        unsafe { libc::pthread_kill(waiting.as_pthread_t(), libc::SIGUSR2) };
        thread::sleep(Duration::from_millis(1));
    }
    let is_woken = waiting.join().unwrap();
    assert!(!is_woken.unwrap());
}

/// `BPF_RET | BPF_K`.
const RETURN: u16 = 0x06;

fn instruction(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code,
        jt: 0,
        jf: 0,
        k,
    }
}

fn take(bytes: u32) -> libc::sock_filter {
    instruction(RETURN, bytes)
}

#[test]
fn a_filter_is_in_force_until_the_next_one_takes_its_place() {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let send = |what: &[u8]| {
        sender
            .send_to(what, receiver.local_addr().unwrap())
            .unwrap();
    };
    attach(receiver.as_fd(), &[take(0)]).unwrap();
    send(b"dropped");
    attach(receiver.as_fd(), &[take(u32::MAX)]).unwrap();
    send(b"passed");
    let mut buffer = [0; 16];
    let count = receiver.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"passed");
}

#[test]
fn a_filter_that_the_kernel_does_not_take_is_an_error() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let code = |program: &[_]| attach(socket.as_fd(), program).unwrap_err().raw_os_error();
    assert_eq!(code(&[]), Some(libc::EINVAL));
    assert_eq!(code(&[instruction(0xffff, 0)]), Some(libc::EINVAL));
    let beyond = vec![take(0); usize::from(u16::MAX) + 1];
    let error = attach(socket.as_fd(), &beyond).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(error.raw_os_error(), None, "it was not cut to what fits");
    let (pipe, _writer) = io::pipe().unwrap();
    let error = attach(pipe.as_fd(), &[take(0)]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOTSOCK));
}

/// In a process of its own, since others need descriptors too.
#[test]
fn without_descriptors_nothing_is_known_and_a_wait_for_too_many_is_an_error() {
    const CHILD: &str = "BWMON_TEST_WITHOUT_DESCRIPTORS";
    if std::env::var_os(CHILD).is_none() {
        let name = thread::current().name().unwrap().to_owned();
        let child = Command::new("sh")
            .args(["-c", "ulimit -n 64 && exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg(name)
            .env(CHILD, "1")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && told.contains("1 passed"),
            "{told}"
        );
        return;
    }
    let id = index_of("lo").unwrap();
    assert!(nature_of("lo").is_loopback);
    let mut all = Vec::new();
    let refused = loop {
        match File::open("/dev/null") {
            Ok(file) => all.push(file),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.raw_os_error(), Some(libc::EMFILE));
    assert_eq!((index_of("lo"), name_of(id)), (None, None));
    assert_eq!((list(), nature_of("lo")), (Vec::new(), Nature::default()));
    let many = vec![all[0].as_fd(); 65];
    let error = wait_readable(&many, Duration::ZERO).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    all.clear();
    assert!(nature_of("lo").is_loopback);
}
