//! A number as a person types it, with a unit: `1.5 MiB`, `20ms`, `0x2000`.

use crate::shell::render::Unit;

/// More digits behind the point say nothing here.
const DECIMALS_MAX: usize = 6;

/// An exact number in the base unit of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quantity {
    pub numerator: i128,
    pub denominator: u64,
}

/// Names of units, each with what it is worth: numerator and denominator.
type Names = &'static [(&'static str, u64, u64)];

const BYTES: Names = &[
    ("b", 1, 1),
    ("k", 1 << 10, 1),
    ("kib", 1 << 10, 1),
    ("kb", 1_000, 1),
    ("m", 1 << 20, 1),
    ("mib", 1 << 20, 1),
    ("mb", 1_000_000, 1),
    ("g", 1 << 30, 1),
    ("gib", 1 << 30, 1),
    ("gb", 1_000_000_000, 1),
    ("t", 1 << 40, 1),
    ("tib", 1 << 40, 1),
    ("tb", 1_000_000_000_000, 1),
];
const TIME: Names = &[
    ("ns", 1, 1),
    ("us", 1_000, 1),
    ("ms", 1_000_000, 1),
    ("s", 1_000_000_000, 1),
    ("min", 60_000_000_000, 1),
    ("h", 3_600_000_000_000, 1),
    ("d", 86_400_000_000_000, 1),
];
const FREQUENCY: Names = &[
    ("hz", 1, 1),
    ("khz", 1_000, 1),
    ("mhz", 1_000_000, 1),
    ("ghz", 1_000_000_000, 1),
];
const SHARE: Names = &[("%", 1, 100)];
const PER_SECOND: Names = &[("/s", 1, 1)];

impl Quantity {
    /// Reads a number for a column of that unit; `None` when it is none.
    pub fn parse(text: &str, unit: Unit) -> Option<Self> {
        let text = text.trim();
        let (sign, text) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        if let Some(digits) = text.strip_prefix("0x") {
            let number = u64::from_str_radix(digits, 16).ok()?;
            return Some(Self {
                numerator: sign * i128::from(number),
                denominator: 1,
            });
        }
        let is_digit = |character: char| character.is_ascii_digit() || character == '.';
        let end = text.find(|character| !is_digit(character));
        let (number, name) = text.split_at(end.unwrap_or(text.len()));
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || decimals.len() > DECIMALS_MAX {
            return None;
        }
        let scale = 10u64.pow(decimals.len() as u32);
        let decimals = match decimals {
            "" => 0,
            digits => digits.parse::<u64>().ok()?,
        };
        let mantissa = i128::from(whole.parse::<u64>().ok()?) * i128::from(scale);
        let (worth, over) = worth_of(name.trim(), unit)?;
        let numerator = (mantissa + i128::from(decimals)).checked_mul(i128::from(worth))?;
        Some(Self {
            numerator: sign * numerator,
            denominator: scale * over,
        })
    }
}

/// What one of the named unit is in a column's base unit.
fn worth_of(name: &str, unit: Unit) -> Option<(u64, u64)> {
    if name.is_empty() {
        return Some((1, 1));
    }
    let (names, base) = match unit {
        Unit::Address => return None,
        // A plain count may be one of bytes as well, as in `limits`.
        Unit::Plain | Unit::Bytes => (BYTES, 1),
        Unit::Moment => (TIME, 1),
        Unit::Span(nanos) => (TIME, nanos),
        Unit::Hertz => (FREQUENCY, 1),
        Unit::Share => (SHARE, 1),
        Unit::PerSecond => (PER_SECOND, 1),
    };
    let mut names = names.iter();
    let (_, worth, over) = names.find(|(other, _, _)| other.eq_ignore_ascii_case(name))?;
    Some((*worth, over * base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_the_unit_of_its_column() {
        let cases = [
            ("12", Unit::Plain, Some((12, 1))),
            ("-3", Unit::Plain, Some((-3, 1))),
            ("0x20", Unit::Address, Some((32, 1))),
            ("1MiB", Unit::Bytes, Some((1 << 20, 1))),
            ("1.5 kib", Unit::Bytes, Some((15 * 1024, 10))),
            ("2ms", Unit::Span(1_000), Some((2_000_000, 1_000))),
            ("80 %", Unit::Share, Some((80, 100))),
            ("2.4GHz", Unit::Hertz, Some((24_000_000_000, 10))),
            ("1MiB", Unit::Address, None),
            ("abc", Unit::Plain, None),
            ("", Unit::Plain, None),
            ("1.2.3", Unit::Plain, None),
            (".", Unit::Plain, None),
            ("99999999999999999999999", Unit::Plain, None),
            ("1.0000001", Unit::Plain, None),
            ("18446744073709551615.000001d", Unit::Span(1), None),
        ];
        for (text, unit, expected) in cases {
            let expected = expected.map(|(numerator, denominator)| Quantity {
                numerator,
                denominator,
            });
            assert_eq!(Quantity::parse(text, unit), expected, "{text}");
        }
    }
}
