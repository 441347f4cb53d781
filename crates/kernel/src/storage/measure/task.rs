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
        task("write-128k", Write, LARGE, false, 1),
        task("write-128k", Write, LARGE, false, DEEP),
        task("read-128k", Read, LARGE, false, 1),
        task("read-128k", Read, LARGE, false, DEEP),
        task("randread-128k", Read, LARGE, true, 1),
        task("randread-128k", Read, LARGE, true, DEEP),
        task("read-4k", Read, SMALL, false, 1),
        task("read-4k", Read, SMALL, false, DEEP),
        task("randread-4k", Read, SMALL, true, 1),
        task("randread-4k", Read, SMALL, true, DEEP),
        task("randwrite-128k", Write, LARGE, true, 1),
        task("randwrite-128k", Write, LARGE, true, DEEP),
        task("write-4k", Write, SMALL, false, 1),
        task("write-4k", Write, SMALL, false, DEEP),
        task("randwrite-4k", Write, SMALL, true, 1),
        task("randwrite-4k", Write, SMALL, true, DEEP),
        Task {
            is_synced: true,
            ..task("sync-write-4k", Write, SMALL, false, 1)
        },
    ]
};

/// The names of the loads, in the order in which they run.
pub const NAMES: &[&str] = &[
    "write-128k",
    "read-128k",
    "randread-128k",
    "read-4k",
    "randread-4k",
    "randwrite-128k",
    "write-4k",
    "randwrite-4k",
    "sync-write-4k",
];

impl Task {
    pub const fn sectors(&self) -> u64 {
        (self.bytes / SECTOR_BYTES) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_load_has_a_name_that_can_be_asked_for() {
        assert!(TASKS.iter().all(|task| NAMES.contains(&task.name)));
        for name in NAMES {
            assert!(TASKS.iter().any(|task| task.name == *name), "{name}");
        }
    }
}
