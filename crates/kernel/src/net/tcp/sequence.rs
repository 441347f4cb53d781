//! Sequence numbers: 32 bits that wrap, compared by their distance (RFC 9293, section 3.4).

use core::ops::{Add, Sub};

/// A place in the endless stream of one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sequence(u32);

impl Sequence {
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    pub const fn number(self) -> u32 {
        self.0
    }

    pub const fn is_before(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    pub const fn is_after(self, other: Self) -> bool {
        other.is_before(self)
    }

    /// Bytes from `earlier` to here; only for a place that is known not to be before it.
    pub const fn since(self, earlier: Self) -> usize {
        self.0.wrapping_sub(earlier.0) as usize
    }

    /// Bytes from `earlier` to here, 0 when this is the earlier one.
    pub const fn beyond(self, earlier: Self) -> usize {
        if self.is_after(earlier) {
            self.since(earlier)
        } else {
            0
        }
    }

    /// The place so many bytes further on; `+` where a constant is not wanted.
    pub const fn behind(self, bytes: usize) -> Self {
        Self(self.0.wrapping_add(bytes as u32))
    }

    pub const fn later(self, other: Self) -> Self {
        if self.is_before(other) { other } else { self }
    }

    pub const fn earlier(self, other: Self) -> Self {
        if self.is_before(other) { self } else { other }
    }
}

impl Add<usize> for Sequence {
    type Output = Self;

    fn add(self, bytes: usize) -> Self {
        self.behind(bytes)
    }
}

impl Sub<usize> for Sequence {
    type Output = Self;

    fn sub(self, bytes: usize) -> Self {
        Self(self.0.wrapping_sub(bytes as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_holds_across_the_wrap() {
        let (before, after) = (Sequence::new(u32::MAX - 2), Sequence::new(u32::MAX - 2) + 5);
        assert_eq!(after.number(), 2);
        assert!(before.is_before(after) && after.is_after(before));
        assert_eq!((after.since(before), after - 5), (5, before));
        assert_eq!((before.beyond(after), after.beyond(before)), (0, 5));
        assert_eq!(before.later(after), after.later(before));
        assert_eq!(before.earlier(after), before);
    }
}
