#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bwmon_fuzz::packet_block::check(bytes));
