//! What is asked of a disk, by whom, and what came of it.

use super::Priority;
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskOperation};
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use core::fmt;

#[derive(Debug)]
pub struct IoRequest {
    /// The disk's place among the machine's.
    pub disk: usize,
    /// Comes back with the answer.
    pub tag: IoTag,
    pub operation: DiskOperation,
    pub sector: u64,
    /// 0 for a flush.
    pub sectors: u64,
    /// What is written or filled; only for reads and writes. It may be longer than the
    /// sectors are.
    pub data: Option<Buffer>,
    pub priority: Priority,
    /// By when the asker wants it; schedulers that know of deadlines try.
    pub deadline: Option<Instant>,
    pub tenant: Tenant,
}

/// Whose request it is, and the owner's own number for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IoTag {
    pub owner: Owner,
    pub number: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Whoever finds out what is on a disk, and lays it out.
    Layout,
    Errand,
    Load,
    Log,
    Volume,
    File,
    Bench,
}

#[derive(Debug)]
pub struct IoDone {
    pub request: IoRequest,
    pub result: Result<(), IoError>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IoError {
    Disk(DiskError),
    /// The disk's queue is full; it was not taken.
    Full,
    /// There is no such disk.
    NoDisk,
    /// The disk takes only so many bytes at once.
    TooLong {
        bytes_max: usize,
    },
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => error.fmt(f),
            Self::Full => f.write_str("the disk's queue is full; try again"),
            Self::TooLong { bytes_max } => {
                write!(f, "the disk takes {bytes_max} bytes at once; ask for less")
            }
            Self::NoDisk => f.write_str("there is no such disk; see disk list"),
        }
    }
}
