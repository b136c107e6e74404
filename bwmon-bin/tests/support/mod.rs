//! Two hosts on one machine: network namespaces joined by a virtual cable, and the real binaries.

pub mod lab;
pub mod product;
pub mod traffic;
