//! What is sent of a batch.

use std::io::{self, Write};

use bwmon_core::report::{Batch, Record, SCHEMA, wire};
use bwmon_core::sink::{SinkError, SinkErrorKind};
use serde::Serialize;

use super::config::Encoding;

/// Largest body as it travels.
pub const MAX_BODY_BYTES: usize = 1 << 20;
/// Largest body before compression.
pub const MAX_DECODED_BYTES: usize = 8 << 20;

/// Bodies above this size are compressed.
const COMPRESS_ABOVE_BYTES: usize = 1 << 10;
const ZSTD_LEVEL: i32 = 1;

/// A body, ready to be sent.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) encoding: Encoding,
    pub(super) is_compressed: bool,
}

impl Body {
    pub(super) fn of(batch: &Batch, encoding: Encoding) -> Result<Self, SinkError> {
        let records = batch.entries.iter().map(|entry| &entry.record);
        let plain = match encoding {
            Encoding::Compact => wire::encode_records(records),
            Encoding::Json => json(records.collect())
                .map_err(|error| too_long(batch, MAX_DECODED_BYTES, "").caused_by(error))?,
        };
        if plain.len() > MAX_DECODED_BYTES {
            return Err(too_long(batch, MAX_DECODED_BYTES, ""));
        }
        let packed = match plain.len() > COMPRESS_ABOVE_BYTES {
            true => Some(compress(&plain)?).filter(|packed| packed.len() < plain.len()),
            false => None,
        };
        let is_compressed = packed.is_some();
        let bytes = packed.unwrap_or(plain);
        if bytes.len() > MAX_BODY_BYTES {
            return Err(too_long(batch, MAX_BODY_BYTES, " after compression"));
        }
        Ok(Self {
            bytes,
            encoding,
            is_compressed,
        })
    }
}

fn compress(plain: &[u8]) -> Result<Vec<u8>, SinkError> {
    zstd::bulk::compress(plain, ZSTD_LEVEL).map_err(|error| {
        SinkError::new(SinkErrorKind::Busy, "no memory to compress a batch").caused_by(error)
    })
}

fn json(records: Vec<&Record>) -> serde_json::Result<Vec<u8>> {
    let document = DocumentRef {
        schema: SCHEMA,
        records,
    };
    let mut json = Bounded(Vec::new());
    serde_json::to_writer(&mut json, &document)?;
    Ok(json.0)
}

/// [`Document`](bwmon_core::report::Document) by reference.
#[derive(Serialize)]
struct DocumentRef<'a> {
    schema: u32,
    records: Vec<&'a Record>,
}

/// Takes [`MAX_DECODED_BYTES`] and fails beyond.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_DECODED_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Several records may fit one by one; a single one never will.
fn too_long(batch: &Batch, limit: usize, when: &str) -> SinkError {
    let records = batch.entries.len();
    let kind = match records {
        1 => SinkErrorKind::Refused,
        _ => SinkErrorKind::TooLarge,
    };
    SinkError::new(
        kind,
        format!("{records} records are more than {limit} bytes{when}"),
    )
}
