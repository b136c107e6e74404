use super::packed::{End, Packed, Packed4, Tail};
use super::table::Counters;
use crate::frame::{PerDirection, Tally};

/// What the rows of a snapshot can be grouped by; see [`Snapshot::by`](super::Snapshot::by).
///
/// A grouped row is a [`Flow`](super::Flow) without a place whose key holds what the view tells apart and nothing
/// else: addresses are unspecified, ports, protocol and VLAN 0 or absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum View {
    /// Protocol, addresses and ports. `local` is the smaller endpoint, egress is what it sent.
    Flow,
    /// Two addresses. `local` is the smaller one, egress is what it sent: everything where both are
    /// the same.
    Pair,
    /// Each address by itself, as `local`, egress is what it sent: everything that it sent to itself. Any
    /// other frame counts for both its addresses, so that the rows sum to twice those.
    Host,
    /// The far address, as `remote`; egress is what this host sent to it. For live captures: where the
    /// direction is not known, the larger address of each flow is taken for the far one.
    Peer,
    /// Protocol and the lower one of both ports, as `local`, the side that usually serves; egress is
    /// what it sent.
    Port,
    /// Protocol.
    Protocol,
    /// Outermost VLAN.
    Vlan,
}

/// Where a flow counts in a view.
#[derive(Debug, Clone, Copy)]
pub(super) enum Share<K> {
    /// In one row.
    One(K, Facing),
    /// In a row for each of its ends; the second one is turned.
    Each([K; 2]),
    /// In a row that is the same for both address families.
    Common(Packed4, Facing),
}

/// How a flow's directions are those of the row that it counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facing {
    Same,
    /// Its ends have changed places.
    Turned,
    /// Both ends are the row's local one: everything was sent by it.
    Sent,
}

impl Facing {
    const fn turned_if(is_turned: bool) -> Self {
        if is_turned { Self::Turned } else { Self::Same }
    }

    /// The counters as the row counts them.
    #[inline(always)]
    pub(super) fn counters(self, counters: &Counters) -> Counters {
        let PerDirection { ingress, egress } = counters.traffic;
        let traffic = match self {
            Self::Same => counters.traffic,
            Self::Turned => PerDirection {
                ingress: egress,
                egress: ingress,
            },
            Self::Sent => {
                let mut sent = egress;
                sent.add(ingress);
                PerDirection {
                    ingress: Tally::default(),
                    egress: sent,
                }
            }
        };
        Counters {
            traffic,
            ..*counters
        }
    }
}

impl View {
    /// The rows that a flow is part of.
    #[inline(always)]
    pub(super) fn share<K: Packed>(self, mut key: K) -> Share<K> {
        let tail = key.tail();
        match self {
            Self::Flow => {
                key = key.with_tail(tail.without_place_and_vlan());
                let is_turned = key.put_smaller_first();
                Share::One(key, Facing::turned_if(is_turned))
            }
            Self::Pair => {
                key = key.with_tail(tail.emptied());
                let is_turned = key.put_smaller_first();
                if key.has_one_address() {
                    return Share::One(key, Facing::Sent);
                }
                Share::One(key, Facing::turned_if(is_turned))
            }
            Self::Peer => {
                let key = key.with_tail(tail.emptied()).without(End::Local);
                Share::One(key, Facing::Same)
            }
            Self::Host => hosts(key.with_tail(tail.emptied())),
            Self::Port => {
                let (tail, is_turned) = tail.only_service();
                common(tail, is_turned)
            }
            Self::Protocol => common(tail.only_protocol(), false),
            Self::Vlan => common(tail.only_vlan(), false),
        }
    }
}

fn hosts<K: Packed>(key: K) -> Share<K> {
    if key.has_one_address() {
        return Share::One(key.without(End::Remote), Facing::Sent);
    }
    let mut turned = key;
    turned.turn();
    Share::Each([key, turned].map(|key| key.without(End::Remote)))
}

fn common<K>(tail: Tail, is_turned: bool) -> Share<K> {
    let key = Packed4::default().with_tail(tail);
    Share::Common(key, Facing::turned_if(is_turned))
}
