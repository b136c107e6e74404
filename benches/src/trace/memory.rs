use bwmon_core::frame::{Direction, Frame, InterfaceId, LinkType};
use bwmon_core::time::Timestamp;

use super::{Generator, Kind, Totals};

/// The interface on which every frame of a trace is seen.
pub const INTERFACE: InterfaceId = InterfaceId(2);

/// Packets of a trace where time is measured, and where each benchmark only runs once.
const MEASURED: usize = 1_000_000;
const TRIED: usize = 10_000;

/// The first packets of a trace in memory, one behind the other.
#[derive(Debug)]
pub struct Trace {
    bytes: Vec<u8>,
    frames: Vec<Place>,
    totals: Totals,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    end: usize,
    at: Timestamp,
    direction: Direction,
    wire_len: u32,
}

impl Trace {
    /// The first `frames` packets of the trace of this kind.
    pub fn new(kind: Kind, frames: usize) -> Self {
        let mut generator = Generator::new(kind);
        let mut trace = Self {
            bytes: Vec::new(),
            frames: Vec::with_capacity(frames),
            totals: Totals::default(),
        };
        for _ in 0..frames {
            let packet = generator.packet();
            trace.totals.add(&packet);
            trace.bytes.extend_from_slice(packet.bytes);
            trace.frames.push(Place {
                end: trace.bytes.len(),
                at: Timestamp::from_micros(packet.at_us),
                direction: packet.direction,
                wire_len: packet.wire_len,
            });
        }
        trace
    }

    /// A million packets under `cargo bench`; 10,000 under `cargo test`, where each benchmark only
    /// shows that it runs.
    pub fn for_bench(kind: Kind) -> Self {
        let is_measured = std::env::args().any(|argument| argument == "--bench");
        Self::new(kind, if is_measured { MEASURED } else { TRIED })
    }

    /// What it amounts to.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The frames in order.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        let mut start = 0;
        self.frames.iter().map(move |place| {
            let bytes = self.bytes.get(start..place.end).unwrap_or_default();
            start = place.end;
            Frame {
                at: place.at,
                interface: INTERFACE,
                direction: place.direction,
                link: LinkType::Ethernet,
                stripped_vlan: None,
                wire_len: place.wire_len,
                bytes,
            }
        })
    }
}
