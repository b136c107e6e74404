//! The messages that are nothing but fields. `bwmon.proto` says the same in protobuf's language.

use super::super::bounds::{CLASSES, PARTS};
use super::super::clock::ClockReading;
use super::super::host::{
    CpuUsage, DiskCounters, DiskInterval, HostFacts, HostMetrics, LoadAverage, MemoryUsage,
    MountUsage,
};
use super::super::interface::{
    Conservation, InterfaceFacts, InterfaceInterval, InterfaceKind, KernelCounters, NonIpCount,
    OperState, Terms, UnparsedCount,
};
use super::super::interval::{
    CaptureLoss, CaptureMethod, CaptureStatus, FlowsLost, ProbeKind, ProbeResult,
};
use super::super::record::{DropReason, Dropped, EpochStart};
use super::error::{DecodeError, Reason};
use super::field::{Field, Message, enumeration, message};
use super::reader::{Context, Reader, Value};
use super::writer::Writer;
use crate::frame::{PerDirection, Tally};
use crate::time::Window;

message!(Dropped { 1 from_seq, 2 reports, 3 reason, });
message!(EpochStart { 1 started as "started_us", 2 previous, });
enumeration!(DropReason {
    1 QueueFull, 2 Refused, 3 SpoolFull, 4 TooOld, 5 Damage, 6 NeverExisted, 7 Clock, else Other
});

message!(ClockReading {
    1 since_boot_us, 2 suspended_us, 3 process_started_us, 4 moved_us,
});

message!(Window { 1 start as "start_us", 2 duration_us, });
message!(Tally { 1 bytes, 2 packets, });
message!(FlowsLost { 1 rows, 2 reason, });
message!(CaptureStatus { 1 method, 2 note, } lists { 3 interfaces: PARTS, });
message!(CaptureLoss { 1 source, 2 interface, 3 received, 4 dropped, });
enumeration!(CaptureMethod { 1 AfPacket, 2 Libpcap, 3 SockDiag, 4 HostPairs, else Counters });
enumeration!(ProbeKind { 1 Icmp, 2 TcpConnect, else Other });

message!(HostMetrics {
    1 facts, 2 uptime_s, 3 cpu, 4 load, 5 memory, 8 memory_percent,
} lists { 6 mounts: PARTS, 7 disks: PARTS, });
message!(HostFacts {
    1 hostname, 2 os, 3 kernel, 4 boot_id, 5 agent_version,
} lists { 6 addresses: PARTS, });
message!(LoadAverage { 1 one, 2 five, 3 fifteen, });
message!(MemoryUsage {
    1 total_bytes, 2 used_bytes, 3 available_bytes, 4 swap_total_bytes, 5 swap_used_bytes,
});
message!(MountUsage {
    1 path, 2 device, 3 filesystem, 4 total_bytes, 5 used_bytes, 6 available_bytes,
});
message!(DiskInterval { 1 name, 2 delta, });
message!(DiskCounters { 1 read_bytes, 2 written_bytes, 3 reads, 4 writes, });

message!(InterfaceInterval {
    1 facts, 2 kernel, 3 conservation,
} lists { 4 non_ip: CLASSES, 5 malformed: CLASSES, });
message!(InterfaceFacts {
    1 id, 2 name, 3 kind, 4 state, 5 speed_bps, 6 has_default_route, 7 is_uplink,
} lists { 8 stacked_on: PARTS, });
message!(KernelCounters { 1 bytes, 2 packets, 3 errors, 4 drops, });
message!(Conservation { 1 terms, 2 residual_bytes, });
message!(Terms { 1 attributed, 2 overflow, 3 non_ip, 4 malformed, });
message!(NonIpCount { 1 ethertype, 2 tally, });
message!(UnparsedCount { 1 layer, 2 reason, 3 tally, });
enumeration!(InterfaceKind {
    1 Physical, 2 Wireless, 3 Loopback, 4 Bridge, 5 Bond, 6 Vlan, 7 Veth, 8 Tunnel, else Other
});
enumeration!(OperState { 1 Up, 2 Down, 3 Dormant, 4 LowerLayerDown, else Unknown });

