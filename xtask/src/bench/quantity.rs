//! What is measured, how it is written, and what is promised of it.

use serde_json::Value;

/// The unit of a comparison's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Time,
    BytesPerSecond,
    /// So many of these a second.
    PerSecond(&'static str),
}

impl Unit {
    /// For people.
    pub fn shown(self, value: f64) -> String {
        match self {
            Unit::Time if value < 0.01 => format!("{:.0}us", value * 1e6),
            Unit::Time => format!("{:.1}ms", value * 1000.0),
            Unit::BytesPerSecond => format!("{:.1}MB/s", value / 1e6),
            Unit::PerSecond(what) => format!("{value:.0} {what}/s"),
        }
    }

    /// Behind the keys of a document.
    pub fn key_ending(self) -> &'static str {
        match self {
            Unit::Time => "_us",
            Unit::BytesPerSecond => "_bytes_per_s",
            Unit::PerSecond(_) => "_per_s",
        }
    }

    pub fn as_json(self, value: f64) -> Value {
        let whole = match self {
            Unit::Time => value * 1e6,
            Unit::BytesPerSecond | Unit::PerSecond(_) => value,
        };
        // No measured value is anywhere near the end of the numbers; a cast ends there instead of wrapping.
        Value::from(whole.round() as u64)
    }
}

/// What the ratio of ours to the peer's is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Promise {
    /// Of times.
    AtMost(f64),
    /// Of rates.
    AtLeast(f64),
}

impl Promise {
    pub fn verdict(self, ratio: f64) -> String {
        let (text, is_kept) = match self {
            Promise::AtMost(bound) => (format!("at most {bound}"), ratio <= bound),
            Promise::AtLeast(bound) => (format!("at least {bound}"), ratio >= bound),
        };
        format!("{text} ({})", if is_kept { "kept" } else { "broken" })
    }

    /// The key and the number of a document.
    pub fn as_json(self) -> (&'static str, f64) {
        match self {
            Promise::AtMost(bound) => ("ratio_max", bound),
            Promise::AtLeast(bound) => ("ratio_min", bound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_kept_from_its_side() {
        assert_eq!(Promise::AtMost(0.25).verdict(0.2), "at most 0.25 (kept)");
        assert_eq!(Promise::AtMost(0.25).verdict(0.3), "at most 0.25 (broken)");
        assert_eq!(Promise::AtLeast(1.0).verdict(1.5), "at least 1 (kept)");
        assert_eq!(Promise::AtLeast(1.0).verdict(0.5), "at least 1 (broken)");
    }

    #[test]
    fn values_are_written_in_units_that_people_read() {
        assert_eq!(Unit::Time.shown(0.1302), "130.2ms");
        assert_eq!(Unit::Time.shown(0.000_21), "210us");
        assert_eq!(Unit::BytesPerSecond.shown(123_456_789.0), "123.5MB/s");
        assert_eq!(Unit::PerSecond("packets").shown(12345.6), "12346 packets/s");
        assert_eq!(Unit::Time.as_json(0.1302), 130_200);
    }
}
