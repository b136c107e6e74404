//! Generated traces, the same for the same kind and seed; a shorter one is the beginning of a longer.
//!
//! | | **mixed** | **worst** | **hostile** |
//! |---|---|---|---|
//! | bytes on the wire | 64, 594, 1518 at 7:4:1 | 64 | any |
//! | flows | 101,300 by Zipf's law, exponent 1.1 (about 98,000 of them in 5 M packets) | 1 M, uniform | a new one for each packet |
//! | network | IPv4 80 %, IPv6 18 %, ARP and LLDP 2 % | IPv4 | headers that are cut, stacked, overwritten or random; fragments |
//! | transport | TCP 80 %, UDP 17 %, ICMP 3 % | TCP 80 %, UDP 20 % | any |
//! | 802.1Q | 5 % | none | stacks |
//!
//! A flow keeps its family, protocol, endpoints and tag; half of its packets go each way. Packets are
//! captured up to [`SNAP_LEN`] bytes and are [`STEP_US`] apart, so that 5 M packets last 5 s: under
//! every timeout after which a flow exporter would close a flow. Checksums are right. A packet whose
//! headers need more than its length (IPv6 with TCP in 64 bytes) is as long as its headers; ARP and
//! LLDP are 64 bytes.

mod flow;
mod hostile;
mod memory;
mod mixture;
mod totals;
mod wire;

use std::str::FromStr;

use bwmon_core::frame::Direction;
use fastrand::Rng;

pub use memory::{INTERFACE, Trace};
pub use totals::Totals;

use flow::{Flow, Transport};
use mixture::Mixture;

/// Most bytes that are captured of a packet.
pub const SNAP_LEN: usize = 128;
/// Microseconds from one packet to the next.
pub const STEP_US: u64 = 1;
/// When the first packet was seen, in microseconds since the Unix epoch.
pub const START_US: u64 = 1_795_000_000_000_000;

const SEED: u64 = 20_261_101;
const WORST_FLOWS: u32 = 1_000_000;
const NON_IP_PERCENT: f64 = 2.0;
const WORST_UDP_PERCENT: u32 = 20;

/// Which traffic; the [module's documentation](self) says what each is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sizes, protocols and skew of an uplink.
    Mixed,
    /// As little locality and as many packets per byte as there can be.
    Worst,
    /// What a sender who means harm would send.
    Hostile,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Mixed, Self::Worst, Self::Hostile];

    /// Its name on the command line and in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Worst => "worst",
            Self::Hostile => "hostile",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| format!("no trace is called {name:?}; there are mixed, worst, hostile"))
    }
}

/// What the generator knows about a packet without parsing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// A packet of the flow with this number, counted from 0.
    Flow {
        /// The number.
        flow: u32,
        /// Whether it is IPv6 and not IPv4.
        is_ipv6: bool,
        /// Whether it is TCP.
        is_tcp: bool,
    },
    /// ARP or LLDP.
    NonIp,
    /// Anything: what it is, the parser under test decides.
    Hostile,
}

/// One packet, borrowed from its generator.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// When it was seen, in microseconds since the Unix epoch.
    pub at_us: u64,
    /// Which way it went.
    pub direction: Direction,
    /// Bytes on the wire.
    pub wire_len: u32,
    /// What was captured of it, from the Ethernet header on.
    pub bytes: &'a [u8],
    /// What it is.
    pub truth: Truth,
}

/// Makes the packets of a trace one after the other, without end and in constant memory.
#[derive(Debug)]
pub struct Generator {
    rng: Rng,
    source: Source,
    number: u64,
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum Source {
    Mixed(Mixture),
    Worst,
    Hostile,
}

impl Generator {
    /// The generator of the trace that measurements use.
    pub fn new(kind: Kind) -> Self {
        Self::with_seed(kind, SEED)
    }

    /// A generator of another trace of the same kind.
    pub fn with_seed(kind: Kind, seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            source: match kind {
                Kind::Mixed => Source::Mixed(Mixture::new()),
                Kind::Worst => Source::Worst,
                Kind::Hostile => Source::Hostile,
            },
            number: 0,
            bytes: Vec::with_capacity(2 * SNAP_LEN),
        }
    }

    /// The next packet.
    pub fn packet(&mut self) -> Packet<'_> {
        self.bytes.clear();
        let direction = if self.rng.bool() {
            Direction::Ingress
        } else {
            Direction::Egress
        };
        let at_us = START_US + self.number * STEP_US;
        let (wire_len, truth) = match &self.source {
            Source::Mixed(mixture) => mixed(&mut self.bytes, mixture, direction, &mut self.rng),
            Source::Worst => worst(&mut self.bytes, direction, &mut self.rng),
            Source::Hostile => (
                hostile::write(&mut self.bytes, self.number, &mut self.rng),
                Truth::Hostile,
            ),
        };
        self.bytes.truncate(SNAP_LEN);
        self.number += 1;
        Packet {
            at_us,
            direction,
            wire_len,
            bytes: &self.bytes,
            truth,
        }
    }
}

fn mixed(
    out: &mut Vec<u8>,
    mixture: &Mixture,
    direction: Direction,
    rng: &mut Rng,
) -> (u32, Truth) {
    if rng.f64() * 100.0 < NON_IP_PERCENT {
        return (wire::non_ip(out, rng), Truth::NonIp);
    }
    let (number, flow) = mixture.draw(rng);
    let wire_len = match rng.u8(0..12) {
        0..7 => 64,
        7..11 => 594,
        _ => 1518,
    };
    let wire_len = wire::flow_packet(out, &flow, direction, wire_len, rng);
    (wire_len, truth(number, &flow))
}

fn worst(out: &mut Vec<u8>, direction: Direction, rng: &mut Rng) -> (u32, Truth) {
    let number = rng.u32(0..WORST_FLOWS);
    let transport = if number % 100 < WORST_UDP_PERCENT {
        Transport::Udp
    } else {
        Transport::Tcp
    };
    let flow = Flow::numbered(number, false, transport, false);
    let wire_len = wire::flow_packet(out, &flow, direction, 64, rng);
    (wire_len, truth(number, &flow))
}

fn truth(flow: u32, shape: &Flow) -> Truth {
    Truth::Flow {
        flow,
        is_ipv6: shape.is_ipv6(),
        is_tcp: shape.transport == Transport::Tcp,
    }
}

#[cfg(test)]
mod tests;
