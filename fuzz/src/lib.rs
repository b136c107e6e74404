//! What the fuzz targets check, as functions of the fuzzer's bytes.
//!
//! `fuzz_targets/` hands them what libFuzzer makes; `bwmon-core/tests/fuzz_corpus` includes this file and
//! hands them the named seeds of `corpus/`, on the stable compiler. Each panics where a law is broken.

pub mod capture_file;
pub mod capture_written;
pub mod flow_table;
pub mod link_layers;
pub mod monitor;
pub mod packet;
pub mod packet_block;
pub mod recipe;
pub mod report_json;
pub mod wire;
