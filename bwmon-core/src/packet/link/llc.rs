//! IEEE 802.2 logical link control, SNAP, and the identifiers of ISO/IEC TR 9577.

use super::ethernet::FIRST_ETHERTYPE;
use super::{ETHERNET, Layer, Step, be16, cut};

/// IEEE 802.2: SNAP carries EtherTypes, SAP 6 is IP, SAP FE has a protocol identifier.
pub(super) fn llc(bytes: &[u8]) -> Step<'_> {
    let Some([destination, source, control]) = bytes.first_chunk::<3>().copied() else {
        return cut("llc");
    };
    let rest = bytes.get(3..).unwrap_or_default();
    match (destination, source & 0xfe, control) {
        // RFC 2684, section 5.2: two bytes bring a bridged frame to a multiple of four.
        (0xaa | 0xab, 0xaa, 0x03) => snap(rest, 2),
        (0x06, 0x06, 0x03) => Step::Next(Layer::Ipv4, rest),
        (0xfe, 0xfe, 0x03) => Step::Next(Layer::Nlpid, rest),
        _ => Step::NonIp(0),
    }
}

/// SNAP (RFC 1042): an organisation and its protocol number. Bridged Ethernet frames follow `padding`.
pub(super) fn snap(bytes: &[u8], padding: usize) -> Step<'_> {
    let (Some(organisation), Some(protocol)) = (bytes.first_chunk::<3>(), be16(bytes, 3)) else {
        return cut("snap");
    };
    let rest = bytes.get(5..).unwrap_or_default();
    match (organisation, protocol) {
        // RFC 1042 and the bridge-tunnel encapsulation of IEEE 802.1H.
        ([0, 0, 0] | [0, 0, 0xf8], ethertype) if ethertype >= FIRST_ETHERTYPE => {
            Step::Next(Layer::EtherType(ethertype), rest)
        }
        // RFC 2427, section 4.2: a bridged Ethernet frame, with or without its checksum.
        ([0, 0x80, 0xc2], 0x0001 | 0x0007) => {
            Step::Next(ETHERNET, rest.get(padding..).unwrap_or_default())
        }
        (_, other) => Step::NonIp(other),
    }
}

/// A network layer protocol identifier (RFC 2427, section 4; RFC 1973 for PPP).
pub(super) fn nlpid(bytes: &[u8]) -> Step<'_> {
    let rest = bytes.get(1..).unwrap_or_default();
    match bytes.first() {
        Some(0xcc) => Step::Next(Layer::Ipv4, rest),
        Some(0x8e) => Step::Next(Layer::Ipv6, rest),
        Some(0xcf) => Step::Next(Layer::Ppp, rest),
        Some(_) => Step::NonIp(0),
        None => cut("nlpid"),
    }
}
