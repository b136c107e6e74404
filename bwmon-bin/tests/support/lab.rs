//! Network namespaces of the test's own, made without real root.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::path::Path;

use bwmon_core::testkit::namespace::{self, sh};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// This host's end of the cable.
pub(crate) const CABLE: &str = "cable0";
/// Addresses of this host on the cable.
pub(crate) const HERE: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(10, 77, 0, 1),
    Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1),
);
/// Addresses of the peer on the cable.
pub(crate) const THERE: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(10, 77, 0, 2),
    Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2),
);

/// Both addresses of the peer.
pub(crate) fn there() -> [IpAddr; 2] {
    [IpAddr::V4(THERE.0), IpAddr::V6(THERE.1)]
}

/// Runs `test` inside namespaces of its own with a peer at the end of a cable.
pub(crate) fn in_lab(name: &str, test: impl FnOnce()) {
    namespace::in_network_with_processes(name, || {
        set_up();
        test();
    });
}

fn set_up() {
    sh("mkdir -p /run/netns; ip netns add there");
    sh(&format!(
        "ip link add {CABLE} type veth peer name cable1 netns there"
    ));
    sh(&format!("ip addr add {}/24 dev {CABLE}", HERE.0));
    sh(&format!("ip addr add {}/64 dev {CABLE} nodad", HERE.1));
    sh(&format!("ip link set {CABLE} up"));
    sh("ip -n there link set lo up");
    sh(&format!("ip -n there addr add {}/24 dev cable1", THERE.0));
    sh(&format!(
        "ip -n there addr add {}/64 dev cable1 nodad",
        THERE.1
    ));
    sh("ip -n there link set cable1 up");
    assert!(Path::new("/run/netns/there").exists());
}

/// Moves the calling thread to the peer's network.
pub(crate) fn move_there() {
    let namespace = File::open("/run/netns/there").expect("the peer's namespace");
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
        .expect("moving into the peer's namespace");
}

/// What the kernel counted on this host's end of the cable: bytes received and sent.
pub(crate) fn cable_bytes() -> (u64, u64) {
    let read = |name: &str| {
        let path = format!("/sys/class/net/{CABLE}/statistics/{name}");
        std::fs::read_to_string(path)
            .expect("a counter")
            .trim()
            .parse()
            .expect("a number")
    };
    (read("rx_bytes"), read("tx_bytes"))
}
