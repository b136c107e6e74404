//! From the body of a delivery to the store, and back with a receipt.

mod body;
mod format;
mod parse;
mod worker;

pub use body::{DECODED_LIMIT, ENCODED_LIMIT, Encoding, MemoryBudget, Share, read};
pub use format::{ACCEPT_POST, Format};
pub use parse::Parsed;
pub use worker::{Delivery, Inbox, IngestError, Witness, Worker};
