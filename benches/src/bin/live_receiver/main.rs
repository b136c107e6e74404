//! Receives the frames of an interface in one of several ways until its standard input ends, and says
//! how many came and how many were dropped: `live_receiver ring|table|libpcap INTERFACE`. A part of
//! `make bench-live`.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bwmon_core::collector::{Collector, InterfaceEvent, Observer};
use bwmon_core::collectors::af_packet::{AfPacket, AfPacketConfig};
use bwmon_core::flow::FlowKey;
use bwmon_core::frame::{Frame, InterfaceId, PerDirection, Tally};
use bwmon_core::monitor::{Monitor, MonitorConfig};
use bwmon_core::report::ProbeResult;
use bwmon_core::sample::HostSample;
use bwmon_core::time::Timestamp;

/// How often the flow table is moved out, as by an agent with the default interval.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long one call of the packet ring lasts.
const BUDGET: Duration = Duration::from_millis(200);

/// How long libpcap may hold frames back.
const TIMEOUT_MS: i32 = 100;

struct Received {
    frames: u64,
    dropped: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: live_receiver ring|table|libpcap INTERFACE";
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or(usage);
    let (way, interface) = (next()?, next()?);
    let received = match way.as_str() {
        "ring" => ring(interface)?,
        "table" => table(interface)?,
        "libpcap" => libpcap(&interface)?,
        _ => return Err(usage.into()),
    };
    println!("frames {} dropped {}", received.frames, received.dropped);
    Ok(())
}

/// Calls `then` when standard input ends.
fn at_the_end(then: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        // An error is an end too.
        let _length = io::copy(&mut io::stdin(), &mut io::sink());
        then();
    });
}

/// A flag that is up once standard input ended.
fn end() -> Arc<AtomicBool> {
    let end = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&end);
    at_the_end(move || flag.store(true, Ordering::Relaxed));
    end
}

/// The packet ring alone: every frame is decoded and its length added up.
fn ring(interface: String) -> Result<Received, Box<dyn Error>> {
    let mut ring = AfPacket::open(&AfPacketConfig::new(vec![interface]))?;
    let mut count = Count::default();
    let end = end();
    while !end.load(Ordering::Relaxed) {
        ring.collect(BUDGET, &mut count)?;
    }
    Ok(received(&ring, count.0.packets))
}

/// The packet ring, the parser and the flow table, as the agent runs them.
fn table(interface: String) -> Result<Received, Box<dyn Error>> {
    let mut ring = AfPacket::open(&AfPacketConfig::new(vec![interface]))?;
    let mut monitor = Monitor::new(MonitorConfig::default());
    let end = end();
    let mut frames = 0;
    let mut opened = Instant::now();
    loop {
        let is_end = end.load(Ordering::Relaxed);
        if is_end || opened.elapsed() >= INTERVAL {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
            let interval = monitor.rotate(Timestamp::EPOCH.plus(now), opened.elapsed());
            let flows = interval.flows.iter().map(|flow| flow.traffic);
            frames += flows
                .map(|flow| flow.ingress.packets + flow.egress.packets)
                .sum::<u64>();
            opened = Instant::now();
        }
        if is_end {
            return Ok(received(&ring, frames));
        }
        ring.collect(BUDGET, &mut monitor)?;
    }
}

fn received(ring: &AfPacket, frames: u64) -> Received {
    let sources = ring.losses().sources;
    Received {
        frames,
        dropped: sources.iter().map(|source| source.dropped).sum(),
    }
}

/// libpcap with its defaults, through the crate `pcap`; each frame's length is added up.
fn libpcap(interface: &str) -> Result<Received, Box<dyn Error>> {
    let mut capture = pcap::Capture::from_device(interface)?
        .timeout(TIMEOUT_MS)
        .open()?;
    // With nothing to receive libpcap waits for ever, whatever its timeout.
    let stop = capture.breakloop_handle();
    at_the_end(move || stop.breakloop());
    let mut tally = Tally::default();
    loop {
        match capture.next_packet() {
            Ok(packet) => tally.count(packet.header.len),
            Err(pcap::Error::TimeoutExpired) => {}
            Err(pcap::Error::NoMorePackets) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Received {
        frames: tally.packets,
        dropped: u64::from(capture.stats()?.dropped),
    })
}

#[derive(Debug, Default)]
struct Count(Tally);

impl Observer for Count {
    fn frame(&mut self, frame: Frame<'_>) {
        self.0.count(frame.wire_len);
    }

    fn flow(&mut self, _: Timestamp, _: Option<InterfaceId>, _: FlowKey, _: PerDirection<Tally>) {}

    fn interface(&mut self, _: Timestamp, _: InterfaceEvent) {}

    fn sample(&mut self, _: Timestamp, _: HostSample) {}

    fn probe(&mut self, _: Timestamp, _: ProbeResult) {}
}
