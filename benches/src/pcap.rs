//! Capture files of the one form that the generated traces have: pcap, little-endian, microseconds,
//! Ethernet. Read as one would in an afternoon: a buffered reader, one packet after the other.

use std::io::{self, Read, Write};

const MAGIC: u32 = 0xa1b2_c3d4;
const ETHERNET: u32 = 1;
/// Most captured bytes of a packet that a reader accepts.
const LONGEST: u32 = 262_144;

/// Writes a capture file.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
}

impl<W: Write> Writer<W> {
    /// Starts a file whose packets were captured up to `snap_len` bytes.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W, snap_len: u32) -> io::Result<Self> {
        out.write_all(&MAGIC.to_le_bytes())?;
        // Version 2.4.
        out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        out.write_all(&snap_len.to_le_bytes())?;
        out.write_all(&ETHERNET.to_le_bytes())?;
        Ok(Self { out })
    }

    /// Adds a packet, seen at `at_us` microseconds since the Unix epoch.
    ///
    /// # Errors
    /// Those of `out`; and where the time or the length does not fit into 32 bits.
    pub fn packet(&mut self, at_us: u64, wire_len: u32, bytes: &[u8]) -> io::Result<()> {
        let seconds = u32::try_from(at_us / 1_000_000).map_err(io::Error::other)?;
        let micros = u32::try_from(at_us % 1_000_000).map_err(io::Error::other)?;
        let captured = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        for field in [seconds, micros, captured, wire_len] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        self.out.write_all(bytes)
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads a capture file.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    bytes: Vec<u8>,
}

/// A packet of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was seen, in microseconds since the Unix epoch.
    pub at_us: u64,
    /// Bytes on the wire.
    pub wire_len: u32,
    /// What was captured of it.
    pub bytes: &'a [u8],
}

impl<R: Read> Reader<R> {
    /// Reads the file's header.
    ///
    /// # Errors
    /// Those of `input`, and any other form than the one that the [`Writer`] writes.
    pub fn new(mut input: R) -> io::Result<Self> {
        let mut header = [0; 24];
        input.read_exact(&mut header)?;
        let [magic, _version, _, _, _snap_len, link] = words(&header);
        if (magic, link) != (MAGIC, ETHERNET) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "not a pcap file of Ethernet frames, little-endian with microseconds",
            ));
        }
        Ok(Self {
            input,
            bytes: Vec::new(),
        })
    }

    /// The next packet; `None` at the end.
    ///
    /// # Errors
    /// Those of the input, a packet that is cut, and one of more than 256 KiB.
    pub fn packet(&mut self) -> io::Result<Option<Record<'_>>> {
        let mut header = [0; 16];
        match self.input.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let [seconds, micros, captured, wire_len] = words(&header);
        if captured > LONGEST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a packet claims {captured} captured bytes"),
            ));
        }
        self.bytes.resize(captured as usize, 0);
        self.input.read_exact(&mut self.bytes)?;
        Ok(Some(Record {
            at_us: u64::from(seconds) * 1_000_000 + u64::from(micros),
            wire_len,
            bytes: &self.bytes,
        }))
    }
}

/// The little-endian words of a header.
fn words<const N: usize>(header: &[u8]) -> [u32; N] {
    let mut words = header.as_chunks::<4>().0.iter();
    std::array::from_fn(|_| words.next().map_or(0, |word| u32::from_le_bytes(*word)))
}
