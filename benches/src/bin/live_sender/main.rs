//! Sends 60-byte frames of many flows through an interface at a steady rate, and says how many went:
//! `live_sender INTERFACE PACKETS_PER_SECOND SECONDS FLOWS`. A part of `make bench-live`.
//!
//! The frames are UDP over IPv4, the flows take turns. They are addressed to a station that is not
//! there, as on a mirror port, so that the receiver's network stack spends next to nothing on them.

mod socket;

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use etherparse::PacketBuilder;
use socket::PacketSocket;

/// Frames are sent in bursts of what is due at each tick.
const TICK: Duration = Duration::from_millis(1);

const PAYLOAD: [u8; 18] = [0; 18];
const SENDER: [u8; 6] = [2, 0, 0, 0, 0, 1];
const ABSENT: [u8; 6] = [2, 0, 0, 0, 0, 99];

struct Order {
    interface: String,
    packets_per_second: u64,
    seconds: u64,
    flows: u16,
}

fn main() -> Result<(), Box<dyn Error>> {
    let order = order(std::env::args().skip(1))?;
    let frames = (0..order.flows).map(frame).collect::<Result<Vec<_>, _>>()?;
    let mut socket = PacketSocket::open(&order.interface, frames)?;
    let total = order.packets_per_second * order.seconds;
    let start = Instant::now();
    let mut sent = 0;
    while sent < total {
        let elapsed = u64::try_from(start.elapsed().as_nanos())?;
        let due = order.packets_per_second.saturating_mul(elapsed) / 1_000_000_000;
        let due = due.min(total);
        while sent < due {
            sent += socket.send(due - sent)?;
        }
        thread::sleep(TICK);
    }
    println!("sent {sent} in {:.3} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn order(mut arguments: impl Iterator<Item = String>) -> Result<Order, Box<dyn Error>> {
    let usage = "usage: live_sender INTERFACE PACKETS_PER_SECOND SECONDS FLOWS";
    let mut next = || arguments.next().ok_or(usage);
    Ok(Order {
        interface: next()?,
        packets_per_second: next()?.parse()?,
        seconds: next()?.parse()?,
        flows: next()?.parse()?,
    })
}

/// The frame of the flow of a number: an address and a port of its own each.
fn frame(flow: u16) -> Result<Vec<u8>, Box<dyn Error>> {
    let [high, low] = flow.to_be_bytes();
    let builder = PacketBuilder::ethernet2(SENDER, ABSENT)
        .ipv4([10, 1, high, low], [10, 2, 0, 1], 64)
        .udp(flow.wrapping_add(10_000), 9);
    let mut frame = Vec::with_capacity(builder.size(PAYLOAD.len()));
    builder.write(&mut frame, &PAYLOAD)?;
    Ok(frame)
}
