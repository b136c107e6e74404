//! How parts of a record become bytes. The first byte says which encoding follows, so that another
//! one can come and what an older version left is still read.

use std::io::{self, Read};

use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::report::{DropReason, FlowRow, FlowsLost, RecordBody};
use serde::{Deserialize, Serialize};

/// JSON, compressed with zstd.
const JSON_ZSTD: u8 = 1;
const ZSTD_LEVEL: i32 = 1;
/// Longest part after decompression.
const MAX_DECODED_BYTES: u64 = 64 << 20;

/// A record without its flow rows, and what must be known of them where they are gone.
#[derive(Debug, Serialize, Deserialize)]
struct Core {
    flow_rows: u64,
    without_interface: PerDirection<Tally>,
    body: RecordBody,
}

/// The parts of a record as bytes.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) core: Vec<u8>,
    pub(super) rows: Option<Vec<u8>>,
}

/// Both parts of a record; no flow part where it has no rows. Gives the body back as it was.
pub(super) fn encode(mut body: RecordBody) -> (RecordBody, io::Result<Parts>) {
    let flows = match &mut body {
        RecordBody::Report(interval) => std::mem::take(&mut interval.flows),
        RecordBody::Dropped(_) | RecordBody::EpochStart(_) => Vec::new(),
    };
    let mut core = Core {
        flow_rows: flows.len() as u64,
        without_interface: PerDirection::default(),
        body,
    };
    for row in flows.iter().filter(|row| row.interface.is_none()) {
        core.without_interface.add(row.traffic);
    }
    let parts = pack(&core).and_then(|core| {
        let rows = (!flows.is_empty()).then(|| pack(&flows)).transpose()?;
        Ok(Parts { core, rows })
    });
    if let RecordBody::Report(interval) = &mut core.body {
        interval.flows = flows;
    }
    (core.body, parts)
}

/// Joins the parts. Without the rows, the report says how many are lost, and why.
pub(super) fn decode(core: &[u8], rows: Result<&[u8], DropReason>) -> io::Result<RecordBody> {
    let Core {
        flow_rows,
        without_interface,
        mut body,
    } = unpack(core)?;
    if let RecordBody::Report(interval) = &mut body
        && flow_rows > 0
    {
        let rows =
            rows.and_then(|rows| unpack::<Vec<FlowRow>>(rows).map_err(|_| DropReason::Damage));
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
    Ok(body)
}

fn pack(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(value)?;
    let mut bytes = zstd::bulk::compress(&json, ZSTD_LEVEL)?;
    bytes.insert(0, JSON_ZSTD);
    Ok(bytes)
}

fn unpack<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> io::Result<T> {
    let damaged = |error: io::Error| io::Error::new(io::ErrorKind::InvalidData, error);
    let unknown = || damaged(io::Error::other("an encoding of a newer version"));
    let compressed = bytes.strip_prefix(&[JSON_ZSTD]).ok_or_else(unknown)?;
    let decoder = zstd::stream::read::Decoder::new(compressed)?;
    let mut json = Vec::new();
    let mut bounded = decoder.take(MAX_DECODED_BYTES);
    bounded.read_to_end(&mut json).map_err(damaged)?;
    serde_json::from_slice(&json).map_err(|error| damaged(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bwmon_core::testkit::record;

    #[test]
    fn parts_join_to_what_they_were() {
        let body = record(1).body;
        let (same, parts) = encode(body.clone());
        let Parts { core, rows } = parts.unwrap();
        assert_eq!(same, body);
        assert_eq!(decode(&core, Ok(&rows.unwrap())).unwrap(), body);
    }

    #[test]
    fn a_report_without_its_rows_keeps_every_byte_and_says_so() {
        let (body, parts) = encode(record(1).body);
        let joined = decode(&parts.unwrap().core, Err(DropReason::TooOld)).unwrap();
        let (RecordBody::Report(before), RecordBody::Report(after)) = (body, joined) else {
            panic!("no reports");
        };
        let lost = after.flows_lost.unwrap();
        assert_eq!((lost.rows, lost.reason), (1, DropReason::TooOld));
        let captured = |report: &bwmon_core::report::Interval| {
            let conservation = report.interfaces[0].conservation.unwrap();
            conservation.map(|direction| direction.terms.captured())
        };
        assert_eq!(captured(&before), captured(&after));
    }
}
