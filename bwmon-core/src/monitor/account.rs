use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::flow::{Endpoint, FlowKey, FlowTable};
use crate::frame::{Direction, Frame, InterfaceId, PerDirection, Tally};
use crate::packet::{self, PacketView, Parsed, Unparsed};
use crate::report::{NonIpCount, Terms, UnparsedCount, bounds};

/// EtherType under which further classes are counted once [`bounds::CLASSES`] are told apart.
const OTHER_ETHERTYPE: u16 = 0xffff;

/// What one window has counted.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) flows: FlowTable,
    classes: Classes,
}

impl Account {
    pub(super) fn new(max_flows: usize) -> Self {
        Self {
            flows: FlowTable::new(max_flows),
            classes: Classes::default(),
        }
    }

    pub(super) fn frame(&mut self, frame: &Frame<'_>) {
        match packet::parse(frame.link, frame.bytes) {
            Parsed::Ip(view) => {
                let (key, direction) = orient(&view, frame.direction);
                self.flows.frame(
                    Some(frame.interface),
                    key,
                    direction,
                    (frame.at, frame.wire_len, view.tcp_flags),
                );
            }
            Parsed::NonIp(ethertype) => self.classes.of(frame.interface).non_ip(ethertype, frame),
            Parsed::Malformed(unparsed) => {
                self.classes.of(frame.interface).malformed(unparsed, frame);
            }
        }
    }

    pub(super) fn take_classes(&mut self) -> Classes {
        std::mem::take(&mut self.classes)
    }
}

fn orient(view: &PacketView, direction: Direction) -> (FlowKey, Direction) {
    let (source_port, destination_port) = view.ports.unwrap_or_default();
    let source = Endpoint {
        address: view.source,
        port: source_port,
    };
    let destination = Endpoint {
        address: view.destination,
        port: destination_port,
    };
    let sends = match direction {
        Direction::Egress => true,
        Direction::Ingress => false,
        Direction::Unknown => source <= destination,
    };
    let (local, remote) = if sends {
        (source, destination)
    } else {
        (destination, source)
    };
    let direction = if sends {
        Direction::Egress
    } else {
        Direction::Ingress
    };
    (
        FlowKey {
            protocol: view.protocol,
            local,
            remote,
        },
        direction,
    )
}

/// What carries no flow, by interface.
#[derive(Debug, Default)]
pub(super) struct Classes {
    map: BTreeMap<InterfaceId, InterfaceClasses>,
}

#[derive(Debug, Default)]
struct InterfaceClasses {
    non_ip: PerDirection<Tally>,
    malformed: PerDirection<Tally>,
    ethertypes: Vec<(u16, Tally)>,
    reasons: Vec<(Unparsed, Tally)>,
}

impl Classes {
    fn of(&mut self, id: InterfaceId) -> &mut InterfaceClasses {
        self.map.entry(id).or_default()
    }

    fn find(&self, id: InterfaceId) -> Option<&InterfaceClasses> {
        self.map.get(&id)
    }

    pub(super) fn terms(
        &self,
        id: InterfaceId,
        attributed: PerDirection<Tally>,
        overflow: PerDirection<Tally>,
    ) -> PerDirection<Terms> {
        let (non_ip, malformed) = self
            .find(id)
            .map(|classes| (classes.non_ip, classes.malformed))
            .unwrap_or_default();
        PerDirection {
            ingress: Terms {
                attributed: attributed.ingress,
                overflow: overflow.ingress,
                non_ip: non_ip.ingress,
                malformed: malformed.ingress,
            },
            egress: Terms {
                attributed: attributed.egress,
                overflow: overflow.egress,
                non_ip: non_ip.egress,
                malformed: malformed.egress,
            },
        }
    }

    pub(super) fn non_ip(&self, id: InterfaceId) -> Vec<NonIpCount> {
        let counts = self
            .find(id)
            .map(|classes| classes.ethertypes.as_slice())
            .unwrap_or_default();
        let mut list: Vec<NonIpCount> = counts
            .iter()
            .map(|&(ethertype, tally)| NonIpCount { ethertype, tally })
            .collect();
        list.sort_by_key(|count| (Reverse(count.tally.bytes), count.ethertype));
        list
    }

    pub(super) fn malformed(&self, id: InterfaceId) -> Vec<UnparsedCount> {
        let counts = self
            .find(id)
            .map(|classes| classes.reasons.as_slice())
            .unwrap_or_default();
        let mut list: Vec<UnparsedCount> = counts
            .iter()
            .map(|&(Unparsed { layer, reason }, tally)| UnparsedCount {
                layer: layer.to_owned(),
                reason: reason.to_owned(),
                tally,
            })
            .collect();
        list.sort_by_key(|count| Reverse(count.tally.bytes));
        list
    }
}

impl InterfaceClasses {
    fn non_ip(&mut self, ethertype: u16, frame: &Frame<'_>) {
        self.non_ip.side(frame.direction).count(frame.wire_len);
        let room = self.ethertypes.len() < bounds::CLASSES - 1;
        let is_known = self.ethertypes.iter().any(|(known, _)| *known == ethertype);
        let class = if room || is_known {
            ethertype
        } else {
            OTHER_ETHERTYPE
        };
        count(&mut self.ethertypes, class, frame.wire_len);
    }

    fn malformed(&mut self, unparsed: Unparsed, frame: &Frame<'_>) {
        self.malformed.side(frame.direction).count(frame.wire_len);
        count(&mut self.reasons, unparsed, frame.wire_len);
    }
}

fn count<K: PartialEq>(list: &mut Vec<(K, Tally)>, class: K, wire_len: u32) {
    match list.iter_mut().find(|(known, _)| *known == class) {
        Some((_, tally)) => tally.count(wire_len),
        None => {
            let mut tally = Tally::default();
            tally.count(wire_len);
            list.push((class, tally));
        }
    }
}
