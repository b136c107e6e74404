//! Flow rows, as columns: each distinct address and interface once, and of every other field the
//! values of all rows together, so that what all rows have in common costs one value.

use std::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use super::super::bounds;
use super::super::interval::FlowRow;
use super::error::{DecodeError, Reason};
use super::field::{push, unzigzag, zigzag};
use super::reader::{Context, Reader, Value, take_varint};
use super::writer::Writer;
use crate::frame::{PerDirection, Tally};
use crate::time::Timestamp;

const ROWS: u32 = 1;
const ADDRESSES_V4: u32 = 2;
const ADDRESSES_V6: u32 = 3;
const INTERFACES: u32 = 4;
/// Number of the first column. The others follow in the order of [`COLUMNS`].
const FIRST_COLUMN: u32 = 5;
/// Names of the columns, which errors show.
const COLUMNS: [&str; 13] = [
    "interface",
    "protocol",
    "local",
    "local_port",
    "remote",
    "remote_port",
    "ingress_bytes",
    "ingress_packets",
    "egress_bytes",
    "egress_packets",
    "first_us",
    "last_us",
    "tcp_flags",
];
/// One value of each column.
type Cells = [u64; COLUMNS.len()];

pub(super) fn write_flows(rows: &[FlowRow], start: Timestamp, out: &mut Writer) {
    let addresses = AddressTable::of(rows);
    let mut interfaces = Vec::new();
    let (mut local_before, mut remote_before) = (0, 0);
    let cells: Vec<Cells> = addresses
        .indexed(rows)
        .map(|(row, local, remote)| {
            let cells = [
                interface_number(&mut interfaces, row.interface.as_deref()),
                u64::from(row.protocol),
                distance(local, local_before),
                u64::from(row.local_port),
                distance(remote, remote_before),
                u64::from(row.remote_port),
                row.traffic.ingress.bytes,
                row.traffic.ingress.packets,
                row.traffic.egress.bytes,
                row.traffic.egress.packets,
                distance(row.first.as_micros(), start.as_micros()),
                distance(row.last.as_micros(), row.first.as_micros()),
                u64::from(row.tcp_flags),
            ];
            (local_before, remote_before) = (local, remote);
            cells
        })
        .collect();
    out.varint(ROWS, u64::try_from(rows.len()).unwrap_or(u64::MAX));
    addresses.write(out);
    for name in interfaces {
        out.bytes(INTERFACES, name.as_bytes());
    }
    for (number, column) in (FIRST_COLUMN..).zip(0..COLUMNS.len()) {
        let values = cells.iter().filter_map(move |row| row.get(column).copied());
        write_column(number, values, out);
    }
}

/// Nothing where all are zero, one value where all are the same.
fn write_column(number: u32, mut values: impl Iterator<Item = u64> + Clone, out: &mut Writer) {
    let all = values.clone();
    let first = values.next().unwrap_or(0);
    let is_same = values.all(|value| value == first);
    if is_same && first == 0 {
        return;
    }
    let count = if is_same { 1 } else { usize::MAX };
    out.nested(number, |out| {
        for value in all.take(count) {
            out.bare_varint(value);
        }
    });
}

/// The way from `from` to `to`, small where they are close.
const fn distance(to: u64, from: u64) -> u64 {
    zigzag(to.wrapping_sub(from).cast_signed())
}

const fn moved(from: u64, distance: u64) -> u64 {
    from.wrapping_add(unzigzag(distance).cast_unsigned())
}

/// 0 for none, else the position in the table from 1.
fn interface_number<'a>(table: &mut Vec<&'a str>, name: Option<&'a str>) -> u64 {
    let Some(name) = name else { return 0 };
    let position = table.iter().position(|known| *known == name);
    let position = position.unwrap_or_else(|| {
        table.push(name);
        table.len() - 1
    });
    u64::try_from(position + 1).unwrap_or(u64::MAX)
}

/// Distinct addresses in the order in which the rows name them, those of IPv4 before those of IPv6.
#[derive(Default)]
struct AddressTable {
    v4: Vec<u8>,
    v6: Vec<u8>,
    known: HashMap<IpAddr, u64, RandomState>,
    /// Of both ends of each row, the position within its family.
    ends: Vec<[u64; 2]>,
}

