//! L1: memory; the other of the two folders with unsafe code.
//!
//! One owner, `MEMORY`, behind one lock: frames, the kernel's address space, and
//! the areas in it (heap, stacks, devices). Every frame that is taken is charged
//! to a purpose, so that `mem` adds up.

mod backing;
mod buffers;
pub mod frames;
mod shared;
pub mod view;

#[cfg(target_os = "none")]
mod accounting;
#[cfg(target_os = "none")]
pub mod address_space;
#[cfg(target_os = "none")]
pub mod devices;
#[cfg(target_os = "none")]
pub mod heap;
#[cfg(target_os = "none")]
pub mod image;
#[cfg(target_os = "none")]
pub mod layout;
#[cfg(target_os = "none")]
mod owner;
#[cfg(target_os = "none")]
pub mod physical;
#[cfg(target_os = "none")]
mod place;
#[cfg(target_os = "none")]
mod registers;
#[cfg(target_os = "none")]
pub mod stacks;
#[cfg(target_os = "none")]
mod take_over;
#[cfg(target_os = "none")]
pub use accounting::{view, visit_usages};
#[cfg(target_os = "none")]
pub use owner::{
    DeviceByte, StartPage, allocate_stack, free_bytes, map_device, map_framebuffer, rename_stack,
    root,
};
#[cfg(target_os = "none")]
pub use place::{Place, explain};
#[cfg(target_os = "none")]
pub use registers::DeviceRegisters;
#[cfg(target_os = "none")]
pub use take_over::{init, reclaim_loader};

#[cfg(not(target_os = "none"))]
pub use backing::host::{free_bytes, read_as_device, write_as_device};
pub use buffers::{allocate_buffer, release_buffer};
pub use shared::SharedMemory;

use core::fmt;

/// What a range of the machine's memory is, as the loader's map says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RangeKind {
    Usable,
    /// In use by the loader; free once the kernel stands on its own.
    Loader,
    Reserved,
    Acpi,
    Defective,
}

impl RangeKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usable => "usable",
            Self::Loader => "loader",
            Self::Reserved => "reserved",
            Self::Acpi => "acpi",
            Self::Defective => "defective",
        }
    }
}

/// A range of physical memory, `start` included, `end` not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    pub start: u64,
    pub end: u64,
    pub kind: RangeKind,
}

impl Range {
    pub const fn bytes(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Is it memory that the kernel may use, now or once the loader has ended?
    pub const fn is_memory(&self) -> bool {
        matches!(self.kind, RangeKind::Usable | RangeKind::Loader)
    }
}

/// How many of at most `length_max` bytes from `start` on the kernel never hands out, by the map.
///
/// What a firmware names may lie anywhere, also where the kernel has its own things by now.
pub fn bytes_left_alone(ranges: &[Range], start: u64, length_max: usize) -> usize {
    let own = ranges
        .iter()
        .filter(|range| range.is_memory() && range.end > start);
    let next = own.map(|range| range.start.saturating_sub(start)).min();
    next.map_or(length_max, |bytes| bytes.min(length_max as u64) as usize)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryError {
    /// No free frame, or no run of frames that is long enough.
    NoFrames {
        wanted_bytes: u64,
    },
    /// The table of this area has no free place.
    TableFull(&'static str),
    /// The address is mapped already.
    AlreadyMapped(u64),
    NotMapped(u64),
    /// What is said to be a device's registers is memory, or nothing.
    NoRegisters(u64),
    /// The loader's map names no memory that could be used.
    NoUsableMemory,
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFrames { wanted_bytes } => {
                write!(
                    f,
                    "no {} KiB of memory are free; give the machine more",
                    wanted_bytes / 1024
                )
            }
            Self::TableFull(area) => write!(f, "the table of {area} is full; see limits"),
            Self::AlreadyMapped(address) => write!(f, "{address:#x} is mapped already"),
            Self::NotMapped(address) => write!(f, "{address:#x} is not mapped"),
            Self::NoRegisters(address) => {
                write!(f, "{address:#x} is memory and no device's register")
            }
            Self::NoUsableMemory => f.write_str("the memory map names no usable memory"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_kernel_s_memory_is_never_the_firmware_s() {
        let range = |start, end, kind| Range { start, end, kind };
        let ranges = [
            range(0x1000, 0x2000, RangeKind::Usable),
            range(0x3000, 0x4000, RangeKind::Acpi),
            range(0x4000, 0x5000, RangeKind::Loader),
        ];
        let left = |start, length| bytes_left_alone(&ranges, start, length);
        assert_eq!(left(0x3000, 16), 16);
        assert_eq!(left(0x3ff0, 0x4000), 16);
        assert_eq!(left(0, usize::MAX), 0x1000);
        for own in [0x1000, 0x1fff, 0x4000, 0x4fff] {
            assert_eq!(left(own, 16), 0, "{own:#x}");
        }
        assert_eq!(left(0x2000, 0x4000), 0x2000);
        assert_eq!(left(0x5000, 0x4000), 0x4000);
        assert_eq!(left(u64::MAX, usize::MAX), usize::MAX);
    }
}
