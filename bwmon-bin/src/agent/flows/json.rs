//! The document `bwmon-flows/1`; `docs/flows.md` is its reference.
//!
//! Rows are written as they are made: a capture of a million flows is no million values in memory.

use std::io::{self, Write};

use bwmon_core::flow::{Flow, Snapshot};
use bwmon_core::frame::Tally;
use bwmon_core::monitor::Totals;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::cli::By;
use super::filter::Wanted;
use super::part::{Ending, Part, Source};
use super::query::{Query, Rest};
use super::units::protocol;

const SCHEMA: &str = "bwmon-flows/1";

/// Writes the line of an interval.
pub(super) fn interval(
    out: &mut impl Write,
    query: &Query,
    source: &Source,
    part: &Part,
) -> io::Result<()> {
    let ending = None;
    document(
        out,
        &Document {
            query,
            source,
            part,
            ending,
        },
    )
}

/// Writes the document of all, or the last line of a series.
pub(super) fn end(
    out: &mut impl Write,
    query: &Query,
    source: &Source,
    part: &Part,
    ending: &Ending,
) -> io::Result<()> {
    let ending = Some(ending);
    document(
        out,
        &Document {
            query,
            source,
            part,
            ending,
        },
    )
}

fn document(out: &mut impl Write, document: &Document<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, document)?;
    out.write_all(b"\n")
}

struct Document<'a> {
    query: &'a Query,
    source: &'a Source,
    part: &'a Part,
    ending: Option<&'a Ending>,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        self.source(&mut map)?;
        self.ending(&mut map)?;
        map.serialize_entry("totals", &TotalsMap(&self.part.totals))?;
        map.serialize_entry("overflow_frames", &self.part.overflow.packets)?;
        map.serialize_entry("overflow_bytes", &self.part.overflow.bytes)?;
        if let Some(flows) = &self.part.flows {
            self.arrays(&mut map, flows)?;
        }
        map.end()
    }
}

impl Document<'_> {
    fn source<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self.source {
            Source::File(name) => map.serialize_entry("file", name),
            Source::Live { interfaces, method } => {
                map.serialize_entry("file", &None::<()>)?;
                map.serialize_entry("interfaces", interfaces)?;
                map.serialize_entry("method", method)
            }
        }
    }

    fn ending<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let window = &self.part.window;
        let Some(ending) = self.ending else {
            map.serialize_entry("interval", window)?;
            map.serialize_entry("late_frames", &self.part.late_frames)?;
            return map.serialize_entry("merged_intervals", &self.part.merged_intervals);
        };
        map.serialize_entry("complete", &ending.error.is_none())?;
        map.serialize_entry("error", &ending.error)?;
        map.serialize_entry("window", window)?;
        if let Some(drops) = ending.drops {
            map.serialize_entry("drops", &drops)?;
        }
        if let Some(intervals) = ending.intervals {
            map.serialize_entry("intervals", &intervals)?;
            map.serialize_entry("late_frames", &self.part.late_frames)?;
            map.serialize_entry("merged_intervals", &self.part.merged_intervals)?;
        }
        Ok(())
    }

    fn arrays<M: SerializeMap>(&self, map: &mut M, flows: &Snapshot) -> Result<(), M::Error> {
        let (pairs, all) = self.array(map, By::Pair, flows, |_| true)?;
        let (with_ports, sum) = self.array(map, By::Flow, flows, |flow| flow.key.has_ports)?;
        let mut rests = vec![pairs, with_ports];
        if !matches!(self.query.by, By::Pair | By::Flow) {
            let (rest, _) = self.array(map, self.query.by, flows, |_| true)?;
            rests.push(rest);
        }
        map.serialize_entry("rest", &Rests(&rests))?;
        let without_ports = Tally {
            packets: all.packets.saturating_sub(sum.packets),
            bytes: all.bytes.saturating_sub(sum.bytes),
        };
        map.serialize_entry("without_ports", &TallyMap(without_ports))?;
        match &self.query.wanted {
            Some(wanted) => map.serialize_entry("filter", &FilterMap(wanted, flows)),
            None => Ok(()),
        }
    }

    /// Writes the rows of a view, and says what is not shown of them and what all of them sum to.
    fn array<M: SerializeMap>(
        &self,
        map: &mut M,
        by: By,
        flows: &Snapshot,
        belongs: impl Fn(&Flow) -> bool,
    ) -> Result<((By, Rest), Tally), M::Error> {
        let rows = self.query.rows(flows, by.view(), belongs);
        map.serialize_entry(by.plural(), &Array(by, &rows.shown))?;
        let all = rows.total();
        Ok(((by, rows.rest), all))
    }
}

