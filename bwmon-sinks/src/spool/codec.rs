//! How parts of a record become bytes: [documents](wire) of one record each, in the compact encoding.
//!
//! The first byte says how the rest is to be read, so that another form can come. A core part has
//! next, big-endian, how many flow rows the report had and their traffic that names no interface, in
//! bytes and frames, in and out (5 × 8): what must be known where the rows are gone. A flow part is a
//! report with nothing but its window and its rows.

use std::borrow::Cow;
use std::io::{self, Read};

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::report::{
    DropReason, Epoch, FlowRow, FlowsLost, Interval, Record, RecordBody, wire,
};

use super::segment::{MAX_PAYLOAD_BYTES, array};

/// What follows is as it is.
const PLAIN: u8 = 1;
/// What follows is compressed with zstd.
const ZSTD: u8 = 2;
const ZSTD_LEVEL: i32 = 1;
/// Below this size compression gains next to nothing.
const COMPRESS_ABOVE_BYTES: usize = 1 << 10;
/// Bytes of a core part before its document.
const HEAD_BYTES: usize = 40;

const DAMAGED: io::ErrorKind = io::ErrorKind::InvalidData;

/// The parts of a record as bytes.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) core: Vec<u8>,
    pub(super) rows: Option<Vec<u8>>,
}

/// Both parts of a record; no flow part where it has no rows. The record is as before afterwards.
pub(super) fn encode(record: &mut Record) -> io::Result<Parts> {
    let flows = match &mut record.body {
        RecordBody::Report(interval) => std::mem::take(&mut interval.flows),
        RecordBody::Dropped(_) | RecordBody::EpochStart(_) => Vec::new(),
    };
    let mut without_interface = PerDirection::<Tally>::default();
    for row in flows.iter().filter(|row| row.interface.is_none()) {
        without_interface.add(row.traffic);
    }
    let PerDirection { ingress, egress } = without_interface;
    let mut core = Vec::with_capacity(HEAD_BYTES);
    let known = [ingress.bytes, ingress.packets, egress.bytes, egress.packets];
    for number in [flows.len() as u64].into_iter().chain(known) {
        core.extend(number.to_be_bytes());
    }
    core.extend(wire::encode_records([&*record]));
    let core = pack(core);
    let RecordBody::Report(interval) = &mut record.body else {
        return core.map(|core| Parts { core, rows: None });
    };
    let mut only_rows = Interval {
        window: interval.window,
        flows,
        ..Interval::default()
    };
    let rows = rows_of(record.epoch, record.seq, &mut only_rows);
    interval.flows = only_rows.flows;
    Ok(Parts {
        core: core?,
        rows: rows?,
    })
}

/// Joins the parts. Without the rows, the report says how many are lost, and why.
pub(super) fn decode(core: &[u8], rows: Result<&[u8], DropReason>) -> io::Result<Record> {
    let core = unpack(core)?;
    let number = |at| array(&core, at).map(u64::from_be_bytes).ok_or(DAMAGED);
    let flow_rows = number(0)?;
    let tally = |at| -> Result<Tally, io::ErrorKind> {
        Ok(Tally {
            bytes: number(at)?,
            packets: number(at + 8)?,
        })
    };
    let without_interface = PerDirection {
        ingress: tally(8)?,
        egress: tally(24)?,
    };
    let mut record = the_record(core.get(HEAD_BYTES..).ok_or(DAMAGED)?)?;
    if let RecordBody::Report(interval) = &mut record.body
        && flow_rows > 0
    {
        let rows = rows.and_then(|rows| read_rows(rows).map_err(|_| DropReason::Damage));
        match rows {
            Ok(rows) => interval.flows = rows,
            Err(reason) => {
                let lost = FlowsLost {
                    rows: flow_rows,
                    reason,
                };
                interval.lose_flows(lost, without_interface);
            }
        }
    }
    Ok(record)
}

/// The flow part of a report that is nothing but its window and rows.
fn rows_of(epoch: Epoch, seq: u64, only_rows: &mut Interval) -> io::Result<Option<Vec<u8>>> {
    if only_rows.flows.is_empty() {
        return Ok(None);
    }
    let body = RecordBody::Report(Box::new(std::mem::take(only_rows)));
    let record = Record { epoch, seq, body };
    let rows = pack(wire::encode_records([&record]));
    if let RecordBody::Report(interval) = record.body {
        *only_rows = *interval;
    }
    rows.map(Some)
}

fn read_rows(bytes: &[u8]) -> io::Result<Vec<FlowRow>> {
    match the_record(&unpack(bytes)?)?.body {
        RecordBody::Report(interval) => Ok(interval.flows),
        RecordBody::Dropped(_) | RecordBody::EpochStart(_) => Err(DAMAGED.into()),
    }
}

