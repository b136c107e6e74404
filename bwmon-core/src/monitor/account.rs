use super::classes::Classes;
use crate::collector::{InterfaceEvent, Observer};
use crate::flow::{About, Counters, FlowKey, FlowTable, Limits, Ports, Seen, Snapshot};
use crate::frame::{Direction, Frame, InterfaceId, LinkType, PerDirection, Tally};
use crate::packet::peek::{self, Common};
use crate::packet::{self, Addresses, Parsed};
use crate::report::ProbeResult;
use crate::sample::HostSample;
use crate::time::{Span, Timestamp};

/// What an [`Account`] tells apart, and how much it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AccountConfig {
    /// Bounds of its flow table.
    pub limits: Limits,
    /// How much its flow keys say.
    pub detail: Detail,
}

impl AccountConfig {
    /// An account within `limits` that tells `detail` apart.
    pub const fn new(limits: Limits, detail: Detail) -> Self {
        Self { limits, detail }
    }
}

/// How much flow keys say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Detail {
    /// As much as a report: flows are the same in every VLAN, and later fragments are flows of port 0.
    #[default]
    Report,
    /// Frames without ports are told apart from those of port 0; VLANs are not told apart.
    Ports,
    /// VLANs and frames without ports are told apart.
    Full,
}

/// Frames and wire bytes by class; the classes sum to everything that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Frames whose outermost IP layer is IPv4.
    pub ipv4: Tally,
    /// Frames whose outermost IP layer is IPv6.
    pub ipv6: Tally,
    /// Frames that carry something else.
    pub non_ip: Tally,
    /// Frames that are broken, cut before their addresses, or of a link layer that is not parsed.
    pub malformed: Tally,
}

impl Totals {
    /// All classes together.
    pub fn all(&self) -> Tally {
        let mut sum = self.ipv4;
        for class in [self.ipv6, self.non_ip, self.malformed] {
            sum.add(class);
        }
        sum
    }
}

/// What an account held when it was rotated.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Accounted {
    /// By class.
    pub totals: Totals,
    /// When the first and the last frame was seen, if any.
    pub span: Option<Span>,
    /// The flows of what is IP.
    pub flows: Snapshot,
    /// What carries no flow, by interface, EtherType or reason.
    pub classes: Classes,
}

/// Parses frames and adds them up: flows and classes of one window, to the byte.
///
/// Totals of the flows (rows and overflow) and of the classes sum to what came in. Some 20 to 30 ns
/// per frame of a common shape (`docs/performance.md`), 12 MB for 100,000 flows over IPv4; nothing is allocated per
/// frame. Never panics.
#[derive(Debug)]
pub struct Account {
    flows: FlowTable,
    classes: Classes,
    non_ip: Tally,
    malformed: Tally,
    /// When what is no flow was seen first and last.
    span: Option<Span>,
    ignores_fragments: bool,
    tells_vlans: bool,
}

impl Account {
    /// An account of nothing so far.
    pub fn new(config: AccountConfig) -> Self {
        Self {
            flows: FlowTable::new(config.limits),
            classes: Classes::default(),
            non_ip: Tally::default(),
            malformed: Tally::default(),
            span: None,
            ignores_fragments: config.detail == Detail::Report,
            tells_vlans: config.detail == Detail::Full,
        }
    }

    /// Counts one frame.
    #[inline(always)]
    pub fn frame(&mut self, frame: &Frame<'_>) {
        // Each family by itself, so that no general view of the packet is built: it is the way that
        // nearly all frames take.
        if frame.link == LinkType::Ethernet
            && let Some(common) = peek::ipv4(frame.bytes)
        {
            let (ends, about) = self.common(frame, &common);
            return self
                .flows
                .frame_v4(ends, &about, &seen(frame, common.tcp_flags));
        }
        // In parts, so that the frame need not be in memory for the sake of a few.
        self.other_frame(
            frame.link,
            frame.bytes,
            frame.at,
            frame.wire_len,
            (frame.interface, frame.direction),
            frame.stripped_vlan,
        );
    }

    /// What was counted since the last rotation, by class. Takes time in proportion to the flows.
    pub fn totals(&mut self) -> Totals {
        let (ipv4, ipv6) = self.flows.totals();
        Totals {
            ipv4,
            ipv6,
            non_ip: self.non_ip,
            malformed: self.malformed,
        }
    }

    /// Number of flows so far.
    pub fn open_flows(&mut self) -> usize {
        self.flows.len()
    }

    /// Moves everything out and starts anew.
    pub fn rotate(&mut self) -> Accounted {
        let totals = self.totals();
        (self.non_ip, self.malformed) = (Tally::default(), Tally::default());
        let span = Span::hull(self.span.take(), self.flows.span());
        Accounted {
            totals,
            span,
            flows: self.flows.rotate(),
            classes: std::mem::take(&mut self.classes),
        }
    }

