//! Any bytes, as a frame of any link type, are parsed without a panic, and always to the same end.
#![no_main]

use bwmon_core::frame::LinkType;
use bwmon_core::packet::parse;
use libfuzzer_sys::fuzz_target;

/// LINKTYPE_ numbers end here.
const LAST_LINKTYPE: u32 = 300;

fuzz_target!(|bytes: &[u8]| {
    for number in 0..=LAST_LINKTYPE {
        let link = LinkType::from_linktype(number);
        if !matches!(link, LinkType::Unsupported(_)) {
            assert_eq!(parse(link, bytes), parse(link, bytes));
        }
    }
});
