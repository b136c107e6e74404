//! A TCP proxy that fails on purpose.
//!
//! It stands between an agent and its collector, keeps its address while either of them is restarted,
//! and does to each connection what the plan says at that moment. Connections are counted by what was
//! done to them.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Longest piece that is passed on at once.
const PIECE: usize = 16 * 1024;
/// How often a connection that is held looks whether the plan still says so.
const LOOK: Duration = Duration::from_millis(20);

/// What is done to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Nothing: everything is passed on.
    None,
    /// Each piece is passed on after a while.
    Delay(Duration),
    /// The answer comes a byte at a time.
    Drip(Duration),
    /// Everything is taken and nothing is passed on, for as long as the plan says so; then it is reset.
    BlackHole,
    /// Refused with a reset as soon as it is there.
    Reset,
    /// The request is passed on; then this side says that it sends nothing more, and never answers.
    HalfClose,
    /// The request is passed on and answered, and the answer is thrown away: what was asked for is done,
    /// and the asker does not know.
    DropAnswer,
}

/// What is done to connections, one after the other.
#[derive(Debug, Clone)]
enum Plan {
    Always(Fault),
    /// Some of 100 answers are thrown away, the others passed on.
    SometimesDropAnswer {
        percent: u8,
        random: fastrand::Rng,
    },
}

/// The proxy; ends with this value.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: Mutex<SocketAddr>,
    plan: Mutex<Plan>,
    counts: Mutex<BTreeMap<Fault, u64>>,
}

impl Proxy {
    /// A proxy on an address of its own that passes on to `upstream`.
    pub(crate) fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream),
            plan: Mutex::new(Plan::Always(Fault::None)),
            counts: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(&client));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes on to another address from the next connection on.
    pub(crate) fn redirect(&self, upstream: SocketAddr) {
        *self.shared.upstream.lock().unwrap() = upstream;
    }

    /// Does this to connections from now on, also to those that a black hole holds.
    pub(crate) fn always(&self, fault: Fault) {
        *self.shared.plan.lock().unwrap() = Plan::Always(fault);
    }

    /// Throws away so many of 100 answers.
    pub(crate) fn drop_answers(&self, percent: u8, seed: u64) {
        let random = fastrand::Rng::with_seed(seed);
        *self.shared.plan.lock().unwrap() = Plan::SometimesDropAnswer { percent, random };
    }

    /// How often something was done; an answer that was passed on counts as [`Fault::None`].
    pub(crate) fn count(&self, fault: Fault) -> u64 {
        self.shared
            .counts
            .lock()
            .unwrap()
            .get(&fault)
            .copied()
            .unwrap_or(0)
    }
}

impl Shared {
    /// What is done to the next answer or connection.
    fn next(&self) -> Fault {
        match &mut *self.plan.lock().unwrap() {
            Plan::Always(fault) => *fault,
            Plan::SometimesDropAnswer { percent, random } => {
                if random.u8(0..100) < *percent {
                    Fault::DropAnswer
                } else {
                    Fault::None
                }
            }
        }
    }

    fn done(&self, fault: Fault) {
        *self.counts.lock().unwrap().entry(fault).or_default() += 1;
    }

    fn serve(&self, client: &TcpStream) {
        let first = self.next();
        match first {
            Fault::Reset => {
                self.done(first);
                reset(client);
                return;
            }
            Fault::BlackHole => {
                self.done(first);
                self.swallow(first, client);
                return;
            }
            _ => {}
        }
        let upstream = *self.upstream.lock().unwrap();
        let Ok(server) = TcpStream::connect(upstream) else {
            reset(client);
            return;
        };
        // Small requests and answers must not wait for each other's acknowledgements.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _ended = self.pass_requests(client, &server);
                let _ = server.shutdown(Shutdown::Write);
            });
            let _ended = self.pass_answers(&server, client);
            // Ends the other direction too. The client hears of it when its socket is closed.
            let _ = (
                client.shutdown(Shutdown::Read),
                server.shutdown(Shutdown::Both),
            );
        });
    }

    /// Takes everything until the plan changes, then resets.
    fn swallow(&self, fault: Fault, mut client: &TcpStream) {
        let mut piece = [0; PIECE];
        let _ = client.set_read_timeout(Some(LOOK));
        while matches!(*self.plan.lock().unwrap(), Plan::Always(now) if now == fault) {
            match client.read(&mut piece) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if is_timeout(&error) => {}
                Err(_) => return,
            }
        }
        reset(client);
    }

    fn pass_requests(&self, mut client: &TcpStream, mut server: &TcpStream) -> io::Result<()> {
        let mut piece = [0; PIECE];
        loop {
            let length = client.read(&mut piece)?;
            if length == 0 {
                return Ok(());
            }
            if let Plan::Always(Fault::Delay(wait)) = *self.plan.lock().unwrap() {
                thread::sleep(wait);
            }
            server.write_all(&piece[..length])?;
        }
    }

    /// What is done is settled anew for each answer, because connections are kept.
    fn pass_answers(&self, mut server: &TcpStream, mut client: &TcpStream) -> io::Result<()> {
        let mut piece = [0; PIECE];
        loop {
            let length = server.read(&mut piece)?;
            if length == 0 {
                return Ok(());
            }
            let fault = self.next();
            self.done(fault);
            match fault {
                Fault::None | Fault::Delay(_) => client.write_all(&piece[..length])?,
                Fault::Drip(wait) => {
                    for byte in &piece[..length] {
                        client.write_all(&[*byte])?;
                        thread::sleep(wait);
                    }
                }
                Fault::HalfClose => {
                    client.shutdown(Shutdown::Write)?;
                    self.swallow(fault, client);
                    return Ok(());
                }
                Fault::DropAnswer | Fault::Reset => {
                    reset(client);
                    return Ok(());
                }
                Fault::BlackHole => {
                    self.swallow(fault, client);
                    return Ok(());
                }
            }
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Has the socket end by a reset, not in an orderly way, when it is closed.
fn reset(stream: &TcpStream) {
    let linger = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
    linger.expect("a socket takes the option");
}

mod tests;
