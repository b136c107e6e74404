//! Point-to-point protocols: PPP, Cisco HDLC and frame relay.

use super::{Layer, Step, be16, cut, ethernet};

/// Address and control of an unnumbered HDLC frame (RFC 1662, section 3.1).
const ADDRESS_CONTROL: [u8; 2] = [0xff, 0x03];
const PPP_ETHERTYPE: u16 = 0x880b;

/// RFC 1661, section 2: a protocol field of two bytes, or of one where it is odd; address and
/// control before it are optional.
pub(super) fn ppp(bytes: &[u8]) -> Step<'_> {
    let bytes = bytes.strip_prefix(&ADDRESS_CONTROL).unwrap_or(bytes);
    let first = match bytes {
        // Nothing, or an address that was cut before its control.
        [] | [0xff] => return cut("ppp"),
        [first, ..] => first,
    };
    let (protocol, length) = if first & 1 == 1 {
        (u16::from(*first), 1)
    } else {
        match be16(bytes, 0) {
            Some(protocol) => (protocol, 2),
            None => return cut("ppp"),
        }
    };
    let rest = bytes.get(length..).unwrap_or_default();
    match protocol {
        0x0021 => Step::Next(Layer::Ipv4, rest),
        0x0057 => Step::Next(Layer::Ipv6, rest),
        0x0281 | 0x0283 => Step::Next(Layer::Mpls, rest),
        _ => Step::NonIp(PPP_ETHERTYPE),
    }
}

/// PPP in HDLC framing (RFC 1662), where Cisco's framing may stand instead.
pub(super) fn ppp_hdlc(bytes: &[u8]) -> Step<'_> {
    match bytes.first() {
        Some(0x0f | 0x8f) => cisco_hdlc(bytes),
        Some(_) => ppp(bytes),
        None => cut("ppp"),
    }
}

/// Cisco HDLC: address, control, and an EtherType.
pub(super) fn cisco_hdlc(bytes: &[u8]) -> Step<'_> {
    match be16(bytes, 2) {
        Some(protocol) => Step::Next(
            Layer::EtherType(protocol),
            bytes.get(4..).unwrap_or_default(),
        ),
        None => cut("hdlc"),
    }
}

/// Frame relay: an address that ends at the first odd byte (Q.922), then RFC 2427's protocol
/// identifier after an unnumbered control byte, or Cisco's EtherType.
pub(super) fn frame_relay(bytes: &[u8]) -> Step<'_> {
    let Some(end) = bytes.iter().take(4).position(|byte| byte & 1 == 1) else {
        return cut("frame relay");
    };
    let rest = bytes.get(end + 1..).unwrap_or_default();
    let Some(0x03) = rest.first() else {
        return match be16(rest, 0) {
            Some(ethertype) => Step::Next(
                Layer::EtherType(ethertype),
                rest.get(2..).unwrap_or_default(),
            ),
            None => cut("frame relay"),
        };
    };
    let rest = rest.get(1..).unwrap_or_default();
    let rest = rest.strip_prefix(&[0]).unwrap_or(rest);
    let payload = rest.get(1..).unwrap_or_default();
    match rest.first() {
        Some(0xcc) => Step::Next(Layer::Ipv4, payload),
        Some(0x8e) => Step::Next(Layer::Ipv6, payload),
        Some(0x80) => ethernet::snap(payload),
        Some(_) => Step::NonIp(0),
        None => cut("frame relay"),
    }
}
