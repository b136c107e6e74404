//! Small captures, written by the tests.

use bwmon_core::testkit::FrameBuilder;

/// When the sample capture starts, in seconds since the Unix epoch: 2023-11-14T22:13:20Z.
pub(crate) const START: u64 = 1_700_000_000;

/// A classic capture of Ethernet frames with microseconds, in this machine's favourite byte order.
#[derive(Debug, Clone)]
pub(crate) struct Capture(Vec<u8>);

impl Capture {
    pub(crate) fn new() -> Self {
        let mut file = Vec::new();
        for number in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1] {
            file.extend(u32::to_le_bytes(number));
        }
        Self(file)
    }

    /// Adds a frame seen `micros` after [`START`] that was `wire_len` bytes long.
    pub(crate) fn frame(mut self, micros: u64, wire_len: u32, bytes: &[u8]) -> Self {
        let seconds = START + micros / 1_000_000;
        let captured = u32::try_from(bytes.len()).unwrap();
        assert!(captured <= wire_len);
        for number in [
            u32::try_from(seconds).unwrap(),
            u32::try_from(micros % 1_000_000).unwrap(),
            captured,
            wire_len,
        ] {
            self.0.extend(number.to_le_bytes());
        }
        self.0.extend(bytes);
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn tcp(source: &str, destination: &str) -> Vec<u8> {
    FrameBuilder::tcp(end(source), end(destination)).build()
}

pub(crate) fn udp(source: &str, destination: &str) -> Vec<u8> {
    FrameBuilder::udp(end(source), end(destination)).build()
}

fn end(text: &str) -> std::net::SocketAddr {
    text.parse().unwrap()
}

/// Offsets in an Ethernet frame over IPv4.
const FRAGMENT: usize = 14 + 6;
const PROTOCOL: usize = 14 + 9;

/// The same frame as one fragment of several: the first, or a later one, which has no ports.
pub(crate) fn fragment(mut frame: Vec<u8>, is_first: bool) -> Vec<u8> {
    let more_or_offset: u16 = if is_first { 0x2000 } else { 185 };
    frame[FRAGMENT..FRAGMENT + 2].copy_from_slice(&more_or_offset.to_be_bytes());
    frame
}

/// An ICMP message.
pub(crate) fn icmp(source: &str, destination: &str) -> Vec<u8> {
    let mut frame = udp(&format!("{source}:0"), &format!("{destination}:0"));
    frame[PROTOCOL] = 1;
    frame
}

/// An Ethernet frame without IP.
pub(crate) fn arp() -> Vec<u8> {
    let mut frame = vec![0xff; 12];
    frame.extend([0x08, 0x06]);
    frame.extend([0; 28]);
    frame
}

/// Every class of frame, over four seconds: 13,592 bytes in 10 frames.
pub(crate) fn sample() -> Capture {
    let dns = FrameBuilder::udp(end("10.0.0.2:5353"), end("10.0.0.1:53")).vlan(7);
    let cut = &tcp("10.0.0.9:1", "10.0.0.8:2")[..20];
    let pieces = udp("10.0.0.3:1000", "10.0.0.4:2000");
    Capture::new()
        .frame(100_000, 1_500, &tcp("10.0.0.1:50000", "192.0.2.10:443"))
        .frame(200_000, 9_000, &tcp("192.0.2.10:443", "10.0.0.1:50000"))
        .frame(1_100_000, 500, &tcp("10.0.0.1:50000", "192.0.2.10:443"))
        .frame(1_200_000, 100, &dns.build())
        .frame(
            2_500_000,
            200,
            &udp("[2001:db8::1]:4000", "[2001:db8::2]:53"),
        )
        .frame(2_600_000, 98, &icmp("10.0.0.1", "192.0.2.10"))
        .frame(3_000_000, 1_514, &fragment(pieces.clone(), true))
        .frame(3_000_100, 600, &fragment(pieces, false))
        .frame(3_500_000, 60, &arp())
        .frame(3_900_000, 20, cut)
}
