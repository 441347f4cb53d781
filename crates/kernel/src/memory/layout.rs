//! The kernel's address space: which area begins where.

use crate::limits::CONTROL_STACK_BYTES;

/// All physical memory, as far as the map goes; never executable.
pub const DIRECT_BASE: u64 = 0xffff_8000_0000_0000;
/// The heap.
pub const HEAP_BASE: u64 = 0xffff_c000_0000_0000;
/// Stacks, each in a slot of `STACK_SLOT_BYTES` that begins with guard pages.
pub const STACKS_BASE: u64 = 0xffff_d000_0000_0000;
/// Registers of devices, uncached.
pub const DEVICES_BASE: u64 = 0xffff_e000_0000_0000;
/// The kernel's image; the linker script says the same.
pub const KERNEL_BASE: u64 = 0xffff_ffff_8000_0000;

pub const PAGE_BYTES: u64 = 4096;
pub const BIG_PAGE_BYTES: u64 = 2 << 20;

/// Room for the largest stack and as much again of unmapped guard below it.
pub const STACK_SLOT_BYTES: u64 = 2 * CONTROL_STACK_BYTES as u64;

pub const fn to_direct(physical: u64) -> u64 {
    DIRECT_BASE + physical
}