impl AddressTable {
    fn of(rows: &[FlowRow]) -> Self {
        let mut table = Self::default();
        for row in rows {
            let ends = [table.position(row.local), table.position(row.remote)];
            table.ends.push(ends);
        }
        table
    }

    fn position(&mut self, address: IpAddr) -> u64 {
        let (v4, v6) = (&mut self.v4, &mut self.v6);
        *self.known.entry(address).or_insert_with(|| {
            let before = match address {
                IpAddr::V4(address) => {
                    v4.extend_from_slice(&address.octets());
                    v4.len() / 4 - 1
                }
                IpAddr::V6(address) => {
                    v6.extend_from_slice(&address.octets());
                    v6.len() / 16 - 1
                }
            };
            u64::try_from(before).unwrap_or(u64::MAX)
        })
    }

    /// The rows with the positions of both their ends in the whole table.
    fn indexed<'a>(
        &'a self,
        rows: &'a [FlowRow],
    ) -> impl Iterator<Item = (&'a FlowRow, u64, u64)> + 'a {
        let v4 = u64::try_from(self.v4.len() / 4).unwrap_or(u64::MAX);
        let index = move |address: IpAddr, at: u64| if address.is_ipv6() { v4 + at } else { at };
        rows.iter().zip(&self.ends).map(move |(row, ends)| {
            let [local, remote] = *ends;
            (row, index(row.local, local), index(row.remote, remote))
        })
    }

    fn write(&self, out: &mut Writer) {
        for (number, bytes) in [(ADDRESSES_V4, &self.v4), (ADDRESSES_V6, &self.v6)] {
            if !bytes.is_empty() {
                out.bytes(number, bytes);
            }
        }
    }
}

pub(super) fn read_flows(
    bytes: &[u8],
    start: Timestamp,
    context: &mut Context,
) -> Result<Vec<FlowRow>, DecodeError> {
    let mut table = Table::default();
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.next_field()? {
        table.take(number, value, context)?;
    }
    let rows = table.checked_rows()?;
    let (mut local, mut remote) = (0, 0);
    let mut flows = Vec::with_capacity(rows);
    for index in 0..rows {
        let cells = table.cells(index);
        let row = table.row(&cells, [&mut local, &mut remote], start, context);
        flows.push(row.map_err(|error| error.at_index(index))?);
    }
    Ok(flows)
}

/// What was read of the rows, before they are put together.
#[derive(Default)]
struct Table<'a> {
    rows: u64,
    v4: &'a [u8],
    v6: &'a [u8],
    interfaces: Vec<String>,
    columns: [Vec<u64>; COLUMNS.len()],
}

impl<'a> Table<'a> {
    fn take(
        &mut self,
        number: u32,
        value: Value<'a>,
        context: &mut Context,
    ) -> Result<(), DecodeError> {
        let (name, read) = match number {
            ROWS => (
                "rows",
                value
                    .varint()
                    .map(|rows| self.rows = rows)
                    .map_err(Into::into),
            ),
            ADDRESSES_V4 => ("addresses_v4", addresses::<4>(value).map(|it| self.v4 = it)),
            ADDRESSES_V6 => (
                "addresses_v6",
                addresses::<16>(value).map(|it| self.v6 = it),
            ),
            INTERFACES => {
                let limit = bounds::FLOWS;
                (
                    "interfaces",
                    push(&mut self.interfaces, limit, value, context),
                )
            }
            _ => {
                let column = number
                    .checked_sub(FIRST_COLUMN)
                    .and_then(|position| usize::try_from(position).ok());
                let known = column.and_then(|at| self.columns.get_mut(at).zip(COLUMNS.get(at)));
                let Some((column, name)) = known else {
                    context.skip();
                    return Ok(());
                };
                (*name, read_column(column, value))
            }
        };
        read.map_err(|error| error.within(name))
    }

