//! What tests with real packets share: network namespaces, traffic, and the identity of bytes.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of a module that it includes"
)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc
)]

pub mod matrix;
pub mod sys;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bwmon_core::collector::{Collector, InterfaceEvent, Observer};
use bwmon_core::flow::FlowKey;
use bwmon_core::frame::{Direction, Frame, InterfaceId, LinkType, PerDirection, Tally};
use bwmon_core::monitor::MonitorConfig;
use bwmon_core::report::{
    CaptureStatus, InterfaceFacts, InterfaceInterval, Interval, KernelCounters, ProbeResult,
};
use bwmon_core::sample::{HostSample, InterfaceSample};
use bwmon_core::testkit::namespace::sh;
use bwmon_core::time::Timestamp;
use bwmon_core::{Monitor, collector::Losses};

/// How long a test waits for what must happen before it calls it missing.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A thread in a network namespace of its own.
pub struct Peer {
    thread_id: i32,
    jobs: Sender<Box<dyn FnOnce() + Send>>,
}

impl Peer {
    pub fn new() -> Self {
        let (jobs, inbox) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
        let (ready, is_ready) = mpsc::channel();
        thread::spawn(move || {
            sys::leave_network_namespace();
            sh("ip link set lo up");
            ready.send(sys::thread_id()).unwrap();
            inbox.iter().for_each(|job| job());
        });
        Self {
            thread_id: is_ready.recv().unwrap(),
            jobs,
        }
    }

    /// Runs `job` there and waits for what it returns.
    pub fn run<R: Send + 'static>(&self, job: impl FnOnce() -> R + Send + 'static) -> R {
        let (done, is_done) = mpsc::channel();
        let job = move || drop(done.send(job()));
        self.jobs.send(Box::new(job)).unwrap();
        is_done
            .recv()
            .expect("the job in the peer's namespace failed")
    }

    /// A virtual cable from `here` in this namespace (10.0.0.1, fd00::1) to `there` in the peer's
    /// (10.0.0.2, fd00::2), both ends up.
    pub fn connect(&self, here: &str, there: &str) {
        self.connect_on(0, here, there);
    }

    /// The same in the networks 10.0.`network`.0/24 and fd00:0:0:`network`::/64.
    pub fn connect_on(&self, network: u8, here: &str, there: &str) {
        self.plug(here, there);
        configure_on(network, here, 1);
        let there = there.to_owned();
        self.run(move || configure_on(network, &there, 2));
    }

    /// A virtual cable, both ends up, that carries nothing of its own accord: it has no addresses,
    /// and IPv6 is off.
    pub fn connect_quietly(&self, here: &str, there: &str) {
        const NO_IPV6: &str = "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6";
        sh(NO_IPV6);
        self.run(|| sh(NO_IPV6));
        self.plug(here, there);
        sh(&format!("ip link set {here} up"));
        let up = format!("ip link set {there} up");
        self.run(move || sh(&up));
    }

    fn plug(&self, here: &str, there: &str) {
        sh(&format!("ip link add {here} type veth peer name {there}"));
        sh(&format!("ip link set {there} netns {}", self.thread_id));
    }
}

/// Gives an interface the addresses 10.0.0.`host`/24 and fd00::`host`/64, and sets it up.
pub fn configure(interface: &str, host: u8) {
    configure_on(0, interface, host);
}

fn configure_on(network: u8, interface: &str, host: u8) {
    sh(&format!(
        "ip addr add 10.0.{network}.{host}/24 dev {interface}"
    ));
    sh(&format!(
        "ip -6 addr add fd00:0:0:{network:x}::{host}/64 dev {interface} nodad"
    ));
    sh(&format!("ip link set {interface} up"));
}

/// Exchanges UDP datagrams and a TCP connection's worth of bytes with each of `addresses`, at
/// which `server` runs what answers.
pub fn exchange(addresses: &[IpAddr], server: impl Fn(Box<dyn FnOnce() -> u16 + Send>) -> u16) {
    for &address in addresses {
        let port = server(Box::new(move || echo_udp(address)));
        talk_udp(SocketAddr::new(address, port));
        let port = server(Box::new(move || answer_tcp(address)));
        talk_tcp(SocketAddr::new(address, port));
    }
}

const DATAGRAMS: usize = 100;
const UPLOAD: usize = 300_000;
const DOWNLOAD: usize = 500_000;

