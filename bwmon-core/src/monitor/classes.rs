use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::frame::{Direction, InterfaceId, PerDirection, Tally};
use crate::packet::Unparsed;
use crate::report::{NonIpCount, Terms, UnparsedCount, bounds};

/// EtherType under which further classes are counted once [`bounds::CLASSES`] are told apart.
const OTHER_ETHERTYPE: u16 = 0xffff;

/// What carries no flow, by interface: the first [`bounds::PARTS`] that have any, the others together.
#[derive(Debug, Default)]
pub struct Classes {
    map: BTreeMap<InterfaceId, InterfaceClasses>,
    others: InterfaceClasses,
}

#[derive(Debug, Default)]
pub(super) struct InterfaceClasses {
    non_ip: PerDirection<Tally>,
    malformed: PerDirection<Tally>,
    ethertypes: Vec<(u16, Tally)>,
    reasons: Vec<(Unparsed, Tally)>,
}

impl Classes {
    pub(super) fn of(&mut self, id: InterfaceId) -> &mut InterfaceClasses {
        if self.map.len() >= bounds::PARTS && !self.map.contains_key(&id) {
            return &mut self.others;
        }
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

    /// What is not IP and what could not be parsed on interfaces that are not told apart.
    pub fn on_other_interfaces(&self) -> PerDirection<Tally> {
        let mut sum = self.others.non_ip;
        sum.add(self.others.malformed);
        sum
    }

    /// What is not IP on an interface, by EtherType, largest first.
    pub fn non_ip(&self, id: InterfaceId) -> Vec<NonIpCount> {
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

    /// What could not be parsed on an interface, by layer and reason, largest first.
    pub fn malformed(&self, id: InterfaceId) -> Vec<UnparsedCount> {
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
    pub(super) fn non_ip(&mut self, ethertype: u16, direction: Direction, wire_len: u32) {
        self.non_ip.side(direction).count(wire_len);
        let room = self.ethertypes.len() < bounds::CLASSES - 1;
        let is_known = self.ethertypes.iter().any(|(known, _)| *known == ethertype);
        let class = if room || is_known {
            ethertype
        } else {
            OTHER_ETHERTYPE
        };
        count(&mut self.ethertypes, class, wire_len);
    }

    pub(super) fn malformed(&mut self, unparsed: Unparsed, direction: Direction, wire_len: u32) {
        self.malformed.side(direction).count(wire_len);
        count(&mut self.reasons, unparsed, wire_len);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_beyond_the_bound_are_counted_together() {
        let mut classes = Classes::default();
        for n in 0..100_000 {
            let classes = classes.of(InterfaceId(n));
            classes.non_ip(0x0806, Direction::Ingress, 60);
        }
        assert_eq!(classes.map.len(), bounds::PARTS);
        let others = 100_000 - bounds::PARTS as u64;
        assert_eq!(classes.on_other_interfaces().ingress.packets, others);
        assert_eq!(classes.non_ip(InterfaceId(7))[0].tally.packets, 1);
    }
}
