//! Who may report: enrolment tokens and agents, in a small database beside that of the reports.
//!
//! The server and the commands `enrol-token` and `agents` open it at the same time, each with a
//! connection of its own; every change is one transaction that is on the disk when the call
//! returns. Nothing in it opens anything: of secrets it holds their SHA-256.

mod error;
mod file;
mod store;

pub use error::{EnrolError, RegistryError};
pub use store::{AgentState, NewToken, RegisteredAgent, Registry, Revocation};
