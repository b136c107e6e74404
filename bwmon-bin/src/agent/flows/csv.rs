//! Comma-separated values by RFC 4180: a header, then a row per group. No value needs quotes.

use std::fmt::{self, Display};
use std::io::{self, Write};

use bwmon_core::flow::Flow;

use super::cli::By;
use super::part::Part;
use super::query::Query;
use super::units::{moment, protocol};

/// Writes the names of the columns, once.
pub(super) fn header(
    out: &mut impl Write,
    query: &Query,
    is_series: bool,
    has_header: &mut bool,
) -> io::Result<()> {
    if std::mem::replace(has_header, true) {
        return Ok(());
    }
    let start = if is_series { "start," } else { "" };
    write!(out, "{start}{}\r\n", names(query.by))
}

/// Writes the rows of a part, each after the start of its interval where the part is one.
pub(super) fn rows(
    out: &mut impl Write,
    query: &Query,
    part: &Part,
    is_interval: bool,
) -> io::Result<()> {
    let Some(flows) = &part.flows else {
        return Ok(());
    };
    let start = if is_interval {
        format!("{},", moment(part.window.start))
    } else {
        String::new()
    };
    for flow in query.rows(flows, query.by.view(), |_| true).shown {
        write!(out, "{start}{}\r\n", Row(query.by, &flow))?;
    }
    Ok(())
}

const fn names(by: By) -> &'static str {
    match by {
        By::Flow => "protocol,a,a_port,b,b_port,packets_ab,bytes_ab,packets_ba,bytes_ba,first,last",
        By::Pair => "a,b,packets_ab,bytes_ab,packets_ba,bytes_ba,first,last",
        By::Host => "address,packets_sent,bytes_sent,packets_received,bytes_received,first,last",
        By::Port => {
            "protocol,port,packets_sent,bytes_sent,packets_received,bytes_received,first,last"
        }
        By::Protocol => "protocol,packets,bytes,first,last",
        By::Vlan => "vlan,packets,bytes,first,last",
    }
}

/// One row without its line break.
struct Row<'a>(By, &'a Flow);

impl Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(by, Flow { key, counters, .. }) = self;
        let (a, b) = (key.local.address, key.remote.address);
        let port = |port| Known(key.has_ports.then_some(port));
        match by {
            By::Flow => {
                write!(f, "{},", protocol(key.protocol))?;
                write!(
                    f,
                    "{a},{},{b},{},",
                    port(key.local.port),
                    port(key.remote.port)
                )?;
            }
            By::Pair => write!(f, "{a},{b},")?,
            By::Host => write!(f, "{a},")?,
            By::Port => write!(f, "{},{},", protocol(key.protocol), port(key.local.port))?,
            By::Protocol => write!(f, "{},", protocol(key.protocol))?,
            By::Vlan => write!(f, "{},", Known(key.vlan))?,
        }
        let traffic = &counters.traffic;
        if matches!(by, By::Protocol | By::Vlan) {
            let sum = traffic.total();
            write!(f, "{},{}", sum.packets, sum.bytes)?;
        } else {
            let (sent, received) = (traffic.egress, traffic.ingress);
            write!(f, "{},{},", sent.packets, sent.bytes)?;
            write!(f, "{},{}", received.packets, received.bytes)?;
        }
        write!(f, ",{},{}", moment(counters.first), moment(counters.last))
    }
}

/// A number, or nothing.
struct Known(Option<u16>);

impl Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |number| number.fmt(f))
    }
}