/// The only record of a document.
fn the_record(document: &[u8]) -> io::Result<Record> {
    let decoded = wire::decode(document).map_err(|error| io::Error::new(DAMAGED, error))?;
    let [record] = <[Record; 1]>::try_from(decoded.document.records)
        .map_err(|records| io::Error::new(DAMAGED, format!("{} records", records.len())))?;
    Ok(record)
}

fn pack(mut plain: Vec<u8>) -> io::Result<Vec<u8>> {
    if plain.len() > COMPRESS_ABOVE_BYTES {
        let mut packed = zstd::bulk::compress(&plain, ZSTD_LEVEL)?;
        if packed.len() < plain.len() {
            packed.insert(0, ZSTD);
            return Ok(packed);
        }
    }
    plain.insert(0, PLAIN);
    Ok(plain)
}

fn unpack(bytes: &[u8]) -> io::Result<Cow<'_, [u8]>> {
    match bytes.split_first() {
        Some((&PLAIN, plain)) => Ok(plain.into()),
        Some((&ZSTD, packed)) => {
            let damaged = |error| io::Error::new(DAMAGED, error);
            let decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(damaged)?;
            let mut plain = Vec::new();
            let mut bounded = decoder.take(MAX_PAYLOAD_BYTES as u64);
            bounded.read_to_end(&mut plain).map_err(damaged)?;
            Ok(plain.into())
        }
        _ => Err(io::Error::new(DAMAGED, "a form of a newer version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bwmon_core::testkit::record;

    fn report(record: &Record) -> &Interval {
        match &record.body {
            RecordBody::Report(interval) => interval,
            _ => unreachable!("samples are reports"),
        }
    }

    /// The sample, with so many rows of which every third names no interface.
    fn with_rows(count: u16) -> Record {
        let mut record = record(7);
        let RecordBody::Report(interval) = &mut record.body else {
            unreachable!("samples are reports");
        };
        let row = interval.flows[0].clone();
        let row = |port: u16| FlowRow {
            remote_port: port,
            interface: row.interface.clone().filter(|_| !port.is_multiple_of(3)),
            ..row.clone()
        };
        interval.flows = (0..count).map(row).collect();
        record
    }

    #[test]
    fn parts_join_to_what_they_were() {
        for mut record in [record(1), with_rows(0), with_rows(1), with_rows(4_096)] {
            let before = record.clone();
            let Parts { core, rows } = encode(&mut record).unwrap();
            assert_eq!(record, before);
            let is_compressed = |part: &[u8]| part[0] == ZSTD;
            assert_eq!(is_compressed(&core), core.len() > COMPRESS_ABOVE_BYTES);
            let joined = decode(&core, rows.as_deref().ok_or(DropReason::Damage)).unwrap();
            assert_eq!(joined, before);
        }
        let rows = encode(&mut with_rows(4_096)).unwrap().rows.unwrap();
        assert!(
            rows[0] == ZSTD && rows.len() < 64 << 10,
            "{} bytes",
            rows.len()
        );
    }

    #[test]
    fn a_report_without_its_rows_keeps_every_byte_and_says_so() {
        let mut before = with_rows(7);
        let core = encode(&mut before).unwrap().core;
        let lost = decode(&core, Err(DropReason::TooOld)).unwrap();
        let (before, after) = (report(&before), report(&lost));
        let lost = after.flows_lost.unwrap();
        assert_eq!((lost.rows, lost.reason), (7, DropReason::TooOld));
        let captured = |report: &Interval| {
            let conservation = report.interfaces[0].conservation.unwrap();
            conservation.map(|direction| direction.terms.captured())
        };
        assert_eq!(captured(before), captured(after));
        let mut expected = before.overflow_without_interface;
        for row in before.flows.iter().filter(|row| row.interface.is_none()) {
            expected.add(row.traffic);
        }
        assert_eq!(after.overflow_without_interface, expected);
    }

    #[test]
    fn rows_that_cannot_be_read_are_lost_alone() {
        let mut record = with_rows(5);
        let core = encode(&mut record).unwrap().core;
        for rows in [&b""[..], &[PLAIN], &[ZSTD, 1, 2], &[9, 8], &core] {
            let joined = decode(&core, Ok(rows)).unwrap();
            let lost = report(&joined).flows_lost.unwrap();
            assert_eq!((lost.rows, lost.reason), (5, DropReason::Damage));
        }
        for core in [&b""[..], &[PLAIN], &[ZSTD], &[PLAIN; 60], &core[..50]] {
            assert_eq!(decode(core, Ok(&[])).unwrap_err().kind(), DAMAGED);
        }
    }
}
