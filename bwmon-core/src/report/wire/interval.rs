//! One interval.

use super::super::bounds::PARTS;
use super::super::interval::Interval;
use super::error::{DecodeError, Reason};
use super::field::{Field, push, put_all};
use super::flows::{read_flows, write_flows};
use super::reader::{Context, Reader, Value};
use super::writer::Writer;
use crate::time::Window;

/// Not a [`Message`](super::field::Message): its window must be there, and its flow rows are told
/// from the window's start.
impl Field for Interval {
    fn is_absent(&self) -> bool {
        false
    }

    fn put(&self, number: u32, out: &mut Writer) {
        out.nested(number, |out| {
            self.window.put(1, out);
            self.host.put(2, out);
            put_all(&self.interfaces, 3, out);
            if !self.flows.is_empty() {
                out.nested(4, |out| write_flows(&self.flows, self.window.start, out));
            }
            if !self.overflow_without_interface.is_absent() {
                self.overflow_without_interface.put(5, out);
            }
            if !self.capture.is_absent() {
                self.capture.put(6, out);
            }
            put_all(&self.losses, 7, out);
            put_all(&self.probes, 8, out);
            if !self.merged_windows.is_absent() {
                self.merged_windows.put(9, out);
            }
            self.flows_lost.put(10, out);
            self.clocks.put(11, out);
        });
    }

    fn take(value: Value<'_>, context: &mut Context) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value.bytes()?);
        let mut interval = Self::default();
        let mut window: Option<Window> = None;
        let mut flows = None;
        while let Some((number, value)) = reader.next_field()? {
            let (name, read) = match number {
                1 => ("window", Field::take(value, context).map(|it| window = it)),
                4 => (
                    "flows",
                    value.bytes().map(|it| flows = Some(it)).map_err(Into::into),
                ),
                _ => take_part(&mut interval, number, value, context),
            };
            read.map_err(|error| error.within(name))?;
        }
        let missing = || DecodeError::from(Reason::Missing).within("window");
        interval.window = window.ok_or_else(missing)?;
        if let Some(flows) = flows {
            interval.flows = read_flows(flows, interval.window.start, context)
                .map_err(|error| error.within("flows"))?;
        }
        Ok(interval)
    }
}

/// A field that can be read by itself, and its name.
fn take_part(
    interval: &mut Interval,
    number: u32,
    value: Value<'_>,
    context: &mut Context,
) -> (&'static str, Result<(), DecodeError>) {
    match number {
        2 => (
            "host",
            Field::take(value, context).map(|it| interval.host = it),
        ),
        3 => (
            "interfaces",
            push(&mut interval.interfaces, PARTS, value, context),
        ),
        5 => (
            "overflow_without_interface",
            Field::take(value, context).map(|it| interval.overflow_without_interface = it),
        ),
        6 => (
            "capture",
            Field::take(value, context).map(|it| interval.capture = it),
        ),
        7 => ("losses", push(&mut interval.losses, PARTS, value, context)),
        8 => ("probes", push(&mut interval.probes, PARTS, value, context)),
        9 => (
            "merged_windows",
            Field::take(value, context).map(|it| interval.merged_windows = it),
        ),
        10 => (
            "flows_lost",
            Field::take(value, context).map(|it| interval.flows_lost = it),
        ),
        11 => (
            "clocks",
            Field::take(value, context).map(|it| interval.clocks = it),
        ),
        _ => {
            context.skip();
            ("", Ok(()))
        }
    }
}
