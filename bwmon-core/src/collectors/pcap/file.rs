use std::fmt;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use pcap::{Capture, Error, Offline, Precision};

use super::{link_type, timestamp};
use crate::collector::{
    CollectError, CollectErrorKind, Collector, InterfaceEvent, Losses, Observer, Progress,
};
use crate::frame::{Direction, Frame, InterfaceId, LinkType};
use crate::time::Timestamp;

/// How many frames are read between two looks at the clock.
const FRAMES_PER_LOOK: u32 = 64;

/// A file has no interface that libpcap tells apart.
const INTERFACE: InterfaceId = InterfaceId(0);

/// Reads a pcap or pcapng file through libpcap.
///
/// Frames have [`Direction::Unknown`], interface 0, which is named after the file, and the length on
/// the wire that the file records. libpcap refuses pcapng files whose interfaces differ in link type
/// or snapshot length.
///
/// [`Collector::collect`] goes over its budget by 64 frames at most. At the end of the file it says
/// [`Progress::Ended`], for a damaged one after a `Damaged` error that says how many frames came
/// before the damage.
pub struct PcapFile {
    capture: Option<Capture<Offline>>,
    link: LinkType,
    name: String,
    is_named: bool,
    frames: u64,
}

impl PcapFile {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// - `NotFound` and `Permission` for a file that does not exist or must not be read;
    /// - `Damaged` for one that is not a capture file, or that libpcap cannot read.
    pub fn open(path: &Path) -> Result<Self, CollectError> {
        let shown = path.display();
        if path.to_str().is_none() {
            return Err(CollectError::new(
                CollectErrorKind::Other,
                format!("the file name {shown} is not UTF-8; rename the file, or pass it as `-`"),
            ));
        }
        if path != Path::new("-")
            && let Err(error) = std::fs::metadata(path)
        {
            return Err(unreadable(path, error));
        }
        let capture = Capture::from_file_with_precision(path, Precision::Nano)
            .map_err(|error| refused(path, error))?;
        let name = match path.file_name() {
            Some(name) if name != "-" => name.to_string_lossy().into_owned(),
            _ => "stdin".to_owned(),
        };
        Ok(Self {
            link: link_type(capture.get_datalink()),
            capture: Some(capture),
            name,
            is_named: false,
            frames: 0,
        })
    }

    /// What the frames start with.
    pub const fn link(&self) -> LinkType {
        self.link
    }

    /// Frames delivered so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    fn say_name(&mut self, at: Timestamp, into: &mut dyn Observer) {
        if !std::mem::replace(&mut self.is_named, true) {
            let event = InterfaceEvent::Appeared {
                id: INTERFACE,
                name: self.name.clone(),
            };
            into.interface(at, event);
        }
    }

    /// Delivers one frame; false at the end of the file.
    fn step(&mut self, into: &mut dyn Observer) -> Result<bool, CollectError> {
        let Some(mut capture) = self.capture.take() else {
            return Ok(false);
        };
        let packet = match capture.next_packet() {
            Ok(packet) => packet,
            Err(Error::NoMorePackets) => return Ok(false),
            Err(error) => return Err(self.damaged(error)),
        };
        let at = timestamp(packet.header.ts.tv_sec, packet.header.ts.tv_usec, 1);
        self.say_name(at, into);
        into.frame(Frame {
            at,
            interface: INTERFACE,
            direction: Direction::Unknown,
            link: self.link,
            stripped_vlan: None,
            wire_len: packet.header.len,
            bytes: packet.data,
        });
        self.frames += 1;
        self.capture = Some(capture);
        Ok(true)
    }

    fn damaged(&self, error: Error) -> CollectError {
        let message = format!(
            "{}: cannot be read further after {} frames: {error}",
            self.name, self.frames
        );
        CollectError::new(CollectErrorKind::Damaged, message).caused_by(error)
    }
}

impl Collector for PcapFile {
    fn name(&self) -> &str {
        "pcap_file"
    }

    fn collect(
        &mut self,
        budget: Duration,
        into: &mut dyn Observer,
    ) -> Result<Progress, CollectError> {
        let start = Instant::now();
        loop {
            for _ in 0..FRAMES_PER_LOOK {
                if !self.step(into)? {
                    return Ok(Progress::Ended);
                }
            }
            if start.elapsed() >= budget {
                return Ok(Progress::Busy);
            }
        }
    }

    /// Nothing is lost from a file.
    fn losses(&self) -> Losses {
        Losses::default()
    }
}

impl fmt::Debug for PcapFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcapFile")
            .field("name", &self.name)
            .field("link", &self.link)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

fn unreadable(path: &Path, error: io::Error) -> CollectError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => CollectErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => CollectErrorKind::Permission,
        _ => CollectErrorKind::Other,
    };
    CollectError::new(kind, format!("cannot open {}: {error}", path.display())).caused_by(error)
}

fn refused(path: &Path, error: Error) -> CollectError {
    // libpcap has no error numbers; what it appends is strerror(3).
    let is_forbidden = error.to_string().ends_with("Permission denied");
    if is_forbidden {
        return unreadable(path, io::ErrorKind::PermissionDenied.into());
    }
    let message = format!("{} cannot be read after 0 frames: {error}", path.display());
    CollectError::new(CollectErrorKind::Damaged, message).caused_by(error)
}
