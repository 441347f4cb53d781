//! Why a log does not do what it was asked for.

use crate::storage::io::IoError;
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogError {
    /// A record, with what is possible.
    TooLong {
        bytes: usize,
        bytes_max: usize,
    },
    /// All of the area holds records that are still needed.
    Full,
    /// All buffers are on their way to the disk.
    Busy,
    /// Old records are still being read.
    Recovering,
    /// Acknowledged records are destroyed.
    Damaged,
    /// It is not damaged; there is no loss to accept.
    NotDamaged,
    /// The record is not in the log any more, or not yet.
    OutOfRange,
    /// A read is on its way.
    Reading,
    RegionTooSmall,
    NoMemory,
    /// There is no log in the region.
    NotFormatted,
    /// The log was made with other sizes.
    OtherSizes,
    /// The disk cannot take a batch in one piece.
    TransferTooSmall,
    /// The disk did not do what it was asked for.
    Disk(IoError),
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong { bytes, bytes_max } => {
                return write!(f, "a record of {bytes} bytes; the log takes {bytes_max}");
            }
            Self::Disk(error) => return write!(f, "the log's disk failed: {error}"),
            Self::Full => "the log is full; it takes more once what it holds is not needed",
            Self::Busy => "the log's buffers are on their way to the disk; try again",
            Self::Recovering => "the log is still being read; try again",
            Self::Damaged => "the log is damaged; see storage logs",
            Self::NotDamaged => "the log is not damaged",
            Self::OutOfRange => "the log does not hold that record",
            Self::Reading => "the log is being read; try again",
            Self::RegionTooSmall => "the log's part of the disk is too small; use a larger disk",
            Self::NoMemory => "there was no memory for the log; give the machine more",
            Self::NotFormatted => "there is no log on the disk; see storage format",
            Self::OtherSizes => "the log was made for other sizes; see storage format",
            Self::TransferTooSmall => "the disk's transfers are too small for the log",
        })
    }
}