    /// IPv6 by the short way, everything else by the long way. A call, so that IPv4 has the registers.
    #[inline(never)]
    fn other_frame(
        &mut self,
        link: LinkType,
        bytes: &[u8],
        at: Timestamp,
        wire_len: u32,
        (interface, direction): (InterfaceId, Direction),
        stripped_vlan: Option<u16>,
    ) {
        let frame = Frame {
            at,
            interface,
            direction,
            link,
            stripped_vlan,
            wire_len,
            bytes,
        };
        if frame.link == LinkType::Ethernet
            && let Some(common) = peek::ipv6(frame.bytes)
        {
            let (ends, about) = self.common(&frame, &common);
            return self
                .flows
                .frame_v6(ends, &about, &seen(&frame, common.tcp_flags));
        }
        self.uncommon_frame(&frame);
    }

    #[inline(never)]
    fn uncommon_frame(&mut self, frame: &Frame<'_>) {
        match packet::parse_long(frame.link, frame.bytes) {
            Parsed::Ip(view) => {
                let ports = view.ports.map_or((Ports::default(), false), |(from, to)| {
                    (Ports::new(from, to), true)
                });
                let about = self.about(frame, view.protocol, ports, view.vlan);
                let seen = seen(frame, view.tcp_flags);
                match view.addresses {
                    Addresses::V4(ends) => {
                        let ends = local_and_remote(frame.direction, ends);
                        self.flows.frame_v4(ends, &about, &seen);
                    }
                    Addresses::V6(ends) => {
                        let ends = local_and_remote(frame.direction, ends);
                        self.flows.frame_v6(ends, &about, &seen);
                    }
                }
            }
            Parsed::NonIp(ethertype) => {
                self.span = Span::hull(self.span, Some(Span::at(frame.at)));
                self.non_ip.count(frame.wire_len);
                let classes = self.classes.of(frame.interface);
                classes.non_ip(ethertype, frame.direction, frame.wire_len);
            }
            Parsed::Malformed(unparsed) => {
                self.span = Span::hull(self.span, Some(Span::at(frame.at)));
                self.malformed.count(frame.wire_len);
                let classes = self.classes.of(frame.interface);
                classes.malformed(unparsed, frame.direction, frame.wire_len);
            }
        }
    }

    #[inline(always)]
    fn common<A: Copy>(&self, frame: &Frame<'_>, common: &Common<A>) -> ([A; 2], About) {
        let ports = (Ports::from_sender(common.ports), common.has_ports);
        let about = self.about(frame, common.protocol, ports, common.vlan);
        (local_and_remote(frame.direction, common.addresses), about)
    }

    #[inline(always)]
    fn about(
        &self,
        frame: &Frame<'_>,
        protocol: u8,
        (ports, has_ports): (Ports, bool),
        vlan: Option<u16>,
    ) -> About {
        About {
            protocol,
            ports: match frame.direction {
                Direction::Ingress => ports.turned(),
                Direction::Egress | Direction::Unknown => ports,
            },
            has_ports: has_ports | self.ignores_fragments,
            vlan: if self.tells_vlans {
                outermost_vlan(frame.stripped_vlan, vlan)
            } else {
                None
            },
        }
    }
}

/// A call, so that those who do not ask for VLANs do not pay for them.
#[cold]
#[inline(never)]
fn outermost_vlan(stripped: Option<u16>, vlan: Option<u16>) -> Option<u16> {
    // The upper bits of a stripped tag are its priority (IEEE 802.1Q, clause 9.6).
    stripped.map(|tag| tag & 0x0fff).or(vlan)
}

#[inline(always)]
const fn seen(frame: &Frame<'_>, tcp_flags: u8) -> Seen {
    Seen {
        place: Some(frame.interface),
        direction: frame.direction,
        at: frame.at,
        wire_len: frame.wire_len,
        tcp_flags,
    }
}

/// The far end is where a frame that came in is from, and where others go. Where the direction is
/// unknown, the table decides.
#[inline(always)]
fn local_and_remote<T>(direction: Direction, [source, destination]: [T; 2]) -> [T; 2] {
    match direction {
        Direction::Ingress => [destination, source],
        Direction::Egress | Direction::Unknown => [source, destination],
    }
}

/// Frames and traffic that a kernel attributed are counted; samples, probes and changes of interfaces
/// are not an account's matter.
impl Observer for Account {
    #[inline(always)]
    fn frame(&mut self, frame: Frame<'_>) {
        Self::frame(self, &frame);
    }

    fn flow(
        &mut self,
        at: Timestamp,
        interface: Option<InterfaceId>,
        key: FlowKey,
        delta: PerDirection<Tally>,
    ) {
        if delta.is_empty() {
            return;
        }
        self.flows
            .add(interface, &key, &Counters::new(at, delta, 0));
    }

    fn interface(&mut self, _at: Timestamp, _event: InterfaceEvent) {}

    fn sample(&mut self, _at: Timestamp, _sample: HostSample) {}

    fn probe(&mut self, _at: Timestamp, _probe: ProbeResult) {}
}