struct Array<'a>(By, &'a [Flow]);

impl Serialize for Array<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(by, flows) = *self;
        serializer.collect_seq(flows.iter().map(|flow| Row(by, flow)))
    }
}

struct Row<'a>(By, &'a Flow);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(by, flow) = self;
        let mut map = serializer.serialize_map(None)?;
        key(&mut map, *by, flow)?;
        let names = match by {
            By::Flow | By::Pair => Some(["packets_ab", "bytes_ab", "packets_ba", "bytes_ba"]),
            By::Host | By::Port => Some([
                "packets_sent",
                "bytes_sent",
                "packets_received",
                "bytes_received",
            ]),
            By::Protocol | By::Vlan => None,
        };
        let traffic = &flow.counters.traffic;
        match names {
            Some([packets_ab, bytes_ab, packets_ba, bytes_ba]) => {
                map.serialize_entry(packets_ab, &traffic.egress.packets)?;
                map.serialize_entry(bytes_ab, &traffic.egress.bytes)?;
                map.serialize_entry(packets_ba, &traffic.ingress.packets)?;
                map.serialize_entry(bytes_ba, &traffic.ingress.bytes)?;
            }
            None => {
                let sum = traffic.total();
                map.serialize_entry("packets", &sum.packets)?;
                map.serialize_entry("bytes", &sum.bytes)?;
            }
        }
        map.serialize_entry("first_us", &flow.counters.first)?;
        map.serialize_entry("last_us", &flow.counters.last)?;
        map.end()
    }
}

/// What tells a row from others.
fn key<M: SerializeMap>(map: &mut M, by: By, flow: &Flow) -> Result<(), M::Error> {
    let key = &flow.key;
    if matches!(by, By::Flow | By::Port | By::Protocol) {
        map.serialize_entry("protocol", &Text(protocol(key.protocol)))?;
    }
    match by {
        By::Flow => {
            map.serialize_entry("a", &key.local.address)?;
            map.serialize_entry("a_port", &key.local.port)?;
            map.serialize_entry("b", &key.remote.address)?;
            map.serialize_entry("b_port", &key.remote.port)
        }
        By::Pair => {
            map.serialize_entry("a", &key.local.address)?;
            map.serialize_entry("b", &key.remote.address)
        }
        By::Host => map.serialize_entry("address", &key.local.address),
        By::Port => map.serialize_entry("port", &key.has_ports.then_some(key.local.port)),
        By::Protocol => map.serialize_entry("number", &key.protocol),
        By::Vlan => map.serialize_entry("vlan", &key.vlan),
    }
}

struct Text<T>(T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct TotalsMap<'a>(&'a Totals);

impl Serialize for TotalsMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let totals = self.0;
        let mut map = serializer.serialize_map(Some(10))?;
        for (frames, bytes, tally) in [
            ("frames", "bytes", totals.all()),
            ("ipv4_frames", "ipv4_bytes", totals.ipv4),
            ("ipv6_frames", "ipv6_bytes", totals.ipv6),
            ("non_ip_frames", "non_ip_bytes", totals.non_ip),
            ("malformed_frames", "malformed_bytes", totals.malformed),
        ] {
            map.serialize_entry(frames, &tally.packets)?;
            map.serialize_entry(bytes, &tally.bytes)?;
        }
        map.end()
    }
}

struct Rests<'a>(&'a [(By, Rest)]);

impl Serialize for Rests<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(by, rest)| (by.plural(), RestMap(rest))))
    }
}

struct RestMap<'a>(&'a Rest);

impl Serialize for RestMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("rows", &self.0.rows)?;
        map.serialize_entry("packets", &self.0.traffic.packets)?;
        map.serialize_entry("bytes", &self.0.traffic.bytes)?;
        map.end()
    }
}

struct FilterMap<'a>(&'a Wanted, &'a Snapshot);

impl Serialize for FilterMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(wanted, flows) = self;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("text", &wanted.text)?;
        map.serialize_entry("left_out", &TallyMap(wanted.left_out(flows)))?;
        map.end()
    }
}

struct TallyMap(Tally);

impl Serialize for TallyMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("packets", &self.0.packets)?;
        map.serialize_entry("bytes", &self.0.bytes)?;
        map.end()
    }
}
