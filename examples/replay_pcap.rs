//! The ten pairs of addresses with the most bytes in a capture file.
//! `cargo run -p bwmon-examples --example replay_pcap -- FILE`

use bwmon_core::collectors::capture_file::CaptureFile;
use bwmon_core::flow::{Limits, View};
use bwmon_core::monitor::{Account, AccountConfig, Detail};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("which capture file?")?;
    let limits = Limits::bytes(512 << 20);
    let mut account = Account::new(AccountConfig::new(limits, Detail::Ports));
    let mut capture = CaptureFile::open(std::fs::File::open(path)?)?;
    while capture.next_frames(&mut account)? > 0 {}
    for pair in account.rotate().flows.by(View::Pair, |_| true).top(10) {
        let (a, b) = (pair.key.local.address, pair.key.remote.address);
        println!("{a} {b} {} bytes", pair.counters.traffic.total_bytes());
    }
    Ok(())
}
