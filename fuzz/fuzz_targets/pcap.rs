#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bwmon_fuzz::capture_file::check(bytes));
