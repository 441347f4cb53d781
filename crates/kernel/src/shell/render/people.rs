//! Values as people read them: the unit is the suffix of the key.

use crate::base::report::Value;
use crate::base::time::{Duration, Instant};
use core::fmt::{self, Display, Write};

/// What a number counts, as the suffix of its key says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Plain,
    Bytes,
    /// A moment since boot, in nanoseconds.
    Moment,
    /// A span; nanoseconds in one of its unit.
    Span(u64),
    Hertz,
    PerSecond,
    Share,
    /// Shown in base 16.
    Address,
}

const SUFFIXES: &[(&str, Unit)] = &[
    ("_bytes", Unit::Bytes),
    ("_per_s", Unit::PerSecond),
    ("_ns", Unit::Span(1)),
    ("_us", Unit::Span(1_000)),
    ("_ms", Unit::Span(1_000_000)),
    ("_hz", Unit::Hertz),
    ("_ratio", Unit::Share),
    ("_address", Unit::Address),
];

impl Unit {
    pub fn of_key(key: &str) -> Self {
        if key == "at_ns" || key.ends_with("_at_ns") {
            return Self::Moment;
        }
        let suffix = SUFFIXES.iter().find(|(suffix, _)| key.ends_with(suffix));
        suffix.map_or(Self::Plain, |(_, unit)| *unit)
    }
}

/// The key without its unit.
pub fn name_of_key(key: &str) -> &str {
    let name = SUFFIXES
        .iter()
        .find_map(|(suffix, _)| key.strip_suffix(suffix));
    name.filter(|name| !name.is_empty()).unwrap_or(key)
}

/// A key as a heading: without its unit, and with blanks.
pub struct Heading<'a>(pub &'a str);

impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in name_of_key(self.0).chars() {
            f.write_char(if character == '_' { ' ' } else { character })?;
        }
        Ok(())
    }
}

/// A value as a person reads it.
pub struct People<'a> {
    pub unit: Unit,
    pub value: Value<'a>,
}

impl fmt::Display for People<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Value::Unknown | Value::Ratio { to: 0, .. } => f.write_str("unknown"),
            Value::Bool(true) => f.write_str("yes"),
            Value::Bool(false) => f.write_str("no"),
            Value::Count(count) => fmt_number(count, self.unit, f),
            Value::Signed(number) => {
                f.write_str(if number < 0 { "-" } else { "" })?;
                fmt_number(number.unsigned_abs(), self.unit, f)
            }
            Value::Ratio { of, to } if self.unit == Unit::Share => fmt_percent(of, to, f),
            // Some spans are shorter than what is counted.
            Value::Ratio { of, to } if self.unit == Unit::Span(1) => {
                fmt_tenths(u128::from(of), u128::from(to), f)?;
                f.write_str(" ns")
            }
            Value::Ratio { of, to } => fmt_tenths(u128::from(of), u128::from(to), f),
            Value::Text(text) => Escaped(text).fmt(f),
            Value::Format(text) => f.write_fmt(text),
        }
    }
}

fn fmt_number(number: u64, unit: Unit, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match unit {
        Unit::Plain => write!(f, "{number}"),
        Unit::Bytes => fmt_bytes(number, f),
        Unit::Moment => write!(f, "{} s", Instant::from_nanos(number)),
        Unit::Span(nanos) => Duration::from_nanos(number.saturating_mul(nanos)).fmt(f),
        Unit::Hertz => fmt_hertz(number, f),
        Unit::PerSecond => write!(f, "{number} /s"),
        Unit::Share => fmt_percent(number, 1, f),
        Unit::Address => write!(f, "{number:#x}"),
    }
}

