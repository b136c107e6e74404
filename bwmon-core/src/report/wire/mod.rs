//! The compact encoding of documents and receipts: protobuf, as `bwmon.proto` beside this file
//! describes it. `docs/wire.md` has the rules of its versions and a worked example.
//!
//! The reader and the writer are our own, because a reader must count the fields that it skips and
//! must not take memory beyond [`bounds`](super::bounds) for bytes that it does not trust yet.
//!
//! # Adding a field
//!
//! 1. Give it a number that `bwmon.proto` does not have, there and in the message of the same name
//!    (`parts.rs`; a field of `Interval` in `interval.rs`, both ways). Numbers are never used again.
//! 2. It must mean "not measured" when absent. Readers of before skip and count it.
//! 3. An enumeration gets a number likewise; readers of before take it for their last variant.
//! 4. Fill it in `tests/wire` and `fuzz/src/wire.rs`, which compare both encodings; the former also
//!    decodes by `bwmon.proto`.

mod error;
mod field;
mod flows;
mod interval;
mod parts;
mod reader;
mod receipt;
mod record;
mod writer;

pub use error::{DecodeError, Reason};

use super::record::{Document, Receipt, Record, SCHEMA};
use field::Message as _;
use reader::Context;
use writer::Writer;

/// Media type of documents and receipts in this encoding, without its parameter.
pub const MEDIA_TYPE: &str = "application/vnd.bwmon.batch+protobuf";
/// Media type with the version of the encoding.
pub const CONTENT_TYPE: &str = "application/vnd.bwmon.batch+protobuf; v=1";
/// The version of the encoding.
pub const VERSION: &str = "1";

/// A document that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// What it says, as far as this version knows.
    pub document: Document,
    /// Fields that were skipped because this version does not know them.
    pub unknown_fields: u64,
    /// Memory that the document takes, in bytes; what allocators add is not counted.
    pub memory_bytes: usize,
}

/// Writes a document.
pub fn encode(document: &Document) -> Vec<u8> {
    let mut out = Writer::default();
    record::write_document(document.schema, &document.records, &mut out);
    out.into_bytes()
}

/// Writes a document of these records, of the version that this crate writes.
pub fn encode_records<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<u8> {
    // As many bytes as a report without flows takes.
    let mut out = Writer::with_capacity(256);
    record::write_document(SCHEMA, records, &mut out);
    out.into_bytes()
}

/// Reads a document.
///
/// # Errors
/// Where the bytes are of another version, over a bound or no document; the error names the field.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut context = Context::new();
    let document = record::read_document(bytes, &mut context)?;
    Ok(Decoded {
        document,
        unknown_fields: context.unknown_fields,
        memory_bytes: context.memory_taken(),
    })
}

/// Writes a receipt. Reasons of refusal are cut to [`bounds::STRING_BYTES`](super::bounds::STRING_BYTES).
pub fn encode_receipt(receipt: &Receipt) -> Vec<u8> {
    let mut out = Writer::default();
    receipt.write(&mut out);
    out.into_bytes()
}

/// Reads a receipt; fields that this version does not know are skipped.
///
/// # Errors
/// Where the bytes are over a bound or no receipt; the error names the field.
pub fn decode_receipt(bytes: &[u8]) -> Result<Receipt, DecodeError> {
    receipt::read_receipt(bytes)
}
