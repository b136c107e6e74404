//! `naive FILE`: the largest 20 conversations of a capture as JSON, as one would write it in an
//! afternoon. The peer that `make bench-peers` holds `bwmon-agent flows` against.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Write};

use bwmon_benches::naive::{Counters, Flows, Key};
use bwmon_benches::pcap::Reader;
use serde_json::{Value, json};

/// As large as the buffer that bwmon reads with.
const BUFFER_BYTES: usize = 256 * 1024;
const TOP: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: naive FILE")?;
    let mut reader = Reader::new(BufReader::with_capacity(BUFFER_BYTES, File::open(path)?))?;
    let mut flows = Flows::default();
    while let Some(record) = reader.packet()? {
        flows.frame(record.bytes, record.wire_len);
    }
    let largest: Vec<Value> = flows.largest(TOP).iter().map(row).collect();
    let document = json!({
        "totals": {
            "frames": flows.frames,
            "bytes": flows.bytes,
            "other_bytes": flows.other_bytes,
            "flows": flows.len(),
        },
        "flows": largest,
    });
    writeln!(io::stdout(), "{document}")?;
    Ok(())
}

fn row((key, counters): &(Key, Counters)) -> Value {
    let (protocol, (a, a_port), (b, b_port)) = key;
    json!({
        "protocol": protocol,
        "a": a,
        "a_port": a_port,
        "b": b,
        "b_port": b_port,
        "packets_ab": counters.packets_ab,
        "bytes_ab": counters.bytes_ab,
        "packets_ba": counters.packets_ba,
        "bytes_ba": counters.bytes_ba,
    })
}
