//! Live capture through libpcap: the portable way, which gives what the packet ring gives where there
//! is none, at a higher cost. Capture files are read without libpcap (`capture_file`).

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use pcap::{Active, Capture, Error, Linktype};

use crate::collector::{CollectError, CollectErrorKind, Collector, Losses, Observer, Progress};
use crate::collectors::clock::wall_clock;
use crate::collectors::interfaces::{Counting, Interfaces, TAG, how_to_permit, wait_readable};
#[cfg(target_os = "linux")]
use crate::collectors::interfaces::{attach, filter};
use crate::frame::{Direction, Frame, InterfaceId, LinkType};
use crate::report::CaptureLoss;
use crate::time::Timestamp;

/// Name of this collector and of its losses.
const NAME: &str = "pcap";

/// Milliseconds after which the kernel hands over a buffer that is not full.
const RETIRE_MS: i32 = 40;

/// The same, with what the kernel's timer may be late.
const RETIRE_TIMEOUT: Duration = Duration::from_millis(50);

/// How many frames are taken from one handle before the next one gets its turn.
const FRAMES_PER_TURN: usize = 256;

/// Least and most of [`LivePcapConfig::snapshot_len`].
const SNAPSHOT_LEN: (u32, u32) = (64, 262_144);

/// Whether a handle is of no use once its interface was down. Linux binds its socket to the
/// interface's number, through other names too, and goes on when that is up again; libpcap, which
/// looks for the name, says that it disappeared whenever there is nothing to read.
const ENDS_WHEN_DOWN: bool = !cfg!(target_os = "linux");

/// What to capture, and how much memory it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LivePcapConfig {
    /// Names of the interfaces; none means every one there is, and what appears later.
    pub interfaces: Vec<String>,
    /// Bytes of memory that the kernel may fill before it drops frames, for each direction of each
    /// interface. The default is 2 MiB.
    pub buffer_bytes: usize,
    /// Bytes of each frame that are copied, 64 at least; the default is 96.
    pub snapshot_len: u32,
}

impl LivePcapConfig {
    /// Captures `interfaces` with the default buffers and snapshot length.
    pub fn new(interfaces: Vec<String>) -> Self {
        Self {
            interfaces,
            ..Self::default()
        }
    }
}

impl Default for LivePcapConfig {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            buffer_bytes: 2 * 1_024 * 1_024,
            snapshot_len: 96,
        }
    }
}

/// Captures through libpcap.
///
/// libpcap does not say which way a frame went, so each interface has two handles, one for each
/// direction. What a loopback interface sends comes back to it, and libpcap shows it once: it is
/// delivered twice, as sent and as received, as the interface counts it. Where libpcap cannot tell
/// directions apart (other systems than Linux), they are [`Direction::Unknown`].
///
/// libpcap puts stripped VLAN tags back into the frames, so that `stripped_vlan` is never set. Wire
/// lengths are those of the packet ring, but for frames to which the driver adds the tag on their way
/// out: libpcap shows it there too, and they have 4 bytes more than the interface counts.
///
/// Names are looked up again once a second, as for the packet ring. An interface that is down when
/// it is first looked at has no handle until it is up. In [`Collector::losses`], what a loopback
/// interface received counts once.
pub struct LivePcap {
    config: LivePcapConfig,
    interfaces: Interfaces,
    handles: Vec<Handle>,
    /// Losses of handles that are closed.
    closed: Loss,
}

impl LivePcap {
    /// Opens the handles and starts to capture.
    ///
    /// # Errors
    /// - `Permission` without the privilege to capture, with the command that grants it;
    /// - `NotFound` for a name that no interface has, with those that exist;
    /// - `Other` if libpcap refuses for another reason.
    pub fn open(config: &LivePcapConfig) -> Result<Self, CollectError> {
        let mut collector = Self {
            config: config.clone(),
            interfaces: Interfaces::resolve(&config.interfaces)?,
            handles: Vec::new(),
            closed: Loss::default(),
        };
        collector.open_handles()?;
        Ok(collector)
    }

    /// The interfaces that are captured now, in the order of their numbers.
    pub fn interfaces(&self) -> Vec<(InterfaceId, String)> {
        self.interfaces.named()
    }

    /// How long a frame may wait in the kernel until it can be collected.
    pub const fn retire_timeout(&self) -> Duration {
        RETIRE_TIMEOUT
    }

