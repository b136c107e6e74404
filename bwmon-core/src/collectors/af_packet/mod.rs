//! Every frame of the chosen interfaces, from one Linux packet ring (TPACKET_V3).
//!
//! One socket and one ring serve all interfaces. A filter in the kernel keeps the chosen ones and cuts
//! each frame to its headers before it is copied, so that the cost per frame does not depend on
//! its length.
//!
//! # Wire lengths
//!
//! A frame's `wire_len` is what the byte counters of its interface take for it, which is not always
//! its length (law 3 of a [collector](crate::collector)):
//!
//! - Hardware, virtual cables (veth), tap and tun count whole frames. The stack strips a VLAN tag
//!   after the driver counted it: 4 bytes are added to what came in with a stripped tag.
//! - Loopback leaves out the 14 bytes of the Ethernet header, both ways, and no tag.
//! - Bridges and 802.1Q interfaces leave them out of what comes in, and macvlan a tag.
//!
//! What cannot be known shows in the residual: a virtual cable whose other end is a VLAN interface or
//! a tagging bridge never had the tag in the frame, but the frame looks the same here (4 bytes too
//! many per frame); hardware that segments or coalesces (TSO, GRO, LRO) counts the headers of each
//! segment, of which the stack sees those of one. A virtual cable whose receiving end coalesces (GRO)
//! while the sending end does not segment (TSO) counts at both ends what is sent before it is
//! coalesced, and without the Ethernet header.

mod frames;
mod ring;

use std::cell::Cell;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use ring::{Geometry, OpenError, Ring};

use crate::collector::{CollectError, CollectErrorKind, Collector, Losses, Observer, Progress};
use crate::collectors::clock::wall_clock;
use crate::collectors::interfaces::{Interfaces, attach, filter, how_to_permit, wait_readable};
use crate::frame::InterfaceId;
use crate::report::CaptureLoss;

/// Name of this collector and of its losses.
const NAME: &str = "af_packet";

/// Milliseconds after which the kernel hands over a block that is not full.
const RETIRE_MS: u32 = 40;

/// The same, with what the kernel's timer may be late (one tick at 100 Hz).
const RETIRE_TIMEOUT: Duration = Duration::from_millis(50);

/// Bytes in a block, unless the ring is too small for eight of them. Larger blocks wake the reader
/// less often, which is what most of its time goes to at 100,000 frames a second (256 KiB: 20 ns per
/// frame, 1 MiB: 13 ns); smaller ones waste less of the ring when the kernel hands them over half full.
const BLOCK_BYTES: usize = 1_024 * 1_024;

/// Least and most bytes of a frame that are copied: the least holds the headers of a plain TCP
/// segment over IPv4, the most every frame there is.
const SNAPSHOT_LEN: (u32, u32) = (64, 262_144);

/// Most memory that a ring may take: 1 GiB.
const MOST_RING_BYTES: usize = 1 << 30;

/// What to capture, and how much memory it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AfPacketConfig {
    /// Names of the interfaces; none means every one there is, and what appears later.
    pub interfaces: Vec<String>,
    /// Bytes of memory that the kernel may fill before it drops frames, locked for as long as the
    /// collector lives; rounded to whole blocks, 1 GiB at most. The default, 8 MiB, holds 45,000
    /// frames.
    pub ring_bytes: usize,
    /// Bytes of each frame that are copied, 64 at least; the default, 96, holds the headers up to
    /// TCP over IPv6 with a VLAN tag.
    pub snapshot_len: u32,
}

impl AfPacketConfig {
    /// Captures `interfaces` with the default ring and snapshot length.
    pub fn new(interfaces: Vec<String>) -> Self {
        Self {
            interfaces,
            ..Self::default()
        }
    }
}

impl Default for AfPacketConfig {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            ring_bytes: 8 * 1_024 * 1_024,
            snapshot_len: 96,
        }
    }
}