    /// The number of rows, once it is sure that every column has as many values, one, or none.
    fn checked_rows(&self) -> Result<usize, DecodeError> {
        let rows = usize::try_from(self.rows).unwrap_or(usize::MAX);
        if rows > bounds::FLOWS {
            let limit = bounds::FLOWS;
            return Err(Reason::TooMany { limit }.into());
        }
        for (column, name) in self.columns.iter().zip(COLUMNS) {
            let values = column.len();
            if values > 1 && values != rows {
                return Err(DecodeError::from(Reason::Column { values, rows }).within(name));
            }
        }
        Ok(rows)
    }

    fn cells(&self, index: usize) -> Cells {
        self.columns
            .each_ref()
            .map(|column| match column.as_slice() {
                [] => 0,
                [all] => *all,
                each => each.get(index).copied().unwrap_or(0),
            })
    }

    fn row(
        &self,
        cells: &Cells,
        [local_at, remote_at]: [&mut u64; 2],
        start: Timestamp,
        context: &mut Context,
    ) -> Result<FlowRow, DecodeError> {
        let [
            interface,
            protocol,
            local,
            local_port,
            remote,
            remote_port,
            ingress_bytes,
            ingress_packets,
            egress_bytes,
            egress_packets,
            first,
            last,
            tcp_flags,
        ] = *cells;
        context.charge(size_of::<FlowRow>())?;
        *local_at = moved(*local_at, local);
        *remote_at = moved(*remote_at, remote);
        let first = moved(start.as_micros(), first);
        let tally = |bytes, packets| Tally { bytes, packets };
        Ok(FlowRow {
            interface: self.interface(interface, context)?,
            protocol: narrow(protocol, "protocol")?,
            local: self.address(*local_at, "local")?,
            local_port: narrow(local_port, "local_port")?,
            remote: self.address(*remote_at, "remote")?,
            remote_port: narrow(remote_port, "remote_port")?,
            traffic: PerDirection {
                ingress: tally(ingress_bytes, ingress_packets),
                egress: tally(egress_bytes, egress_packets),
            },
            first: Timestamp::from_micros(first),
            last: Timestamp::from_micros(moved(first, last)),
            tcp_flags: narrow(tcp_flags, "tcp_flags")?,
        })
    }

    fn interface(&self, number: u64, context: &mut Context) -> Result<Option<String>, DecodeError> {
        let Some(position) = number.checked_sub(1) else {
            return Ok(None);
        };
        let name = usize::try_from(position)
            .ok()
            .and_then(|position| self.interfaces.get(position))
            .ok_or_else(|| out_of_range("interface"))?;
        context.charge(name.len())?;
        Ok(Some(name.clone()))
    }

    fn address(&self, index: u64, name: &str) -> Result<IpAddr, DecodeError> {
        let (v4, _) = self.v4.as_chunks::<4>();
        let (v6, _) = self.v6.as_chunks::<16>();
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let address = match index.checked_sub(v4.len()) {
            None => v4.get(index).copied().map(IpAddr::from),
            Some(position) => v6.get(position).copied().map(IpAddr::from),
        };
        address.ok_or_else(|| out_of_range(name))
    }
}

/// Addresses of `N` bytes each.
fn addresses<const N: usize>(value: Value<'_>) -> Result<&[u8], DecodeError> {
    let bytes = value.bytes()?;
    if !bytes.len().is_multiple_of(N) {
        return Err(Reason::Length { bytes: bytes.len() }.into());
    }
    Ok(bytes)
}

/// Numbers of a column, packed or one by one as protobuf allows both.
fn read_column(column: &mut Vec<u64>, value: Value<'_>) -> Result<(), DecodeError> {
    let mut packed = match value {
        Value::Varint(single) => return add(column, single),
        other => other.bytes()?,
    };
    while !packed.is_empty() {
        add(column, take_varint(&mut packed)?)?;
    }
    Ok(())
}

fn add(column: &mut Vec<u64>, value: u64) -> Result<(), DecodeError> {
    if column.len() == bounds::FLOWS {
        let limit = bounds::FLOWS;
        return Err(Reason::TooMany { limit }.into());
    }
    column.push(value);
    Ok(())
}

fn narrow<T: TryFrom<u64>>(value: u64, name: &str) -> Result<T, DecodeError> {
    T::try_from(value).map_err(|_| out_of_range(name))
}

fn out_of_range(name: &str) -> DecodeError {
    DecodeError::from(Reason::OutOfRange).within(name)
}
