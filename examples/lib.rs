//! What the examples share: the sink of `custom_sink.rs`, which `embed_in_service.rs` uses too.

#[path = "custom_sink.rs"]
pub mod custom_sink;