/// Captures through a packet ring; see the [module's documentation](self).
///
/// Interfaces that vanish, come back or get another name do not end it: names are looked up again
/// once a second while [`Collector::collect`] runs, so an interface that is made anew is captured
/// from a second later at most. A renamed interface is followed until another one takes its old
/// name.
///
/// [`Collector::collect`] waits until the budget is used up, handing on what comes in meanwhile; it
/// goes over by the rest of one block, 7,000 short frames at most, or by the millisecond that its timer
/// has. With a budget of zero it hands on one block at most and does not wait.
pub struct AfPacket {
    ring: Ring,
    interfaces: Interfaces,
    snapshot_len: u32,
    received: Cell<u64>,
    dropped: Cell<u64>,
}

impl AfPacket {
    /// Opens the ring and starts to capture.
    ///
    /// # Errors
    /// - `Permission` without `CAP_NET_RAW`, with the command that grants it;
    /// - `NotFound` for a name that no interface has, with those that exist;
    /// - `Temporary` if the kernel has not enough memory for the ring;
    /// - `Other` if the kernel refuses for another reason.
    pub fn open(config: &AfPacketConfig) -> Result<Self, CollectError> {
        let interfaces = Interfaces::resolve(&config.interfaces)?;
        let ring =
            Ring::open(geometry(config.ring_bytes)).map_err(|error| refused(config, error))?;
        let collector = Self {
            ring,
            interfaces,
            snapshot_len: config.snapshot_len.clamp(SNAPSHOT_LEN.0, SNAPSHOT_LEN.1),
            received: Cell::new(0),
            dropped: Cell::new(0),
        };
        collector.aim()?;
        Ok(collector)
    }

    /// The interfaces that are captured now, in the order of their numbers.
    pub fn interfaces(&self) -> Vec<(InterfaceId, String)> {
        self.interfaces.named()
    }

    /// How long a frame may wait in the kernel until it can be collected. Who has read the interfaces'
    /// counters collects for this long before an interval is closed, and it closes to the byte.
    pub const fn retire_timeout(&self) -> Duration {
        RETIRE_TIMEOUT
    }

    /// Points the filter and the socket at the interfaces that are there.
    fn aim(&self) -> Result<(), CollectError> {
        let ids: Vec<InterfaceId> = self.interfaces.present().iter().map(|i| i.id).collect();
        let program = if self.interfaces.is_all() {
            filter::all(self.snapshot_len)
        } else {
            filter::only(&ids, self.snapshot_len)
        };
        attach(self.ring.as_fd(), &program)
            .map_err(|error| failed("cannot install the capture filter", error))?;
        let index = match ids.as_slice() {
            [only] if self.interfaces.is_single() => only.0,
            // While the only interface is gone, the filter lets nothing through.
            _ => 0,
        };
        match self.ring.bind(index) {
            // It went away since its name was looked up; the next look will tell.
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(()),
            Err(error) => Err(failed("cannot bind the capture socket", error)),
            Ok(()) => Ok(()),
        }
    }

    fn follow_interfaces(&mut self, into: &mut dyn Observer) -> Result<(), CollectError> {
        let is_changed = self.interfaces.refresh_if_due();
        for event in self.interfaces.take_events() {
            into.interface(wall_clock(), event);
        }
        if is_changed && !self.interfaces.is_all() {
            self.aim()?;
        }
        Ok(())
    }

    /// Hands on blocks until there are none or `deadline` has passed, one at least if there is one.
    fn deliver(&mut self, deadline: Instant, into: &mut dyn Observer) -> bool {
        let mut is_delivered = false;
        while let Some(block) = self.ring.take() {
            is_delivered = true;
            let reading = frames::read(block.bytes(), &self.interfaces, |frame| into.frame(frame));
            drop(block);
            add(&self.dropped, reading.unreadable);
            if Instant::now() >= deadline {
                break;
            }
        }
        is_delivered
    }

