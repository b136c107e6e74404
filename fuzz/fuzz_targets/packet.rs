//! Any bytes, as a frame of any link type, are parsed without a panic, and always to the same end.
#![no_main]

use bwmon_core::frame::LinkType;
use bwmon_core::packet::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for link in [
        LinkType::Ethernet,
        LinkType::RawIp,
        LinkType::Unsupported(0),
    ] {
        assert_eq!(parse(link, bytes), parse(link, bytes));
    }
});
