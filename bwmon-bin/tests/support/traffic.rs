//! Known traffic between this host and its peer.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::lab::{move_there, there};

/// Ports that the peer listens on.
pub(crate) const TCP_PORT: u16 = 7001;
/// Port for datagrams.
pub(crate) const UDP_PORT: u16 = 7002;

/// Bytes of Ethernet, IP and UDP headers in one datagram's frame.
pub(crate) fn udp_headers(peer: IpAddr) -> u64 {
    14 + if peer.is_ipv4() { 20 } else { 40 } + 8
}

/// The peer: takes TCP connections and answers each with twice what it got; takes datagrams.
#[derive(Debug)]
pub(crate) struct Peer {
    threads: Vec<JoinHandle<()>>,
}

impl Peer {
    /// Starts listening on both addresses; returns once connections are taken.
    pub(crate) fn start(connections: usize) -> Self {
        let mut threads = Vec::new();
        for address in there() {
            let (ready, is_ready) = mpsc::channel();
            threads.push(std::thread::spawn(move || {
                serve(address, connections, &ready);
            }));
            is_ready.recv().expect("the peer listens");
        }
        Self { threads }
    }

    /// Waits until every connection is answered.
    pub(crate) fn join(self) {
        for thread in self.threads {
            thread.join().expect("the peer ended well");
        }
    }
}

fn serve(address: IpAddr, connections: usize, ready: &mpsc::Sender<()>) {
    move_there();
    let listener = TcpListener::bind(SocketAddr::new(address, TCP_PORT)).expect("listen");
    let _datagrams = UdpSocket::bind(SocketAddr::new(address, UDP_PORT)).expect("bind");
    ready.send(()).expect("the test waits");
    for _ in 0..connections {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = Vec::new();
        stream.read_to_end(&mut request).expect("the request");
        stream
            .write_all(&vec![7; request.len() * 2])
            .expect("the answer");
    }
}

/// Sends `payload` bytes over TCP and reads the answer, which is twice as long.
pub(crate) fn tcp_exchange(peer: IpAddr, payload: usize) {
    let mut stream = TcpStream::connect((peer, TCP_PORT)).expect("connect");
    stream.write_all(&vec![1; payload]).expect("send");
    stream
        .shutdown(std::net::Shutdown::Write)
        .expect("half-close");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the answer");
    assert_eq!(answer.len(), payload * 2);
}

/// Sends `count` datagrams of `payload` bytes.
pub(crate) fn udp_send(peer: IpAddr, count: usize, payload: usize) {
    let any: IpAddr = if peer.is_ipv4() {
        [0; 4].into()
    } else {
        [0u16; 8].into()
    };
    let socket = UdpSocket::bind((any, 0)).expect("bind");
    for _ in 0..count {
        let sent = socket
            .send_to(&vec![2; payload], (peer, UDP_PORT))
            .expect("send");
        assert_eq!(sent, payload);
    }
}
