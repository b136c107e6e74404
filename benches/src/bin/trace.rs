//! `trace mixed|worst|hostile PACKETS FILE`: writes a generated trace as a pcap file, and on standard
//! output what it amounts to.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use bwmon_benches::pcap::Writer;
use bwmon_benches::trace::{Generator, Kind, SNAP_LEN, Totals};

const BUFFER_BYTES: usize = 1024 * 1024;
const USAGE: &str = "usage: trace mixed|worst|hostile PACKETS FILE";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(kind), Some(packets), Some(path), None) = (
        arguments.next(),
        arguments.next(),
        arguments.next(),
        arguments.next(),
    ) else {
        return Err(USAGE.into());
    };
    let mut generator = Generator::new(kind.parse::<Kind>()?);
    let packets: u64 = packets
        .parse()
        .map_err(|error| format!("PACKETS is {packets:?}: {error}\n{USAGE}"))?;

    let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
    let mut writer = Writer::new(file, u32::try_from(SNAP_LEN)?)?;
    let mut totals = Totals::default();
    for _ in 0..packets {
        let packet = generator.packet();
        totals.add(&packet);
        writer.packet(packet.at_us, packet.wire_len, packet.bytes)?;
    }
    writer.finish()?;
    write!(io::stdout(), "{totals}")?;
    Ok(())
}
