//! MPLS (RFC 3032) and what its label stack carries.

use super::{Layer, Step, be16, cut};

const ETHERTYPE: u16 = 0x8847;
/// Generic associated channel (RFC 5586): not IP, whatever the first nibble.
const GAL: u32 = 13;
/// Operation and maintenance alert (RFC 3429): not IP.
const OAM_ALERT: u32 = 14;

/// Labels until the bottom of the stack, then what its first nibble says.
pub(super) fn mpls(bytes: &[u8]) -> Step<'_> {
    let Some(entry) = bytes.first_chunk::<4>() else {
        return cut("mpls");
    };
    let entry = u32::from_be_bytes(*entry);
    let (label, is_bottom) = (entry >> 12, entry & 0x100 != 0);
    let rest = bytes.get(4..).unwrap_or_default();
    match rest.first().map(|byte| byte >> 4) {
        _ if !is_bottom => Step::Next(Layer::Mpls, rest),
        _ if label == OAM_ALERT => Step::NonIp(ETHERTYPE),
        Some(1) => associated_channel(rest),
        Some(4) if label != GAL => Step::Next(Layer::Ipv4, rest),
        Some(6) if label != GAL => Step::Next(Layer::Ipv6, rest),
        Some(_) => Step::NonIp(ETHERTYPE),
        None => cut("mpls"),
    }
}

/// RFC 4385, section 5: a channel type, of which two are IP (RFC 4446).
fn associated_channel(bytes: &[u8]) -> Step<'_> {
    let rest = bytes.get(4..).unwrap_or_default();
    match be16(bytes, 2) {
        Some(0x0021) => Step::Next(Layer::Ipv4, rest),
        Some(0x0057) => Step::Next(Layer::Ipv6, rest),
        Some(_) => Step::NonIp(ETHERTYPE),
        None => cut("mpls"),
    }
}
