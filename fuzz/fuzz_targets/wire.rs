#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bwmon_fuzz::wire::check(bytes));