fn any(like: IpAddr) -> SocketAddr {
    let any = if like.is_ipv4() { "0.0.0.0" } else { "::" };
    SocketAddr::new(any.parse().unwrap(), 0)
}

fn echo_udp(address: IpAddr) -> u16 {
    let socket = UdpSocket::bind(any(address)).unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut buffer = [0; 2_048];
        for _ in 0..DATAGRAMS {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            socket.send_to(&buffer[..length / 2], from).unwrap();
        }
    });
    port
}

fn talk_udp(to: SocketAddr) {
    let socket = UdpSocket::bind(any(to.ip())).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut buffer = [0; 2_048];
    for index in 0..DATAGRAMS {
        socket.send_to(&vec![7; index * 14], to).unwrap();
        socket.recv_from(&mut buffer).unwrap();
    }
}

fn answer_tcp(address: IpAddr) -> u16 {
    let listener = TcpListener::bind(any(address)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = vec![0; UPLOAD];
        stream.read_exact(&mut bytes).unwrap();
        stream.write_all(&vec![9; DOWNLOAD]).unwrap();
    });
    port
}

fn talk_tcp(to: SocketAddr) {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.write_all(&vec![8; UPLOAD]).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), DOWNLOAD);
}

/// The kernel's counters of an interface.
pub fn counters(interface: &str) -> PerDirection<KernelCounters> {
    let read = |name: &str| -> u64 {
        let path = format!("/sys/class/net/{interface}/statistics/{name}");
        fs::read_to_string(&path).unwrap().trim().parse().unwrap()
    };
    PerDirection {
        ingress: KernelCounters {
            bytes: read("rx_bytes"),
            packets: read("rx_packets"),
            ..Default::default()
        },
        egress: KernelCounters {
            bytes: read("tx_bytes"),
            packets: read("tx_packets"),
            ..Default::default()
        },
    }
}

pub fn index_of(interface: &str) -> InterfaceId {
    let path = format!("/sys/class/net/{interface}/ifindex");
    InterfaceId(fs::read_to_string(path).unwrap().trim().parse().unwrap())
}

pub fn now() -> Timestamp {
    Timestamp::EPOCH.plus(
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap(),
    )
}

fn sample(interfaces: &[&str]) -> HostSample {
    let interfaces = interfaces.iter().map(|name| InterfaceSample {
        facts: InterfaceFacts {
            id: index_of(name),
            name: (*name).to_owned(),
            ..Default::default()
        },
        counters: counters(name),
    });
    HostSample {
        interfaces: interfaces.collect(),
        ..Default::default()
    }
}

/// Collects until the counters of `interfaces` stand still and everything in the ring was taken.
pub fn settle(collector: &mut dyn Collector, into: &mut dyn Observer, interfaces: &[&str]) {
    let start = Instant::now();
    loop {
        let before: Vec<_> = interfaces.iter().map(|name| counters(name)).collect();
        collector.collect(Duration::from_millis(300), into).unwrap();
        let after: Vec<_> = interfaces.iter().map(|name| counters(name)).collect();
        if before == after {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "the counters never stand still");
    }
}

/// The interval in which `traffic` ran, as a [`Monitor`] reports it.
pub fn interval(
    collector: &mut dyn Collector,
    interfaces: &[&str],
    traffic: impl FnOnce(&mut dyn Collector, &mut dyn Observer),
) -> Interval {
    let mut monitor = Monitor::new(MonitorConfig::default());
    let captured = interfaces.iter().map(|name| index_of(name)).collect();
    monitor.set_capture(CaptureStatus::default(), captured);
    settle(collector, &mut monitor, interfaces);
    monitor.sample(now(), sample(interfaces));
    monitor.set_losses(&collector.losses());
    monitor.rotate(now(), Duration::ZERO);
    traffic(collector, &mut monitor);
    settle(collector, &mut monitor, interfaces);
    monitor.sample(now(), sample(interfaces));
    monitor.set_losses(&collector.losses());
    monitor.rotate(now(), Duration::from_secs(1))
}

