//! The numbers that requests of files bear, and what they are an answer to.

/// Bits of the place; above them stands the kind, and above that the mount.
const PLACE_BITS: u32 = 16;
const MOUNT_SHIFT: u32 = 24;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tag {
    /// A line of the cache.
    Line(usize),
    /// A buffer of writes.
    Write(usize),
    Flush,
}

impl Tag {
    /// `mount` tells requests of an earlier mount apart.
    pub const fn number(self, mount: u32) -> u64 {
        let (kind, place) = match self {
            Self::Line(place) => (0, place),
            Self::Write(place) => (1, place),
            Self::Flush => (2, 0),
        };
        (mount as u64) << MOUNT_SHIFT | kind << PLACE_BITS | place as u64 & 0xffff
    }

    /// The tag and its mount; `None` for a number that none has.
    pub const fn parse(number: u64) -> Option<(Self, u32)> {
        let place = (number & 0xffff) as usize;
        let tag = match number >> PLACE_BITS & 0xff {
            0 => Self::Line(place),
            1 => Self::Write(place),
            2 => Self::Flush,
            _ => return None,
        };
        Some((tag, (number >> MOUNT_SHIFT) as u32))
    }
}
