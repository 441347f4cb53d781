//! One value of a report: exact, and honest about what is not known.

use crate::base::time::{Duration, Instant};
use core::cmp::Ordering;
use core::fmt;

/// What a handler says and what a face shows.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Nobody measured it in this boot; never shown as 0.
    Unknown,
    Bool(bool),
    Count(u64),
    Signed(i64),
    /// An exact share; over 0 it is unknown.
    Ratio {
        of: u64,
        to: u64,
    },
    Text(&'a str),
    /// Text that is written straight into the report's memory.
    Format(fmt::Arguments<'a>),
}

impl Value<'_> {
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Count(_) | Self::Signed(_) | Self::Ratio { .. })
    }

    /// A total order: numbers by size, then no and yes, then text, the unknown last.
    ///
    /// `Format` is not compared: a report that was filled holds none.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self.fraction(), other.fraction()) {
            (Some(left), Some(right)) => compare_fractions(left, right),
            _ => match (self, other) {
                (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
                (Self::Text(left), Self::Text(right)) => left.cmp(right),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }

    /// How a number compares with numerator over denominator; `None` for all else.
    pub fn compare(&self, numerator: i128, denominator: u64) -> Option<Ordering> {
        let limit = i128::from(u64::MAX);
        let other = (numerator.clamp(-limit, limit), denominator.max(1));
        Some(compare_fractions(self.fraction()?, other))
    }

    /// Numerator and denominator of a number.
    fn fraction(&self) -> Option<(i128, u64)> {
        match *self {
            Self::Count(count) => Some((i128::from(count), 1)),
            Self::Signed(number) => Some((i128::from(number), 1)),
            Self::Ratio { of, to } if to > 0 => Some((i128::from(of), to)),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Count(_) | Self::Signed(_) => 0,
            Self::Ratio { to, .. } if *to > 0 => 0,
            Self::Bool(_) => 1,
            Self::Text(_) | Self::Format(_) => 2,
            Self::Unknown | Self::Ratio { .. } => 3,
        }
    }
}

/// Compares a/b with c/d as a*d with c*b; both denominators are above 0.
fn compare_fractions(left: (i128, u64), right: (i128, u64)) -> Ordering {
    let ((left, left_over), (right, right_over)) = (left, right);
    match (u128::try_from(left), u128::try_from(right)) {
        // Figures of 64 bits: their products fit 128.
        (Ok(left), Ok(right)) => {
            (left * u128::from(right_over)).cmp(&(right * u128::from(left_over)))
        }
        (Err(_), Err(_)) => (left * i128::from(right_over)).cmp(&(right * i128::from(left_over))),
        _ => left.cmp(&right),
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        Self::Count(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Count(u64::from(value))
    }
}

impl From<u8> for Value<'_> {
    fn from(value: u8) -> Self {
        Self::Count(u64::from(value))
    }
}

impl From<usize> for Value<'_> {
    fn from(value: usize) -> Self {
        Self::Count(value as u64)
    }
}

impl From<Instant> for Value<'_> {
    /// Nanoseconds, for a key that ends in `_ns`.
    fn from(value: Instant) -> Self {
        Self::Count(value.as_nanos())
    }
}

impl From<Duration> for Value<'_> {
    /// Nanoseconds, for a key that ends in `_ns`.
    fn from(value: Duration) -> Self {
        Self::Count(value.as_nanos())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<fmt::Arguments<'a>> for Value<'a> {
    fn from(value: fmt::Arguments<'a>) -> Self {
        Self::Format(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_size_whatever_their_kind() {
        let ratio = |of, to| Value::Ratio { of, to };
        let cases = [
            (Value::Count(2), Value::Count(10), Ordering::Less),
            (Value::Signed(-1), Value::Count(0), Ordering::Less),
            (ratio(1, 3), ratio(2, 6), Ordering::Equal),
            (ratio(u64::MAX, 1), Value::Count(u64::MAX), Ordering::Equal),
            (
                ratio(u64::MAX, u64::MAX - 1),
                ratio(u64::MAX - 1, u64::MAX),
                Ordering::Greater,
            ),
            (Value::Unknown, Value::Text("z"), Ordering::Greater),
            (ratio(1, 0), Value::Count(9), Ordering::Greater),
        ];
        for (left, right, expected) in cases {
            assert_eq!(left.order(&right), expected);
            assert_eq!(right.order(&left), expected.reverse());
        }
    }
}
