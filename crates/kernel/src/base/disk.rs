//! What a machine gives as a disk: requests that complete later.

use crate::base::buffer::Buffer;
use core::fmt;

/// Bytes of the unit in which disks are addressed.
pub const SECTOR_BYTES: usize = 512;

/// A block device, real or simulated.
pub trait Disk {
    fn facts(&self) -> DiskFacts;

    /// Hands a request to the device. What is refused comes back with its reason.
    fn submit(&mut self, request: DiskRequest) -> Result<(), (DiskError, DiskRequest)>;

    /// The next request that has ended, in any order. A disk that was unplugged gives
    /// back what it had first.
    fn completed(&mut self) -> Option<DiskDone>;

    fn view(&self) -> DiskView;
}

/// What a disk has done since boot.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct DiskView {
    pub reads: u64,
    pub writes: u64,
    pub flushes: u64,
    /// Discards and zeroes.
    pub others: u64,
    pub read_bytes: u64,
    pub written_bytes: u64,
    /// Requests that the device failed.
    pub failed: u64,
    /// Requests that were not given to the device.
    pub refused: u64,
    pub in_flight: usize,
    pub in_flight_high_water: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiskFacts {
    /// `disk0`: the name that tables show.
    pub name: &'static str,
    pub sectors: u64,
    pub is_read_only: bool,
    /// Has it a cache that must be flushed before data is safe?
    pub has_write_cache: bool,
    pub can_discard: bool,
    pub can_write_zeroes: bool,
    /// Requests that it takes at the same time.
    pub requests_max: usize,
}

#[derive(Debug)]
pub struct DiskRequest {
    /// The asker's own number; comes back with the answer.
    pub tag: u64,
    pub operation: DiskOperation,
    pub sector: u64,
    /// 0 for a flush.
    pub sectors: u64,
    /// What is written or filled; only for reads and writes. It may be longer than the
    /// sectors are.
    pub data: Option<Buffer>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskOperation {
    Read,
    Write,
    /// All writes that were answered before are safe when this is answered.
    Flush,
    Discard,
    WriteZeroes,
}

#[derive(Debug)]
pub struct DiskDone {
    pub request: DiskRequest,
    pub result: Result<(), DiskError>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskError {
    /// The device takes no more at the moment; try again when one has ended.
    Busy,
    /// Behind the last sector, or not whole sectors.
    OutOfRange {
        sector: u64,
    },
    ReadOnly,
    /// The device cannot do that.
    Unsupported,
    /// The device says that it failed at or behind this sector.
    Device {
        sector: u64,
    },
    /// The device was unplugged or reset before it answered.
    Gone,
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the disk takes no more requests now; try again"),
            Self::OutOfRange { sector } => {
                write!(f, "sector {sector} is not on the disk; see device list")
            }
            Self::ReadOnly => f.write_str("the disk is read-only; attach it writable"),
            Self::Unsupported => f.write_str("the disk cannot do that"),
            Self::Device { sector } => write!(f, "the disk failed at sector {sector}"),
            Self::Gone => f.write_str("the disk was unplugged or reset; see device list"),
        }
    }
}
