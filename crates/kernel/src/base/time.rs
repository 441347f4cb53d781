//! Time since boot, in nanoseconds, and spans of it.

use core::fmt;
use core::ops::{Add, Sub};

/// A moment, counted from the machine's start of the clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Instant(u64);

/// A span of time; saturates instead of wrapping.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Duration(u64);

impl Instant {
    pub const ZERO: Self = Self(0);
    /// Later than every moment that a machine lives to see.
    pub const FAR_FUTURE: Self = Self(u64::MAX);

    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this moment, zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    pub const ZERO: Self = Self(0);

    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Instant {
    /// Seconds and microseconds, as in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0 / 1_000;
        write!(f, "{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

impl fmt::Display for Duration {
    /// The largest unit that leaves a readable figure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0;
        match nanos {
            0..1_000 => write!(f, "{nanos} ns"),
            1_000..1_000_000 => write!(f, "{}.{} us", nanos / 1_000, nanos / 100 % 10),
            1_000_000..1_000_000_000 => {
                write!(f, "{}.{} ms", nanos / 1_000_000, nanos / 100_000 % 10)
            }
            _ => fmt_long(nanos / 1_000_000_000, nanos / 100_000_000 % 10, f),
        }
    }
}

fn fmt_long(secs: u64, tenths: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    match secs {
        0..60 => write!(f, "{secs}.{tenths} s"),
        60..3_600 => write!(f, "{minutes} min {} s", secs % 60),
        3_600..86_400 => write!(f, "{hours} h {minutes} min"),
        _ => write!(f, "{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_saturate_and_never_run_backwards() {
        assert_eq!(Instant::ZERO.since(Instant::from_nanos(5)), Duration::ZERO);
        assert_eq!(
            Instant::FAR_FUTURE + Duration::from_secs(1),
            Instant::FAR_FUTURE
        );
    }

    #[test]
    fn a_span_is_printed_in_its_own_unit() {
        let cases = [
            (999, "999 ns"),
            (1_500, "1.5 us"),
            (2_000_000, "2.0 ms"),
            (59_900_000_000, "59.9 s"),
            (61_000_000_000, "1 min 1 s"),
            (3_600_000_000_000, "1 h 0 min"),
            (90_000_000_000_000, "1 d 1 h"),
        ];
        for (nanos, expected) in cases {
            assert_eq!(std::format!("{}", Duration::from_nanos(nanos)), expected);
        }
    }
}
