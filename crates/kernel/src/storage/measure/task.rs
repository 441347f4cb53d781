//! What a disk is measured with: kinds of load, each for a while.

use crate::base::disk::{DiskOperation, SECTOR_BYTES};
use crate::limits::MEASURE_DEPTH_MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Task {
    pub name: &'static str,
    pub operation: DiskOperation,
    pub bytes: usize,
    pub is_random: bool,
    /// Requests at the same time.
    pub depth: usize,
    /// Is each write followed by a flush before the next one?
    pub is_synced: bool,
}

const SMALL: usize = 4 << 10;
/// Bytes of the largest request.
pub const LARGE: usize = 128 << 10;

const fn task(
    name: &'static str,
    operation: DiskOperation,
    bytes: usize,
    is_random: bool,
    depth: usize,
) -> Task {
    Task {
        name,
        operation,
        bytes,
        is_random,
        depth,
        is_synced: false,
    }
}

const DEEP: usize = MEASURE_DEPTH_MAX;

/// Reads before writes, so that a disk that is filled as it is written is not read before.
pub const TASKS: [Task; 17] = {
    use DiskOperation::{Read, Write};
    [
        task("write 128 KiB, in order", Write, LARGE, false, 1),
        task("write 128 KiB, in order", Write, LARGE, false, DEEP),
        task("read 128 KiB, in order", Read, LARGE, false, 1),
        task("read 128 KiB, in order", Read, LARGE, false, DEEP),
        task("read 128 KiB, anywhere", Read, LARGE, true, 1),
        task("read 128 KiB, anywhere", Read, LARGE, true, DEEP),
        task("read 4 KiB, in order", Read, SMALL, false, 1),
        task("read 4 KiB, in order", Read, SMALL, false, DEEP),
        task("read 4 KiB, anywhere", Read, SMALL, true, 1),
        task("read 4 KiB, anywhere", Read, SMALL, true, DEEP),
        task("write 128 KiB, anywhere", Write, LARGE, true, 1),
        task("write 128 KiB, anywhere", Write, LARGE, true, DEEP),
        task("write 4 KiB, in order", Write, SMALL, false, 1),
        task("write 4 KiB, in order", Write, SMALL, false, DEEP),
        task("write 4 KiB, anywhere", Write, SMALL, true, 1),
        task("write 4 KiB, anywhere", Write, SMALL, true, DEEP),
        Task {
            is_synced: true,
            ..task("write 4 KiB and flush", Write, SMALL, false, 1)
        },
    ]
};

impl Task {
    pub const fn sectors(&self) -> u64 {
        (self.bytes / SECTOR_BYTES) as u64
    }
}