    /// Opens what has no handle yet; an interface that went away meanwhile is left for later.
    fn open_handles(&mut self) -> Result<(), CollectError> {
        for (id, name) in self.interfaces.named() {
            if self.handles.iter().any(|handle| handle.interface == id) {
                continue;
            }
            let counting = self.interfaces.counting(id);
            match open(&self.config, id, &name, counting) {
                Ok(handles) => self.handles.extend(handles),
                Err(error) if error.kind() == CollectErrorKind::Gone => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn follow_interfaces(&mut self, into: &mut dyn Observer) -> Result<(), CollectError> {
        if !self.interfaces.next_refresh().is_zero() {
            return Ok(());
        }
        self.interfaces.refresh_if_due();
        for event in self.interfaces.take_events() {
            into.interface(wall_clock(), event);
        }
        self.close_handles();
        // A later look may succeed, and what is open goes on.
        self.open_handles().map_err(|error| {
            CollectError::new(CollectErrorKind::Temporary, error.to_string()).caused_by(error)
        })
    }

    /// Closes both handles of interfaces that are gone or were down.
    fn close_handles(&mut self) {
        let failed = self.handles.iter().filter(|handle| handle.is_gone);
        let mut gone: Vec<InterfaceId> = failed.map(|handle| handle.interface).collect();
        let present = self.interfaces.present();
        let open = self.handles.iter().map(|handle| handle.interface);
        gone.extend(open.filter(|id| !present.iter().any(|interface| interface.id == *id)));
        let is_gone = |handle: &mut Handle| gone.contains(&handle.interface);
        for mut handle in self.handles.extract_if(.., is_gone) {
            handle.take_stats();
            self.closed.add(handle.loss);
        }
    }

    /// Gives each handle a turn; the number of frames that came.
    fn turn(&mut self, into: &mut dyn Observer) -> Result<usize, CollectError> {
        let mut frames = 0;
        for handle in &mut self.handles {
            frames += handle.turn(into)?;
        }
        Ok(frames)
    }

    fn wait(&self, timeout: Duration) -> Result<(), CollectError> {
        let timeout = timeout.min(self.interfaces.next_refresh());
        let live = self.handles.iter().filter(|handle| !handle.is_gone);
        let descriptors: Vec<BorrowedFd<'_>> = live.map(|handle| handle.capture.as_fd()).collect();
        wait_readable(&descriptors, timeout)
            .map(|_| ())
            .map_err(|error| {
                CollectError::new(
                    CollectErrorKind::Other,
                    format!("cannot wait for frames: {error}"),
                )
                .caused_by(error)
            })
    }
}

impl Collector for LivePcap {
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
            let frames = self.turn(into)?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.handles.iter_mut().for_each(Handle::take_stats);
                let is_idle = frames == 0;
                return Ok(if is_idle {
                    Progress::Idle
                } else {
                    Progress::Busy
                });
            }
            if frames == 0 {
                self.wait(left)?;
            }
        }
    }

    fn losses(&self) -> Losses {
        let mut total = self.closed;
        self.handles
            .iter()
            .for_each(|handle| total.add(handle.loss));
        Losses {
            sources: vec![CaptureLoss {
                source: NAME.to_owned(),
                interface: None,
                received: total.delivered.saturating_add(total.dropped),
                dropped: total.dropped,
            }],
        }
    }
}

impl fmt::Debug for LivePcap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivePcap")
            .field("interfaces", &self.interfaces())
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// One direction of one interface.
struct Handle {
    capture: Capture<Active>,
    interface: InterfaceId,
    sees: Sees,
    link: LinkType,
    counting: Counting,
    loss: Loss,
    dropped_before: u32,
    is_gone: bool,
}

/// What a handle lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    One(Direction),
    /// Each frame was both sent and received.
    Loopback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Loss {
    delivered: u64,
    dropped: u64,
}

impl Loss {
    const fn add(&mut self, other: Self) {
        self.delivered = self.delivered.saturating_add(other.delivered);
        self.dropped = self.dropped.saturating_add(other.dropped);
    }
}

impl Handle {
    fn turn(&mut self, into: &mut dyn Observer) -> Result<usize, CollectError> {
        if self.is_gone {
            return Ok(0);
        }
        let (interface, sees, link, counting) =
            (self.interface, self.sees, self.link, self.counting);
        let directions: &[Direction] = match &sees {
            Sees::One(direction) => std::slice::from_ref(direction),
            Sees::Loopback => &[Direction::Egress, Direction::Ingress],
        };
        let result = self.capture.dispatch(Some(FRAMES_PER_TURN), |packet| {
            let at = timestamp(packet.header.ts.tv_sec, packet.header.ts.tv_usec);
            for &direction in directions {
                let has_tag = is_put_back(link, direction, packet.data);
                let put_back = if has_tag { TAG } else { 0 };
                let frame_len = packet.header.len.saturating_sub(put_back);
                into.frame(Frame {
                    at,
                    interface,
                    direction,
                    link,
                    stripped_vlan: None,
                    wire_len: counting.wire_len(frame_len, direction, has_tag),
                    bytes: packet.data,
                });
            }
        });
        match result {
            Ok(frames) => {
                self.loss.delivered += frames as u64;
                Ok(frames)
            }
            Err(error) if is_gone(&error) => {
                self.is_gone = ENDS_WHEN_DOWN;
                Ok(0)
            }
            Err(error) => Err(CollectError::new(
                CollectErrorKind::Temporary,
                format!("libpcap failed on interface {}: {error}", self.interface.0),
            )
            .caused_by(error)),
        }
    }