impl<T: Message> Message for PerDirection<T> {
    fn write(&self, out: &mut Writer) {
        for (number, side) in [(1, &self.ingress), (2, &self.egress)] {
            if !side.is_absent() {
                side.put(number, out);
            }
        }
    }

    fn read(mut reader: Reader<'_>, context: &mut Context) -> Result<Self, DecodeError> {
        let mut sides = Self::default();
        while let Some((number, value)) = reader.next_field()? {
            let (side, name) = match number {
                1 => (&mut sides.ingress, "ingress"),
                2 => (&mut sides.egress, "egress"),
                _ => {
                    context.skip();
                    continue;
                }
            };
            *side = T::take(value, context).map_err(|error| error.within(name))?;
        }
        Ok(sides)
    }
}

impl Message for CpuUsage {
    fn write(&self, out: &mut Writer) {
        if !self.total_percent.is_absent() {
            self.total_percent.put(1, out);
        }
        if !self.cores_percent.is_empty() {
            out.nested(2, |out| {
                for percent in &self.cores_percent {
                    out.bare_fixed32(percent.to_le_bytes());
                }
            });
        }
    }

    fn read(mut reader: Reader<'_>, context: &mut Context) -> Result<Self, DecodeError> {
        let mut usage = Self::default();
        while let Some((number, value)) = reader.next_field()? {
            match number {
                1 => {
                    usage.total_percent = Field::take(value, context)
                        .map_err(|error: DecodeError| error.within("total_percent"))?;
                }
                2 => cores(&mut usage.cores_percent, value, context)
                    .map_err(|error| error.within("cores_percent"))?,
                _ => context.skip(),
            }
        }
        Ok(usage)
    }
}

fn cores(list: &mut Vec<f32>, value: Value<'_>, context: &mut Context) -> Result<(), DecodeError> {
    let bytes = value.bytes()?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Reason::Length { bytes: bytes.len() }.into());
    }
    for number in numbers {
        super::field::push(list, PARTS, Value::Fixed32(*number), context)?;
    }
    Ok(())
}

impl Field for ProbeResult {
    fn is_absent(&self) -> bool {
        false
    }

    fn put(&self, number: u32, out: &mut Writer) {
        out.nested(number, |out| {
            self.target.put(1, out);
            self.kind.put(2, out);
            self.sent.put(3, out);
            self.lost.put(4, out);
            self.min_us.put(5, out);
            self.mean_us.put(6, out);
            self.max_us.put(7, out);
        });
    }

    fn take(value: Value<'_>, context: &mut Context) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value.bytes()?);
        let mut target = None;
        let mut result = Self {
            target: std::net::Ipv4Addr::UNSPECIFIED.into(),
            kind: ProbeKind::Other,
            sent: 0,
            lost: 0,
            min_us: None,
            mean_us: None,
            max_us: None,
        };
        while let Some((number, value)) = reader.next_field()? {
            let (name, read) = match number {
                1 => ("target", read_into(&mut target, value, context)),
                2 => ("kind", read_into(&mut result.kind, value, context)),
                3 => ("sent", read_into(&mut result.sent, value, context)),
                4 => ("lost", read_into(&mut result.lost, value, context)),
                5 => ("min_us", read_into(&mut result.min_us, value, context)),
                6 => ("mean_us", read_into(&mut result.mean_us, value, context)),
                7 => ("max_us", read_into(&mut result.max_us, value, context)),
                _ => {
                    context.skip();
                    continue;
                }
            };
            read.map_err(|error| error.within(name))?;
        }
        result.target = target
            .ok_or(Reason::Missing)
            .map_err(|reason| DecodeError::from(reason).within("target"))?;
        Ok(result)
    }
}

fn read_into<T: Field>(
    place: &mut T,
    value: Value<'_>,
    context: &mut Context,
) -> Result<(), DecodeError> {
    *place = T::take(value, context)?;
    Ok(())
}
