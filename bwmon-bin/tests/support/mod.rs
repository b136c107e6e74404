//! Two hosts on one machine: network namespaces joined by a virtual cable, and the real binaries.

pub(crate) mod lab;
pub(crate) mod product;
pub(crate) mod traffic;
#[path = "../wait/mod.rs"]
pub(crate) mod wait;
