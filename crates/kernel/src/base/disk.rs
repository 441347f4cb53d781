//! What a machine gives as a disk: requests that complete later.

use crate::base::buffer::Buffer;
use crate::base::fixed::{Full, Vec};
use crate::limits::IO_PIECES_MAX;
use alloc::boxed::Box;
use core::fmt;

/// Bytes of the unit in which disks are addressed.
pub const SECTOR_BYTES: usize = 512;

/// A block device, real or simulated.
pub trait Disk {
    fn facts(&self) -> DiskFacts;

    /// Puts a request before the device, which begins at the next `kick` at the latest.
    /// What is refused comes back with its reason.
    fn submit(&mut self, request: DiskRequest) -> Result<(), (DiskError, DiskRequest)>;

    /// Tells the device of all that was submitted since the last time.
    fn kick(&mut self);

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
    /// Buffers of one request, and its bytes.
    pub pieces_max: usize,
    pub transfer_bytes_max: usize,
    /// How often it was started: with each start what its cache held before may be lost.
    pub starts: u32,
}

#[derive(Debug)]
pub struct DiskRequest {
    /// The asker's own number; comes back with the answer.
    pub tag: u64,
    pub operation: DiskOperation,
    pub sector: u64,
    /// 0 for a flush.
    pub sectors: u64,
    /// What is written or filled: only reads and writes have any.
    pub data: Payload,
}

/// The memory of a request.
#[derive(Debug, Default)]
pub enum Payload {
    #[default]
    None,
    /// It may be longer than the request's sectors are.
    One(Buffer),
    /// In the order of the sectors; together as long as they are.
    Many(Box<Pieces>),
}

/// Buffers of requests that were merged, each with the bytes of it that take part.
#[derive(Debug, Default)]
pub struct Pieces(pub Vec<(Buffer, usize), IO_PIECES_MAX>);

impl Payload {
    /// Its only buffer, if it has one.
    pub fn into_one(self) -> Option<Buffer> {
        match self {
            Self::One(buffer) => Some(buffer),
            Self::None | Self::Many(_) => None,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::Many(pieces) => pieces.0.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that are there for sectors.
    pub fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(buffer) => buffer.capacity(),
            Self::Many(pieces) => pieces.0.iter().map(|(_, bytes)| bytes).sum(),
        }
    }

    /// Every piece of the first `total` bytes, with its length.
    pub fn visit(&self, total: usize, visit: &mut dyn FnMut(&Buffer, usize)) {
        match self {
            Self::None => {}
            Self::One(buffer) => visit(buffer, total.min(buffer.capacity())),
            Self::Many(pieces) => pieces
                .0
                .iter()
                .for_each(|(buffer, bytes)| visit(buffer, *bytes)),
        }
    }

    /// The same, to fill them.
    pub fn visit_mut(&mut self, total: usize, visit: &mut dyn FnMut(&mut [u8])) {
        match self {
            Self::None => {}
            Self::One(buffer) => {
                let bytes = total.min(buffer.capacity());
                visit(&mut buffer.bytes_mut()[..bytes]);
            }
            Self::Many(pieces) => {
                for (buffer, bytes) in pieces.0.iter_mut() {
                    visit(&mut buffer.bytes_mut()[..*bytes]);
                }
            }
        }
    }
}

impl From<Option<Buffer>> for Payload {
    fn from(buffer: Option<Buffer>) -> Self {
        buffer.map_or(Self::None, Self::One)
    }
}

impl Pieces {
    /// Puts a buffer behind the others.
    pub fn push(&mut self, buffer: Buffer, bytes: usize) -> Result<(), Full> {
        self.0.push((buffer, bytes))
    }
}

/// The disks of a machine by their places.
pub trait Disks {
    fn disk(&mut self, index: usize) -> Option<&mut dyn Disk>;
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