/// Checks that in both directions the kernel's bytes and packets of `interface` were captured all,
/// and that it were `least` bytes in each.
pub fn assert_closed(interval: &Interval, interface: &str, least: PerDirection<u64>) {
    let found = interface_of(interval, interface);
    let conservation = found.conservation.unwrap();
    let kernel = found.kernel.unwrap();
    for (direction, conservation, kernel, least) in [
        (
            "ingress",
            conservation.ingress,
            kernel.ingress,
            least.ingress,
        ),
        ("egress", conservation.egress, kernel.egress, least.egress),
    ] {
        let captured = conservation.terms.captured();
        assert!(kernel.bytes >= least, "{interface} {direction}: {kernel:?}");
        assert_eq!(
            (captured.bytes, captured.packets),
            (kernel.bytes, kernel.packets),
            "{interface} {direction}: captured and kernel's bytes and packets; {found:#?}"
        );
        assert_eq!(conservation.residual_bytes, Some(0));
    }
}

pub fn interface_of<'a>(interval: &'a Interval, name: &str) -> &'a InterfaceInterval {
    let mut interfaces = interval.interfaces.iter();
    interfaces
        .find(|interface| interface.facts.name == name)
        .unwrap()
}

/// An observer that keeps sums and events.
#[derive(Debug, Default)]
pub struct Recorder {
    pub tallies: BTreeMap<InterfaceId, PerDirection<Tally>>,
    pub events: Vec<InterfaceEvent>,
    pub links: BTreeMap<InterfaceId, LinkType>,
    pub stripped_vlans: Vec<u16>,
    pub directions: Vec<Direction>,
    pub total: Tally,
    pub longest_capture: usize,
}

impl Recorder {
    pub fn packets(&self, interface: InterfaceId) -> u64 {
        let tally = self.tallies.get(&interface).copied().unwrap_or_default();
        tally.ingress.packets + tally.egress.packets
    }
}

impl Observer for Recorder {
    fn frame(&mut self, frame: Frame<'_>) {
        let tally = self.tallies.entry(frame.interface).or_default();
        tally.side(frame.direction).count(frame.wire_len);
        self.total.count(frame.wire_len);
        self.links.insert(frame.interface, frame.link);
        self.stripped_vlans.extend(frame.stripped_vlan);
        if !self.directions.contains(&frame.direction) {
            self.directions.push(frame.direction);
        }
        self.longest_capture = self.longest_capture.max(frame.bytes.len());
    }

    fn flow(&mut self, _: Timestamp, _: Option<InterfaceId>, _: FlowKey, _: PerDirection<Tally>) {}

    fn interface(&mut self, _: Timestamp, event: InterfaceEvent) {
        self.events.push(event);
    }

    fn sample(&mut self, _: Timestamp, _: HostSample) {}

    fn probe(&mut self, _: Timestamp, _: ProbeResult) {}
}

/// Collects until `done` says so.
pub fn collect_until(
    collector: &mut dyn Collector,
    recorder: &mut Recorder,
    what: &str,
    mut done: impl FnMut(&Recorder) -> bool,
) {
    let start = Instant::now();
    while !done(recorder) {
        collector
            .collect(Duration::from_millis(100), recorder)
            .unwrap();
        assert!(
            start.elapsed() < PATIENCE,
            "{what} never came: {recorder:#?}"
        );
    }
}

/// Frames received and dropped, all sources together.
pub fn totals(losses: &Losses) -> (u64, u64) {
    let sources = losses.sources.iter();
    sources.fold((0, 0), |(received, dropped), loss| {
        (received + loss.received, dropped + loss.dropped)
    })
}

/// An Ethernet broadcast frame with an 802.1Q tag (identifier 5), IPv4 and UDP, `length` bytes long.
pub fn tagged_frame(length: usize) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 9, 0x81, 0x00, 0x00, 0x05, 0x08, 0x00]);
    frame.extend(datagram(length - 18));
    frame
}

/// The same with an 802.1ad tag (identifier 9) in front of the other.
pub fn twice_tagged_frame(length: usize) -> Vec<u8> {
    let mut frame = tagged_frame(length - 4);
    frame.splice(12..12, [0x88, 0xa8, 0x00, 0x09]);
    frame
}

/// An IPv4 packet with UDP from 10.0.0.2 to 10.0.0.1, `length` bytes long, its checksum left out.
pub fn datagram(length: usize) -> Vec<u8> {
    let total = u16::try_from(length).unwrap().to_be_bytes();
    let udp = u16::try_from(length - 20).unwrap().to_be_bytes();
    let mut packet = vec![0x45, 0, total[0], total[1], 0, 1, 0, 0, 64, 17, 0, 0];
    packet.extend([10, 0, 0, 2, 10, 0, 0, 1, 0, 9, 0, 9, udp[0], udp[1], 0, 0]);
    packet.resize(length, 0);
    packet
}
