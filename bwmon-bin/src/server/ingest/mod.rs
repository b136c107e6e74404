//! From the body of a delivery to the store, and back with a receipt.

mod body;
mod format;
mod inbox;
mod parse;

pub use body::{DECODED_LIMIT, ENCODED_LIMIT, Encoding, MemoryBudget, Share, read};
pub use format::{ACCEPT_POST, Format};
pub use inbox::{Delivery, Inbox, IngestError, Witness};
pub use parse::Parsed;
