use std::fmt;

use super::super::bounds;
use super::super::record::SCHEMA;

/// Why bytes are no document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    path: String,
    reason: Reason,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The document is of another version of the model.
    #[error("document has schema {found}, this version reads schema {SCHEMA}")]
    Schema {
        /// The version that it says.
        found: u64,
    },
    /// The record says something of a kind from a newer writer.
    #[error("a record of a kind that this version does not know")]
    UnknownKind,
    /// What was read takes more memory than a document may.
    #[error(
        "the document takes more than {} bytes of memory; send fewer records at once",
        bounds::DOCUMENT_MEMORY
    )]
    TooMuch,
    /// A list is too long.
    #[error("more than {limit} elements, the most that are taken")]
    TooMany {
        /// The most elements.
        limit: usize,
    },
    /// A string is too long.
    #[error("string of {bytes} bytes, at most {} are taken", bounds::STRING_BYTES)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A field that must be there is not.
    #[error("missing")]
    Missing,
    /// A number that its type does not hold, or one that is not finite.
    #[error("number out of range")]
    OutOfRange,
    /// A string that is not UTF-8.
    #[error("string that is not UTF-8")]
    NotUtf8,
    /// Bytes of a length that the field does not have.
    #[error("{bytes} bytes where the field has another length")]
    Length {
        /// Their number.
        bytes: usize,
    },
    /// A column of flow rows with neither no value, nor one, nor one per row.
    #[error("column of {values} values for {rows} rows")]
    Column {
        /// Values that it has.
        values: usize,
        /// Rows that there are.
        rows: usize,
    },
    /// A known field in a form of the wire format that it does not have.
    #[error("field of another type")]
    WireType,
    /// The bytes end within a field, or are no fields at all.
    #[error("not protobuf, or cut off")]
    Malformed,
}

impl DecodeError {
    /// What is wrong.
    pub const fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The field at fault, such as `records[0].body.report.flows[3].local`; empty where it is the
    /// document as a whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether a newer reader could take the same bytes, so that the sender should keep them.
    pub const fn is_of_another_version(&self) -> bool {
        matches!(self.reason, Reason::Schema { .. } | Reason::UnknownKind)
    }

    /// The same, one level further out.
    pub(super) fn within(mut self, name: &str) -> Self {
        let dot = match self.path.as_bytes().first() {
            None | Some(b'[') => "",
            Some(_) => ".",
        };
        self.path = format!("{name}{dot}{}", self.path);
        self
    }

    /// The same, as an element of a list.
    pub(super) fn at_index(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }
}

impl From<Reason> for DecodeError {
    fn from(reason: Reason) -> Self {
        Self {
            path: String::new(),
            reason,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        self.reason.fmt(f)
    }
}

impl std::error::Error for DecodeError {}
