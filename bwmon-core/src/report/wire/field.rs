//! How each type of the model travels as a field.

use std::net::IpAddr;

use super::super::bounds;
use super::super::record::{AgentId, Epoch};
use super::error::{DecodeError, Reason};
use super::reader::{Context, Reader, Value};
use super::writer::Writer;
use crate::frame::InterfaceId;
use crate::time::Timestamp;

/// What a message may hold.
pub(super) trait Field: Sized {
    /// Whether it is what a reader takes an absent field for.
    fn is_absent(&self) -> bool;
    /// Writes it, whatever its value.
    fn put(&self, number: u32, out: &mut Writer);
    /// Reads it.
    fn take(value: Value<'_>, context: &mut Context) -> Result<Self, DecodeError>;
}

/// What is made of numbered fields.
pub(super) trait Message: Default + PartialEq {
    fn write(&self, out: &mut Writer);
    fn read(reader: Reader<'_>, context: &mut Context) -> Result<Self, DecodeError>;
}

impl<T: Message> Field for T {
    fn is_absent(&self) -> bool {
        *self == Self::default()
    }

    fn put(&self, number: u32, out: &mut Writer) {
        out.nested(number, |out| self.write(out));
    }

    fn take(value: Value<'_>, context: &mut Context) -> Result<Self, DecodeError> {
        Self::read(Reader::new(value.bytes()?), context)
    }
}

impl<T: Field> Field for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn put(&self, number: u32, out: &mut Writer) {
        if let Some(value) = self {
            value.put(number, out);
        }
    }

    fn take(value: Value<'_>, context: &mut Context) -> Result<Self, DecodeError> {
        T::take(value, context).map(Some)
    }
}

macro_rules! unsigned {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn is_absent(&self) -> bool {
                *self == 0
            }

            fn put(&self, number: u32, out: &mut Writer) {
                out.varint(number, u64::from(*self));
            }

            fn take(value: Value<'_>, _: &mut Context) -> Result<Self, DecodeError> {
                Ok(value.varint()?.try_into().map_err(|_| Reason::OutOfRange)?)
            }
        }
    )*};
}
unsigned!(u16, u32, u64);

macro_rules! finite {
    ($($type:ty: $form:ident $put:ident),*) => {$(
        impl Field for $type {
            fn is_absent(&self) -> bool {
                self.to_bits() == 0
            }

            fn put(&self, number: u32, out: &mut Writer) {
                out.$put(number, self.to_le_bytes());
            }

            fn take(value: Value<'_>, _: &mut Context) -> Result<Self, DecodeError> {
                let Value::$form(bytes) = value else {
                    return Err(Reason::WireType.into());
                };
                let number = Self::from_le_bytes(bytes);
                // What JSON cannot say is not taken here either: a store may keep it as JSON.
                if number.is_finite() { Ok(number) } else { Err(Reason::OutOfRange.into()) }
            }
        }
    )*};
}
finite!(f32: Fixed32 fixed32, f64: Fixed64 fixed64);

/// Other types that travel as one that is above.
macro_rules! carried {
    ($($type:ty as $carrier:ty: $out:expr, $back:expr;)*) => {$(
        impl Field for $type {
            fn is_absent(&self) -> bool {
                *self == Self::default()
            }

            fn put(&self, number: u32, out: &mut Writer) {
                let carrier: $carrier = $out(*self);
                carrier.put(number, out);
            }

            fn take(value: Value<'_>, context: &mut Context) -> Result<Self, DecodeError> {
                Ok($back(<$carrier>::take(value, context)?))
            }
        }
    )*};
}
carried! {
    bool as u64: u64::from, |number| number != 0;
    i64 as u64: zigzag, unzigzag;
    Timestamp as u64: Self::as_micros, Self::from_micros;
    InterfaceId as u32: |id: Self| id.0, Self;
}

/// Signed numbers as unsigned ones, small where the distance from zero is (protobuf's `sint64`).
pub(super) const fn zigzag(number: i64) -> u64 {
    (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned()
}

/// Undoes [`zigzag`].
pub(super) const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

impl Field for String {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn put(&self, number: u32, out: &mut Writer) {
        out.bytes(number, self.as_bytes());
    }

    fn take(value: Value<'_>, context: &mut Context) -> Result<Self, DecodeError> {
        let bytes = value.bytes()?;
        if bytes.len() > bounds::STRING_BYTES {
            return Err(Reason::TooLong { bytes: bytes.len() }.into());
        }
        context.charge(bytes.len())?;
        let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)?;
        Ok(text.to_owned())
    }
}

