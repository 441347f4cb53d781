//! What a device was caught at: a field that cannot hold what it holds.

use core::fmt;

/// A device that says one of these is reset and named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceLie {
    /// The used ring's index went back, or ahead of everything that was asked.
    UsedIndex {
        queue: u16,
        index: u16,
        last: u16,
        in_flight: u16,
    },
    /// A used element names a descriptor that the table does not have.
    UsedId { queue: u16, id: u32 },
    /// A used element names a descriptor that nothing was asked with.
    UsedIdle { queue: u16, id: u32 },
    /// More was written than there was room for.
    UsedLength {
        queue: u16,
        bytes: u32,
        offered: u32,
    },
    /// A field of its configuration or of an answer cannot be right.
    Field { name: &'static str, value: u64 },
}

impl DeviceLie {
    /// The field that was wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::UsedIndex { .. } => "used index",
            Self::UsedId { .. } | Self::UsedIdle { .. } => "used id",
            Self::UsedLength { .. } => "used length",
            Self::Field { name, .. } => name,
        }
    }
}

impl fmt::Display for DeviceLie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UsedIndex {
                queue,
                index,
                last,
                in_flight,
            } => write!(
                f,
                "queue {queue}: used index {index} behind {last} with {in_flight} in flight"
            ),
            Self::UsedId { queue, id } => {
                write!(f, "queue {queue}: used id {id} is in no table")
            }
            Self::UsedIdle { queue, id } => {
                write!(f, "queue {queue}: used id {id} was not in flight")
            }
            Self::UsedLength {
                queue,
                bytes,
                offered,
            } => write!(
                f,
                "queue {queue}: used length {bytes} where {offered} were offered"
            ),
            Self::Field { name, value } => write!(f, "{name} is {value}"),
        }
    }
}
