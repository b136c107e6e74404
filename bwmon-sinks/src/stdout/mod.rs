//! One line of JSON per record, on standard output or any other writer.
//!
//! `{"agent":"<32 hex>","epoch":"<32 hex>","seq":1,"body":{"report":{...}}}`

mod config;
mod error;
mod sink;

pub use config::StdoutConfig;
pub use sink::StdoutSink;