    /// Reads how many frames were dropped; libpcap counts them in 32 bits, which wrap. Its count of
    /// what was received has what came before the handle was set up, so it is not used.
    fn take_stats(&mut self) {
        if let Ok(stats) = self.capture.stats() {
            let dropped = stats.dropped.wrapping_sub(self.dropped_before);
            self.loss.dropped += u64::from(dropped);
            self.dropped_before = stats.dropped;
        }
    }
}

fn open(
    config: &LivePcapConfig,
    interface: InterfaceId,
    name: &str,
    counting: Counting,
) -> Result<Vec<Handle>, CollectError> {
    let handle = |mut capture: Capture<Active>, sees| Handle {
        link: link_type(&capture),
        dropped_before: capture.stats().map_or(0, |stats| stats.dropped),
        capture,
        interface,
        sees,
        counting,
        loss: Loss::default(),
        is_gone: false,
    };
    let refused = |error| refused(name, error);
    let inbound = activate(config, name, Direction::Ingress).map_err(refused)?;
    if counting == Counting::WithoutHeader {
        return Ok(vec![handle(inbound, Sees::Loopback)]);
    }
    let Ok(outbound) = activate(config, name, Direction::Egress) else {
        let both = activate(config, name, Direction::Unknown).map_err(refused)?;
        return Ok(vec![handle(both, Sees::One(Direction::Unknown))]);
    };
    Ok(vec![
        handle(inbound, Sees::One(Direction::Ingress)),
        handle(outbound, Sees::One(Direction::Egress)),
    ])
}

fn activate(
    config: &LivePcapConfig,
    name: &str,
    direction: Direction,
) -> Result<Capture<Active>, Error> {
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let snapshot_len = config.snapshot_len.clamp(SNAPSHOT_LEN.0, SNAPSHOT_LEN.1);
    let capture = Capture::from_device(name)?
        .promisc(false)
        .snaplen(number(snapshot_len))
        .buffer_size(i32::try_from(config.buffer_bytes).unwrap_or(i32::MAX))
        .timeout(RETIRE_MS)
        .open()?
        .setnonblock()?;
    capture.direction(match direction {
        Direction::Ingress => pcap::Direction::In,
        Direction::Egress => pcap::Direction::Out,
        Direction::Unknown => pcap::Direction::InOut,
    })?;
    cut(&capture, direction, snapshot_len)?;
    Ok(capture)
}

/// Has the kernel copy no more than the snapshot length, and one direction. libpcap's own filters
/// `inbound` and `outbound` would do this, but it applies them itself to what is in its buffer when
/// they are set, cannot tell directions there, and so loses it.
#[cfg(target_os = "linux")]
fn cut(capture: &Capture<Active>, direction: Direction, snapshot_len: u32) -> Result<(), Error> {
    let program = filter::one_way(direction, snapshot_len);
    attach(capture.as_fd(), &program).map_err(Error::from)
}

/// Elsewhere a snapshot length is all it takes.
#[cfg(not(target_os = "linux"))]
fn cut(_: &Capture<Active>, _: Direction, _: u32) -> Result<(), Error> {
    Ok(())
}

fn refused(name: &str, error: Error) -> CollectError {
    let text = error.to_string();
    let is_forbidden = ["ermission", "not permitted"]
        .iter()
        .any(|word| text.contains(word));
    let (kind, advice) = if is_forbidden {
        (
            CollectErrorKind::Permission,
            format!("; {}", how_to_permit()),
        )
    } else if is_gone(&error) {
        (CollectErrorKind::Gone, String::new())
    } else {
        (CollectErrorKind::Other, String::new())
    };
    CollectError::new(kind, format!("cannot capture on {name}: {text}{advice}")).caused_by(error)
}

/// libpcap has no error numbers for an interface that was removed or is down (pcap-linux.c).
fn is_gone(error: &Error) -> bool {
    let text = error.to_string();
    ["disappeared", "went down", "not up", "No such device"]
        .iter()
        .any(|word| text.contains(word))
}

/// The numbers of libpcap (DLT_) are those of capture files (LINKTYPE_) but for raw IP, of which
/// [`LinkType::from_linktype`] knows both (<https://www.tcpdump.org/linktypes.html>).
fn link_type(capture: &Capture<Active>) -> LinkType {
    let Linktype(number) = capture.get_datalink();
    u32::try_from(number).map_or(LinkType::Unsupported(u32::MAX), LinkType::from_linktype)
}

/// Whether libpcap put a VLAN tag back that was stripped. Linux strips the outermost one of all that
/// comes in before anybody sees it, so that a tag on what comes in is one of these.
fn is_put_back(link: LinkType, direction: Direction, bytes: &[u8]) -> bool {
    direction == Direction::Ingress
        && link == LinkType::Ethernet
        && matches!(bytes.get(12..14), Some([0x81, 0x00] | [0x88, 0xa8]))
}

/// What is before 1970 becomes the nearest moment that can be told.
fn timestamp(seconds: i64, micros: i64) -> Timestamp {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let micros = u64::try_from(micros).unwrap_or(0);
    Timestamp::from_micros(seconds.saturating_mul(1_000_000).saturating_add(micros))
}
