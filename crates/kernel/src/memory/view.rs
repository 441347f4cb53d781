//! Where the machine's memory is: plain data for tables and checks.

use crate::base::fixed::Vec;
use crate::limits::MEMORY_RANGES_MAX;

/// Every byte of the machine's memory is in exactly one of the sums below `total`.
#[derive(Clone, Debug, Default)]
pub struct MemoryView {
    /// Memory that the memory map calls usable or reclaimable.
    pub total_bytes: u64,
    /// Kept by the firmware, reported by the memory map.
    pub reserved_bytes: u64,
    pub free_bytes: u64,
    pub kernel_image_bytes: u64,
    pub heap_bytes: u64,
    pub heap_used_bytes: u64,
    pub heap_high_water_bytes: u64,
    /// Allocations that the heap refused.
    pub heap_refused: u64,
    pub page_tables_bytes: u64,
    pub stacks_bytes: u64,
    pub dma_bytes: u64,
    /// Bookkeeping of the frame allocator, boot structures kept.
    pub other_bytes: u64,
    /// Device ranges mapped; not memory, so not part of the total.
    pub mmio_mapped_bytes: u64,
    pub ranges: Vec<RangeView, MEMORY_RANGES_MAX>,
    pub mappings: Vec<MappingView, 32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RangeView {
    pub start: u64,
    pub bytes: u64,
    /// `usable`, `reserved`, `acpi`, `kernel` ...
    pub kind: &'static str,
}

/// A part of the kernel's address space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MappingView {
    pub name: &'static str,
    pub start: u64,
    pub bytes: u64,
    pub is_writable: bool,
    pub is_executable: bool,
    pub page_bytes: u64,
}