    /// Waits for a block until `deadline` or until names are to be looked up again.
    fn wait(&self, deadline: Instant) -> Result<(), CollectError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = left.min(self.interfaces.next_refresh());
        let woken = wait_readable(&[self.ring.as_fd()], timeout)
            .map_err(|error| failed("cannot wait for frames", error))?;
        if !woken || self.ring.is_ready() {
            return Ok(());
        }
        match self.ring.take_error() {
            // The one interface that the socket is bound to is down. It goes on when that is up.
            Ok(Some(error)) if error.raw_os_error() == Some(libc::ENETDOWN) => Ok(()),
            Ok(None) => Ok(()),
            Ok(Some(error)) | Err(error) => Err(failed("the capture socket failed", error)),
        }
    }

    /// The kernel forgets its counts when they are read, so that this is the only place that does.
    fn take_counts(&self) {
        if let Ok(counts) = self.ring.take_counts() {
            add(&self.received, counts.received);
            add(&self.dropped, counts.dropped);
        }
    }
}

impl Collector for AfPacket {
    fn name(&self) -> &str {
        NAME
    }

    fn collect(
        &mut self,
        budget: Duration,
        into: &mut dyn Observer,
    ) -> Result<Progress, CollectError> {
        let start = Instant::now();
        let deadline = start.checked_add(budget).unwrap_or(start);
        loop {
            self.follow_interfaces(into)?;
            let is_delivered = self.deliver(deadline, into);
            if Instant::now() >= deadline {
                break;
            }
            if !is_delivered {
                self.wait(deadline)?;
            }
        }
        self.take_counts();
        Ok(if self.ring.is_ready() {
            Progress::Busy
        } else {
            Progress::Idle
        })
    }

    fn losses(&self) -> Losses {
        self.take_counts();
        Losses {
            sources: vec![CaptureLoss {
                source: NAME.to_owned(),
                interface: None,
                received: self.received.get(),
                dropped: self.dropped.get(),
            }],
        }
    }
}

impl fmt::Debug for AfPacket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AfPacket")
            .field("interfaces", &self.interfaces())
            .field("snapshot_len", &self.snapshot_len)
            .field("received", &self.received)
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

fn geometry(ring_bytes: usize) -> Geometry {
    let page = ring::page_bytes().next_power_of_two();
    let ring_bytes = ring_bytes.min(MOST_RING_BYTES);
    let block_bytes = (ring_bytes / 8)
        .checked_next_power_of_two()
        .unwrap_or(BLOCK_BYTES)
        .min(BLOCK_BYTES)
        .max(page);
    Geometry {
        block_bytes,
        blocks: (ring_bytes / block_bytes).max(2),
        retire_ms: RETIRE_MS,
    }
}

fn add(total: &Cell<u64>, more: u32) {
    total.set(total.get().saturating_add(u64::from(more)));
}

fn refused(config: &AfPacketConfig, error: OpenError) -> CollectError {
    match error {
        OpenError::Socket(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let how = how_to_permit();
            CollectError::new(
                CollectErrorKind::Permission,
                format!("capturing frames needs the capability CAP_NET_RAW; {how}"),
            )
            .caused_by(error)
        }
        OpenError::Socket(error) => failed("cannot open a packet socket", error),
        OpenError::Ring(error) => failed(
            &format!("cannot set up a packet ring of {} bytes", config.ring_bytes),
            error,
        ),
    }
}

fn failed(what: &str, error: io::Error) -> CollectError {
    let kind = match error.raw_os_error() {
        Some(libc::ENOMEM | libc::ENOBUFS | libc::EAGAIN) => CollectErrorKind::Temporary,
        Some(libc::EPERM | libc::EACCES) => CollectErrorKind::Permission,
        _ => CollectErrorKind::Other,
    };
    CollectError::new(kind, format!("{what}: {error}")).caused_by(error)
}
