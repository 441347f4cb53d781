//! The one owner of all memory, and what the floors above may ask of it.

use super::address_space::{AddressSpace, Protection};
use super::devices::Devices;
use super::frames::{FRAME_BYTES, Frames, Purpose};
use super::layout::{PAGE_BYTES, STACK_SLOT_BYTES, to_direct};
use super::stacks::{Slots, Stack};
use super::{MemoryError, Range, physical};
use crate::base::fixed::Vec;
use crate::base::late::Late;
use crate::base::sync::IrqLock;
use crate::limits::MEMORY_RANGES_MAX;

pub(super) struct Memory {
    pub frames: Frames,
    pub space: AddressSpace,
    pub slots: Slots,
    pub devices: Devices,
    pub ranges: Vec<Range, MEMORY_RANGES_MAX>,
    pub direct_bytes: u64,
    pub heap_bytes: u64,
    pub heap_page_bytes: u64,
}

pub(super) static MEMORY: IrqLock<Late<Memory>> = IrqLock::new(Late::new());

pub(super) fn with<R>(body: impl FnOnce(&mut Memory) -> R) -> Option<R> {
    MEMORY.with(|memory| memory.as_mut().map(body))
}

/// A zeroed stack with a guard below it, for good.
pub fn allocate_stack(owner: &str, bytes: u64) -> Result<Stack, MemoryError> {
    crate::invariant!(
        bytes < STACK_SLOT_BYTES,
        "a stack of {bytes} bytes leaves no guard"
    );
    let result = with(|memory| {
        let Memory {
            frames,
            space,
            slots,
            ..
        } = memory;
        let stack = slots
            .take(owner, bytes)
            .ok_or(MemoryError::TableFull("stacks"))?;
        for page in (stack.bottom()..stack.top()).step_by(PAGE_BYTES as usize) {
            let frame = frames.allocate(Purpose::Stacks)?;
            physical::zero(frame, FRAME_BYTES);
            space.map(frames, page, frame, Protection::Write)?;
        }
        Ok(stack)
    });
    result.unwrap_or(Err(MemoryError::NoUsableMemory))
}

/// Gives a stack that is used again its new owner's name.
pub fn rename_stack(stack: Stack, owner: &str) {
    with(|memory| memory.slots.rename(stack, owner));
}

/// Where the device registers at `physical` are seen.
pub fn map_device(physical: u64, bytes: u64, name: &'static str) -> Result<u64, MemoryError> {
    map_range((physical, bytes), name, Protection::Device)
}

fn map_range(
    range: (u64, u64),
    name: &'static str,
    protection: Protection,
) -> Result<u64, MemoryError> {
    let result = with(|memory| {
        let Memory {
            frames,
            space,
            devices,
            ..
        } = memory;
        devices.map(space, frames, range, name, protection)
    });
    result.unwrap_or(Err(MemoryError::NoUsableMemory))
}

/// One register of a byte, in a device's memory.
pub struct DeviceByte {
    address: u64,
}

impl DeviceByte {
    pub fn map(physical: u64, name: &'static str) -> Result<Self, MemoryError> {
        map_device(physical, 1, name).map(|address| Self { address })
    }

    pub fn write(&mut self, value: u8) {
        // SAFETY: the page is mapped for this kernel's life and holds registers.
        unsafe { (self.address as *mut u8).write_volatile(value) };
    }
}

/// The screen's memory, as bytes that one owner draws to.
pub fn map_framebuffer(physical: u64, bytes: u64) -> Result<&'static mut [u8], MemoryError> {
    let address = map_range((physical, bytes), "framebuffer", Protection::Framebuffer)?;
    // SAFETY: the range is mapped writable for good; boot asks for it once and
    // hands it to the one console that draws.
    Ok(unsafe { core::slice::from_raw_parts_mut(address as *mut u8, bytes as usize) })
}

/// Does any of it belong to the machine's memory?
pub(super) fn is_memory(physical: u64, bytes: u64) -> bool {
    let end = physical.saturating_add(bytes);
    with(|memory| {
        let mut ranges = memory.ranges.iter().filter(|range| range.is_memory());
        ranges.any(|range| range.start < end && physical < range.end)
    })
    .unwrap_or(false)
}

/// Memory that nobody has taken.
pub fn free_bytes() -> u64 {
    with(|memory| memory.frames.free_bytes()).unwrap_or(0)
}

/// The page tables' root, for cores that start.
pub fn root() -> u64 {
    with(|memory| memory.space.root()).unwrap_or(0)
}

/// A page below 1 MiB for cores that start, seen at its physical address until it
/// is dropped: they come with paging off.
pub struct StartPage {
    physical: u64,
}

impl StartPage {
    pub fn place(content: &[u8; PAGE_BYTES as usize]) -> Result<Self, MemoryError> {
        let result = with(|memory| {
            let usable = memory.ranges.iter().filter(|range| range.is_memory());
            let physical = usable
                .map(|range| {
                    (
                        range.start.max(PAGE_BYTES).next_multiple_of(PAGE_BYTES),
                        range.end.min(0x9_f000),
                    )
                })
                .find(|(start, end)| start + PAGE_BYTES <= *end)
                .map(|(start, end)| start.max(0x8000.min(end - PAGE_BYTES)))
                .ok_or(MemoryError::NoFrames {
                    wanted_bytes: PAGE_BYTES,
                })?;
            // SAFETY: usable low memory is handed out to nobody else.
            unsafe { (to_direct(physical) as *mut [u8; PAGE_BYTES as usize]).write(*content) };
            memory
                .space
                .map(&mut memory.frames, physical, physical, Protection::Execute)?;
            Ok(Self { physical })
        });
        result.unwrap_or(Err(MemoryError::NoUsableMemory))
    }

    pub const fn physical(&self) -> u64 {
        self.physical
    }
}

impl Drop for StartPage {
    fn drop(&mut self) {
        with(|memory| memory.space.unmap(&mut memory.frames, self.physical));
    }
}
