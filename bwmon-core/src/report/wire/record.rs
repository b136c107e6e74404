//! A document and its records.

use super::super::bounds;
use super::super::interval::Interval;
use super::super::record::{Document, Dropped, EpochStart, Record, RecordBody, SCHEMA};
use super::error::{DecodeError, Reason};
use super::field::{Field, push};
use super::reader::{Context, Reader, Value};
use super::writer::Writer;

/// The schema is looked for first, so that another version is named as such even where the rest
/// means nothing to this one.
pub(super) fn read_document(bytes: &[u8], context: &mut Context) -> Result<Document, DecodeError> {
    let schema = read_schema(Reader::new(bytes)).map_err(|error| error.within("schema"))?;
    if schema != u64::from(SCHEMA) {
        return Err(Reason::Schema { found: schema }.into());
    }
    let mut document = Document {
        schema: SCHEMA,
        records: Vec::new(),
    };
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.next_field()? {
        match number {
            1 => {}
            2 => push(&mut document.records, bounds::RECORDS, value, context)
                .map_err(|error| error.within("records"))?,
            _ => context.skip(),
        }
    }
    Ok(document)
}

/// Stops where the bytes are no fields: what follows a foreign schema need not be any.
fn read_schema(mut reader: Reader<'_>) -> Result<u64, DecodeError> {
    while let Some((number, value)) = reader.next_field()? {
        if number == 1 {
            return Ok(value.varint()?);
        }
    }
    Err(Reason::Missing.into())
}

pub(super) fn write_document<'a>(
    schema: u32,
    records: impl IntoIterator<Item = &'a Record>,
    out: &mut Writer,
) {
    schema.put(1, out);
    for record in records {
        record.put(2, out);
    }
}

impl Field for Record {
    fn is_absent(&self) -> bool {
        false
    }

    fn put(&self, number: u32, out: &mut Writer) {
        out.nested(number, |out| {
            self.epoch.put(1, out);
            self.seq.put(2, out);
            match &self.body {
                RecordBody::Report(interval) => interval.as_ref().put(3, out),
                RecordBody::Dropped(dropped) => dropped.put(4, out),
                RecordBody::EpochStart(start) => start.put(5, out),
            }
        });
    }

    fn take(value: Value<'_>, context: &mut Context) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value.bytes()?);
        let (mut epoch, mut seq, mut body) = (None, None, None);
        let unknown_before = context.unknown_fields;
        while let Some((number, value)) = reader.next_field()? {
            let (name, read) = match number {
                1 => ("epoch", Field::take(value, context).map(|it| epoch = it)),
                2 => ("seq", Field::take(value, context).map(|it| seq = it)),
                3..=5 => (
                    "body",
                    take_body(number, value, context).map(|it| body = Some(it)),
                ),
                _ => {
                    context.skip();
                    continue;
                }
            };
            read.map_err(|error| error.within(name))?;
        }
        let missing = |name| DecodeError::from(Reason::Missing).within(name);
        let body = body.ok_or_else(|| match context.unknown_fields > unknown_before {
            true => DecodeError::from(Reason::UnknownKind).within("body"),
            false => missing("body"),
        })?;
        Ok(Self {
            epoch: epoch.ok_or_else(|| missing("epoch"))?,
            seq: seq.ok_or_else(|| missing("seq"))?,
            body,
        })
    }
}

fn take_body(
    number: u32,
    value: Value<'_>,
    context: &mut Context,
) -> Result<RecordBody, DecodeError> {
    match number {
        3 => {
            context.charge(size_of::<Interval>())?;
            let interval = Interval::take(value, context);
            let interval = interval.map_err(|error| error.within("report"))?;
            Ok(RecordBody::Report(Box::new(interval)))
        }
        4 => Dropped::take(value, context)
            .map(RecordBody::Dropped)
            .map_err(|error| error.within("dropped")),
        _ => EpochStart::take(value, context)
            .map(RecordBody::EpochStart)
            .map_err(|error| error.within("epoch_start")),
    }
}
