//! The proxy itself: each fault is what its name says.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::{Fault, Proxy};

/// Answers each request of four bytes with `done`, and counts them.
fn server() -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || {
                let mut request = [0; 4];
                while stream.read_exact(&mut request).is_ok() {
                    count.fetch_add(1, Ordering::SeqCst);
                    if stream.write_all(b"done").is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, asked)
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    stream
}

fn ask(stream: &mut TcpStream) -> Result<[u8; 4], ErrorKind> {
    let mut answer = [0; 4];
    stream.write_all(b"ask!").map_err(|error| error.kind())?;
    match stream.read_exact(&mut answer) {
        Ok(()) => Ok(answer),
        Err(error) => Err(error.kind()),
    }
}

#[test]
fn the_proxy_passes_on_what_it_does_not_spoil() {
    let (address, asked) = server();
    let proxy = Proxy::start(address);
    for fault in [
        Fault::None,
        Fault::Delay(Duration::from_millis(5)),
        Fault::Drip(Duration::from_millis(1)),
    ] {
        proxy.always(fault);
        let mut stream = connect(&proxy);
        for _ in 0..2 {
            assert_eq!(ask(&mut stream), Ok(*b"done"), "{fault:?}");
        }
        assert_eq!(proxy.count(fault), 2);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 6);
}

#[test]
fn each_fault_is_what_its_name_says() {
    let (address, asked) = server();
    let proxy = Proxy::start(address);
    for (fault, error, reaches_the_server) in [
        (Fault::Reset, ErrorKind::ConnectionReset, false),
        (Fault::BlackHole, ErrorKind::WouldBlock, false),
        (Fault::DropAnswer, ErrorKind::ConnectionReset, true),
        (Fault::HalfClose, ErrorKind::UnexpectedEof, true),
    ] {
        let before = asked.load(Ordering::SeqCst);
        proxy.always(fault);
        assert_eq!(ask(&mut connect(&proxy)), Err(error), "{fault:?}");
        let reached = asked.load(Ordering::SeqCst) > before;
        assert_eq!(reached, reaches_the_server, "{fault:?}");
        assert_eq!(proxy.count(fault), 1);
    }
    proxy.always(Fault::None);
    assert_eq!(ask(&mut connect(&proxy)), Ok(*b"done"));
}

#[test]
fn a_black_hole_and_a_share_of_lost_answers_end_when_they_are_told_to() {
    let (address, asked) = server();
    let proxy = Proxy::start(address);
    proxy.always(Fault::BlackHole);
    let mut held = connect(&proxy);
    assert_eq!(ask(&mut held), Err(ErrorKind::WouldBlock));
    proxy.drop_answers(30, 7);
    assert!(held.read_exact(&mut [0; 4]).is_err());
    let answered = (0..100)
        .filter(|_| ask(&mut connect(&proxy)).is_ok())
        .count() as u64;
    assert_eq!(asked.load(Ordering::SeqCst), 100);
    assert_eq!(proxy.count(Fault::DropAnswer), 100 - answered);
    assert!((10..=50).contains(&(100 - answered)), "{answered}");
    let (other, asked_there) = server();
    proxy.always(Fault::None);
    proxy.redirect(other);
    assert_eq!(ask(&mut connect(&proxy)), Ok(*b"done"));
    assert_eq!(asked_there.load(Ordering::SeqCst), 1);
}
