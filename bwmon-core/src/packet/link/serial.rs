//! Point-to-point protocols: PPP, Cisco HDLC and frame relay.

use super::{ETHERNET, Layer, Step, be16, cut, llc};

/// First byte of an HDLC frame to all stations (RFC 1662, section 3.1); control follows it.
const ALL_STATIONS: u8 = 0xff;
const PPP_ETHERTYPE: u16 = 0x880b;

/// RFC 1661, section 2: a protocol field of two bytes, or of one where it is odd; address and
/// control before it are optional.
pub(super) fn ppp(bytes: &[u8]) -> Step<'_> {
    let bytes = match bytes {
        [ALL_STATIONS, _, rest @ ..] => rest,
        _ => bytes,
    };
    let Some(first) = bytes.first() else {
        return cut("ppp");
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
        // Some systems put an EtherType in its place; PPP assigns neither number.
        0x0021 | 0x0800 => Step::Next(Layer::Ipv4, rest),
        0x0057 | 0x86dd => Step::Next(Layer::Ipv6, rest),
        0x0281 | 0x0283 => Step::Next(Layer::Mpls, rest),
        0x0031 => bridged(rest),
        0x003d => multilink(rest),
        _ => Step::NonIp(PPP_ETHERTYPE),
    }
}

/// RFC 1990, section 3: a fragment that begins a packet has that packet's protocol field; the others
/// have nothing. The long sequence number is assumed, which is the default.
fn multilink(bytes: &[u8]) -> Step<'_> {
    const BEGINS: u8 = 0x80;
    match (bytes.first(), bytes.get(4..)) {
        (Some(flags), Some(rest)) if flags & BEGINS != 0 => Step::Next(Layer::Ppp, rest),
        (Some(_), Some(_)) => Step::NonIp(PPP_ETHERTYPE),
        _ => cut("ppp"),
    }
}

/// RFC 3518, section 4.2: flags, the type of the bridged frame, and the number of its network where a
/// flag says so.
fn bridged(bytes: &[u8]) -> Step<'_> {
    const HAS_LAN_ID: u8 = 0x40;
    const ETHERNET_FRAME: u8 = 1;
    let length = match bytes.first_chunk::<2>() {
        Some([flags, ETHERNET_FRAME]) if flags & HAS_LAN_ID != 0 => 6,
        Some([_, ETHERNET_FRAME]) => 2,
        Some(_) => return Step::NonIp(PPP_ETHERTYPE),
        None => return cut("ppp"),
    };
    match bytes.get(length..) {
        Some(rest) => Step::Next(ETHERNET, rest),
        None => cut("ppp"),
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
    super::typed(bytes, 2, "hdlc")
}

/// Frame relay: an address that ends at the first odd byte (Q.922), then RFC 2427's protocol
/// identifier after an unnumbered control byte, or Cisco's EtherType.
pub(super) fn frame_relay(bytes: &[u8]) -> Step<'_> {
    let Some(end) = bytes.iter().take(4).position(|byte| byte & 1 == 1) else {
        return cut("frame relay");
    };
    let rest = bytes.get(end + 1..).unwrap_or_default();
    let Some((0x03, rest)) = rest.split_first() else {
        return super::typed(rest, 0, "frame relay");
    };
    match rest.strip_prefix(&[0]).unwrap_or(rest) {
        [0x80, rest @ ..] => llc::snap(rest, 0),
        rest => Step::Next(Layer::Nlpid, rest),
    }
}