fn fmt_bytes(bytes: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const NAMES: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return write!(f, "{bytes} B");
    }
    // 1023.96 KiB would be rounded to 1024.0 KiB: that is the next unit's 1.0.
    let is_rounded_up = |power: u32| u128::from(bytes) * 20 >= 20479 << (10 * power);
    let mut power = bytes.ilog2() / 10;
    if is_rounded_up(power) && (power as usize) < NAMES.len() {
        power += 1;
    }
    fmt_tenths(u128::from(bytes), 1 << (10 * power), f)?;
    write!(f, " {}", NAMES[power as usize - 1])
}

fn fmt_hertz(hertz: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (over, name) = match hertz {
        0..1_000 => return write!(f, "{hertz} Hz"),
        1_000..1_000_000 => (1_000, "kHz"),
        1_000_000..1_000_000_000 => (1_000_000, "MHz"),
        _ => (1_000_000_000, "GHz"),
    };
    let hundredths = hertz / (over / 100);
    write!(f, "{}.{:02} {name}", hundredths / 100, hundredths % 100)
}

fn fmt_percent(of: u64, to: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt_tenths(u128::from(of) * 100, u128::from(to), f)?;
    f.write_str(" %")
}

/// One digit after the point, rounded.
fn fmt_tenths(of: u128, to: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let tenths = (of * 10 + to / 2) / to;
    write!(f, "{}.{}", tenths / 10, tenths % 10)
}

/// Text in which control characters are spelled out, so that none reaches a terminal.
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(char::is_control) {
            f.write_str(&rest[..at])?;
            let mut characters = rest[at..].chars();
            if let Some(control) = characters.next() {
                write!(f, "{}", control.escape_default())?;
            }
            rest = characters.as_str();
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(key: &str, value: Value<'_>) -> std::string::String {
        let unit = Unit::of_key(key);
        std::format!("{}", People { unit, value })
    }

    #[test]
    fn the_suffix_of_the_key_decides_how_a_number_reads() {
        let cases = [
            ("total_bytes", 0, "0 B"),
            ("total_bytes", 1023, "1023 B"),
            ("total_bytes", 133_169_152, "127.0 MiB"),
            ("total_bytes", 1_048_575, "1.0 MiB"),
            ("total_bytes", u64::MAX, "16.0 EiB"),
            ("longest_ns", 1_500, "1.5 us"),
            ("wait_us", 2_500, "2.5 ms"),
            ("wait_ms", 1_500, "1.5 s"),
            ("at_ns", 1_234_567_890, "1.234567 s"),
            ("clock_hz", 2_450_000_000, "2.45 GHz"),
            ("clock_hz", 999, "999 Hz"),
            ("packets_per_s", 12, "12 /s"),
            ("start_address", 0x20_0000, "0x200000"),
            ("used", 7, "7"),
        ];
        for (key, count, expected) in cases {
            assert_eq!(people(key, Value::Count(count)), expected, "{key}");
        }
    }

    #[test]
    fn a_share_is_a_percentage_and_unknown_is_never_zero() {
        assert_eq!(
            people("used_ratio", Value::Ratio { of: 1, to: 8 }),
            "12.5 %"
        );
        assert_eq!(
            people("used_ratio", Value::Ratio { of: 2, to: 3 }),
            "66.7 %"
        );
        assert_eq!(
            people("used_ratio", Value::Ratio { of: 0, to: 0 }),
            "unknown"
        );
        assert_eq!(people("used_bytes", Value::Unknown), "unknown");
        assert_eq!(people("delta_bytes", Value::Signed(-2048)), "-2.0 KiB");
        assert_eq!(people("is_on", Value::Bool(true)), "yes");
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        assert_eq!(
            people("x", Value::Text("a\x03\u{9b}\nb")),
            "a\\u{3}\\u{9b}\\nb"
        );
    }

    #[test]
    fn a_heading_has_no_unit_and_no_underscores() {
        assert_eq!(std::format!("{}", Heading("heap_used_bytes")), "heap used");
        assert_eq!(std::format!("{}", Heading("packets_per_s")), "packets");
    }
}
