//! The classic BPF programs that the kernel runs on each frame before it copies it. Every program
//! cuts the copy; without one, whole frames are copied.

use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter};

#[cfg(feature = "pcap")]
use crate::frame::Direction;
#[cfg(feature = "af_packet")]
use crate::frame::InterfaceId;

/// Passes every frame, cut to `snapshot_len` bytes.
#[cfg(feature = "af_packet")]
pub(in crate::collectors) fn all(snapshot_len: u32) -> Vec<sock_filter> {
    vec![give(snapshot_len)]
}

/// Passes the frames of `interfaces`, cut to `snapshot_len` bytes.
#[cfg(feature = "af_packet")]
pub(in crate::collectors) fn only(
    interfaces: &[InterfaceId],
    snapshot_len: u32,
) -> Vec<sock_filter> {
    let mut program = vec![load(libc::SKF_AD_IFINDEX)];
    for id in interfaces {
        program.push(if_equal(id.0));
        program.push(give(snapshot_len));
    }
    program.push(give(0));
    program
}

/// Passes the frames that go one way, or all if it is unknown, cut to `snapshot_len` bytes.
#[cfg(feature = "pcap")]
pub(in crate::collectors) fn one_way(direction: Direction, snapshot_len: u32) -> Vec<sock_filter> {
    let (outgoing, other) = match direction {
        Direction::Egress => (snapshot_len, 0),
        Direction::Ingress => (0, snapshot_len),
        Direction::Unknown => (snapshot_len, snapshot_len),
    };
    vec![
        load(libc::SKF_AD_PKTTYPE),
        if_equal(u32::from(libc::PACKET_OUTGOING)),
        give(outgoing),
        give(other),
    ]
}

/// Loads what is not in the frame, but known of it.
fn load(what: libc::c_int) -> sock_filter {
    let place = (libc::SKF_AD_OFF + what).cast_unsigned();
    instruction(BPF_LD | BPF_W | BPF_ABS, place, 0)
}

/// Skips the next instruction unless what was loaded is `value`.
fn if_equal(value: u32) -> sock_filter {
    instruction(BPF_JMP | BPF_JEQ | BPF_K, value, 1)
}

/// Ends with `length` bytes of the frame; 0 passes none of it.
fn give(length: u32) -> sock_filter {
    instruction(BPF_RET | BPF_K, length, 0)
}

fn instruction(code: u32, k: u32, jump_if_false: u8) -> sock_filter {
    sock_filter {
        // Operation codes are sums of the constants above, all below 256.
        code: u16::try_from(code).unwrap_or_default(),
        jt: 0,
        jf: jump_if_false,
        k,
    }
}