macro_rules! id128 {
    ($($type:ident),*) => {$(
        impl Field for $type {
            /// An id is always written.
            fn is_absent(&self) -> bool {
                false
            }

            fn put(&self, number: u32, out: &mut Writer) {
                out.bytes(number, &self.0.to_be_bytes());
            }

            fn take(value: Value<'_>, _: &mut Context) -> Result<Self, DecodeError> {
                let bytes = value.bytes()?;
                let id = bytes.try_into().map_err(|_| Reason::Length { bytes: bytes.len() })?;
                Ok(Self(u128::from_be_bytes(id)))
            }
        }
    )*};
}
id128!(AgentId, Epoch);

impl Field for IpAddr {
    /// An address is always written.
    fn is_absent(&self) -> bool {
        false
    }

    fn put(&self, number: u32, out: &mut Writer) {
        match self {
            Self::V4(address) => out.bytes(number, &address.octets()),
            Self::V6(address) => out.bytes(number, &address.octets()),
        }
    }

    fn take(value: Value<'_>, _: &mut Context) -> Result<Self, DecodeError> {
        let bytes = value.bytes()?;
        let v4 = <[u8; 4]>::try_from(bytes).map(Self::from);
        let address = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(Self::from));
        Ok(address.map_err(|_| Reason::Length { bytes: bytes.len() })?)
    }
}

/// Adds an element to a list of at most `limit`.
pub(super) fn push<T: Field>(
    list: &mut Vec<T>,
    limit: usize,
    value: Value<'_>,
    context: &mut Context,
) -> Result<(), DecodeError> {
    let index = list.len();
    if index >= limit {
        return Err(Reason::TooMany { limit }.into());
    }
    context.charge(size_of::<T>())?;
    list.push(T::take(value, context).map_err(|error| error.at_index(index))?);
    Ok(())
}

/// Writes the elements of a list, one field each.
pub(super) fn put_all<T: Field>(list: &[T], number: u32, out: &mut Writer) {
    for element in list {
        element.put(number, out);
    }
}

/// A message by the numbers of its fields. `lists` come with the most elements that are taken; `as`
/// gives the name that an error shows where the field of the model has another.
macro_rules! message {
    ($type:ty {
        $($number:literal $field:ident $(as $name:literal)?,)*
    } $(lists {
        $($list_number:literal $list:ident: $limit:expr,)*
    })?) => {
        impl $crate::report::wire::field::Message for $type {
            fn write(&self, out: &mut $crate::report::wire::writer::Writer) {
                use $crate::report::wire::field::Field as _;
                $(if !self.$field.is_absent() {
                    self.$field.put($number, out);
                })*
                $($($crate::report::wire::field::put_all(&self.$list, $list_number, out);)*)?
            }

            fn read(
                mut reader: $crate::report::wire::reader::Reader<'_>,
                context: &mut $crate::report::wire::reader::Context,
            ) -> Result<Self, $crate::report::wire::DecodeError> {
                use $crate::report::wire::field::{Field, name};
                let mut message = Self::default();
                while let Some((number, value)) = reader.next_field()? {
                    match number {
                        $($number => {
                            message.$field = Field::take(value, context)
                                .map_err(|error| error.within(name!($field $($name)?)))?;
                        })*
                        $($($list_number => {
                            $crate::report::wire::field::push(
                                &mut message.$list, $limit, value, context,
                            )
                            .map_err(|error| error.within(stringify!($list)))?;
                        })*)?
                        _ => context.skip(),
                    }
                }
                Ok(message)
            }
        }
    };
}

macro_rules! name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:literal) => {
        $name
    };
}

/// An enumeration by its numbers; 0 and those of newer writers are the last.
macro_rules! enumeration {
    ($type:ident { $($number:literal $variant:ident,)* else $other:ident }) => {
        impl $crate::report::wire::field::Field for $type {
            fn is_absent(&self) -> bool {
                *self == Self::$other
            }

            fn put(&self, number: u32, out: &mut $crate::report::wire::writer::Writer) {
                out.varint(number, match self {
                    $(Self::$variant => $number,)*
                    Self::$other => 0,
                });
            }

            fn take(
                value: $crate::report::wire::reader::Value<'_>,
                _: &mut $crate::report::wire::reader::Context,
            ) -> Result<Self, $crate::report::wire::DecodeError> {
                Ok(match value.varint()? {
                    $($number => Self::$variant,)*
                    _ => Self::$other,
                })
            }
        }
    };
}

pub(super) use {enumeration, message, name};
