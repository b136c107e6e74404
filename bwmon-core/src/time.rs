//! Moments and spans. Nothing in this crate reads a clock outside `collectors`: the caller passes the time.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Serialised as whole **microseconds**, which stay below 2^53 until the year 2255 and so survive
/// JSON; digits below a microsecond are cut there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The start of the Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// A moment from nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A moment from microseconds since the Unix epoch; saturates in the year 2554.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// A moment from whole seconds since the Unix epoch; saturates in the year 2554.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole microseconds since the Unix epoch, cut, not rounded.
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `span` later; saturates.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanos(span)))
    }

    /// The moment `span` earlier; saturates at the Unix epoch.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(span)))
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.as_micros())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self::from_micros)
    }
}

/// A half-open span of time: `start <= t < start + duration`.
///
/// `start` is wall-clock time; `duration` comes from a monotonic clock, so that a clock step never
/// makes it negative or long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Window {
    /// First moment, in microseconds since the Unix epoch.
    #[serde(rename = "start_us")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64, example = 1_795_000_000_000_000_u64))]
    pub start: Timestamp,
    /// Length in microseconds.
    #[cfg_attr(feature = "openapi", schema(example = 2_000_000))]
    pub duration_us: u64,
}

impl Window {
    /// The window that starts at `start` and lasts `duration`.
    pub fn new(start: Timestamp, duration: Duration) -> Self {
        Self {
            start,
            duration_us: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// The length.
    pub const fn duration(&self) -> Duration {
        Duration::from_micros(self.duration_us)
    }

    /// The first moment after the window.
    pub fn end(&self) -> Timestamp {
        self.start.plus(self.duration())
    }

    /// The smallest window that holds both. Associative and commutative.
    #[must_use]
    pub fn hull(&self, other: &Self) -> Self {
        let start = self.start.min(other.start);
        Self::new(start, self.end().max(other.end()).since(start))
    }

    /// Bits per second (SI) of `bytes` moved within the window; `None` for an empty window.
    pub fn bits_per_second(&self, bytes: u64) -> Option<f64> {
        if self.duration_us == 0 {
            return None;
        }
        Some(bytes as f64 * 8.0 * 1e6 / self.duration_us as f64)
    }
}

/// The moments of the first and the last of some things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Of the first.
    pub first: Timestamp,
    /// Of the last.
    pub last: Timestamp,
}

impl Span {
    /// Of one thing alone.
    pub const fn at(moment: Timestamp) -> Self {
        Self {
            first: moment,
            last: moment,
        }
    }

    /// Around both, as far as they are. Associative and commutative.
    pub fn hull(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(Self {
                first: one.first.min(other.first),
                last: one.last.max(other.last),
            }),
            (span, None) | (None, span) => span,
        }
    }

    /// From the first to the last.
    pub fn window(&self) -> Window {
        Window::new(self.first, self.last.since(self.first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_travels_as_microseconds() {
        let at = Timestamp::from_nanos(1_795_000_000_123_456_789);
        let json = serde_json::to_string(&at).unwrap();
        assert_eq!(json, "1795000000123456");
        assert_eq!(
            serde_json::from_str::<Timestamp>(&json).unwrap().as_nanos(),
            1_795_000_000_123_456_000
        );
    }

    #[test]
    fn hull_covers_a_hole() {
        let first = Window::new(Timestamp::from_secs(10), Duration::from_secs(2));
        let later = Window::new(Timestamp::from_secs(20), Duration::from_secs(2));
        let hull = Window::new(Timestamp::from_secs(10), Duration::from_secs(12));
        assert_eq!(first.hull(&later), hull);
        assert_eq!(later.hull(&first), hull);
    }

    #[test]
    fn rates_are_si_bits() {
        let window = Window::new(Timestamp::EPOCH, Duration::from_secs(2));
        assert_eq!(window.bits_per_second(250_000), Some(1_000_000.0));
        assert_eq!(Window::default().bits_per_second(1), None);
    }
}
